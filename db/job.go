package db

import (
	"context"
	"fmt"
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
