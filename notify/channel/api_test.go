package channel

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/notify"
)

// api is one that answers as it is told.
type api struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []*http.Request
	bodies [][]byte
}

func newAPI(t *testing.T, answer http.HandlerFunc) *api {
	t.Helper()
	a := &api{}
	a.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		a.mu.Lock()
		a.asked, a.bodies = append(a.asked, r), append(a.bodies, body)
		a.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		answer(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *api) requests() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.asked)
}

func (a *api) last(t *testing.T) (*http.Request, map[string]any) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.asked) == 0 {
		t.Fatal("nothing was asked")
	}
	var body map[string]any
	if err := json.Unmarshal(a.bodies[len(a.bodies)-1], &body); err != nil {
		t.Fatal(err)
	}
	return a.asked[len(a.asked)-1], body
}

// tokens are secrets of each kind, of their real forms.
var tokens = map[monitor.ChannelKind]string{
	monitor.ChannelPagerDuty: "0123456789abcdef0123456789ABCDEF", monitor.ChannelJira: "ATATT3xFfGF0-token", monitor.ChannelGitHub: "github_pat_11AAAA-token",
	monitor.ChannelGeneric: "Bearer very-secret-value",
}

// sender sends to it.
func (a *api) sender(t *testing.T, kind monitor.ChannelKind) Sender {
	t.Helper()
	allowed, err := notify.ParseAllowed([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate())
	s := Sender{Channel: channelOf(kind), Secret: tokens[kind], Poster: notify.NewPoster(allowed, roots, "secmon/test")}
	t.Cleanup(s.Poster.Close)
	switch kind {
	case monitor.ChannelSlack:
		s.Secret = a.URL + "/services/T00000000/B00000000/XXXXsecretXXXXsecretXXXX"
	case monitor.ChannelTeams:
		s.Secret = a.URL + "/workflows/0123456789abcdef/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=Abc-Secret_Signature123"
	case monitor.ChannelGeneric:
		s.Channel.Settings.URL, s.Channel.Settings.Header = a.URL+"/hook", "Authorization"
	case monitor.ChannelGitHub:
		s.Channel.Settings.URL = a.URL + "/api/v3"
	default:
		s.Channel.Settings.URL = a.URL
	}
	return s
}

func deliveryOf(t *testing.T, kind monitor.ChannelKind) *monitor.Delivery {
	t.Helper()
	return delivery(compose(t, channelOf(kind), many()).Body)
}

// accepting answers as each API does when all is well. Issues are kept and found.
func accepting(kind monitor.ChannelKind) http.HandlerFunc {
	var mu sync.Mutex
	var issues []string
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case kind == monitor.ChannelSlack:
			fmt.Fprint(w, "ok")
		case kind == monitor.ChannelTeams:
			w.WriteHeader(http.StatusAccepted)
		case kind == monitor.ChannelPagerDuty:
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprint(w, `{"status":"success","message":"Event processed","dedup_key":"x"}`)
		case r.URL.Path == "/rest/api/3/search/jql":
			var q struct{ JQL string }
			json.Unmarshal(body, &q)
			_, label, _ := strings.Cut(q.JQL, `labels = `)
			for i, issue := range issues {
				if strings.Contains(issue, label) {
					fmt.Fprintf(w, `{"issues":[{"id":"1","key":"SEC-%d"}],"isLast":true}`, i+1)
					return
				}
			}
			fmt.Fprint(w, `{"issues":[],"isLast":true}`)
		case r.URL.Path == "/rest/api/3/issue":
			issues = append(issues, string(body))
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"id":"1","key":"SEC-%d","self":"x"}`, len(issues))
		case r.Method == http.MethodGet && r.URL.Path == "/api/v3/repos/acme/incidents/issues":
			fmt.Fprintf(w, "[%s]", strings.Join(issues, ","))
		case r.URL.Path == "/api/v3/repos/acme/incidents/issues":
			issues = append(issues, string(body))
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"number":%d}`, len(issues))
		case kind == monitor.ChannelGeneric:
			w.WriteHeader(http.StatusNoContent)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}
}

