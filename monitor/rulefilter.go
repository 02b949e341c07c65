package monitor

// RuleFilter says which rules.
type RuleFilter struct {
	And, Or    []*RuleFilter
	Not        *RuleFilter
	Query      *string // see line
	Title      *StringFilter
	Level      *SeverityFilter
	Enabled    *bool
	State      *RuleStateFilter
	Product    *StringFilter
	Category   *StringFilter
	Service    *StringFilter
	Techniques *StringListFilter
}

// RuleStateFilter compares a rule's state.
type RuleStateFilter struct {
	Eq *RuleState
	In []RuleState
}

// Compile checks the filter and gives its predicate. A nil filter holds for
// everything. Errors have code BAD_INPUT and name the field.
func (f *RuleFilter) Compile() (Predicate, error) {
	b := &filterBuilder{}
	p := buildTree(b, f, 0, b.ruleTests, func(f *RuleFilter) (and, or []*RuleFilter, not *RuleFilter) { return f.And, f.Or, f.Not })
	return p, b.err
}

func (b *filterBuilder) ruleTests(p *Predicate, f *RuleFilter) {
	b.line(p, lineNouns[LineRules], f.Query)
	b.text(p, "title", f.Title)
	b.severity(p, "level", f.Level)
	if f.Enabled != nil {
		n := 0
		if *f.Enabled {
			n = 1
		}
		b.number(p, "enabled", &IntFilter{Eq: &n})
	}
	if f.State != nil {
		addEnum(b, p, "state", f.State.Eq, f.State.In)
	}
	b.text(p, "product", f.Product)
	b.text(p, "category", f.Category)
	b.text(p, "service", f.Service)
	b.list(p, "techniques", f.Techniques)
}
