package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// Everybody sees what they have running on whatever replica, administrators see
// all; and who falls behind raises an alert.
func TestConsumersSeeTheirLag(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.MetricsListen = "127.0.0.1:0"
	a, b := startReplica(t, cfg), startReplica(t, cfg)
	user(t, a, "ana", monitor.RoleAnalyst)
	admin, ana := login(t, a.URL(), "admin", testPassword), login(t, a.URL(), "ana", testPassword)
	for _, r := range []*replica{a, b} {
		s, err := dial(t.Context(), r.URL(), ana)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		if err := s.subscribe(`subscription Watch { alertFeed { cursor } }`, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.next(); err != nil {
			t.Fatal(err)
		}
	}
	openStream(t, b.URL(), admin, "", `subscription { eventFeed { cursor } }`).next(t)
	type consumer struct {
		ID, Operation, Transport, Replica, Position string
		Lag                                         int
		LagSeconds                                  float64
		Owner                                       struct{ Name string }
	}
	var own struct{ Viewer struct{ Feeds []consumer } }
	const fields = `{ id operation transport replica position lag lagSeconds owner { name } }`
	post(t, a.URL(), ana, `{ viewer { feeds `+fields+` } }`, nil, &own)
	feeds := own.Viewer.Feeds
	if len(feeds) != 2 || feeds[0].Operation != "Watch" || feeds[0].Transport != "WEBSOCKET" || feeds[0].Replica == feeds[1].Replica || feeds[0].Owner.Name != "ana" || feeds[0].Position == "" {
		t.Errorf("ana sees %+v", feeds)
	}
	if refused := post(t, a.URL(), ana, `{ feedConsumers(first: 10) { nodes `+fields+` } }`, nil, nil); refused.code() != "FORBIDDEN" {
		t.Errorf("ana asks for all: %+v", refused)
	}
	seen := map[string]int{}
	after := ""
	for {
		var all struct {
			FeedConsumers struct {
				Nodes    []consumer
				Complete bool
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}
		post(t, a.URL(), admin, `query($after: String) { feedConsumers(first: 2, after: $after) { complete pageInfo { hasNextPage endCursor } nodes `+fields+` } }`, map[string]any{"after": after}, &all)
		if !all.FeedConsumers.Complete {
			t.Error("a replica did not answer")
		}
		for _, c := range all.FeedConsumers.Nodes {
			seen[c.Owner.Name+" "+c.Operation+" "+c.Transport]++
		}
		after = all.FeedConsumers.PageInfo.EndCursor
		if !all.FeedConsumers.PageInfo.HasNextPage {
			break
		}
	}
	if len(seen) != 2 || seen["ana Watch WEBSOCKET"] != 2 || seen["admin eventFeed SSE"] != 1 {
		t.Errorf("admin sees %v", seen)
	}
	response, err := http.Get(b.MetricsURL()) //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // a test
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"secmon_feed_members 2", "secmon_live_connections 2", "secmon_feed_groups 2", "go_goroutines "} {
		if !strings.Contains(string(text), "\n"+line) {
			t.Errorf("no %q in the metrics", line)
		}
	}
	if n := strings.Count(string(text), "smt_"); n != 0 {
		t.Error("a secret in the metrics")
	}
}

// A consumer that is behind for too long is an alert, once.
func TestConsumerThatFallsBehindRaisesAnAlert(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.FeedLagAlert = time.Second
	r := startReplica(t, cfg)
	user(t, r, "ana", monitor.RoleAnalyst)
	admin := login(t, r.URL(), "admin", testPassword)
	slow := dialSlow(t, r.URL(), login(t, r.URL(), "ana", testPassword))
	if err := slow.subscribe(`subscription Tail { eventFeed { cursor events { host message } } }`, nil); err != nil {
		t.Fatal(err)
	}
	watch, err := dial(t.Context(), r.URL(), admin)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.close()
	if err := watch.subscribe(`subscription { alertFeed { cursor entries { change cursor action alert { id version host user title } } } }`, nil); err != nil {
		t.Fatal(err)
	}
	fill(t, r, 60, 50)
	_ = watch.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		m, err := watch.next()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(m.Payload), `"title":"A feed consumer falls behind"`) {
			if !strings.Contains(string(m.Payload), `"user":"ana"`) {
				t.Errorf("got %s", m.Payload)
			}
			return
		}
	}
}