var apis = slices.DeleteFunc(slices.Clone(kinds), func(k monitor.ChannelKind) bool { return k == monitor.ChannelEmail })

func TestMessagesArriveAsTheirAPIsWantThem(t *testing.T) {
	for _, kind := range apis {
		t.Run(string(kind), func(t *testing.T) {
			a := newAPI(t, accepting(kind))
			d := deliveryOf(t, kind)
			r := send(t, a.sender(t, kind), d)
			if r.Error != "" || r.Status/100 != 2 || r.At.IsZero() {
				t.Fatalf("%+v", r)
			}
			request, body := a.last(t)
			if got := request.Header.Get("Content-Type"); request.Method != http.MethodPost || got != "application/json" {
				t.Errorf("%s, %q", request.Method, got)
			}
			text, err := encode(body)
			if err != nil {
				t.Fatal(err)
			}
			valid(t, kind, text)
			switch kind {
			case monitor.ChannelPagerDuty:
				if body["routing_key"] != tokens[kind] || body["dedup_key"] != d.MessageID() {
					t.Errorf("%v", body)
				}
			case monitor.ChannelJira:
				user, password, _ := request.BasicAuth()
				if labels := fmt.Sprint(body["fields"].(map[string]any)["labels"]); user != "soc@example.com" || password != tokens[kind] || labels != "[secmon "+d.MessageID()+"]" {
					t.Errorf("%s %s", user, labels)
				}
			case monitor.ChannelGitHub:
				if !strings.HasSuffix(body["body"].(string), "<!-- secmon:"+d.MessageID()+" -->") || request.Header.Get("Authorization") != "Bearer "+tokens[kind] {
					t.Errorf("%v", body["body"])
				}
			case monitor.ChannelGeneric:
				if request.Header.Get("Authorization") != tokens[kind] || request.Header.Get("Idempotency-Key") != d.MessageID() || request.Header.Get("Secmon-Test") != "" {
					t.Errorf("%v", request.Header)
				}
			}
		})
	}
}

func TestIssueIsMadeOnceHoweverOftenItIsSent(t *testing.T) {
	for _, kind := range []monitor.ChannelKind{monitor.ChannelJira, monitor.ChannelGitHub} {
		t.Run(string(kind), func(t *testing.T) {
			made := 0
			inner := accepting(kind)
			a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
				creates := r.Method == http.MethodPost && !strings.HasSuffix(r.URL.Path, "search/jql")
				if creates {
					made++
				}
				if creates && made == 1 { // it is made, and the answer does not come
					inner(httptest.NewRecorder(), r)
					panic(http.ErrAbortHandler)
				}
				inner(w, r)
			})
			a.Config.ErrorLog = nil
			s, d := a.sender(t, kind), deliveryOf(t, kind)
			if r := send(t, s, d); r.Error == "" {
				t.Fatalf("%+v", r)
			}
			for range 2 { // also where the server does not know of the first try
				if r := send(t, s, d); r.Error != "" || !strings.Contains(r.Response, "an earlier try made the issue") {
					t.Fatalf("%+v", r)
				}
			}
			if made != 1 {
				t.Errorf("%d issues", made)
			}
			other := deliveryOf(t, kind)
			if r := send(t, s, other); r.Error != "" || made != 2 {
				t.Errorf("another message: %+v, %d issues", r, made)
			}
			test := deliveryOf(t, kind)
			test.Test = true
			before := a.requests()
			if r := send(t, s, test); r.Error != "" || a.requests() != before+1 {
				t.Errorf("a test looks for nothing: %+v", r)
			}
		})
	}
}

func TestIssueIsNotMadeWhereItCannotBeLookedFor(t *testing.T) {
	for _, kind := range []monitor.ChannelKind{monitor.ChannelJira, monitor.ChannelGitHub} {
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		r := send(t, a.sender(t, kind), deliveryOf(t, kind))
		if !strings.Contains(r.Error, "cannot be seen: HTTP 503") || a.requests() != 1 || r.RetryAfter != 7*time.Second {
			t.Errorf("%s: %+v after %d requests", kind, r, a.requests())
		}
	}
}

