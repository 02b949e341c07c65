package e2e

import (
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// An analyst closes what a query line finds, follows the job, and takes it back.
func TestBulkByQueryLine(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	ana, viewer := userToken(t, r, "ana", monitor.RoleAnalyst), userToken(t, r, "vic", monitor.RoleViewer)
	raise(t, r, "web-1", "web-2", "db-1")
	type job struct {
		ID, State    string
		Done, Failed int
		UndoneBy     *string
		Items        struct {
			Nodes []struct {
				State string
				Alert struct{ Host, Status string }
			}
		}
	}
	type payload struct {
		Job    *job
		Errors []struct{ Code, Message string }
	}
	const begin = `mutation($i: AlertBulkInput!) { alertBulk(input: $i) { job { id state } errors { code message } } }`
	input := map[string]any{"filter": map[string]any{"query": "host:web-*"}, "action": "CLOSE", "disposition": "BENIGN", "reason": "a test"}
	if a := post(t, r.URL(), viewer, begin, map[string]any{"i": input}, nil); a.code() != "FORBIDDEN" {
		t.Errorf("a viewer closes alerts: %+v", a)
	}
	var begun struct{ AlertBulk payload }
	post(t, r.URL(), ana, begin, map[string]any{"i": map[string]any{"action": "START"}}, &begun)
	if begun.AlertBulk.Job != nil || begun.AlertBulk.Errors[0].Code != "BAD_INPUT" {
		t.Errorf("a job on nothing: %+v", begun)
	}
	post(t, r.URL(), ana, begin, map[string]any{"i": input}, &begun)
	if begun.AlertBulk.Job == nil {
		t.Fatalf("%+v", begun)
	}
	ended := func(id string) (j job) {
		t.Helper()
		eventually(t, "the job to end", func() bool {
			var got struct{ Job job }
			post(t, r.URL(), ana, `query($id: ID!) { job(id: $id) { id state done failed undoneBy items(first: 10) { nodes { state alert { host status } } } } }`, map[string]any{"id": id}, &got)
			j = got.Job
			return j.State != "RUNNING"
		})
		return j
	}
	done := ended(begun.AlertBulk.Job.ID)
	if done.State != "DONE" || done.Done != 2 || done.Failed != 0 || len(done.Items.Nodes) != 2 || done.Items.Nodes[0].Alert.Status != "CLOSED" {
		t.Errorf("%+v", done)
	}
	var undone struct{ JobUndo payload }
	post(t, r.URL(), ana, `mutation($id: ID!) { jobUndo(input: {id: $id}) { job { id state } errors { code message } } }`, map[string]any{"id": done.ID}, &undone)
	if undone.JobUndo.Job == nil {
		t.Fatalf("%+v", undone)
	}
	if j := ended(undone.JobUndo.Job.ID); j.Done != 2 || j.Items.Nodes[0].Alert.Status != "NEW" {
		t.Errorf("%+v", j)
	}
	if j := ended(done.ID); j.UndoneBy == nil || *j.UndoneBy != undone.JobUndo.Job.ID {
		t.Errorf("%+v", j)
	}
}
