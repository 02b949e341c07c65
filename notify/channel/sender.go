package channel

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/notify"
)

// Sender sends what Compose made, to where a channel leads now.
type Sender struct {
	Channel *monitor.Channel
	Secret  string
	Poster  *notify.Poster
	Mailer  *Mailer
}

// Headers of GENERIC.
const (
	headerKey  = "Idempotency-Key"
	headerTest = "Secmon-Test"
)

// maxAnswer is how much is read of an answer, in bytes.
const maxAnswer = 64 << 10

// Send sends a delivery. What the result tells never holds the secret, or the address
// that is one.
func (s Sender) Send(ctx context.Context, d *monitor.Delivery) notify.Result {
	redact := newRedactor(s.Channel.Kind, &s.Channel.Settings, s.Secret)
	r := s.send(ctx, d, redact)
	r.Error, r.Response = redact.text(r.Error), redact.text(r.Response)
	return r
}

func (s Sender) send(ctx context.Context, d *monitor.Delivery, redact redactor) notify.Result {
	switch s.Channel.Kind {
	case monitor.ChannelSlack:
		return s.slack(ctx, d, redact)
	case monitor.ChannelTeams:
		r, answer := s.post(ctx, s.Secret, nil, d.Body, redact)
		r.Gone = r.Gone || r.Status == http.StatusNotFound && strings.Contains(string(answer.Body), "WorkflowNotFound")
		return r
	case monitor.ChannelEmail:
		return s.mail(ctx, d, redact)
	case monitor.ChannelPagerDuty:
		return s.pagerDuty(ctx, d, redact)
	case monitor.ChannelJira:
		return s.jira(ctx, d, redact)
	case monitor.ChannelGitHub:
		return s.gitHub(ctx, d, redact)
	case monitor.ChannelGeneric:
		return s.generic(ctx, d, redact)
	}
	return failed("this release does not know the kind of this channel")
}

func failed(text string) notify.Result {
	return notify.Result{DeliveryAttempt: monitor.DeliveryAttempt{At: time.Now().UTC().Truncate(time.Microsecond), Error: text}}
}

// post sends JSON, and adds the API's own words to an error.
func (s Sender) post(ctx context.Context, to string, headers http.Header, body []byte, redact redactor) (notify.Result, notify.Answer) {
	return s.exchange(ctx, http.MethodPost, to, headers, body, maxAnswer, redact)
}

func (s Sender) exchange(ctx context.Context, method, to string, headers http.Header, body []byte, limit int64, redact redactor) (notify.Result, notify.Answer) {
	if headers == nil {
		headers = http.Header{}
	}
	r, answer := s.Poster.Exchange(ctx, method, to, headers, body, limit)
	r.Response = redact.answer(answer.Body)
	if words := apiWords(answer.Body, redact); r.Error != "" && words != "" {
		r.Error += ": " + words
	}
	return r, answer
}

// slack is taken only with its own "ok": anything else that answers 200 is not Slack.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling-errors
func (s Sender) slack(ctx context.Context, d *monitor.Delivery, redact redactor) notify.Result {
	r, answer := s.post(ctx, s.Secret, nil, d.Body, redact)
	said := strings.TrimSpace(string(answer.Body))
	if r.Error == "" && said != "ok" {
		r.Error = "the answer was not Slack's “ok”"
	}
	if r.Error != "" && len(said) < 100 && said != "" && !strings.HasPrefix(said, "{") {
		r.Error += ": " + redact.text(line(said, 100))
	}
	r.Gone = r.Gone || r.Status == http.StatusNotFound && (said == "no_service" || said == "no_team")
	return r
}

// pagerDuty sends an event. Their side knows the key: what comes twice is one.
func (s Sender) pagerDuty(ctx context.Context, d *monitor.Delivery, redact redactor) notify.Result {
	body, err := add(d.Body, map[string]any{"routing_key": s.Secret, "dedup_key": d.MessageID()})
	if err != nil {
		return failed(err.Error())
	}
	r, _ := s.post(ctx, s.Channel.Settings.URL, nil, body, redact)
	return r
}

func (s Sender) generic(ctx context.Context, d *monitor.Delivery, redact redactor) notify.Result {
	headers := http.Header{}
	if header := s.Channel.Settings.Header; header != "" {
		headers.Set(header, s.Secret)
	}
	headers.Set(headerKey, d.MessageID())
	if d.Test {
		headers.Set(headerTest, "true")
	}
	r, _ := s.post(ctx, s.Channel.Settings.URL, headers, d.Body, redact)
	return r
}

func (s Sender) mail(ctx context.Context, d *monitor.Delivery, redact redactor) notify.Result {
	started := time.Now()
	r := failed("")
	said, err := s.Mailer.send(ctx, &s.Channel.Settings, s.Secret, d)
	r.Took = int(time.Since(started).Milliseconds())
	if err != nil {
		if r.Status, r.Error = refusal(err); r.Error == "" {
			r.Error = notify.Told(err)
		}
		return r
	}
	r.Status = said.status
	r.Response = redact.answer([]byte(strings.Join(append([]string{said.answer}, said.refused...), "\n")))
	return r
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// add puts fields into an object of JSON.
func add(object []byte, fields map[string]any) ([]byte, error) {
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(object, &all); err != nil {
		return nil, errUnreadable
	}
	for name, value := range fields {
		text, err := encode(value)
		if err != nil {
			return nil, errUnreadable
		}
		all[name] = text
	}
	return encode(all)
}