func TestRefusalsOfAPIsAreToldInTheirWords(t *testing.T) {
	for _, c := range []struct {
		kind   monitor.ChannelKind
		status int
		answer string
		says   string
		gone   bool
	}{
		{monitor.ChannelSlack, 400, "invalid_payload", "HTTP 400: invalid_payload", false},
		{monitor.ChannelSlack, 403, "invalid_token", "HTTP 403: invalid_token", false},
		{monitor.ChannelSlack, 404, "no_service", "HTTP 404: no_service", true},
		{monitor.ChannelSlack, 410, "channel_is_archived", "HTTP 410: channel_is_archived", true},
		{monitor.ChannelSlack, 200, "<html>Welcome</html>", "not Slack's “ok”", false},
		{monitor.ChannelTeams, 400, `{"error":{"code":"TriggerInputSchemaMismatch","message":"The input body is wrong"}}`, "code: TriggerInputSchemaMismatch; message: The input body is wrong", false},
		{monitor.ChannelTeams, 404, `{"error":{"code":"WorkflowNotFound","message":"gone"}}`, "WorkflowNotFound", true},
		{monitor.ChannelPagerDuty, 400, `{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}`, "Event object is invalid; Length of 'routing_key'", false},
		{monitor.ChannelJira, 400, `{"errorMessages":["no"],"errors":{"issuetype":"The issue type selected is invalid."}}`, "no; issuetype: The issue type selected is invalid.", false},
		{monitor.ChannelJira, 401, `Client must be authenticated`, "HTTP 401", false},
		{monitor.ChannelGitHub, 422, `{"message":"Validation Failed","errors":[{"resource":"Label","field":"name","code":"invalid"}]}`, "Validation Failed; Label name invalid", false},
		{monitor.ChannelGitHub, 404, `{"message":"Not Found","documentation_url":"x"}`, "HTTP 404: Not Found", false},
		{monitor.ChannelGitHub, 410, `{"message":"Issues are disabled for this repo"}`, "Issues are disabled for this repo", true},
		{monitor.ChannelGeneric, 410, `bye`, "HTTP 410", true},
		{monitor.ChannelGeneric, 500, `{"error":"broken"}`, "HTTP 500: broken", false},
	} {
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.answer)
		})
		d := deliveryOf(t, c.kind)
		d.Test = true // nothing is looked for: the refusal is of the message
		r := send(t, a.sender(t, c.kind), d)
		if !strings.Contains(r.Error, c.says) || r.Gone != c.gone || r.Status != c.status {
			t.Errorf("%s %d %s: %+v", c.kind, c.status, c.answer, r)
		}
	}
}

func TestAPIsThatAskForTimeGetIt(t *testing.T) {
	for _, kind := range apis {
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
		})
		if r := send(t, a.sender(t, kind), deliveryOf(t, kind)); r.RetryAfter != 30*time.Second || r.Error == "" {
			t.Errorf("%s: %+v", kind, r)
		}
	}
	a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", fmt.Sprint(time.Now().Add(10*time.Minute).Unix()))
		w.WriteHeader(http.StatusForbidden)
	})
	if r := send(t, a.sender(t, monitor.ChannelGitHub), deliveryOf(t, monitor.ChannelGitHub)); r.RetryAfter < 9*time.Minute || r.RetryAfter > 10*time.Minute {
		t.Errorf("GitHub's own way: %+v", r)
	}
}

