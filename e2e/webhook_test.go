package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
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

// hook is a receiver of webhooks that checks what it is sent as docs/webhooks.md says.
type hook struct {
	*httptest.Server
	mu      sync.Mutex
	secrets []string
	status  int
	bodies  []string
	ids     []string
	invalid int
}

func startHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{status: http.StatusOK}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	id, at := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
	for _, secret := range h.secrets {
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
		if !strings.Contains(r.Header.Get("webhook-signature"), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))) {
			h.invalid++
		}
	}
	w.WriteHeader(h.status)
	if h.status == http.StatusOK {
		h.bodies, h.ids = append(h.bodies, string(body)), append(h.ids, id)
	}
}

func (h *hook) took() (bodies, ids []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.bodies...), append([]string(nil), h.ids...)
}

func (h *hook) say(status int, secrets ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
	if secrets != nil {
		h.secrets = secrets
	}
}

const webhookFields = `secret webhook { id version name url state pause pauseText role waiting lastError previousSecretUntil owner { name } deliveries(first: 50) { nodes { id messageId state test attempts body log { status error response } } } journal(first: 50) { nodes { action } } }`

const alertHook = `subscription($f: AlertFilter) { alertFeed(filter: $f) { entries { change alert { title host } } } }`

// A webhook's life: preview, test, the first delivery, failure and redelivery, a new
// secret, replay, and the end of its owner's rights.
func TestAlertsArriveByWebhook(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.WebhookAllow = []string{"127.0.0.0/8"}
	r := startReplica(t, cfg)
	if _, err := r.Store.ImportRules(t.Context(), monitor.SystemActor, []*monitor.Rule{testRule(1)}); err != nil {
		t.Fatal(err)
	}
	user(t, r, "ana", monitor.RoleAnalyst)
	user(t, r, "ben", monitor.RoleAnalyst)
	ana, ben := login(t, r.URL(), "ana", testPassword), login(t, r.URL(), "ben", testPassword)
	to := startHook(t)
	raise(t, r, "web-0")

	const variables = `{"f": {"host": {"startsWith": "web-"}}}`
	var preview struct {
		WebhookPreview struct {
			Body   *string
			Errors []map[string]any
		}
	}
	ask := func(document string) {
		t.Helper()
		preview.WebhookPreview.Body, preview.WebhookPreview.Errors = nil, nil
		given := map[string]any{"document": document}
		if document == alertHook {
			given["variables"] = variables
		}
		post(t, r.URL(), ana, `query($i: WebhookPreviewInput!) { webhookPreview(input: $i) { body errors { code message path } } }`, map[string]any{"i": given}, &preview)
	}
	ask(alertHook)
	if p := preview.WebhookPreview; p.Body == nil || !strings.Contains(*p.Body, `"host":"web-0"`) || !json.Valid([]byte(*p.Body)) {
		t.Errorf("the preview: %+v", p)
	}
	for document, why := range map[string]string{
		`{ alerts(first: 1) { nodes { id } } }`:                                           "a query",
		`subscription { ingestStats { at } }`:                                             "no feed of changes",
		`subscription { journalFeed { entries { seq } } }`:                                "more than an analyst may see",
		`subscription { alertFeed { nonsense } }`:                                         "no field",
		`subscription A { alertFeed { cursor } } subscription B { alertFeed { cursor } }`: "two operations",
	} {
		if ask(document); len(preview.WebhookPreview.Errors) == 0 {
			t.Errorf("%s is taken: %s", why, document)
		}
	}

	input := map[string]any{"name": "Chat", "url": to.URL, "document": alertHook, "variables": variables}
	made, codes := mutate(t, r, ana, "webhookCreate", "WebhookCreateInput", webhookFields, input)
	if codes != "" || pick(t, made, "webhook", "state") != "ACTIVE" || pick(t, made, "webhook", "owner", "name") != "ana" {
		t.Fatalf("%+v %s", made, codes)
	}
	id, secret := pick(t, made, "webhook", "id").(string), pick(t, made, "secret").(string)
	to.say(http.StatusOK, secret)
	on := func(bearer, field string, extra map[string]any) (map[string]any, string) {
		t.Helper()
		given := map[string]any{"id": id}
		for k, v := range extra {
			given[k] = v
		}
		return mutate(t, r, bearer, field, "W"+field[1:]+"Input", webhookFields, given)
	}
	hookNow := func() map[string]any {
		t.Helper()
		var got struct{ Webhook map[string]any }
		post(t, r.URL(), ana, `query($id: ID!) { webhook(id: $id) { id state pause pauseText waiting lastError deliveries(first: 50) { nodes { id messageId state test attempts log { status error } } } journal(first: 50) { nodes { action } } } }`, map[string]any{"id": id}, &got)
		return got.Webhook
	}

	// Another analyst's hands are kept off, an own one is tested.
	if _, codes := on(ben, "webhookUpdate", map[string]any{"url": "https://example.com/evil"}); codes != "NOT_FOUND" {
		t.Errorf("another analyst changes it: %s", codes)
	}
	var unseen struct{ Webhook, Node map[string]any }
	post(t, r.URL(), ben, `query($id: ID!) { webhook(id: $id) { id } node(id: $id) { id } }`, map[string]any{"id": id}, &unseen)
	if unseen.Webhook != nil || unseen.Node != nil {
		t.Errorf("another analyst sees %+v", unseen)
	}
	test, codes := mutate(t, r, ana, "webhookTest", "WebhookTestInput", `delivery { state test body log { status error } }`, map[string]any{"id": id})
	if codes != "" || pick(t, test, "delivery", "state") != "DELIVERED" || pick(t, test, "delivery", "log", 0, "status") != 200.0 {
		t.Errorf("the test: %+v %s", test, codes)
	}

	// What matches arrives, signed; what does not does not.
	raise(t, r, "web-1")
	raise(t, r, "db-1")
	raise(t, r, "web-2")
	eventually(t, "two alerts arrive", func() bool { bodies, _ := to.took(); return strings.Contains(strings.Join(bodies[1:], ""), "web-2") })
	bodies, _ := to.took()
	if all := strings.Join(bodies[1:], "\n"); !strings.Contains(all, `"host":"web-1"`) || strings.Contains(all, "db-1") {
		t.Errorf("what came:\n%s", all)
	}

	// One that fails stands in the log, and is sent again under its id.
	to.say(http.StatusInternalServerError)
	raise(t, r, "web-3")
	eventually(t, "it is failing", func() bool { return hookNow()["state"] == "FAILING" })
	failed := pick(t, hookNow(), "deliveries", "nodes", 0).(map[string]any)
	if failed["state"] != "PENDING" || pick(t, failed, "log", 0, "status") != 500.0 {
		t.Errorf("the log says %+v", failed)
	}
	to.say(http.StatusOK)
	if again, codes := mutate(t, r, ana, "webhookRedeliver", "WebhookRedeliverInput", `delivery { messageId body }`, map[string]any{"id": failed["id"]}); codes != "" || !strings.Contains(fmt.Sprint(pick(t, again, "delivery", "body")), "web-3") {
		t.Errorf("sent again: %+v %s", again, codes)
	}
	if _, codes := mutate(t, r, ben, "webhookRedeliver", "WebhookRedeliverInput", `delivery { id }`, map[string]any{"id": failed["id"]}); codes != "NOT_FOUND" {
		t.Errorf("another analyst sends it again: %s", codes)
	}
	eventually(t, "it arrives", func() bool { _, ids := to.took(); return ids[len(ids)-1] == failed["messageId"] })

	// After a rotation both secrets sign.
	rotated, codes := on(ana, "webhookRotateSecret", nil)
	if codes != "" || pick(t, rotated, "secret") == secret || pick(t, rotated, "webhook", "previousSecretUntil") == nil {
		t.Fatalf("%+v %s", rotated, codes)
	}
	to.say(http.StatusOK, secret, pick(t, rotated, "secret").(string))
	raise(t, r, "web-4")
	eventually(t, "it arrives", func() bool { bodies, _ := to.took(); return strings.Contains(bodies[len(bodies)-1], "web-4") })

	// A replay sends what came since.
	before, _ := to.took()
	for _, bad := range []map[string]any{{}, {"after": "nonsense"}, {"after": monitor.Position{Epoch: 7, Seq: 1}.Cursor()}} {
		if _, codes := on(ana, "webhookReplay", bad); codes != "BAD_INPUT" {
			t.Errorf("a replay from %v: %q", bad, codes)
		}
	}
	if back, codes := on(ana, "webhookReplay", map[string]any{"since": "2020-01-01T00:00:00Z"}); codes != "" {
		t.Errorf("replay: %+v %s", back, codes)
	}
	eventually(t, "it comes again", func() bool {
		bodies, _ := to.took()
		return strings.Contains(strings.Join(bodies[len(before):], ""), "web-0") && strings.Contains(bodies[len(bodies)-1], "web-4")
	})
	if to.mu.Lock(); to.invalid > 0 {
		t.Errorf("%d signatures do not fit", to.invalid)
	}
	to.mu.Unlock()

	// Who loses the role loses the webhook.
	found, err := r.Store.UsersByName(t.Context(), []string{"ana"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Store.UpdateUser(t.Context(), monitor.SystemActor, found[0].ID, nil, func(u *monitor.User) { u.Role = monitor.RoleViewer }); err != nil {
		t.Fatal(err)
	}
	raise(t, r, "web-5")
	admin := login(t, r.URL(), "admin", testPassword)
	eventually(t, "it is paused", func() bool {
		var got struct{ Webhook map[string]any }
		post(t, r.URL(), admin, `query($id: ID!) { webhook(id: $id) { pause pauseText } }`, map[string]any{"id": id}, &got)
		return got.Webhook["pause"] == "OWNER" && strings.Contains(fmt.Sprint(got.Webhook["pauseText"]), "ana")
	})
	if bodies, _ := to.took(); strings.Contains(strings.Join(bodies, ""), "web-5") {
		t.Error("a change was sent that the owner may not see")
	}
	if gone, codes := mutate(t, r, admin, "webhookDelete", "WebhookDeleteInput", `webhook { id }`, map[string]any{"id": id}); codes != "" {
		t.Errorf("%+v %s", gone, codes)
	}
}

// Without leave the server reaches nothing that is not public, whatever it is called.
func TestWebhooksDoNotReachTheInside(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin := login(t, r.URL(), "admin", testPassword)
	inner := startHook(t)
	// A name is found out when a connection is made, all else when it is written down.
	name := strings.NewReplacer("http://", "https://", "127.0.0.1", "localhost").Replace(inner.URL)
	made, codes := mutate(t, r, admin, "webhookCreate", "WebhookCreateInput", webhookFields, map[string]any{"name": "In", "url": name, "document": alertHook})
	if codes != "" {
		t.Fatalf("%+v %s", made, codes)
	}
	id := pick(t, made, "webhook", "id")
	test, codes := mutate(t, r, admin, "webhookTest", "WebhookTestInput", `delivery { state log { status error } }`, map[string]any{"id": id})
	if codes != "" || pick(t, test, "delivery", "state") != "FAILED" || !strings.Contains(fmt.Sprint(pick(t, test, "delivery", "log", 0, "error")), "--webhook-allow") {
		t.Errorf("%s: %+v %s", name, test, codes)
	}
	for _, to := range []string{inner.URL, strings.Replace(inner.URL, "127.0.0.1", "localhost", 1), strings.Replace(inner.URL, "http://", "https://", 1), "http://1.1.1.1/", "https://169.254.169.254/latest"} {
		for mutation, given := range map[string]map[string]any{
			"Create": {"name": "In", "url": to, "document": alertHook}, "Update": {"id": id, "url": to},
		} {
			refused, codes := mutate(t, r, admin, "webhook"+mutation, "Webhook"+mutation+"Input", `webhook { id }`, given)
			if said := fmt.Sprint(refused["errors"]); codes != "BAD_INPUT" || !strings.Contains(said, "--webhook-allow") || !strings.Contains(said, "url") {
				t.Errorf("%s %s: %+v %s", mutation, to, refused, codes)
			}
		}
	}
	for _, bad := range []string{"ftp://example.com/", "https://ana:secret@example.com/", "example.com", "https:///x", "javascript:alert(1)"} {
		if _, codes := mutate(t, r, admin, "webhookCreate", "WebhookCreateInput", webhookFields, map[string]any{"name": "In", "url": bad, "document": alertHook}); codes != "BAD_INPUT" {
			t.Errorf("%s: %q", bad, codes)
		}
	}
	if bodies, _ := inner.took(); len(bodies) > 0 {
		t.Errorf("the inside was reached: %v", bodies)
	}
}
