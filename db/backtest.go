package db

import (
	"context"
	"fmt"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// CreateBacktest notes that a backtest begins.
func (s *Store) CreateBacktest(ctx context.Context, actor monitor.Actor, spec monitor.BacktestSpec) (*monitor.Job, error) {
	return s.createJob(ctx, &monitor.Job{Kind: monitor.JobRuleBacktest, CreatedBy: actor}, nil, func(t *tx, job monitor.ID) error {
		row := goqu.Record{"job_id": append([]byte(nil), job[:]...), "spec": jsonColumn{spec}, "found": jsonColumn{monitor.Backtest{}}}
		return exec(ctx, t, dialect.Insert("backtests").Rows(row))
	})
}

// BacktestsByJob gives what the backtests with those jobs have found so far, in no
// order; jobs of other kinds have none.
func (s *Store) BacktestsByJob(ctx context.Context, jobs []monitor.ID) ([]*monitor.Backtest, error) {
	st := dialect.From("backtests").Select("job_id", "spec", "found").Where(goqu.C("job_id").In(idList(jobs)))
	found, err := query(ctx, s.db, st, func(r scanner) (*monitor.Backtest, error) {
		b := &monitor.Backtest{}
		return b, r.Scan(idColumn{&b.Job}, jsonColumn{&b.Spec}, jsonColumn{b})
	})
	if err != nil {
		return nil, fmt.Errorf("load %d backtests: %w", len(jobs), err)
	}
	return found, nil
}

// SaveBacktest notes what a backtest has found so far, with the job as change
// leaves it, in one transaction. A job that has ended meanwhile stays as it is, as
// does what it had found, and is given so.
func (s *Store) SaveBacktest(ctx context.Context, b *monitor.Backtest, change func(*monitor.Job)) (*monitor.Job, error) {
	var job *monitor.Job
	err := s.change(ctx, monitor.SystemActor, monitor.ActionJobProgress, func(t *tx) error {
		was, err := t.lockJob(ctx, b.Job)
		if job = was; err != nil || was.Finished() {
			return err
		}
		next := *was
		change(&next)
		job = &next
		update := dialect.Update("backtests").Set(goqu.Record{"found": jsonColumn{b}}).Where(goqu.C("job_id").Eq(b.Job[:]))
		if err := exec(ctx, t, update); err != nil {
			return err
		}
		return t.writeJob(ctx, was, &next)
	})
	if err != nil {
		return nil, fmt.Errorf("save backtest %s: %w", b.Job, err)
	}
	return job, nil
}
