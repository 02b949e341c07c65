package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// bulkStep is how many alerts one transaction of a bulk job changes: others wait
// for its locks.
const bulkStep = 50

var jobItemColumns = []string{"ordinal", "entity_id", "state", "code", "message", "was", "became"}

// CreateBulk notes a bulk job with the alerts that it will change: those with the
// ids, or those that match now. More than monitor.MaxBulk are BAD_INPUT.
func (s *Store) CreateBulk(ctx context.Context, actor monitor.Actor, bulk monitor.Bulk, filter *monitor.AlertFilter, ids []monitor.ID) (*monitor.Job, error) {
	if err := bulk.Check(); err != nil {
		return nil, err
	}
	if len(ids) > monitor.MaxBulk {
		return nil, monitor.InputErrorf("ids", "%d alerts, at most %d at once", len(ids), monitor.MaxBulk)
	}
	if filter != nil {
		p, err := filter.Compile()
		if err != nil {
			return nil, err
		}
		st := dialect.From("alerts").Select("id").Where(condition(&p, alertFilterColumns, s.now())).Order(goqu.C("id").Asc()).Limit(monitor.MaxBulk + 1)
		if ids, err = query(ctx, s.db, st, scanID); err != nil {
			return nil, fmt.Errorf("find alerts of bulk job: %w", err)
		}
		if len(ids) > monitor.MaxBulk {
			return nil, monitor.InputErrorf("filter", "more than %d alerts match; make the filter narrower", monitor.MaxBulk)
		}
	}
	items := make([]*monitor.JobItem, len(ids))
	for i, id := range ids {
		items[i] = &monitor.JobItem{Ordinal: i, EntityID: id}
	}
	return s.createJob(ctx, &monitor.Job{Kind: monitor.JobAlertBulk, CreatedBy: actor, Bulk: &bulk}, items, nil)
}

// CreateUndo notes a job that undoes a bulk job, which can be undone once, when it
// has ended. CONFLICT otherwise.
func (s *Store) CreateUndo(ctx context.Context, actor monitor.Actor, of monitor.ID) (*monitor.Job, error) {
	done, err := query(ctx, s.db, dialect.From("job_items").Select(columnList(jobItemColumns)...).
		Where(goqu.C("job_id").Eq(of[:]), goqu.C("state").Eq(string(monitor.JobItemDone)), goqu.C("was").IsNotNull()).Order(goqu.C("ordinal").Asc()), scanJobItem)
	if err != nil {
		return nil, fmt.Errorf("items of job %s: %w", of, err)
	}
	return s.createJob(ctx, &monitor.Job{Kind: monitor.JobAlertBulk, CreatedBy: actor, Bulk: &monitor.UndoBulk}, done, func(t *tx, undo monitor.ID) error {
		was, err := t.lockJob(ctx, of)
		switch {
		case err != nil:
			return err
		case was.Kind != monitor.JobAlertBulk || was.Bulk.Undo():
			return monitor.Errorf(monitor.CodeConflict, "only a bulk job can be undone")
		case !was.Finished():
			return monitor.Errorf(monitor.CodeConflict, "the job still goes on; cancel it first")
		case !was.UndoneBy.IsZero():
			return monitor.Errorf(monitor.CodeConflict, "the job was undone already")
		}
		next := *was
		next.UndoneBy = undo
		return t.writeJob(ctx, was, &next)
	})
}

// createJob notes that a job begins, with what it will work on. also does what
// belongs to it, in the same transaction.
func (s *Store) createJob(ctx context.Context, job *monitor.Job, items []*monitor.JobItem, also func(*tx, monitor.ID) error) (*monitor.Job, error) {
	job.State, job.Total = monitor.JobRunning, len(items)
	err := s.change(ctx, job.CreatedBy, monitor.ActionJobStart, func(t *tx) error {
		job.ID, job.CreatedAt, job.UpdatedAt = monitor.NewID(t.now), t.now, t.now
		if also != nil {
			if err := also(t, job.ID); err != nil {
				return err
			}
		}
		if err := exec(ctx, t, dialect.Insert("jobs").Rows(jobRow(job))); err != nil {
			return err
		}
		rows := make([]any, len(items))
		for n, i := range items {
			rows[n] = goqu.Record{
				"job_id": job.ID[:], "ordinal": i.Ordinal, "entity_id": i.EntityID[:], "state": string(monitor.JobItemPending),
				"was": nullJSON(i.Was), "became": nullJSON(i.Became),
			}
		}
		if err := insertChunks(ctx, t, "job_items", rows, 1_000); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindJob, job.ID, monitor.ActionJobStart, nil, job)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create job: %w", err)
	}
	return job, nil
}

