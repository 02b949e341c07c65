package resolvers

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vikstrous/dataloadgen"

	"github.com/security-monitor/secmon/monitor"
)

// loaders gather the single look-ups of one response into one query each. They
// live as long as one response, so that a feed never shows old entities.
type loaders struct {
	users      *dataloadgen.Loader[monitor.ID, *monitor.User]
	rules      *dataloadgen.Loader[monitor.ID, *monitor.Rule]
	fired      *dataloadgen.Loader[monitor.RuleAt, *monitor.FiredRule]
	events     *dataloadgen.Loader[monitor.EventID, *monitor.Event]
	held       *dataloadgen.Loader[monitor.EventID, bool]
	alerts     *dataloadgen.Loader[monitor.ID, *monitor.Alert]
	similar    *dataloadgen.Loader[*monitor.Alert, []monitor.SimilarAlert]
	assets     *dataloadgen.Loader[monitor.ID, *monitor.Asset]
	indicators *dataloadgen.Loader[monitor.ID, *monitor.Indicator]
	sightings  *dataloadgen.Loader[monitor.ID, *monitor.IndicatorSightings]
	risky      *dataloadgen.Loader[*monitor.Asset, []*monitor.Alert]
	activities *dataloadgen.Loader[monitor.ID, *monitor.RuleActivity]
	costs      *dataloadgen.Loader[monitor.ID, *monitor.RuleCost]
	backtests  *dataloadgen.Loader[monitor.ID, *monitor.Backtest]
	prevalence *dataloadgen.Loader[monitor.PrevalenceKey, *monitor.Prevalence]
	named      *dataloadgen.Loader[string, *monitor.User]
	incidents  *dataloadgen.Loader[monitor.ID, *monitor.Incident]
	groupings  *dataloadgen.Loader[monitor.ID, *monitor.IncidentGrouping]
	minutes    *dataloadgen.Loader[monitor.ID, []monitor.SourceMinute] // of sources
	letters    *dataloadgen.Loader[monitor.ID, *monitor.DeadLetter]    // whole
	// Suppressions, and those that cover an alert.
	suppressions *dataloadgen.Loader[monitor.ID, *monitor.Suppression]
	covering     *dataloadgen.Loader[*monitor.Alert, []*monitor.Suppression]
	// Of incidents, by their ids.
	spans    *dataloadgen.Loader[monitor.ID, *monitor.IncidentSpan]
	counts   *dataloadgen.Loader[monitor.ID, *monitor.IncidentGroups]
	tasks    *dataloadgen.Loader[monitor.ID, *taskList]
	entities *dataloadgen.Loader[monitor.ID, *monitor.IncidentEntities]
}

type loadersKey struct{}

// Loaders is the middleware around every response that gives it its loaders.
func (r *Resolver) Loaders(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	return next(r.withLoaders(ctx))
}

