package monitor

// IndicatorOrder is an order of the list of indicators.
type IndicatorOrder string

// The orders, as in the schema.
const (
	IndicatorsByUpdated  IndicatorOrder = "UPDATED_AT_DESC"
	IndicatorsBySeverity IndicatorOrder = "SEVERITY_DESC"
)

// IndicatorsByID is for files, and not in the schema: no change moves an indicator in
// it, so that none is left out of a file that is written meanwhile.
const IndicatorsByID IndicatorOrder = "ID"

// IndicatorFilter says which indicators.
type IndicatorFilter struct {
	And, Or     []*IndicatorFilter
	Not         *IndicatorFilter
	Query       *string // see line
	Kind        *IndicatorKindFilter
	Value       *StringFilter
	Source      *StringFilter
	Description *StringFilter
	State       *IndicatorStateFilter
	Severity    *SeverityFilter
	Confidence  *IntFilter
	Tags        *StringListFilter
	ValidUntil  *TimeFilter
	CreatedAt   *TimeFilter
	UpdatedAt   *TimeFilter
}

// IndicatorKindFilter compares a kind.
type IndicatorKindFilter struct {
	Eq *IndicatorKind
	In []IndicatorKind
}

// IndicatorStateFilter compares a state.
type IndicatorStateFilter struct {
	Eq *IndicatorState
	In []IndicatorState
}

// Compile checks the filter and gives its predicate. A nil filter holds for
// everything. Errors have code BAD_INPUT and name the field.
func (f *IndicatorFilter) Compile() (Predicate, error) {
	b := &filterBuilder{}
	p := buildTree(b, f, 0, b.indicatorTests, func(f *IndicatorFilter) (and, or []*IndicatorFilter, not *IndicatorFilter) { return f.And, f.Or, f.Not })
	return p, b.err
}

func (b *filterBuilder) indicatorTests(p *Predicate, f *IndicatorFilter) {
	b.line(p, lineNouns[LineIndicators], f.Query)
	if f.Kind != nil {
		addEnum(b, p, "kind", f.Kind.Eq, f.Kind.In)
	}
	b.text(p, "value", f.Value)
	b.text(p, "source", f.Source)
	b.text(p, "description", f.Description)
	if f.State != nil {
		b.indicatorStates(p, f.State)
	}
	b.severity(p, "severity", f.Severity)
	b.number(p, "confidence", f.Confidence)
	b.list(p, "tags", f.Tags)
	b.time(p, "validUntil", f.ValidUntil)
	b.time(p, "createdAt", f.CreatedAt)
	b.time(p, "updatedAt", f.UpdatedAt)
}

// indicatorStates asks for states, which follow from the clock: State says the same
// of one indicator.
func (b *filterBuilder) indicatorStates(p *Predicate, f *IndicatorStateFilter) {
	now := TimeInput{relative: true}
	revoked := Predicate{Tests: []Test{{Field: "revokedAt", Op: IDExists, Exists: true}}}
	over := Predicate{Tests: []Test{{Field: "validUntil", Op: IDExists, Exists: true}, {Field: "validUntil", Op: TimeLTE, Time: now}}}
	ahead := Predicate{Tests: []Test{{Field: "validFrom", Op: TimeGT, Time: now}}}
	states := map[IndicatorState]Predicate{
		IndicatorRevoked: revoked,
		IndicatorExpired: {All: []Predicate{over}, Not: &revoked},
		IndicatorPending: {All: []Predicate{ahead}, Not: &Predicate{Any: []Predicate{revoked, over}}},
		IndicatorActive:  {Not: &Predicate{Any: []Predicate{revoked, over, ahead}}},
	}
	for _, asked := range [][]IndicatorState{optionalList(f.Eq), f.In} {
		if asked == nil {
			continue
		}
		anyOf := []Predicate{}
		for _, state := range asked {
			each, ok := states[state]
			if !ok {
				b.fail("state", "%q is no state of an indicator", state)
			}
			anyOf = append(anyOf, each)
		}
		p.All = append(p.All, Predicate{Any: anyOf})
	}
}

func optionalList[T any](one *T) []T {
	if one == nil {
		return nil
	}
	return []T{*one}
}
