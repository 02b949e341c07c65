package resolvers

import (
	"context"
	"io"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Bounds of one part of an import, and of the indicators of one value that are shown.
const (
	maxIndicatorText = 512 << 10
	maxIndicatorName = 200
	mostIndicators   = 20
)

// Indicators keeps indicators, and reads lists of them. Changes are refused as those
// of Alerts.
type Indicators interface {
	Indicators(ctx context.Context, filter *monitor.IndicatorFilter, order monitor.IndicatorOrder, args page.Args) (*monitor.IndicatorConnection, error)
	IndicatorsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Indicator, error)
	// IndicatorsOf gives those of values by monitor.IndicatorKey, the worst first.
	IndicatorsOf(ctx context.Context, keys []monitor.ID, n int) ([]*monitor.Indicator, error)
	IndicatorSightings(ctx context.Context, ids []monitor.ID) ([]*monitor.IndicatorSightings, error)
	CreateIndicator(ctx context.Context, actor monitor.Actor, indicator monitor.Indicator) (*monitor.Indicator, error)
	UpdateIndicator(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.Indicator) error) (*monitor.Indicator, error)
	DeleteIndicator(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int) (*monitor.Indicator, error)
	// Import stores a list. What it had stored before an error stays.
	Import(ctx context.Context, actor monitor.Actor, of monitor.IndicatorList, r io.Reader) (*monitor.IndicatorReport, error)
}

type indicatorResolver struct{ *Resolver }

// Indicator answers the fields of Indicator that are more than a value.
func (r *Resolver) Indicator() graph.IndicatorResolver { return indicatorResolver{r} }

// Indicators lists indicators.
func (r queryResolver) Indicators(ctx context.Context, filter *monitor.IndicatorFilter, orderBy *monitor.IndicatorOrder, first int, after *string) (*monitor.IndicatorConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	order := monitor.IndicatorsByUpdated
	if orderBy != nil {
		order = *orderBy
	}
	return r.Resolver.Indicators.Indicators(ctx, filter, order, args)
}

// Indicator gives one indicator.
func (r queryResolver) Indicator(ctx context.Context, id string) (*monitor.Indicator, error) {
	return byGlobalID(ctx, monitor.KindIndicator, id, r.Resolver.Indicators.IndicatorsByID)
}

// IndicatorCreate stores an indicator that somebody wrote.
func (r mutationResolver) IndicatorCreate(ctx context.Context, input model.IndicatorCreateInput) (*model.IndicatorPayload, error) {
	i := monitor.Indicator{
		Kind: input.Kind, Value: input.Value, Subdomains: input.IncludeSubdomains, Source: input.Source, Confidence: input.Confidence,
		Severity: input.Severity, Tags: input.Tags, Description: input.Description, Reference: input.Reference,
	}
	applyTo(&i.ValidFrom, input.ValidFrom)
	applyTo(&i.ValidUntil, input.ValidUntil)
	made, err := r.Indicators.CreateIndicator(ctx, monitor.ViewerFrom(ctx).Actor(), i)
	mendable, err := userErrors(err)
	return &model.IndicatorPayload{Indicator: made, Errors: mendable}, err
}

// IndicatorUpdate changes what is said of an indicator.
func (r mutationResolver) IndicatorUpdate(ctx context.Context, input model.IndicatorUpdateInput) (*model.IndicatorPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindIndicator, input.ID)
	var now *monitor.Indicator
	if err == nil {
		now, err = r.Indicators.UpdateIndicator(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion, func(i *monitor.Indicator) error {
			applyTo(&i.Subdomains, input.IncludeSubdomains)
			applyTo(&i.Confidence, input.Confidence)
			applyTo(&i.Severity, input.Severity)
			applyTo(&i.ValidFrom, input.ValidFrom)
			applyTo(&i.Description, input.Description)
			applyTo(&i.Reference, input.Reference)
			if until, given := input.ValidUntil.ValueOK(); given {
				if i.ValidUntil = (time.Time{}); until != nil {
					i.ValidUntil = *until
				}
			}
			if input.Tags != nil {
				i.Tags = input.Tags
			}
			if input.Revoked != nil && *input.Revoked != !i.RevokedAt.IsZero() {
				if i.RevokedAt = (time.Time{}); *input.Revoked {
					i.RevokedAt = time.Now().UTC().Truncate(time.Microsecond)
				}
			}
			return nil
		})
	}
	mendable, err := userErrors(err)
	return &model.IndicatorPayload{Indicator: now, Errors: mendable}, err
}