// withLoaders asks a store only when something is loaded: a resolver of few stores
// (of a test, of a benchmark) serves what needs no others.
func (r *Resolver) withLoaders(ctx context.Context) context.Context {
	wait := dataloadgen.WithWait(max(r.LoaderWait, time.Millisecond))
	options := []dataloadgen.Option{wait, dataloadgen.WithBatchCapacity(500)}
	return context.WithValue(ctx, loadersKey{}, &loaders{
		users:        dataloadgen.NewLoader(byKey(late(func() batch[monitor.ID, monitor.User] { return r.Users.UsersByID }), func(u *monitor.User) monitor.ID { return u.ID }), options...),
		rules:        dataloadgen.NewLoader(byKey(late(func() batch[monitor.ID, monitor.Rule] { return r.Rules.RulesByID }), func(each *monitor.Rule) monitor.ID { return each.ID }), options...),
		fired:        dataloadgen.NewLoader(guarded(r.firedRules), options...),
		events:       dataloadgen.NewLoader(byKey(late(func() batch[monitor.EventID, monitor.Event] { return r.Events.EventsByID }), func(e *monitor.Event) monitor.EventID { return e.ID }), options...),
		held:         dataloadgen.NewLoader(guarded(r.heldEvents), options...),
		alerts:       dataloadgen.NewLoader(byKey(late(func() batch[monitor.ID, monitor.Alert] { return r.Alerts.AlertsByID }), func(a *monitor.Alert) monitor.ID { return a.ID }), options...),
		similar:      dataloadgen.NewLoader(guarded(r.similarAlerts), wait, dataloadgen.WithBatchCapacity(kinBatch)),
		assets:       dataloadgen.NewLoader(byKey(late(func() batch[monitor.ID, monitor.Asset] { return r.Assets.AssetsByID }), func(a *monitor.Asset) monitor.ID { return a.ID }), options...),
		risky:        dataloadgen.NewLoader(guarded(r.riskyAlerts), wait, dataloadgen.WithBatchCapacity(kinBatch)),
		activities:   dataloadgen.NewLoader(guarded(r.ruleActivities), options...),
		costs:        dataloadgen.NewLoader(guarded(r.ruleCosts), options...),
		backtests:    dataloadgen.NewLoader(byKey(late(func() batch[monitor.ID, monitor.Backtest] { return r.Jobs.BacktestsByJob }), func(b *monitor.Backtest) monitor.ID { return b.Job }), options...),
		prevalence:   dataloadgen.NewLoader(guarded(r.prevalence), wait, dataloadgen.WithBatchCapacity(kinBatch)),
		named:        dataloadgen.NewLoader(byKey(late(func() batch[string, monitor.User] { return r.Users.UsersByName }), func(u *monitor.User) string { return u.Name }), options...),
		incidents:    dataloadgen.NewLoader(byKey(late(func() batch[monitor.ID, monitor.Incident] { return r.Incidents.IncidentsByID }), func(i *monitor.Incident) monitor.ID { return i.ID }), options...),
		groupings:    dataloadgen.NewLoader(byKey(late(func() batch[monitor.ID, monitor.IncidentGrouping] { return r.Groupings.IncidentGroupingsByID }), func(g *monitor.IncidentGrouping) monitor.ID { return g.ID }), options...),
		spans:        dataloadgen.NewLoader(byKey(late(func() batch[monitor.ID, monitor.IncidentSpan] { return r.IncidentReading.IncidentSpans }), func(s *monitor.IncidentSpan) monitor.ID { return s.ID }), options...),
		counts:       dataloadgen.NewLoader(byKey(late(func() batch[monitor.ID, monitor.IncidentGroups] { return r.IncidentReading.AlertGroupsOfIncidents }), func(g *monitor.IncidentGroups) monitor.ID { return g.ID }), options...),
		tasks:        dataloadgen.NewLoader(byKey(r.tasksOf, func(l *taskList) monitor.ID { return l.incident }), options...),
		entities:     dataloadgen.NewLoader(byKey(r.entitiesOf, func(e *monitor.IncidentEntities) monitor.ID { return e.ID }), options...),
		suppressions: dataloadgen.NewLoader(byKey(late(func() batch[monitor.ID, monitor.Suppression] { return r.Suppressions.SuppressionsByID }), func(s *monitor.Suppression) monitor.ID { return s.ID }), options...),
		minutes:      dataloadgen.NewLoader(guarded(r.sourceMinutes), options...),
		letters:      dataloadgen.NewLoader(byKey(late(func() batch[monitor.ID, monitor.DeadLetter] { return r.DeadLetters.DeadLettersByID }), func(l *monitor.DeadLetter) monitor.ID { return l.ID }), options...),
		covering:     dataloadgen.NewLoader(guarded(r.suppressionsCovering), options...),
		indicators:   dataloadgen.NewLoader(byKey(late(func() batch[monitor.ID, monitor.Indicator] { return r.Indicators.IndicatorsByID }), func(i *monitor.Indicator) monitor.ID { return i.ID }), options...),
		sightings:    dataloadgen.NewLoader(byKey(late(func() batch[monitor.ID, monitor.IndicatorSightings] { return r.Indicators.IndicatorSightings }), func(s *monitor.IndicatorSightings) monitor.ID { return s.ID }), options...),
	})
}

func loadersOf(ctx context.Context) *loaders {
	l, ok := ctx.Value(loadersKey{}).(*loaders)
	if !ok {
		panic("resolvers: Loaders is not installed around responses") // a programming error
	}
	return l
}

// batch loads entities by their keys, in no order.
type batch[K comparable, T any] func(context.Context, []K) ([]*T, error)

// late takes a store's method when it is needed: the store may be missing.
func late[K comparable, T any](of func() batch[K, T]) batch[K, T] {
	return func(ctx context.Context, keys []K) ([]*T, error) { return of()(ctx, keys) }
}

// byKey puts what a store found into the order of the keys; a key without an
// entity gives nil, which is not an error.
func byKey[K comparable, T any](load batch[K, T], key func(*T) K) func(context.Context, []K) ([]*T, []error) {
	return guarded(func(ctx context.Context, keys []K) ([]*T, error) {
		found, err := load(ctx, keys)
		if err != nil {
			return nil, err
		}
		index := make(map[K]*T, len(found))
		for _, each := range found {
			index[key(each)] = each
		}
		out := make([]*T, len(keys))
		for i, k := range keys {
			out[i] = index[k]
		}
		return out, nil
	})
}

// guarded makes a batch function of one that gives the values in the order of the
// keys. Its panic is an error: it runs outside of gqlgen's own protection.
func guarded[K comparable, T any](load func(context.Context, []K) ([]T, error)) func(context.Context, []K) ([]T, []error) {
	return func(ctx context.Context, keys []K) (out []T, errs []error) {
		defer func() {
			if p := recover(); p != nil {
				out, errs = nil, []error{graphql.GetOperationContext(ctx).Recover(ctx, p)}
			}
		}()
		out, err := load(ctx, keys)
		if err != nil {
			return nil, []error{err}
		}
		return out, nil
	}
}

// loadNames gives the users with those names, in their order; who is not there is left out.
func loadNames(ctx context.Context, names []string) ([]*monitor.User, error) {
	found, err := loadersOf(ctx).named.LoadAll(ctx, names)
	if err != nil {
		return nil, err
	}
	users := make([]*monitor.User, 0, len(found))
	for _, user := range found {
		if user != nil {
			users = append(users, user)
		}
	}
	return users, nil
}

// loadUser gives nil for nobody and for a user that is gone.
func loadUser(ctx context.Context, id monitor.ID) (*monitor.User, error) {
	if id.IsZero() {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return loadersOf(ctx).users.Load(ctx, id)
}
