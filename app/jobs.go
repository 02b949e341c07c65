package app

import (
	"context"
	"fmt"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/monitor"
)

// progressStep is how often a job says how far it is; it is its sign of life too.
const progressStep = time.Second

// maxJobs bounds the jobs that run on one replica at once.
const maxJobs = 4

// jobs are kept by the store and begun by the server.
type jobs struct {
	*db.Store
	app *App
}

// VerifyJournal begins to check the journal.
func (j jobs) VerifyJournal(ctx context.Context, actor monitor.Actor) (*monitor.Job, error) {
	return j.app.VerifyJournal(ctx, actor)
}

// VerifyJournal begins to check the journal's chain of hashes in the background.
func (a *App) VerifyJournal(ctx context.Context, actor monitor.Actor) (*monitor.Job, error) {
	return a.begin(ctx, actor, monitor.JobJournalVerify, func(ctx context.Context, progress func(done, total int) error) (string, error) {
		n, err := a.Store.VerifyJournal(ctx, progress)
		if db.IsChainFault(err) {
			return "", fmt.Errorf("after %d entries in order: %w", n, err)
		}
		return fmt.Sprintf("%d entries checked, none was changed, taken out or put in", n), err
	})
}

// AlertBulk begins to change many alerts: those with the ids, or those that match.
func (j jobs) AlertBulk(ctx context.Context, actor monitor.Actor, bulk monitor.Bulk, filter *monitor.AlertFilter, ids []monitor.ID) (*monitor.Job, error) {
	return j.app.beginStepwise(func() (*monitor.Job, error) { return j.CreateBulk(ctx, actor, bulk, filter, ids) })
}

// UndoBulk begins to undo a bulk job.
func (j jobs) UndoBulk(ctx context.Context, actor monitor.Actor, of monitor.ID) (*monitor.Job, error) {
	return j.app.beginStepwise(func() (*monitor.Job, error) { return j.CreateUndo(ctx, actor, of) })
}

// beginStepwise starts a job that is in the database with all that it will do. Where
// its process ends, another goes on with it.
func (a *App) beginStepwise(create func() (*monitor.Job, error)) (*monitor.Job, error) {
	select {
	case a.jobs <- struct{}{}:
	default:
		return nil, errTooManyJobs
	}
	job, err := create()
	if err != nil {
		<-a.jobs
		return nil, err
	}
	a.background.Go(func() {
		defer func() { <-a.jobs }()
		a.goOn(job)
	})
	return job, nil
}

// GoOnWith works on a job whose server has died, until it has ended.
func (a *App) GoOnWith(job *monitor.Job) { a.goOn(job) }

// goOn works on a job that goes step by step.
func (a *App) goOn(job *monitor.Job) {
	if job.Kind == monitor.JobRuleBacktest {
		a.runBacktest(job.ID)
		return
	}
	a.runBulk(job.ID)
}

// runBulk does one step after another. Each step notes what it did; so a fault
// ends nothing: after monitor.JobStale somebody goes on.
func (a *App) runBulk(id monitor.ID) {
	a.metrics.Jobs.Begun(string(monitor.JobAlertBulk))
	defer a.metrics.Jobs.Left(string(monitor.JobAlertBulk))
	for {
		job, err := a.Store.BulkStep(a.running, id)
		if err != nil {
			if a.running.Err() == nil {
				a.metrics.Jobs.UpkeepFailed("jobs")
				a.lg.Error("job: step", "job", id.String(), "error", err)
			}
			return
		}
		if job.Finished() {
			a.metrics.Jobs.Ended(string(job.Kind), string(job.State))
			return
		}
	}
}

// resume goes on with a job whose process has died, where there is room.
func (a *App) resume(ctx context.Context, job *monitor.Job) error {
	select {
	case a.jobs <- struct{}{}:
	default:
		return nil // another replica has room, or this one later
	}
	taken, err := a.Store.TakeJob(ctx, job.ID, monitor.JobStale)
	if err != nil || !taken {
		<-a.jobs
		return err
	}
	a.background.Go(func() {
		defer func() { <-a.jobs }()
		a.goOn(job)
	})
	return nil
}

var errTooManyJobs = monitor.Errorf(monitor.CodeRateLimited, "%d jobs run on this replica already", maxJobs)

// begin starts a job in this process. It ends with the process; then, or when its
// process dies, it is marked as failed.
func (a *App) begin(ctx context.Context, actor monitor.Actor, kind monitor.JobKind, work func(context.Context, func(done, total int) error) (string, error)) (*monitor.Job, error) {
	select {
	case a.jobs <- struct{}{}:
	default:
		return nil, errTooManyJobs
	}
	job, err := a.Store.CreateJob(ctx, actor, kind)
	if err != nil {
		<-a.jobs
		return nil, err
	}
	a.background.Go(func() {
		defer func() { <-a.jobs }()
		a.run(job, work)
	})
	return job, nil
}

func (a *App) run(job *monitor.Job, work func(context.Context, func(done, total int) error) (string, error)) {
	id, kind := job.ID, string(job.Kind)
	a.metrics.Jobs.Begun(kind)
	defer a.metrics.Jobs.Left(kind)
	told := time.Now()
	message, err := work(a.running, func(done, total int) error {
		if time.Since(told) < progressStep {
			return nil
		}
		told = time.Now()
		_, err := a.Store.UpdateJob(a.running, id, func(j *monitor.Job) { j.Done, j.Total = done, total })
		return err
	})
	state := monitor.JobDone
	if err != nil {
		state, message = monitor.JobFailed, err.Error()
		if a.running.Err() != nil {
			message = "the server that did the work was stopped"
		} else if !db.IsChainFault(err) {
			a.lg.Error("job", "job", id.String(), "error", err)
			message = "something went wrong on our side; see the log"
		}
	}
	a.metrics.Jobs.Ended(kind, string(state))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.running), 5*time.Second)
	defer cancel()
	if _, err := a.Store.UpdateJob(ctx, id, func(j *monitor.Job) {
		j.State, j.Message = state, message
		if state == monitor.JobDone {
			j.Done = max(j.Done, j.Total)
		}
	}); err != nil {
		a.lg.Error("job: end not noted", "job", id.String(), "error", err)
	}
}

// buryJobs goes on with the jobs whose process has died, or marks them as failed
// where nobody can.
func (a *App) buryJobs(ctx context.Context) {
	stale, err := a.Store.StaleJobs(ctx, monitor.JobStale)
	for _, job := range stale {
		if err == nil && job.Resumes() {
			err = a.resume(ctx, job)
		} else if err == nil {
			_, err = a.Store.UpdateJob(ctx, job.ID, func(j *monitor.Job) {
				j.State, j.Message = monitor.JobFailed, "the server that did the work has died"
			})
			if err == nil {
				a.metrics.Jobs.Ended(string(job.Kind), string(monitor.JobFailed))
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		a.upkeepFailed("jobs", "job: look for dead ones", err)
	}
}