// IndicatorDelete takes an indicator away.
func (r mutationResolver) IndicatorDelete(ctx context.Context, input model.IndicatorDeleteInput) (*model.IndicatorPayload, error) {
	id, err := monitor.ParseIDOf(monitor.KindIndicator, input.ID)
	var was *monitor.Indicator
	if err == nil {
		was, err = r.Indicators.DeleteIndicator(ctx, monitor.ViewerFrom(ctx).Actor(), id, input.ExpectedVersion)
	}
	mendable, err := userErrors(err)
	return &model.IndicatorPayload{Indicator: was, Errors: mendable}, err
}

// columnFields are the fields of package intel by the schema's names.
var columnFields = map[model.IndicatorColumn]string{
	model.IndicatorColumnValue: "value", model.IndicatorColumnKind: "kind", model.IndicatorColumnSource: "source",
	model.IndicatorColumnSeverity: "severity", model.IndicatorColumnConfidence: "confidence", model.IndicatorColumnValidFrom: "validFrom",
	model.IndicatorColumnValidUntil: "validUntil", model.IndicatorColumnTags: "tags", model.IndicatorColumnDescription: "description",
	model.IndicatorColumnReference: "reference", model.IndicatorColumnIncludeSubdomains: "includeSubdomains", model.IndicatorColumnRevoked: "revoked",
}

// IndicatorImport stores a part of a list.
func (r mutationResolver) IndicatorImport(ctx context.Context, input model.IndicatorImportInput) (*model.IndicatorImportPayload, error) {
	report, err := r.importIndicators(ctx, &input)
	mendable, err := userErrors(err)
	return &model.IndicatorImportPayload{Report: report, Errors: mendable}, err
}

func (r mutationResolver) importIndicators(ctx context.Context, input *model.IndicatorImportInput) (*monitor.IndicatorReport, error) {
	switch {
	case len(input.Text) > maxIndicatorText:
		return nil, monitor.InputErrorf("text", "a part has at most %d KiB; cut the list into several", maxIndicatorText>>10)
	case utf8.RuneCountInString(input.Name) > maxIndicatorName:
		return nil, monitor.InputErrorf("name", "a name has at most %d characters", maxIndicatorName)
	case strings.TrimSpace(input.Source) == "":
		return nil, monitor.InputErrorf("source", "say who warns of those that name nobody")
	case input.Confidence < 0 || input.Confidence > 100:
		return nil, monitor.InputErrorf("confidence", "confidence is 0 to 100, not %d", input.Confidence)
	case input.First < 1:
		return nil, monitor.InputErrorf("first", "positions begin with 1")
	}
	of := monitor.IndicatorList{
		Format: string(input.Format), Name: input.Name, Source: input.Source, Severity: input.Severity, Confidence: &input.Confidence,
		Subdomains: input.IncludeSubdomains, Tags: input.Tags, Columns: map[string]string{}, First: input.First, Revive: input.Revive,
	}
	if input.ValidFor != nil {
		of.ValidFor = time.Duration(*input.ValidFor)
	}
	for _, column := range input.Columns {
		of.Columns[columnFields[column.Field]] = column.Name
	}
	report, err := r.Indicators.Import(ctx, monitor.ViewerFrom(ctx).Actor(), of, strings.NewReader(input.Text))
	if err != nil && report != nil && report.Added+report.Updated+report.Unchanged+report.Revoked == 0 {
		report = nil // nothing came of it
	}
	return report, err
}

