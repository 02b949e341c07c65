package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
)

var isSubscription = regexp.MustCompile(`(?m)^subscription `)

// Every example of the playground runs as it stands: queries answer without an
// error and with something in them, subscriptions give their first message.
func TestExamplesOfThePlaygroundRun(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.MaxComplexity = 0 // as it is for users
	r := startReplica(t, cfg)
	admin := login(t, r.URL(), "admin", testPassword)
	raise(t, r, "web-1", "web-2")
	record, err := json.Marshal(map[string]any{"EventID": 1, "host": "web-1", "message": "x", "severity": "high"})
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := sendEvents(t, r.URL(), ingestToken(t, r), record); status != http.StatusOK {
		t.Fatal(status, answer)
	}
	files, err := filepath.Glob("../web/playground/examples/*.graphql")
	if err != nil || len(files) < 15 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		if !isSubscription.Match(text) {
			if a := post(t, r.URL(), admin, string(text), nil, nil); len(a.Errors) > 0 || len(a.Data) < 20 {
				t.Errorf("%s: %+v %s", name, a.Errors, a.Data)
			}
			continue
		}
		s, err := dial(t.Context(), r.URL(), admin)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if err := s.subscribe(string(text), nil); err != nil {
			t.Fatal(err)
		}
		if m, err := s.next(); err != nil || m.Type != "next" || strings.Contains(string(m.Payload), `"errors"`) {
			t.Errorf("%s: %s %s %v", name, m.Type, m.Payload, err)
		}
		s.close()
	}
}
