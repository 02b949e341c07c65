package db_test

import (
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Jobs that ended long ago go with all that belongs to them, backtests earlier and
// fewer; what runs stays however old it is.
func TestOldJobsAreForgotten(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	store, err := db.Open(t.Context(), db.Options{DSN: dbtest.DSN(t), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	ctx, who := t.Context(), monitor.SystemActor
	spec := monitor.BacktestSpec{Source: "title: x", Filter: []byte("{}"), From: now.Add(-time.Hour), To: now}
	end := func(job *monitor.Job, err error) monitor.ID {
		t.Helper()
		if err == nil {
			_, err = store.UpdateJob(ctx, job.ID, func(j *monitor.Job) { j.State = monitor.JobDone })
		}
		if err != nil {
			t.Fatal(err)
		}
		return job.ID
	}
	trim := func(want int) {
		t.Helper()
		if n, err := store.TrimJobs(ctx); err != nil || n != want {
			t.Errorf("%d jobs forgotten, want %d: %v", n, want, err)
		}
	}
	there := func(id monitor.ID) bool {
		t.Helper()
		jobs, err := store.JobsByID(ctx, []monitor.ID{id})
		if err != nil {
			t.Fatal(err)
		}
		return len(jobs) == 1
	}
	check := end(store.CreateJob(ctx, who, monitor.JobJournalVerify))
	tried := end(store.CreateBacktest(ctx, who, spec))
	running, err := store.CreateBacktest(ctx, who, spec)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(monitor.BacktestMemory - time.Minute)
	trim(0)
	now = now.Add(2 * time.Minute)
	trim(1)
	if kept, err := store.BacktestsByJob(ctx, []monitor.ID{tried, running.ID}); there(tried) || !there(check) || err != nil || len(kept) != 1 {
		t.Errorf("behind the time of backtests: %d kept, %v", len(kept), err)
	}
	now = now.Add(monitor.JobMemory)
	trim(1)
	if there(check) || !there(running.ID) {
		t.Error("behind the time of jobs: the old one is there, or the running one is not")
	}

	var latest monitor.ID
	for range monitor.MaxBacktestsKept + 3 {
		now = now.Add(time.Second)
		latest = end(store.CreateBacktest(ctx, who, spec))
	}
	trim(3)
	jobs, err := store.Jobs(ctx, page.Args{First: monitor.MaxBacktestsKept + 10})
	if err != nil || len(jobs.Edges) != monitor.MaxBacktestsKept+1 || jobs.Edges[0].Node.ID != latest {
		t.Errorf("%d jobs are kept beyond the number: %v", len(jobs.Edges), err)
	}
	trim(0)
}

// A rule's text is found by version, many at a time.
func TestRuleTextsByVersion(t *testing.T) {
	t.Parallel()
	store := judgingStore(t)
	ctx, who := t.Context(), monitor.SystemActor
	for n := range byte(3) {
		for range n + 1 {
			r := listReader(n+1, nil)
			r.Source += time.Now().String()
			if _, err := store.ImportRules(ctx, who, []*monitor.Rule{r}); err != nil {
				t.Fatal(err)
			}
		}
	}
	at := func(n byte, version int) monitor.RuleAt {
		return monitor.RuleAt{ID: monitor.ID{n}, Version: version}
	}
	found, err := store.RuleTexts(ctx, []monitor.RuleAt{at(1, 1), at(3, 2), at(3, 3), at(2, 9), at(9, 1)})
	if err != nil || len(found) != 3 {
		t.Fatalf("%d texts: %v", len(found), err)
	}
	for _, text := range found {
		if text.Source == "" || text.RuleAt != at(1, 1) && text.RuleAt != at(3, 2) && text.RuleAt != at(3, 3) {
			t.Errorf("%+v", text)
		}
	}
	if found, err = store.RuleTexts(ctx, nil); err != nil || len(found) != 0 {
		t.Errorf("none: %v %v", found, err)
	}
}