func (indicatorResolver) State(_ context.Context, i *monitor.Indicator) (monitor.IndicatorState, error) {
	return i.State(time.Now()), nil
}

func (indicatorResolver) Sightings(ctx context.Context, i *monitor.Indicator) (*monitor.IndicatorSightings, error) {
	seen, err := loadersOf(ctx).sightings.Load(ctx, i.ID)
	if seen == nil && err == nil {
		seen = &monitor.IndicatorSightings{ID: i.ID}
	}
	return seen, err
}

// Alerts are those that the indicator raised: they are kept under its id as others
// are under their rule's.
func (r indicatorResolver) Alerts(ctx context.Context, i *monitor.Indicator, first int, after *string) (*monitor.AlertConnection, error) {
	id := monitor.GlobalID(monitor.KindRule, i.ID.String())
	return queryResolver(r).Alerts(ctx, &monitor.AlertFilter{Rule: &monitor.IDFilter{Eq: &id}}, nil, first, after, nil)
}

func (r indicatorResolver) Others(ctx context.Context, i *monitor.Indicator) ([]*monitor.Indicator, error) {
	all, err := r.Indicators.IndicatorsOf(ctx, []monitor.ID{monitor.IndicatorKey(i.Kind, i.Value)}, mostIndicators+1)
	others := []*monitor.Indicator{}
	for _, other := range all {
		if other.ID != i.ID && len(others) < mostIndicators {
			others = append(others, other)
		}
	}
	return others, err
}

func (r indicatorResolver) Journal(ctx context.Context, i *monitor.Indicator, first int, after *string) (*monitor.JournalConnection, error) {
	return r.journalOf(ctx, monitor.KindIndicator, i.ID, first, after)
}

// Indicator gives what raised an alert where that was no rule.
func (alertResolver) Indicator(ctx context.Context, a *monitor.Alert) (*monitor.Indicator, error) {
	return loadersOf(ctx).indicators.Load(ctx, a.RuleID)
}

// Indicators gives what is said of an entity, and of what it is a part of.
func (r entityResolver) Indicators(ctx context.Context, e *monitor.Entity) ([]*monitor.Indicator, error) {
	found, err := r.Resolver.Indicators.IndicatorsOf(ctx, indicatorKeys(e), mostIndicators)
	out := []*monitor.Indicator{}
	for _, i := range found {
		if i.Kind != monitor.IndicatorDomain || i.Subdomains || i.Value == e.Value {
			out = append(out, i)
		}
	}
	return out, err
}

// indicatorKeys are the keys of all indicators that an entity would match.
func indicatorKeys(e *monitor.Entity) []monitor.ID {
	var keys []monitor.ID
	add := func(kind monitor.IndicatorKind, value string) { keys = append(keys, monitor.IndicatorKey(kind, value)) }
	switch e.Kind {
	case monitor.EntityAddress:
		add(monitor.IndicatorAddress, e.Value)
		addr, err := netip.ParseAddr(e.Value)
		for bits := addr.BitLen() - 1; err == nil && bits > 0; bits-- {
			if network, err := addr.Prefix(bits); err == nil {
				add(monitor.IndicatorNetwork, network.String())
			}
		}
	case monitor.EntityHash:
		if kind, ok := monitor.HashKind(e.Value); ok {
			add(kind, e.Value)
		}
	case monitor.EntityUser:
		if value, ok := monitor.NormalEmail(e.Value); ok {
			add(monitor.IndicatorEmail, value)
		}
	case monitor.EntityHost:
		name, ok := monitor.NormalDomain(e.Value)
		for ok && strings.Contains(name, ".") {
			add(monitor.IndicatorDomain, name)
			_, name, ok = strings.Cut(name, ".")
		}
	}
	return keys
}
