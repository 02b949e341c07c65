package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// A client that was away for longer than the journal reaches back asks where it
// can start, and misses nothing from there on.
func TestClientStartsAFeedWhereTheJournalBegins(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.JournalRetention, cfg.JournalMaxMB = 36*time.Hour+time.Minute, 3
	r := startReplica(t, cfg)
	token := login(t, r.URL(), "admin", testPassword)
	raise := func(n int) {
		for range n {
			b := &monitor.Batch{Events: []*monitor.Event{testEvent("web-1")}, Findings: []monitor.Finding{{Event: 0, Rule: testRule(1)}}}
			if _, err := r.Store.StoreBatch(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
	}
	type retention struct {
		MaxAge   string
		MaxBytes float64
		Entries  int
		Bytes    float64
		Oldest   *time.Time
		Earliest string
		Note     string
	}
	ask := func() retention {
		var data struct {
			Settings struct{ JournalRetention retention }
		}
		post(t, r.URL(), token, `{ settings { journalRetention { maxAge maxBytes entries bytes oldest earliest note } } }`, nil, &data)
		return data.Settings.JournalRetention
	}
	raise(5)
	before := ask()
	if before.MaxAge != "PT36H1M" || before.MaxBytes != 3<<20 || before.Oldest == nil || before.Bytes <= 0 || before.Note == "" {
		t.Errorf("settings: %+v", before)
	}
	if _, err := r.Store.TrimJournal(t.Context(), 0, 1); err != nil {
		t.Fatal(err)
	}
	raise(3)
	now := ask()
	if now.Entries != 4 || now.Earliest == before.Earliest {
		t.Errorf("settings after trimming: %+v, want 4 entries and another beginning", now)
	}

	for cursor, want := range map[string]string{before.Earliest: "error", now.Earliest: "next"} {
		s, err := dial(t.Context(), r.URL(), token)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		if err := s.subscribe(alertFeedQuery, map[string]any{"after": cursor}); err != nil {
			t.Fatal(err)
		}
		if want == "error" {
			if m, err := s.next(); err != nil || !strings.Contains(string(m.Payload), `"CURSOR_EXPIRED"`) || !strings.Contains(string(m.Payload), now.Earliest) {
				t.Errorf("a cursor from before the beginning gives %s %s, %v", m.Type, m.Payload, err)
			}
			continue
		}
		for got := 0; got < 4; {
			b, err := s.nextBatch()
			if err != nil {
				t.Fatal(err)
			}
			got += len(b.Entries)
		}
	}
	if code := post(t, r.URL(), "", `{ settings { journalRetention { entries } } }`, nil, nil).code(); code != string(monitor.CodeUnauthenticated) {
		t.Errorf("without a token: %s", code)
	}
}

const settingsFields = `settings { version pinned overridden introspectionFor playgroundFor sessionLifetime eventRetention journalRetention { maxAge maxBytes } introspection }`

// An administrator closes the schema to others on one replica; another replica
// follows, until the setting is taken back to the configuration.
func TestSettingsReachEveryReplica(t *testing.T) {
	dsn, redis := dbtest.DSN(t), startRedis(t).URL()
	cfg := config(t, dsn, redis)
	channel := cfg.RedisChannel
	a := startReplica(t, cfg)
	cfg = config(t, dsn, redis)
	cfg.RedisChannel = channel
	b := startReplica(t, cfg)
	admin, vic := login(t, a.URL(), "admin", testPassword), userToken(t, a, "vic", monitor.RoleViewer)

	update := func(input map[string]any) (map[string]any, string) {
		t.Helper()
		return mutate(t, a, admin, "settingsUpdate", "SettingsUpdateInput", settingsFields, input)
	}
	reads := func(r *replica) bool {
		t.Helper()
		return post(t, r.URL(), vic, `{ __schema { queryType { name } } }`, nil, nil).code() == ""
	}
	page := func(r *replica) int {
		t.Helper()
		response, _ := send(t, "GET", r.URL()+"/playground", "", nil)
		return response.StatusCode
	}
	if !reads(a) || !reads(b) {
		t.Fatal("a viewer reads no schema")
	}
	p, codes := update(map[string]any{"introspectionFor": "ADMIN", "sessionLifetime": "PT2H", "eventRetention": "PT48H", "journalMaxAge": "PT0S", "journalMaxBytes": 1 << 33, "expectedVersion": 0})
	if codes != "" || pick(t, p, "settings", "version") != 1.0 || pick(t, p, "settings", "introspectionFor") != "ADMIN" || pick(t, p, "settings", "playgroundFor") != "VIEWER" ||
		pick(t, p, "settings", "journalRetention", "maxBytes") != float64(1<<33) || len(pick(t, p, "settings", "overridden").([]any)) != 5 {
		t.Fatalf("%v %s", p, codes)
	}
	for _, r := range []*replica{a, b} {
		eventually(t, "the replica to follow", func() bool { return !reads(r) })
		var data struct {
			Settings struct {
				SessionLifetime, EventRetention string
				JournalRetention                struct{ MaxAge string }
			}
		}
		post(t, r.URL(), vic, `{ settings { sessionLifetime eventRetention journalRetention { maxAge } } }`, nil, &data)
		if s := data.Settings; s.SessionLifetime != "PT2H" || s.EventRetention != "PT48H" || s.JournalRetention.MaxAge != "PT0S" {
			t.Errorf("%+v", s)
		}
		if got := r.Auth.Lifetime(); got != 2*time.Hour {
			t.Errorf("a login lasts %s", got)
		}
	}
	if code := post(t, a.URL(), vic, `{ settings { introspectionFor } }`, nil, nil).code(); code != "FORBIDDEN" {
		t.Errorf("a viewer reads who may read: %q", code)
	}
	if _, codes := update(map[string]any{"introspectionFor": "NOBODY", "expectedVersion": 0}); codes != "CONFLICT" {
		t.Errorf("an old version: %s", codes)
	}
	if p, codes = update(map[string]any{"introspectionFor": nil, "playgroundFor": "NOBODY"}); codes != "" || pick(t, p, "settings", "introspectionFor") != "VIEWER" {
		t.Errorf("%v %s", p, codes)
	}
	for _, r := range []*replica{a, b} {
		eventually(t, "the schema to be offered again, and no playground", func() bool { return reads(r) && page(r) == 404 })
	}
	for field, bad := range map[string]any{"sessionLifetime": "PT1M", "eventRetention": "PT1H", "journalMaxAge": "PT1S", "journalMaxBytes": 100} {
		if p, codes := update(map[string]any{field: bad}); codes != "BAD_INPUT" || pick(t, p, "errors", 0, "path", 1) != field {
			t.Errorf("%s: %s %v", field, codes, p)
		}
	}

	// What stands in the database outlives a replica, unless the configuration pins.
	cfg = config(t, dsn, redis)
	cfg.RedisChannel, cfg.PinSettings = channel, true
	c := startReplica(t, cfg)
	if page(c) == 404 {
		t.Error("a replica whose settings are pinned follows the database")
	}
	if p, codes := mutate(t, c, admin, "settingsUpdate", "SettingsUpdateInput", settingsFields, map[string]any{"playgroundFor": "VIEWER"}); codes != "CONFLICT" {
		t.Errorf("%v %s", p, codes)
	}
	cfg.PinSettings = false
	if d := startReplica(t, cfg); page(d) != 404 {
		t.Error("a new replica does not know the settings")
	}
	var journal struct {
		Journal struct {
			Nodes []struct {
				Action  string
				Changes []struct {
					Fields []struct {
						Field  string
						Before any
					}
				}
			}
		}
	}
	post(t, a.URL(), admin, `{ journal(first: 1, filter: {action: {eq: "settings.update"}}) { nodes { action changes { fields { field before after } } } } }`, nil, &journal)
	if n := journal.Journal.Nodes; len(n) != 1 || len(n[0].Changes[0].Fields) < 2 {
		t.Errorf("%+v", journal)
	}
}