// BulkStep changes the next alerts of a bulk job, in one transaction with what it
// notes of them: whoever goes on with the job does nothing twice. It gives the job
// as it stands; one that has ended, or was cancelled, is left alone.
func (s *Store) BulkStep(ctx context.Context, id monitor.ID) (*monitor.Job, error) {
	var now *monitor.Job
	by, err := s.JobsByID(ctx, []monitor.ID{id})
	if err != nil || len(by) == 0 {
		return nil, fmt.Errorf("job %s: %d found: %w", id, len(by), err)
	}
	err = s.change(ctx, by[0].CreatedBy, by[0].Bulk.JournalAction(), func(t *tx) error {
		was, err := t.lockJob(ctx, id)
		if now = was; err != nil || was.Finished() {
			return err
		}
		next := *was
		items, err := query(ctx, t, dialect.From("job_items").Select(columnList(jobItemColumns)...).
			Where(goqu.C("job_id").Eq(id[:]), goqu.C("state").Eq(string(monitor.JobItemPending))).Order(goqu.C("ordinal").Asc()).Limit(bulkStep), scanJobItem)
		if err != nil {
			return err
		}
		if err := t.bulkItems(ctx, &next, items); err != nil {
			return err
		}
		if len(items) < bulkStep {
			next.State = monitor.JobDone
			next.Message = fmt.Sprintf("%d changed, %d not", next.Done-next.Failed, next.Failed)
		}
		now = &next
		return t.writeJob(ctx, was, &next)
	})
	if err != nil {
		return now, fmt.Errorf("step of job %s: %w", id, err)
	}
	return now, nil
}

