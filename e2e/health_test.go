package e2e

import (
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

type health struct {
	ServerHealth struct {
		Complete bool
		Replicas []struct {
			Name, Version                        string
			StartedAt                            time.Time
			DatabaseSeconds                      *float64
			Redis                                bool
			Behind, Subscriptions, Connections   int
			IngestWaiting, IngestPlaces          int
			JobsRunning, JobPlaces, ExportPlaces int
			RulesRunning                         int
		}
	}
}

const healthQuery = `{ serverHealth { complete replicas { name version startedAt databaseSeconds redis behind subscriptions connections
	ingestWaiting ingestPlaces jobsRunning jobPlaces exportsRunning exportPlaces rulesRunning } } }`

// Whoever may log in sees each replica, what runs on it, and that it is up to date.
func TestEveryReplicaTellsHowItIs(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	a, b := startReplica(t, cfg), startReplica(t, cfg)
	user(t, a, "vic", monitor.RoleViewer)
	vic := login(t, a.URL(), "vic", testPassword)
	if refused := post(t, a.URL(), "", healthQuery, nil, nil); refused.code() != "UNAUTHENTICATED" {
		t.Errorf("nobody asks: %+v", refused)
	}
	openStream(t, b.URL(), vic, "", `subscription { eventFeed { cursor } }`).next(t)
	fill(t, a, 2, 5)
	var h health
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		post(t, a.URL(), vic, healthQuery, nil, &h)
		if upToDate(h) || time.Now().After(deadline) {
			break
		}
	}
	replicas := h.ServerHealth.Replicas
	if !upToDate(h) || len(replicas) != 2 || replicas[0].Name == replicas[1].Name {
		t.Fatalf("got %+v", h)
	}
	for i, want := range []int{0, 1} { // the longest running first: a, which nobody follows, then b
		r := replicas[i]
		if r.Subscriptions != want || r.Connections != want {
			t.Errorf("replica %d has %d subscriptions and %d connections, not %d", i, r.Subscriptions, r.Connections, want)
		}
		if r.Version == "" || r.DatabaseSeconds == nil || *r.DatabaseSeconds <= 0 || r.IngestPlaces == 0 || r.JobPlaces == 0 || r.ExportPlaces == 0 || r.RulesRunning == 0 {
			t.Errorf("replica %d says %+v", i, r)
		}
	}
}

func upToDate(h health) bool {
	for _, r := range h.ServerHealth.Replicas {
		if r.Behind != 0 || !r.Redis {
			return false
		}
	}
	return h.ServerHealth.Complete
}