func TestAPIThatLiesOrIsSlow(t *testing.T) {
	for _, kind := range []monitor.ChannelKind{monitor.ChannelJira, monitor.ChannelGitHub} {
		a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>a proxy's page</html>") })
		if r := send(t, a.sender(t, kind), deliveryOf(t, kind)); r.Error == "" {
			t.Errorf("%s: a page is no issue: %+v", kind, r)
		}
	}
	for _, kind := range apis {
		release := make(chan struct{})
		a := newAPI(t, func(http.ResponseWriter, *http.Request) { <-release })
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		started := time.Now()
		r := a.sender(t, kind).Send(ctx, deliveryOf(t, kind))
		if took := time.Since(started); !strings.Contains(r.Error, "no answer in time") || took > 5*time.Second {
			t.Errorf("%s: %+v after %s", kind, r, took)
		}
		cancel()
		close(release)
	}
}

// Receivers see the secret. What they say is kept, and shown to those who may not.
func TestSecretsAreInNoResult(t *testing.T) {
	for _, kind := range apis {
		var s Sender
		pad := 0
		a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			u, _ := url.Parse(s.Secret)
			echo := strings.Join([]string{
				"Cannot POST " + r.URL.RequestURI(), r.URL.Path, r.URL.RawQuery, r.URL.Query().Get("sig"), u.String(), r.Header.Get("Authorization"), s.Secret,
				url.QueryEscape(s.Secret),
			}, " ")
			if pad%2 == 0 {
				fmt.Fprint(w, strings.Repeat("x", pad), echo, echo)
			} else {
				text, _ := encode(map[string]any{"message": strings.Repeat("x ", pad/2) + echo, "errors": []string{echo}})
				w.Write(text)
			}
		})
		s = a.sender(t, kind)
		body := deliveryOf(t, kind).Body
		for pad = 0; pad < 1100; pad += 11 { // each place at the bound of what is kept
			d := delivery(body)
			d.Test = pad%3 == 0
			r := send(t, s, d)
			parts := []string{s.Secret, s.Secret[len(s.Secret)-12:], basic("soc@example.com", s.Secret)[8:]}
			if kind == monitor.ChannelSlack || kind == monitor.ChannelTeams {
				parts = append(parts, "XXXXse", "Secret_Sig", "0123456789ab", "B0000000")
			} else {
				parts = append(parts, s.Secret[:min(len(s.Secret), 12)])
			}
			for _, part := range parts {
				if strings.Contains(r.Error+r.Response, part) {
					t.Fatalf("%s, %d: %q is in %+v", kind, pad, part, r)
				}
			}
			if r.Error == "" {
				t.Fatalf("%s: %+v", kind, r)
			}
		}
	}
}

func TestAddressesThatAreSecretsAreInNoError(t *testing.T) {
	for _, secret := range []string{"https://127.0.0.1:1/services/T/B/XXXXsecretXXXX", "https://nowhere.invalid/services/XXXXsecretXXXX", "https://[::1/XXXXsecretXXXX", "http://192.0.2.1/XXXXsecretXXXX"} {
		for _, allowed := range []string{"127.0.0.1", "192.0.2.99"} {
			networks, err := notify.ParseAllowed([]string{allowed})
			if err != nil {
				t.Fatal(err)
			}
			s := Sender{Channel: channelOf(monitor.ChannelSlack), Secret: secret, Poster: notify.NewPoster(networks, nil, "x")}
			r := send(t, s, deliveryOf(t, monitor.ChannelSlack))
			if r.Error == "" || strings.Contains(r.Error+r.Response, "secret") && !strings.Contains(r.Error+r.Response, hidden) || strings.Contains(r.Error+r.Response, "XXXX") {
				t.Errorf("%s: %+v", secret, r)
			}
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	for _, kind := range apis {
		before := a.requests()
		if r := send(t, a.sender(t, kind), deliveryOf(t, kind)); !strings.Contains(r.Error, "redirects are not followed") || a.requests() != before+1 {
			t.Errorf("%s: %+v", kind, r)
		}
	}
}

func TestKindOfALaterReleaseIsNotSent(t *testing.T) {
	if r := (Sender{Channel: &monitor.Channel{Kind: "SMOKE_SIGNS"}}).Send(t.Context(), delivery(nil)); r.Error == "" {
		t.Errorf("%+v", r)
	}
}
