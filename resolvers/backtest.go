package resolvers

import (
	"context"
	"slices"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

type backtestResolver struct{ *Resolver }

// Backtest answers the fields of Backtest that are more than a value.
func (r *Resolver) Backtest() graph.BacktestResolver { return backtestResolver{r} }

// RuleBacktest begins to try a rule on stored events.
func (r mutationResolver) RuleBacktest(ctx context.Context, input model.RuleBacktestInput) (*model.BulkPayload, error) {
	filter, err := monitor.FilterJSON(input.Filter)
	spec := monitor.BacktestSpec{Source: input.Source, Filter: filter, From: input.From.UTC(), To: time.Now().UTC().Truncate(time.Microsecond)}
	if input.To != nil {
		spec.To = input.To.UTC()
	}
	var job *monitor.Job
	if err == nil {
		job, err = r.Jobs.RuleBacktest(ctx, monitor.ViewerFrom(ctx).Actor(), spec)
	}
	return bulkPayload(job, err)
}

func (jobResolver) Backtest(ctx context.Context, j *monitor.Job) (*monitor.Backtest, error) {
	if j.Kind != monitor.JobRuleBacktest {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return loadersOf(ctx).backtests.Load(ctx, j.ID)
}

func (backtestResolver) Filters(ctx context.Context, b *monitor.Backtest) ([]*monitor.Rule, error) {
	return loadRules(ctx, b.Filters)
}

// loadRules gives the rules with those ids that are there, in their order.
func loadRules(ctx context.Context, ids []monitor.ID) ([]*monitor.Rule, error) {
	found, err := loadersOf(ctx).rules.LoadAll(ctx, ids)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Concat([]*monitor.Rule{}, found), func(r *monitor.Rule) bool { return r == nil }), nil
}

func (backtestResolver) Matches(ctx context.Context, b *monitor.Backtest) ([]*monitor.RuleTestResult, error) {
	ids := make([]monitor.EventID, len(b.Shown))
	for i, shown := range b.Shown {
		id, err := monitor.ParseEventID(shown.Event)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	events, err := loadersOf(ctx).events.LoadAll(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]*monitor.RuleTestResult, len(b.Shown))
	for i, shown := range b.Shown {
		out[i] = &monitor.RuleTestResult{Matches: true, SameLogSource: true, Fields: shown.Fields}
		if e := events[i]; e != nil { // it may be past retention
			out[i].Event, out[i].LogSource, out[i].Format = e, &e.LogSource, e.Format
		}
	}
	return out, nil
}
