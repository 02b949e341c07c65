package resolvers

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// ratePeriod is over how long a source's present rate is counted.
const ratePeriod = 5 * time.Minute

// Sources keeps who sends events. Changes are refused as those of Alerts are.
type Sources interface {
	Sources(ctx context.Context, filter *monitor.SourceFilter, args page.Args) (*monitor.SourceConnection, error)
	SourcesByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Source, error)
	// SourceMinutes gives what came of each in the last hour, oldest first.
	SourceMinutes(ctx context.Context, ids []monitor.ID) ([][]monitor.SourceMinute, error)
	UpdateSource(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.Source) error) (*monitor.Source, error)
	DeleteSource(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int) (*monitor.Source, error)
}

// Sources lists sources.
func (r queryResolver) Sources(ctx context.Context, filter *monitor.SourceFilter, first int, after *string) (*monitor.SourceConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	return r.Resolver.Sources.Sources(ctx, filter, args)
}

// Source gives one source.
func (r queryResolver) Source(ctx context.Context, id string) (*monitor.Source, error) {
	return byGlobalID(ctx, monitor.KindSource, id, r.Resolver.Sources.SourcesByID)
}

// SourceUpdate says for how long a source may be silent.
func (r mutationResolver) SourceUpdate(ctx context.Context, input model.SourceUpdateInput) (*model.SourcePayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindSource, input.ID)
	if err != nil {
		return sourcePayload(nil, err)
	}
	return sourcePayload(r.Resolver.Sources.UpdateSource(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion, func(s *monitor.Source) error {
		if !input.ExpectEvery.IsSet() {
			return nil
		}
		return s.SetExpect((*time.Duration)(input.ExpectEvery.Value()))
	}))
}

// SourceDelete forgets a source.
func (r mutationResolver) SourceDelete(ctx context.Context, input model.SourceDeleteInput) (*model.SourcePayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindSource, input.ID)
	if err != nil {
		return sourcePayload(nil, err)
	}
	return sourcePayload(r.Resolver.Sources.DeleteSource(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion))
}

func sourcePayload(s *monitor.Source, err error) (*model.SourcePayload, error) {
	mendable, err := userErrors(err)
	return &model.SourcePayload{Source: s, Errors: mendable}, err
}

type sourceResolver struct{ *Resolver }

// Source answers the fields of Source that are more than a value.
func (r *Resolver) Source() graph.SourceResolver { return sourceResolver{r} }

func (r *Resolver) sourceMinutes(ctx context.Context, ids []monitor.ID) ([][]monitor.SourceMinute, error) {
	return r.Sources.SourceMinutes(ctx, ids)
}

func (sourceResolver) State(ctx context.Context, s *monitor.Source) (monitor.SourceState, error) {
	minutes, err := loadersOf(ctx).minutes.Load(ctx, s.ID)
	return s.State(minutes), err
}

func (sourceResolver) Records(_ context.Context, s *monitor.Source) (float64, error) {
	return float64(s.Records), nil
}

func (sourceResolver) Rejected(_ context.Context, s *monitor.Source) (float64, error) {
	return float64(s.Rejected), nil
}

func (sourceResolver) Bytes(_ context.Context, s *monitor.Source) (float64, error) {
	return float64(s.Bytes), nil
}

func (sourceResolver) ErrorRate(ctx context.Context, s *monitor.Source) (float64, error) {
	minutes, err := loadersOf(ctx).minutes.Load(ctx, s.ID)
	var rejected, all int64
	for _, m := range minutes {
		rejected, all = rejected+m.Rejected, all+m.Rejected+m.Records
	}
	return float64(rejected) / float64(max(all, 1)), err
}

// Rate counts whole minutes and the one that runs: of four to five minutes.
func (sourceResolver) Rate(ctx context.Context, s *monitor.Source) (float64, error) {
	minutes, err := loadersOf(ctx).minutes.Load(ctx, s.ID)
	now := time.Now()
	from := now.Add(-ratePeriod).Truncate(time.Minute).Add(time.Minute)
	var records int64
	for _, m := range minutes {
		if !m.At.Before(from) {
			records += m.Records
		}
	}
	return float64(records) / now.Sub(from).Seconds(), err
}

func (sourceResolver) LagSeconds(_ context.Context, s *monitor.Source) (float64, error) {
	return s.Lag.Seconds(), nil
}

func (sourceResolver) LagMaxSeconds(_ context.Context, s *monitor.Source) (float64, error) {
	return s.LagMax.Seconds(), nil
}

func (sourceResolver) ExpectEvery(_ context.Context, s *monitor.Source) (*monitor.Duration, error) {
	return (*monitor.Duration)(s.Expect), nil
}

func (sourceResolver) Patience(_ context.Context, s *monitor.Source) (*monitor.Duration, error) {
	return optional(monitor.Duration(s.Patience())), nil
}

func (sourceResolver) SilentSince(_ context.Context, s *monitor.Source) (*time.Time, error) {
	return optionalTime(s.SilentSince), nil
}

func (sourceResolver) Alert(ctx context.Context, s *monitor.Source) (*monitor.Alert, error) {
	if s.AlertID.IsZero() {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return loadersOf(ctx).alerts.Load(ctx, s.AlertID)
}

func (sourceResolver) Minutes(ctx context.Context, s *monitor.Source) ([]*monitor.SourceMinute, error) {
	minutes, err := loadersOf(ctx).minutes.Load(ctx, s.ID)
	out := make([]*monitor.SourceMinute, len(minutes))
	for i := range minutes {
		out[i] = &minutes[i]
	}
	return out, err
}

func (r sourceResolver) Journal(ctx context.Context, s *monitor.Source, first int, after *string) (*monitor.JournalConnection, error) {
	return r.journalOf(ctx, monitor.KindSource, s.ID, first, after)
}

type sourceMinuteResolver struct{ *Resolver }

// SourceMinute answers the fields of SourceMinute.
func (r *Resolver) SourceMinute() graph.SourceMinuteResolver { return sourceMinuteResolver{r} }

func (sourceMinuteResolver) Records(_ context.Context, m *monitor.SourceMinute) (float64, error) {
	return float64(m.Records), nil
}

func (sourceMinuteResolver) Rejected(_ context.Context, m *monitor.SourceMinute) (float64, error) {
	return float64(m.Rejected), nil
}

func (sourceMinuteResolver) Bytes(_ context.Context, m *monitor.SourceMinute) (float64, error) {
	return float64(m.Bytes), nil
}
