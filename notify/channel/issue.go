package channel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/notify"
)

// Jira and GitHub know no idempotency key: an issue holds the message's id, and is
// looked for before one is made. Also at the first try, as far as anybody knows: a
// server that died between sending and noting that it did counts no try.

var errUnreadable = errors.New("the message cannot be read")

// maxIssues is how much is read of GitHub's list of issues, in bytes: 100 of them.
const maxIssues = 8 << 20

// jira makes an issue that has the message's id as a label.
// https://developer.atlassian.com/cloud/jira/platform/rest/v3/
func (s Sender) jira(ctx context.Context, d *monitor.Delivery, redact redactor) notify.Result {
	settings := &s.Channel.Settings
	headers := http.Header{"Authorization": {basic(settings.Username, s.Secret)}, "Accept": {"application/json"}}
	if !d.Test {
		query, err := encode(map[string]any{
			"jql": fmt.Sprintf(`project = "%s" AND labels = "%s"`, settings.Project, d.MessageID()), "maxResults": 1, "fields": []string{"key"},
		})
		if err != nil {
			return failed(err.Error())
		}
		r, answer := s.post(ctx, at(settings.URL, "rest/api/3/search/jql"), headers, query, redact)
		var found struct {
			Issues []struct{ Key string } `json:"issues"`
		}
		if r.Error == "" && json.Unmarshal(answer.Body, &found) != nil {
			r.Error = "the answer to a search is not Jira's"
		}
		if r.Error != "" {
			return unsought(r)
		}
		if len(found.Issues) > 0 {
			return there(r, found.Issues[0].Key)
		}
	}
	var issue struct {
		Fields map[string]json.RawMessage `json:"fields"`
	}
	var labels []string
	if json.Unmarshal(d.Body, &issue) != nil || issue.Fields == nil {
		return failed(errUnreadable.Error())
	}
	if given := issue.Fields["labels"]; given != nil && json.Unmarshal(given, &labels) != nil {
		return failed(errUnreadable.Error())
	}
	var err error
	if issue.Fields["labels"], err = encode(append(labels, d.MessageID())); err != nil {
		return failed(err.Error())
	}
	body, err := encode(issue)
	if err != nil {
		return failed(err.Error())
	}
	r, answer := s.post(ctx, at(settings.URL, "rest/api/3/issue"), headers, body, redact)
	var made struct{ Key string }
	if r.Error == "" && (json.Unmarshal(answer.Body, &made) != nil || made.Key == "") {
		r.Error = "the answer is not Jira's: it names no issue"
	}
	return r
}

// gitHub makes an issue that has the message's id in a comment, which is not shown. It
// is looked for in the list, as the search finds new issues only after a while.
// https://docs.github.com/en/rest/issues/issues
func (s Sender) gitHub(ctx context.Context, d *monitor.Delivery, redact redactor) notify.Result {
	settings := &s.Channel.Settings
	headers := http.Header{"Authorization": {"Bearer " + s.Secret}, "Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"}}
	list := at(settings.URL, "repos/"+settings.Repository+"/issues")
	marker := "secmon:" + d.MessageID()
	if !d.Test {
		since := d.CreatedAt.Add(-5 * time.Minute).UTC().Format(time.RFC3339) // clocks differ
		query := url.Values{"state": {"all"}, "sort": {"created"}, "direction": {"desc"}, "per_page": {"100"}, "since": {since}}
		r, answer := s.exchange(ctx, http.MethodGet, list+"?"+query.Encode(), headers, nil, maxIssues, redact)
		if r.Error != "" {
			return unsought(limited(r, answer))
		}
		if bytes.Contains(answer.Body, []byte(marker)) {
			r.Response = "" // up to 100 issues of others
			return there(r, "")
		}
	}
	var issue gitHub
	if err := json.Unmarshal(d.Body, &issue); err != nil {
		return failed(errUnreadable.Error())
	}
	issue.Body += "\n\n<!-- " + marker + " -->"
	body, err := encode(issue)
	if err != nil {
		return failed(err.Error())
	}
	r, answer := s.post(ctx, list, headers, body, redact)
	var made struct{ Number int }
	if r.Error == "" && (json.Unmarshal(answer.Body, &made) != nil || made.Number == 0) {
		r.Error = "the answer is not GitHub's: it names no issue"
	}
	return limited(r, answer)
}

// limited reads GitHub's own way to ask for time, which comes with 403 too:
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
func limited(r notify.Result, answer notify.Answer) notify.Result {
	if r.RetryAfter > 0 || answer.Header.Get("X-Ratelimit-Remaining") != "0" {
		return r
	}
	if reset, err := strconv.ParseInt(answer.Header.Get("X-Ratelimit-Reset"), 10, 64); err == nil {
		r.RetryAfter = min(max(0, time.Until(time.Unix(reset, 0))), time.Hour)
	}
	return r
}

// unsought is a failure to look: nothing is made then, as it may be there.
func unsought(r notify.Result) notify.Result {
	r.Error = "whether the issue is there already cannot be seen: " + r.Error
	return r
}

// there is an arrival: an earlier try made it.
func there(r notify.Result, key string) notify.Result {
	r.Response = strings.TrimSpace("an earlier try made the issue " + key)
	return r
}

// at is an address below another.
func at(base, path string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	u = u.JoinPath(path)
	u.RawQuery = ""
	return u.String()
}

// apiWords are what an API says about an error, of the forms that they have; "" for
// none.
func apiWords(body []byte, redact redactor) string {
	var said struct {
		Message  string          `json:"message"`       // GitHub, PagerDuty
		Messages []string        `json:"errorMessages"` // Jira
		Errors   json.RawMessage `json:"errors"`        // all three, each in its own way
		Error    json.RawMessage `json:"error"`         // Power Automate
	}
	if json.Unmarshal(body, &said) != nil {
		return ""
	}
	words := append(said.Messages, said.Message)
	for _, raw := range []json.RawMessage{said.Errors, said.Error} {
		words = append(words, wordsOf(raw)...)
	}
	var told []string
	for _, w := range words {
		if w = line(redact.text(w), 200); w != "" && len(told) < 5 {
			told = append(told, w)
		}
	}
	return strings.Join(told, "; ")
}

func wordsOf(raw json.RawMessage) []string {
	var text string
	var texts []string
	var byField map[string]any
	var objects []struct{ Resource, Field, Code, Message string }
	switch {
	case len(raw) == 0:
		return nil
	case json.Unmarshal(raw, &text) == nil:
		return []string{text}
	case json.Unmarshal(raw, &texts) == nil:
		return texts
	case json.Unmarshal(raw, &objects) == nil:
		for _, o := range objects {
			texts = append(texts, strings.Join([]string{o.Resource, o.Field, o.Code, o.Message}, " "))
		}
	case json.Unmarshal(raw, &byField) == nil:
		for _, field := range sorted(byField) {
			if text, ok := byField[field].(string); ok {
				texts = append(texts, field+": "+text)
			}
		}
	}
	return texts
}

func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
