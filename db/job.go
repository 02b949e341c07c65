package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var jobColumns = []string{"id", "kind", "state", "done", "total", "message", "created_by", "created_at", "updated_at", "spec", "failed", "undone_by"}

// CreateJob notes that work begins.
func (s *Store) CreateJob(ctx context.Context, actor monitor.Actor, kind monitor.JobKind) (*monitor.Job, error) {
	return s.createJob(ctx, &monitor.Job{Kind: kind, CreatedBy: actor}, nil, nil)
}

// UpdateJob notes how far a running job is, or how it ended. A job that is
// finished stays as it is, and is given so.
func (s *Store) UpdateJob(ctx context.Context, id monitor.ID, change func(*monitor.Job)) (*monitor.Job, error) {
	var job *monitor.Job
	err := s.change(ctx, monitor.SystemActor, monitor.ActionJobProgress, func(t *tx) error {
		was, err := t.lockJob(ctx, id)
		if job = was; err != nil || was.Finished() {
			return err
		}
		next := *was
		change(&next)
		job = &next
		return t.writeJob(ctx, was, &next)
	})
	if err != nil {
		return nil, fmt.Errorf("update job %s: %w", id, err)
	}
	return job, nil
}

// StaleJobs gives the jobs that run by their state but have given no sign of life
// for so long.
func (s *Store) StaleJobs(ctx context.Context, silent time.Duration) ([]*monitor.Job, error) {
	st := dialect.From("jobs").Select(columnList(jobColumns)...).Where(goqu.C("state").Eq(string(monitor.JobRunning)), goqu.C("updated_at").Lt(s.now().Add(-silent))).Limit(1_000)
	jobs, err := query(ctx, s.db, st, scanJob)
	if err != nil {
		return nil, fmt.Errorf("find stale jobs: %w", err)
	}
	return jobs, nil
}

// jobKeeping says how long jobs are kept behind their end, and how many of them.
type jobKeeping struct {
	kinds []goqu.Expression
	age   time.Duration
	most  uint
}

var jobsKept = []jobKeeping{
	{[]goqu.Expression{goqu.C("kind").Eq(string(monitor.JobRuleBacktest))}, monitor.BacktestMemory, monitor.MaxBacktestsKept},
	{[]goqu.Expression{goqu.C("kind").Neq(string(monitor.JobRuleBacktest))}, monitor.JobMemory, monitor.MaxJobsKept},
}

// trimJobs bounds the jobs that one call deletes, of each way to keep them.
const trimJobs = 500

// TrimJobs forgets jobs that have ended long ago, or that many others are newer than,
// with what they found and what they did to what; the journal keeps what it keeps. Call
// it now and then. It gives how many it forgot.
func (s *Store) TrimJobs(ctx context.Context) (forgotten int, err error) {
	for _, kept := range jobsKept {
		ended := dialect.From("jobs").Select("id").Where(append(kept.kinds, goqu.C("state").Neq(string(monitor.JobRunning)))...).Limit(trimJobs)
		over, err := query(ctx, s.db, ended.Where(goqu.C("updated_at").Lt(s.now().Add(-kept.age))), scanID)
		if err != nil {
			return forgotten, fmt.Errorf("list old jobs: %w", err)
		}
		beyond, err := query(ctx, s.db, ended.Order(goqu.C("created_at").Desc(), goqu.C("id").Desc()).Offset(kept.most), scanID)
		if err != nil {
			return forgotten, fmt.Errorf("list jobs beyond the latest: %w", err)
		}
		for _, id := range slices.Compact(sortIDs(append(over, beyond...))) {
			if err := s.forgetJob(ctx, id); err != nil {
				return forgotten, fmt.Errorf("forget job %s: %w", id, err)
			}
			forgotten++
		}
	}
	return forgotten, nil
}

// forgetJob deletes a job that has ended, at last: stopped before, it is found again.
func (s *Store) forgetJob(ctx context.Context, id monitor.ID) error {
	for _, part := range []struct{ table, key string }{{"job_items", "job_id"}, {"backtests", "job_id"}, {"jobs", "id"}} {
		if err := exec(ctx, s.db, dialect.Delete(part.table).Where(goqu.C(part.key).Eq(append([]byte(nil), id[:]...)))); err != nil {
			return err
		}
	}
	return nil
}

// JobsByID gives the jobs with those ids, in no order; missing ones are left out.
func (s *Store) JobsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Job, error) {
	return byIDs(ctx, s.db, "jobs", jobColumns, ids, scanJob)
}

// Jobs gives one page of all jobs, newest first.
func (s *Store) Jobs(ctx context.Context, args page.Args) (*monitor.JobConnection, error) {
	st, err := newestFirst(dialect.From("jobs").Select(columnList(jobColumns)...), args)
	if err != nil {
		return nil, err
	}
	jobs, err := query(ctx, s.db, st, scanJob)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return page.Build(jobs, args, func(j *monitor.Job) string { return page.EncodeCursor(j.CreatedAt, j.ID) }), nil
}

func jobRow(j *monitor.Job) goqu.Record {
	return goqu.Record{
		"id": j.ID[:], "kind": string(j.Kind), "state": string(j.State), "done": j.Done, "total": j.Total, "message": j.Message,
		"created_by": jsonColumn{j.CreatedBy}, "created_at": j.CreatedAt, "updated_at": j.UpdatedAt,
		"spec": jsonColumn{j.Bulk}, "failed": j.Failed, "undone_by": nullID(j.UndoneBy),
	}
}

func scanJob(r scanner) (*monitor.Job, error) {
	j := &monitor.Job{}
	return j, r.Scan(idColumn{&j.ID}, &j.Kind, &j.State, &j.Done, &j.Total, &j.Message, jsonColumn{&j.CreatedBy}, timeColumn{&j.CreatedAt}, timeColumn{&j.UpdatedAt},
		jsonColumn{&j.Bulk}, &j.Failed, idColumn{&j.UndoneBy})
}
