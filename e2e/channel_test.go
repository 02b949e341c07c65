package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// desk is a receiver of a channel's messages that asks for a secret.
type desk struct {
	*httptest.Server
	mu     sync.Mutex
	secret string
	status int
	bodies []string
	keys   map[string]int // times that each message came
}

func startDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{secret: "Bearer first", status: http.StatusOK, keys: map[string]int{}}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != d.secret:
		w.WriteHeader(http.StatusUnauthorized)
	case d.status != http.StatusOK:
		w.WriteHeader(d.status)
	default:
		d.bodies = append(d.bodies, string(body))
		d.keys[r.Header.Get("Idempotency-Key")]++
	}
}

func (d *desk) say(status int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.status = status
}

func (d *desk) took() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.bodies, "\n")
}

const channelFields = `channel { id version name kind state pause waiting secretAt settings { url header } trigger query quiet { timeZone from to days unless } template { subject text } owner { name } deliveries(first: 20) { nodes { id state test log { status error } } } journal(first: 20) { nodes { action changes { field after } } } }`

// A channel's life: preview, refusals, test, what matches, failure and another try, a
// new place that needs the secret again, and who sees it.
func TestAlertsAreToldByChannel(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.WebhookAllow, cfg.PublicURL = []string{"127.0.0.0/8"}, "https://secmon.example.com"
	r := startReplica(t, cfg)
	if _, err := r.Store.ImportRules(t.Context(), monitor.SystemActor, []*monitor.Rule{testRule(1)}); err != nil {
		t.Fatal(err)
	}
	user(t, r, "ana", monitor.RoleAnalyst)
	user(t, r, "ben", monitor.RoleAnalyst)
	ana, ben := login(t, r.URL(), "ana", testPassword), login(t, r.URL(), "ben", testPassword)
	to := startDesk(t)

	preview := func(input map[string]any) map[string]any {
		t.Helper()
		var got struct{ ChannelPreview map[string]any }
		post(t, r.URL(), ana, `query($i: ChannelPreviewInput!) { channelPreview(input: $i) { subject text body alerts errors { code path } } }`, map[string]any{"i": input}, &got)
		return got.ChannelPreview
	}
	if p := preview(map[string]any{"kind": "SLACK"}); p["alerts"] != 0.0 || p["subject"] == nil || !json.Valid([]byte(fmt.Sprint(p["body"]))) {
		t.Errorf("without an alert the preview is an example: %+v", p)
	}
	raise(t, r, "web-0")
	if p := preview(map[string]any{"kind": "GENERIC", "query": "host:web-*", "template": map[string]any{"subject": "Look at {{(index .Alerts 0).Host}}"}}); p["alerts"] != 1.0 || p["subject"] != "Look at web-0" {
		t.Errorf("the preview: %+v", p)
	}
	for path, input := range map[string]map[string]any{
		"template.text":    {"kind": "SLACK", "template": map[string]any{"text": "{{.Nothing"}},
		"template.subject": {"kind": "SLACK", "template": map[string]any{"subject": "{{.Nothing}}"}},
		"afterMinutes":     {"kind": "SLACK", "trigger": "UNACKNOWLEDGED"},
	} {
		if p := preview(input); pick(t, p, "errors", 0, "path") == nil || !strings.Contains(fmt.Sprint(pick(t, p, "errors", 0, "path")), strings.Split(path, ".")[0]) {
			t.Errorf("want an error at %s: %+v", path, p)
		}
	}

	input := func(change map[string]any) map[string]any {
		given := map[string]any{
			"name": "SOC", "kind": "GENERIC", "settings": map[string]any{"url": to.URL, "header": "Authorization"}, "secret": "Bearer first",
			"query": "host:web-*", "groupMinutes": 0, "template": map[string]any{"subject": "Look at {{(index .Alerts 0).Host}}"},
		}
		for k, v := range change {
			given[k] = v
		}
		return given
	}
	for why, change := range map[string]map[string]any{
		"no secret for the header":   {"secret": ""},
		"a Slack address that isn't": {"kind": "SLACK", "secret": "https://evil.example.com/services/x"},
		"no recipients":              {"kind": "EMAIL", "settings": map[string]any{"host": "smtp.example.com", "port": 465, "security": "TLS", "from": "a@example.com"}},
		"an address inside":          {"settings": map[string]any{"url": "https://10.1.2.3/x", "header": "Authorization"}},
		"no such line":               {"query": "host:("},
		"no such zone":               {"quiet": map[string]any{"timeZone": "Moon/Sea", "from": "22:00", "to": "07:00"}},
	} {
		if _, codes := mutate(t, r, ana, "channelCreate", "ChannelCreateInput", channelFields, input(change)); codes != "BAD_INPUT" {
			t.Errorf("%s: %q", why, codes)
		}
	}
	quiet := map[string]any{"timeZone": "Europe/Berlin", "from": "22:00", "to": "22:01", "days": []string{"MONDAY"}, "unless": "INFORMATIONAL"}
	made, codes := mutate(t, r, ana, "channelCreate", "ChannelCreateInput", channelFields, input(map[string]any{"quiet": quiet}))
	if codes != "" || pick(t, made, "channel", "state") != "ACTIVE" || pick(t, made, "channel", "secretAt") == nil || pick(t, made, "channel", "quiet", "unless") != "INFORMATIONAL" {
		t.Fatalf("%+v %s", made, codes)
	}
	id := pick(t, made, "channel", "id").(string)
	on := func(bearer, field string, extra map[string]any) (map[string]any, string) {
		t.Helper()
		given := map[string]any{"id": id}
		for k, v := range extra {
			given[k] = v
		}
		return mutate(t, r, bearer, field, "C"+field[1:]+"Input", channelFields, given)
	}
	now := func() map[string]any {
		t.Helper()
		var got struct{ Channel map[string]any }
		post(t, r.URL(), ana, `query($id: ID!) { channel(id: $id) { state waiting lastError deliveries(first: 20) { nodes { id state test log { status error } } } journal(first: 20) { nodes { action } } } node(id: $id) { id } }`, map[string]any{"id": id}, &got)
		return got.Channel
	}

	if _, codes := on(ben, "channelUpdate", map[string]any{"name": "Mine"}); codes != "NOT_FOUND" {
		t.Errorf("another analyst changes it: %s", codes)
	}
	if _, codes := on(ben, "channelUpdate", map[string]any{"name": "Mine", "expectedVersion": 9}); codes != "NOT_FOUND" {
		t.Errorf("another analyst learns its version: %s", codes)
	}
	if _, codes := on(ana, "channelUpdate", map[string]any{"name": "Mine", "expectedVersion": 9}); codes != "CONFLICT" {
		t.Errorf("a stale version: %s", codes)
	}
	var unseen struct {
		Channel, Node map[string]any
		Channels      struct{ Nodes []any }
	}
	post(t, r.URL(), ben, `query($id: ID!) { channel(id: $id) { id } node(id: $id) { id } channels(first: 5) { nodes { id } } }`, map[string]any{"id": id}, &unseen)
	if unseen.Channel != nil || unseen.Node != nil || len(unseen.Channels.Nodes) > 0 {
		t.Errorf("another analyst sees %+v", unseen)
	}
	test, codes := mutate(t, r, ana, "channelTest", "ChannelTestInput", `delivery { state test body log { status error } }`, map[string]any{"id": id})
	if codes != "" || pick(t, test, "delivery", "state") != "DELIVERED" || !strings.Contains(to.took(), "Look at web-0") {
		t.Errorf("the test: %+v %s; came %s", test, codes, to.took())
	}

	raise(t, r, "web-1")
	raise(t, r, "db-1")
	raise(t, r, "web-2")
	eventually(t, "both are told", func() bool {
		return strings.Contains(to.took(), "Look at web-1") && strings.Contains(to.took(), "Look at web-2")
	})
	if strings.Contains(to.took(), "db-1") {
		t.Errorf("told of what does not match: %s", to.took())
	}
	if !strings.Contains(to.took(), "https://secmon.example.com/alerts?alert=") {
		t.Errorf("there is no link: %s", to.took())
	}

	to.say(http.StatusInternalServerError)
	raise(t, r, "web-3")
	eventually(t, "it is failing", func() bool { return now()["state"] == "FAILING" })
	failed := pick(t, now(), "deliveries", "nodes", 0).(map[string]any)
	to.say(http.StatusOK)
	if again, codes := mutate(t, r, ana, "channelRedeliver", "ChannelRedeliverInput", `delivery { body }`, map[string]any{"id": failed["id"]}); codes != "" || !strings.Contains(fmt.Sprint(again), "web-3") {
		t.Errorf("sent again: %+v %s", again, codes)
	}
	if _, codes := mutate(t, r, ben, "channelRedeliver", "ChannelRedeliverInput", `delivery { id }`, map[string]any{"id": failed["id"]}); codes != "NOT_FOUND" {
		t.Errorf("another analyst sends it again: %s", codes)
	}
	eventually(t, "it arrives", func() bool { return strings.Contains(to.took(), "Look at web-3") && now()["state"] == "ACTIVE" })

	// Who may change a channel does not get its secret sent to a place of theirs.
	thief := startDesk(t)
	elsewhere := map[string]any{"settings": map[string]any{"url": thief.URL, "header": "Authorization"}}
	if _, codes := on(ana, "channelUpdate", elsewhere); codes != "BAD_INPUT" {
		t.Errorf("the secret goes elsewhere: %q", codes)
	}
	elsewhere["secret"] = "Bearer second"
	to.mu.Lock()
	to.secret = "Bearer second"
	to.mu.Unlock()
	elsewhere["settings"].(map[string]any)["url"] = to.URL + "/new"
	if moved, codes := on(ana, "channelUpdate", elsewhere); codes != "" || !strings.HasSuffix(fmt.Sprint(pick(t, moved, "channel", "settings", "url")), "/new") {
		t.Errorf("%+v %s", moved, codes)
	}
	raise(t, r, "web-4")
	eventually(t, "it arrives at the new place", func() bool { return strings.Contains(to.took(), "Look at web-4") })

	// The secret stands nowhere that can be read.
	var journal struct{ Journal struct{ Nodes []any } }
	admin := login(t, r.URL(), "admin", testPassword)
	post(t, r.URL(), admin, `{ journal(first: 100) { nodes { action changes { snapshot fields { field before after } } } } }`, nil, &journal)
	text, err := json.Marshal([]any{journal, now(), made, test})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "Bearer first") || strings.Contains(string(text), "Bearer second") {
		t.Error("the secret can be read")
	}
	for _, action := range []string{monitor.ActionChannelCreate, monitor.ActionChannelUpdate, monitor.ActionChannelTest, monitor.ActionChannelRedeliver} {
		if !strings.Contains(string(text), `"`+action+`"`) {
			t.Errorf("the journal has no %s", action)
		}
	}

	if off, codes := on(ana, "channelDisable", nil); codes != "" || pick(t, off, "channel", "state") != "DISABLED" {
		t.Errorf("%+v %s", off, codes)
	}
	raise(t, r, "web-5")
	if back, codes := on(ana, "channelEnable", nil); codes != "" || pick(t, back, "channel", "state") != "ACTIVE" {
		t.Errorf("%+v %s", back, codes)
	}
	eventually(t, "what came meanwhile is told", func() bool { return strings.Contains(to.took(), "Look at web-5") })
	if gone, codes := on(ana, "channelDelete", nil); codes != "" {
		t.Errorf("%+v %s", gone, codes)
	}
	if got := now(); got != nil {
		t.Errorf("it is still there: %+v", got)
	}
	to.mu.Lock()
	defer to.mu.Unlock()
	for key, times := range to.keys {
		if key == "" || times > 1 {
			t.Errorf("message %q came %d times", key, times)
		}
	}
}
