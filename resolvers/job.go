package resolvers

import (
	"context"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Jobs keeps work in the background and begins it.
type Jobs interface {
	Jobs(ctx context.Context, args page.Args) (*monitor.JobConnection, error)
	JobsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Job, error)
	// VerifyJournal begins a job; RATE_LIMITED when too many run.
	VerifyJournal(ctx context.Context, actor monitor.Actor) (*monitor.Job, error)
	AlertBulk(ctx context.Context, actor monitor.Actor, bulk monitor.Bulk, filter *monitor.AlertFilter, ids []monitor.ID) (*monitor.Job, error)
	UndoBulk(ctx context.Context, actor monitor.Actor, of monitor.ID) (*monitor.Job, error)
	// RuleBacktest begins to try a rule on stored events; as VerifyJournal.
	RuleBacktest(ctx context.Context, actor monitor.Actor, spec monitor.BacktestSpec) (*monitor.Job, error)
	BacktestsByJob(ctx context.Context, jobs []monitor.ID) ([]*monitor.Backtest, error)
	CancelJob(ctx context.Context, actor monitor.Actor, id monitor.ID) (*monitor.Job, error)
	JobItems(ctx context.Context, job monitor.ID, state *monitor.JobItemState, args page.Args) (*monitor.JobItemConnection, error)
}

// JobsByID loads jobs.
func (r *Resolver) JobsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Job, error) {
	return r.Jobs.JobsByID(ctx, ids)
}

// Job gives one job.
func (r queryResolver) Job(ctx context.Context, id string) (*monitor.Job, error) {
	return byGlobalID(ctx, monitor.KindJob, id, r.JobsByID)
}

// Jobs lists jobs.
func (r queryResolver) Jobs(ctx context.Context, first int, after *string) (*monitor.JobConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Resolver.Jobs.Jobs(ctx, args)
}

// JournalVerify begins to check the journal.
func (r mutationResolver) JournalVerify(ctx context.Context) (*model.JobPayload, error) {
	job, err := r.Jobs.VerifyJournal(ctx, monitor.ViewerFrom(ctx).Actor())
	mendable, err := userErrors(err)
	return &model.JobPayload{Job: job, Errors: mendable}, err
}

// JobProgress tells how a job gets on.
func (r subscriptionResolver) JobProgress(ctx context.Context, id string) (<-chan *monitor.Job, error) {
	stream, _, err := r.Feed.Subscribe(ctx, nil) // before the look: nothing happens between
	if err != nil {
		return nil, err
	}
	job, err := byGlobalID(ctx, monitor.KindJob, id, r.JobsByID)
	if err != nil {
		return nil, err
	}
	if job == nil {
		return nil, monitor.Errorf(monitor.CodeNotFound, "there is no such job")
	}
	out := make(chan *monitor.Job)
	go func() { // ends with ctx, or with the job
		defer close(out)
		for {
			select {
			case out <- job:
			case <-ctx.Done():
				return
			}
			if job.Finished() {
				return
			}
			next, err := nextState(ctx, stream, job.ID)
			if err != nil { // the journal was replaced, or does not answer
				found, err := r.JobsByID(ctx, []monitor.ID{job.ID})
				if err != nil || len(found) == 0 {
					return
				}
				if stream, _, err = r.Feed.Subscribe(ctx, nil); err != nil {
					return
				}
				next = found[0]
			}
			job = next
		}
	}()
	return out, nil
}

// nextState waits for the next change of a job.
func nextState(ctx context.Context, stream Stream, id monitor.ID) (*monitor.Job, error) {
	for {
		entries, err := stream.Next(ctx, 256)
		if err != nil {
			return nil, err
		}
		var newest *monitor.Job
		for _, e := range entries {
			for _, c := range e.Body.Changes {
				if c.Kind != monitor.KindJob || c.ID != id {
					continue
				}
				after, _, err := monitor.States[monitor.Job](c)
				if err != nil {
					return nil, err
				}
				newest = after
			}
		}
		if newest != nil {
			return newest, nil
		}
	}
}
