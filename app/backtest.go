package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Bounds of what a backtest takes from the database and from the processor.
const (
	backtestPage = 500
	backtestTime = 30 * time.Second // for a page: a filter may read many events to find few
	backtestRest = 10 * time.Second // at most, between pages: with backtestTime below monitor.JobStale
)

// RuleBacktest begins to try a rule's text on stored events.
func (j jobs) RuleBacktest(ctx context.Context, actor monitor.Actor, spec monitor.BacktestSpec) (*monitor.Job, error) {
	if err := spec.Check(); err != nil {
		return nil, err
	}
	if _, problem := j.app.bench().trial(spec.Source); problem != nil {
		return nil, monitor.InputErrorf("source", "%s", problem.Message)
	}
	return j.app.beginStepwise(func() (*monitor.Job, error) { return j.CreateBacktest(ctx, actor, spec) })
}

func (a *App) bench() ruleBench { return ruleBench{a, ingest.NewNormaliser()} }

// backtest is one that this replica works on.
type backtest struct {
	app    *App
	found  *monitor.Backtest
	filter *monitor.EventFilter
	trial  *trial
	told   time.Time
}

// runBacktest tries the events a page at a time, the latest first, and notes each
// second how far it is with all that it has found: whoever goes on goes on there.
func (a *App) runBacktest(id monitor.ID) {
	kind := string(monitor.JobRuleBacktest)
	a.metrics.Jobs.Begun(kind)
	defer a.metrics.Jobs.Left(kind)
	state, err := a.backtest(a.running, id)
	switch {
	case err == nil:
		a.metrics.Jobs.Ended(kind, string(state))
	case a.running.Err() == nil:
		a.metrics.Jobs.UpkeepFailed("jobs") // somebody goes on after monitor.JobStale
		a.lg.Error("backtest", "job", id.String(), "error", err)
	}
}

// backtest works on a backtest until it has ended, and tells how.
func (a *App) backtest(ctx context.Context, id monitor.ID) (monitor.JobState, error) {
	kept, err := a.Store.BacktestsByJob(ctx, []monitor.ID{id})
	if err != nil {
		return "", err
	}
	if len(kept) == 0 {
		return "", fmt.Errorf("backtest of job %s is not there", id)
	}
	b := &backtest{app: a, found: kept[0], told: time.Now()}
	if b.filter, err = b.found.Spec.EventFilter(); err != nil {
		return b.refuse(ctx, err.Error())
	}
	var problem *monitor.RuleProblem
	if b.trial, problem = a.bench().trial(b.found.Spec.Source); problem != nil {
		return b.refuse(ctx, "the rule does not run any more: "+problem.Message)
	}
	b.found.Filters = b.trial.filters
	for {
		job, rest, err := b.step(ctx)
		if errors.Is(err, errSlowPage) {
			return b.refuse(ctx, err.Error()) // it would be as slow elsewhere
		}
		if err != nil {
			return "", err
		}
		if job != nil && job.Finished() {
			return job.State, nil
		}
		// It takes half of a connection and half of a processor at most.
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(min(rest, backtestRest)):
		}
	}
}

var errSlowPage = fmt.Errorf("the filter finds too few events in too many: %d were not read within %s", backtestPage, backtestTime)

// refuse ends a backtest that cannot go on.
func (b *backtest) refuse(ctx context.Context, why string) (monitor.JobState, error) {
	_, err := b.app.Store.SaveBacktest(ctx, b.found, func(j *monitor.Job) { j.State, j.Message = monitor.JobFailed, why })
	return monitor.JobFailed, err
}

// step tries a page, and gives the job when it was noted. rest is as long as it took.
func (b *backtest) step(ctx context.Context) (job *monitor.Job, rest time.Duration, err error) {
	begun := time.Now()
	reading, cancel := context.WithTimeout(ctx, backtestTime)
	defer cancel()
	found, err := b.app.Store.Events(reading, b.filter, monitor.EventsByOccurred, page.Args{First: backtestPage, After: b.found.After})
	if err != nil && reading.Err() != nil && ctx.Err() == nil {
		return nil, 0, errSlowPage
	}
	if err != nil {
		return nil, 0, err
	}
	at := b.found.Spec.From
	for _, edge := range found.Edges {
		b.look(edge.Node)
		at, b.found.After = edge.Node.OccurredAt, edge.Cursor
	}
	if b.found.Complete = !found.PageInfo.HasNextPage; b.found.Complete {
		at = b.found.Spec.From
	}
	ended := b.found.Complete || b.found.Tried >= monitor.MaxBacktestEvents
	rest = time.Since(begun)
	if !ended && time.Since(b.told) < progressStep {
		return nil, rest, nil
	}
	b.told = time.Now()
	job, err = b.app.Store.SaveBacktest(ctx, b.found, func(j *monitor.Job) {
		j.Done, j.Total = b.found.Spec.Progress(at)
		j.Message = b.summary()
		if ended {
			j.State = monitor.JobDone
		}
	})
	return job, rest, err
}

func (b *backtest) look(e *monitor.Event) {
	b.found.Tried++
	switch result := b.trial.look(e.Raw); {
	case result.Error != "":
		b.found.Unreadable++
	case result.Matches:
		hidden := b.app.Store.Hides(monitor.NewAlert(monitor.ID{}, b.trial.rule, e, e.ReceivedAt), e)
		b.found.Add(b.trial.rule, e, result.Fields, hidden)
	}
}

func (b *backtest) summary() string {
	said := fmt.Sprintf("it fires on %d of %d events", b.found.Matched, b.found.Tried)
	if b.found.Suppressed > 0 {
		said += fmt.Sprintf(", of which suppressions hide %d", b.found.Suppressed)
	}
	if !b.found.Complete && b.found.Tried >= monitor.MaxBacktestEvents {
		said += "; earlier ones are not tried"
	}
	return said
}

// Watch makes a function that lets a rule look at a stored event's record.
func (b ruleBench) Watch(source string) (func(raw []byte) *monitor.RuleTestResult, *monitor.RuleProblem) {
	t, problem := b.trial(source)
	if problem != nil {
		return nil, problem
	}
	return t.look, nil
}

// Shown gives the named fields of a stored event's record that it has.
func (b ruleBench) Shown(raw []byte, names []string) []*monitor.ShownField {
	out := []*monitor.ShownField{}
	var ev monitor.Event
	var rec monitor.Record
	if len(names) == 0 || b.normaliser.Normalise(raw, time.Now(), &ev, &rec) != nil {
		return out
	}
	for _, name := range names[:min(len(names), monitor.MaxShownFields)] {
		if value := valuesOf(&rec, name); value != "" {
			out = append(out, &monitor.ShownField{Field: name, Value: value})
		}
	}
	return out
}

func valuesOf(rec *monitor.Record, name string) string {
	var texts []string
	for _, field := range rec.Fields {
		if !strings.EqualFold(field.Name, name) {
			continue
		}
		for _, v := range field.Values {
			if v.Kind != monitor.NullValue && v.Text != "" && !slices.Contains(texts, v.Text) {
				texts = append(texts, v.Text)
			}
		}
	}
	value := strings.Join(texts, ", ")
	if len(value) > monitor.MaxShownBytes {
		value = strings.ToValidUTF8(value[:monitor.MaxShownBytes], "") + "…"
	}
	return value
}
