package monitor

// RuleFilter says which rules.
type RuleFilter struct {
	And, Or    []*RuleFilter
	Not        *RuleFilter
	Query      *string // see line
	Title      *StringFilter
	Level      *SeverityFilter
	Enabled    *bool
	Kind       *RuleKindFilter
	Stage      *RuleStageFilter
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

// RuleKindFilter compares a rule's kind.
type RuleKindFilter struct {
	Eq *RuleKind
	In []RuleKind
}

// RuleStageFilter compares a rule's stage.
type RuleStageFilter struct {
	Eq *RuleStage
	In []RuleStage
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
	if f.Kind != nil {
		addEnum(b, p, "kind", f.Kind.Eq, f.Kind.In)
	}
	if f.Stage != nil {
		b.stage(p, f.Stage)
	}
	if f.State != nil {
		addEnum(b, p, "state", f.State.Eq, f.State.In)
	}
	b.text(p, "product", f.Product)
	b.text(p, "category", f.Category)
	b.text(p, "service", f.Service)
	b.list(p, "techniques", f.Techniques)
}

// stage asks for what the stages are made of.
func (b *filterBuilder) stage(p *Predicate, f *RuleStageFilter) {
	is := func(stages []RuleStage) Predicate {
		which := Predicate{Any: []Predicate{}}
		for _, stage := range stages {
			var one Predicate
			enabled, was := 0, 0
			if stage == RuleEnabled {
				enabled = 1
			}
			b.number(&one, "enabled", &IntFilter{Eq: &enabled})
			if stage == RuleDisabled {
				was = 1
			}
			if stage != RuleEnabled {
				b.number(&one, "wasEnabled", &IntFilter{Eq: &was})
			}
			which.Any = append(which.Any, one)
		}
		return which
	}
	if f.Eq != nil {
		p.All = append(p.All, is([]RuleStage{*f.Eq}))
	}
	if f.In != nil {
		p.All = append(p.All, is(f.In))
	}
}
