package e2e

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// What an API destination of EventBridge sends is an event like others; it comes by
// an ingest token, in the ways that EventBridge can send one.
func TestEventBridgePushes(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	token := ingestToken(t, r)
	const body = `{"version":"0","id":"e1","detail-type":"Security Hub Findings - Imported","source":"aws.securityhub","time":"2026-05-04T09:32:00Z","detail":{"findings":[
{"ProductArn":"p","GeneratorId":"g","AwsAccountId":"1","Severity":{"Label":"HIGH"},"Title":"one"},{"ProductArn":"p","GeneratorId":"g","AwsAccountId":"1","Severity":{"Label":"LOW"},"Title":"two"}]}}`
	for _, c := range []struct {
		name, authorization, key string
		status                   int
		repeated                 bool
	}{
		{"nobody", "", "", 401, false},
		{"a wrong key", "", "smt_x", 401, false},
		{"a key", "", token, 200, false},
		{"a bearer, again", "Bearer " + token, "", 200, true},
		{"a password, again", basic(token), "", 200, true},
		{"a login", "Bearer " + login(t, r.URL(), "admin", testPassword), "", 403, false},
	} {
		var headers []string
		if c.key != "" {
			headers = []string{"X-Api-Key", c.key}
		}
		response, a := call(t, "POST", r.URL()+"/api/aws/eventbridge", c.authorization, body, headers...)
		if response.StatusCode != c.status || (a["repeated"] == true) != c.repeated {
			t.Errorf("%s: %d %v", c.name, response.StatusCode, a)
		}
	}
	events := storedEvents(t, r)
	if len(events) != 2 || events[0].Format != "securityhub" || events[0].Message != "one" || events[1].Severity != monitor.SeverityLow {
		t.Errorf("%d events, %+v", len(events), events)
	}
	response, a := call(t, "POST", r.URL()+"/api/aws/sns", "", "{}")
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("without topics: %d %v", response.StatusCode, a)
	}
}

// A server that was told of something that is no topic does not start.
func TestTopicsAreChecked(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.SNSTopics = []string{"arn:aws:sns:eu-central-1:123456789012:*"}
	if a, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil {
		_ = a.Close()
		t.Error("it started")
	}
	cfg.SNSTopics = []string{"arn:aws:sns:eu-central-1:123456789012:security"}
	r := startReplica(t, cfg)
	response, a := call(t, "POST", r.URL()+"/api/aws/sns", "", `{"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:eu-central-1:123456789012:another"}`)
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("another topic: %d %v", response.StatusCode, a)
	}
}
