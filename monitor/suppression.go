package monitor

import (
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// Suppression is an exception: findings that it fits raise no alert and add to
// none. Their events are stored all the same, and it counts them. Its JSON form is
// the snapshot that the journal keeps; what it counts is no part of that.
type Suppression struct {
	ID        ID        `json:"id"`
	Version   int       `json:"version"`
	Name      string    `json:"name"`
	Reason    string    `json:"reason"` // why it is right not to be told
	Enabled   bool      `json:"enabled"`
	Rules     []ID      `json:"rules"`     // empty: any
	Until     time.Time `json:"until"`     // zero: until somebody ends it
	ExpiredAt time.Time `json:"expiredAt"` // when it was noted that Until had come; zero before
	// AlertFilter is an input AlertFilter, asked of the alert that the finding alone
	// would raise; EventFilter is an input EventFilter, asked of the event. Both hold; {}
	// holds always.
	AlertFilter json.RawMessage `json:"alertFilter"`
	EventFilter json.RawMessage `json:"eventFilter"`
	CreatedBy   Actor           `json:"createdBy"`
	CreatedAt   time.Time       `json:"createdAt"`
	UpdatedAt   time.Time       `json:"updatedAt"`

	Hits    int64     `json:"-"` // findings that it has hidden
	LastHit time.Time `json:"-"` // zero: none yet

	alert, event *Predicate // of the filters, once Check has passed
}

// SuppressionState tells whether a suppression works.
type SuppressionState string

// The states, as in the schema.
const (
	SuppressionActive   SuppressionState = "ACTIVE"
	SuppressionDisabled SuppressionState = "DISABLED" // somebody switched it off
	SuppressionExpired  SuppressionState = "EXPIRED"
)

// Bounds of suppressions.
const (
	// MaxSuppressions bounds what each finding may have to be compared with.
	MaxSuppressions      = 1_000
	MaxSuppressionName   = 100   // characters
	MaxSuppressionReason = 2_000 // characters
	MaxSuppressionRules  = 100
	MaxSuppressionLife   = 10 * 366 * 24 * time.Hour
)

// GlobalID is the suppression's id in the graph.
func (s *Suppression) GlobalID() string { return GlobalID(KindSuppression, s.ID.String()) }

// IsNode marks the types of the schema's interface Node.
func (*Suppression) IsNode() {}

// NullableUntil is Until, nil for no end.
func (s *Suppression) NullableUntil() *time.Time { return nullableTime(s.Until) }

// NullableLastHit is LastHit, nil for none yet.
func (s *Suppression) NullableLastHit() *time.Time { return nullableTime(s.LastHit) }

// State tells whether it works at that time.
func (s *Suppression) State(now time.Time) SuppressionState {
	switch {
	case s.over(now):
		return SuppressionExpired
	case !s.Enabled:
		return SuppressionDisabled
	default:
		return SuppressionActive
	}
}

func (s *Suppression) over(now time.Time) bool { return !s.Until.IsZero() && !now.Before(s.Until) }

// EndAt sets when it ends; zero: never by itself. An end that is not to come is BAD_INPUT.
func (s *Suppression) EndAt(until, now time.Time) error {
	until = until.UTC().Truncate(time.Microsecond)
	switch {
	case until.Equal(s.Until) || until.IsZero():
	case !until.After(now):
		return InputErrorf("until", "it has to be in the future")
	case until.Sub(now) > MaxSuppressionLife:
		return InputErrorf("until", "at most ten years from now; leave it out for no end")
	}
	if s.Until = until; !s.over(now) {
		s.ExpiredAt = time.Time{}
	}
	return nil
}

// Check gives BAD_INPUT for a suppression that cannot be, and readies it for Fits.
func (s *Suppression) Check() (err error) {
	if s.Name, err = checkText("name", s.Name, MaxSuppressionName); err != nil {
		return err
	}
	if s.Reason, err = checkText("reason", s.Reason, MaxSuppressionReason); err != nil {
		return err
	}
	return s.CheckFilters()
}

// CheckFilters is Check of what says which findings: a preview has nothing else.
func (s *Suppression) CheckFilters() error {
	s.Rules = distinctIDs(s.Rules)
	if len(s.Rules) > MaxSuppressionRules {
		return InputErrorf("rules", "it is for at most %d rules, or for any", MaxSuppressionRules)
	}
	alert, err := compileAs[AlertFilter]("alertFilter", s.AlertFilter)
	if err != nil {
		return err
	}
	event, err := compileAs[EventFilter]("eventFilter", s.EventFilter)
	if err != nil {
		return err
	}
	for field := range alert.fields() {
		if slices.Contains(afterwards, field) {
			return InputErrorf("alertFilter", "it looks at %s, which no alert has before it is raised", field)
		}
	}
	if len(s.Rules) == 0 && alert.holdsAlways() && event.holdsAlways() {
		return InputErrorf("alertFilter", "it would hide every finding of every rule: name a rule or a condition")
	}
	s.alert, s.event = &alert, &event
	return nil
}

// afterwards are the fields of an alert that somebody or something gives it later.
// A suppression that asks for them would never do anything, or not what was meant.
var afterwards = []FilterField{"status", "disposition", "assignee", "incident", "mergedInto", "count", "createdAt", "updatedAt"}

func compileAs[F any, P interface {
	*F
	Compile() (Predicate, error)
}](field string, raw json.RawMessage) (Predicate, error) {
	filter, err := ParseFilter[F](raw)
	var p Predicate
	if err == nil {
		p, err = P(filter).Compile()
	}
	var refused *Error
	if errors.As(err, &refused) {
		named := *refused
		named.Path = []string{"input", field}
		if len(refused.Path) > 1 && refused.Path[0] == "filter" {
			named.Path = append(named.Path, refused.Path[1:]...)
		}
		return p, &named
	}
	return p, err
}

// distinctIDs sorts ids and leaves each once; never nil.
func distinctIDs(ids []ID) []ID {
	ids = slices.Concat([]ID{}, ids)
	slices.SortFunc(ids, func(a, b ID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

// Fits tells whether it fits a finding: an event, and the alert that it alone would
// raise. It does not ask whether the suppression works now. It has passed Check.
func (s *Suppression) Fits(a *Alert, e *Event, now time.Time) bool {
	return (len(s.Rules) == 0 || slices.Contains(s.Rules, a.RuleID)) && s.alert.Matches(a, now) && s.event.Matches(e, now)
}

// Candidates weakens AlertFilter to what is the same for all findings of an alert,
// by which its alerts can be looked for: the rule, the host, the user, the source.
func (s *Suppression) Candidates() Predicate { return s.alert.only(sameWithin) }

// sameWithin are the fields by which findings join one alert (DedupKey).
var sameWithin = []FilterField{"rule", "host", "user", "sourceIp"}

// Suppressions are those in force, by what they are for.
type Suppressions struct {
	any    []*Suppression
	byRule map[ID][]*Suppression
	size   int
}

// NewSuppressions takes those in that are enabled, in the order in which they are
// asked. All have passed Check.
func NewSuppressions(all []*Suppression) *Suppressions {
	out := &Suppressions{byRule: map[ID][]*Suppression{}}
	for _, s := range all {
		if !s.Enabled {
			continue
		}
		out.size++
		if len(s.Rules) == 0 {
			out.any = append(out.any, s)
		}
		for _, rule := range s.Rules {
			out.byRule[rule] = append(out.byRule[rule], s)
		}
	}
	return out
}

// Len is how many there are.
func (s *Suppressions) Len() int {
	if s == nil {
		return 0
	}
	return s.size
}

// Fitting gives those that hide a finding at that time: the ones for its rule, then
// the ones for any, each oldest first. Nil has none.
func (s *Suppressions) Fitting(a *Alert, e *Event, now time.Time) []*Suppression {
	var out []*Suppression
	for each := range s.fitting(a, e, now) {
		out = append(out, each)
	}
	return out
}

// First is the first of Fitting, nil for none: the one that counts the finding.
func (s *Suppressions) First(a *Alert, e *Event, now time.Time) *Suppression {
	for each := range s.fitting(a, e, now) {
		return each
	}
	return nil
}

func (s *Suppressions) fitting(a *Alert, e *Event, now time.Time) func(yield func(*Suppression) bool) {
	return func(yield func(*Suppression) bool) {
		if s == nil {
			return
		}
		for _, group := range [][]*Suppression{s.byRule[a.RuleID], s.any} {
			for _, each := range group {
				if !each.over(now) && each.Fits(a, e, now) && !yield(each) {
					return
				}
			}
		}
	}
}

// SuppressedCount is how many findings of one transaction a suppression hid.
type SuppressedCount struct {
	Suppression ID  `json:"suppression"`
	Findings    int `json:"findings"`
}

// SuppressedFinding is a finding that a suppression hid.
type SuppressedFinding struct {
	Suppression ID
	Event       EventID
	Rule        ID
}

// SuppressionOrder is an order of the list of suppressions.
type SuppressionOrder string

// The orders, as in the schema.
const (
	SuppressionsByCreated SuppressionOrder = "CREATED_AT_DESC"
	SuppressionsByHits    SuppressionOrder = "HITS_DESC"
)

// SuppressionFilter says which suppressions.
type SuppressionFilter struct {
	And, Or   []*SuppressionFilter
	Not       *SuppressionFilter
	State     *SuppressionStateFilter
	Rule      *IDFilter // suppressions for any rule have none
	Name      *StringFilter
	Reason    *StringFilter
	Text      *StringFilter
	Hits      *IntFilter
	Until     *TimeFilter // of one without an end it is later than any
	CreatedAt *TimeFilter
}

// SuppressionStateFilter compares a state.
type SuppressionStateFilter struct {
	Eq *SuppressionState
	In []SuppressionState
}

// Compile checks the filter and gives its predicate. A nil filter holds for
// everything. Errors have code BAD_INPUT and name the field.
func (f *SuppressionFilter) Compile() (Predicate, error) {
	b := &filterBuilder{}
	p := buildTree(b, f, 0, b.suppressionTests, func(f *SuppressionFilter) (and, or []*SuppressionFilter, not *SuppressionFilter) {
		return f.And, f.Or, f.Not
	})
	return p, b.err
}

func (b *filterBuilder) suppressionTests(p *Predicate, f *SuppressionFilter) {
	if f.State != nil {
		if f.State.Eq != nil {
			p.All = append(p.All, inState(*f.State.Eq))
		}
		if f.State.In != nil {
			p.All = append(p.All, Predicate{Any: mapEach(f.State.In, inState)})
		}
	}
	if f.Rule != nil {
		b.ruleOf(p, f.Rule)
	}
	b.text(p, "name", f.Name)
	b.text(p, "reason", f.Reason)
	b.text(p, "text", f.Text)
	b.number(p, "hits", f.Hits)
	b.time(p, "until", f.Until)
	b.time(p, "createdAt", f.CreatedAt)
}

// inState asks what State tells.
func inState(state SuppressionState) Predicate {
	over := Predicate{Tests: []Test{{Field: "until", Op: TimeLTE, Time: TimeInput{relative: true}}}}
	enabled := Test{Field: "enabled", Op: NumberIn, Nums: []int64{1}}
	switch state {
	case SuppressionExpired:
		return over
	case SuppressionDisabled:
		return Predicate{Not: &Predicate{Any: []Predicate{over, {Tests: []Test{enabled}}}}}
	default:
		return Predicate{Tests: []Test{enabled}, Not: &over}
	}
}

// ruleOf looks for rules in the list of those that a suppression is for.
func (b *filterBuilder) ruleOf(p *Predicate, f *IDFilter) {
	words := func(globals []string) []string {
		return mapEach(globals, func(global string) string {
			id, err := ParseIDOf(KindRule, global)
			if err != nil {
				b.fail("rule", "%v", err)
			}
			return id.String()
		})
	}
	if f.Eq != nil {
		b.add(p, Test{Field: "rules", Op: ListHasAny, Texts: words([]string{*f.Eq})})
	}
	if f.In != nil {
		b.add(p, Test{Field: "rules", Op: ListHasAny, Texts: words(f.In)})
	}
	if f.Exists != nil {
		none := Test{Field: "anyRule", Op: NumberIn, Nums: []int64{1}}
		if *f.Exists {
			none.Nums = []int64{0}
		}
		b.add(p, none)
	}
}

// fields gives each field that the predicate looks at.
func (p *Predicate) fields() map[FilterField]bool {
	out := map[FilterField]bool{}
	p.eachTest(func(t *Test) { out[t.Field] = true })
	return out
}

func (p *Predicate) eachTest(f func(*Test)) {
	for i := range p.Tests {
		f(&p.Tests[i])
	}
	for i := range p.All {
		p.All[i].eachTest(f)
	}
	for i := range p.Any {
		p.Any[i].eachTest(f)
	}
	if p.Not != nil {
		p.Not.eachTest(f)
	}
}

// holdsAlways tells whether nothing is asked. It may say false of a predicate that
// holds always by what is asked.
func (p *Predicate) holdsAlways() bool {
	if len(p.Tests) > 0 || p.Not != nil {
		return false
	}
	for i := range p.All {
		if !p.All[i].holdsAlways() {
			return false
		}
	}
	return p.Any == nil || slices.ContainsFunc(p.Any, func(each Predicate) bool { return each.holdsAlways() })
}

// only gives what follows from the predicate about these fields: it holds wherever
// the predicate does.
func (p *Predicate) only(fields []FilterField) Predicate {
	var out Predicate
	for _, t := range p.Tests {
		if slices.Contains(fields, t.Field) {
			out.Tests = append(out.Tests, t)
		}
	}
	for i := range p.All {
		out.All = append(out.All, p.All[i].only(fields))
	}
	if p.Any != nil {
		out.Any = mapEach(p.Any, func(each Predicate) Predicate { return each.only(fields) })
	}
	if p.Not != nil && p.Not.within(fields) {
		out.Not = p.Not
	}
	return out
}

// within tells whether the predicate looks at nothing but these fields.
func (p *Predicate) within(fields []FilterField) bool {
	within := true
	p.eachTest(func(t *Test) { within = within && slices.Contains(fields, t.Field) })
	return within
}