func (t *tx) bulkItems(ctx context.Context, job *monitor.Job, items []*monitor.JobItem) error {
	ids := make([]monitor.ID, len(items))
	for n, i := range items {
		ids[n] = i.EntityID
	}
	slices.SortFunc(ids, func(a, b monitor.ID) int { return slices.Compare(a[:], b[:]) })
	alerts, err := t.findAlerts(ctx, slices.Compact(ids))
	if err != nil {
		return err
	}
	for _, i := range items {
		i.State = monitor.JobItemDone
		var known *monitor.Error
		switch err := t.bulkItem(ctx, job.Bulk, i, alerts); {
		case err == nil:
		case errors.As(err, &known) && known != monitor.ErrAway:
			i.State, i.Code, i.Message = monitor.JobItemFailed, known.Code, clip(known.Message, 500)
			job.Failed++
		default:
			return err
		}
		job.Done++
		set := goqu.Record{"state": string(i.State), "code": string(i.Code), "message": i.Message, "was": nullJSON(i.Was), "became": nullJSON(i.Became)}
		if err := exec(ctx, t, dialect.Update("job_items").Set(set).Where(goqu.C("job_id").Eq(job.ID[:]), goqu.C("ordinal").Eq(i.Ordinal))); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) bulkItem(ctx context.Context, bulk *monitor.Bulk, i *monitor.JobItem, alerts map[monitor.ID]*monitor.Alert) error {
	was := alerts[i.EntityID]
	if was == nil {
		return errNoAlert()
	}
	next := *was
	change := func() error { return bulk.Apply(&next, t.now) }
	if bulk.Undo() {
		change = func() error { return i.Restore(&next) }
	}
	if err := change(); err != nil {
		return err
	}
	before, after, err := monitor.Changed(was, &next)
	if err != nil {
		return err
	}
	if err := t.writeAlert(ctx, was, &next, bulk.JournalAction()); err != nil {
		return err
	}
	i.Was, i.Became, alerts[i.EntityID] = before, after, &next
	return nil
}

// CancelJob ends a job that goes on, of a kind that goes step by step; what it has
// done stays done.
func (s *Store) CancelJob(ctx context.Context, actor monitor.Actor, id monitor.ID) (*monitor.Job, error) {
	var now *monitor.Job
	err := s.change(ctx, actor, monitor.ActionJobEnd, func(t *tx) error {
		was, err := t.lockJob(ctx, id)
		if now = was; err != nil || was.Finished() {
			return err
		}
		if !was.Resumes() {
			return monitor.Errorf(monitor.CodeConflict, "a job of this kind cannot be cancelled")
		}
		next := *was
		next.State, next.Message, now = monitor.JobCancelled, "cancelled by "+actor.Name, &next
		return t.writeJob(ctx, was, &next)
	})
	return now, err
}

// TakeJob takes over a job that has given no sign of life for so long. It is false
// when another replica was faster, or the job lives.
func (s *Store) TakeJob(ctx context.Context, id monitor.ID, silent time.Duration) (taken bool, err error) {
	err = s.change(ctx, monitor.SystemActor, monitor.ActionJobProgress, func(t *tx) error {
		was, err := t.lockJob(ctx, id)
		if taken = err == nil && !was.Finished() && was.UpdatedAt.Before(t.now.Add(-silent)); !taken {
			return err
		}
		next := *was
		return t.writeJob(ctx, was, &next)
	})
	return taken, err
}

// JobItems gives one page of what a job works on, in its order; of one state where
// one is given.
func (s *Store) JobItems(ctx context.Context, job monitor.ID, state *monitor.JobItemState, args page.Args) (*monitor.JobItemConnection, error) {
	st := dialect.From("job_items").Select(columnList(jobItemColumns)...).Where(goqu.C("job_id").Eq(job[:])).
		Order(goqu.C("ordinal").Asc()).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if state != nil {
		st = st.Where(goqu.C("state").Eq(string(*state)))
	}
	if args.After != "" {
		var last int
		if err := page.DecodeCursor(args.After, &last); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		st = st.Where(goqu.C("ordinal").Gt(last))
	}
	items, err := query(ctx, s.db, st, scanJobItem)
	if err != nil {
		return nil, fmt.Errorf("items of job %s: %w", job, err)
	}
	return page.Build(items, args, func(i *monitor.JobItem) string { return page.EncodeCursor(i.Ordinal) }), nil
}

func (t *tx) lockJob(ctx context.Context, id monitor.ID) (*monitor.Job, error) {
	job, found, err := one(ctx, t, dialect.From("jobs").Select(columnList(jobColumns)...).Where(goqu.C("id").Eq(id[:])).ForUpdate(goqu.Wait), scanJob)
	if err == nil && !found {
		err = monitor.Errorf(monitor.CodeNotFound, "there is no such job")
	}
	return job, err
}

// writeJob stores a job that lockJob gave.
func (t *tx) writeJob(ctx context.Context, was, next *monitor.Job) error {
	next.UpdatedAt = t.now
	row := jobRow(next)
	delete(row, "id")
	if err := exec(ctx, t, dialect.Update("jobs").Set(row).Where(goqu.C("id").Eq(next.ID[:]))); err != nil {
		return err
	}
	action := monitor.ActionJobProgress
	if next.Finished() && !was.Finished() {
		action = monitor.ActionJobEnd
	}
	if t.action == monitor.ActionJobProgress {
		t.action = action
	}
	noted, err := monitor.NewChange(monitor.KindJob, next.ID, action, was, next)
	t.changes = append(t.changes, noted)
	return err
}

func nullJSON(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return string(raw)
}

func scanJobItem(r scanner) (*monitor.JobItem, error) {
	i := &monitor.JobItem{}
	var was, became []byte
	err := r.Scan(&i.Ordinal, idColumn{&i.EntityID}, &i.State, &i.Code, &i.Message, &was, &became)
	i.Was, i.Became = was, became
	return i, err
}
