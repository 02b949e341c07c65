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
