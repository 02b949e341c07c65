package monitor

import "time"

// Rule is a Sigma detection rule with what the product knows about it. Its JSON
// form is the snapshot that the journal keeps; the source stands in rule_versions.
type Rule struct {
	ID          ID           `json:"id"` // the rule's own id where it has one
	Version     int          `json:"version"`
	Kind        RuleKind     `json:"kind"`
	Name        string       `json:"name,omitempty"` // by which correlations and filters may refer to it
	Title       string       `json:"title"`
	Description string       `json:"description"`
	Level       Severity     `json:"level"`
	Status      string       `json:"status"` // Sigma's: stable, test, experimental, deprecated, unsupported
	Author      string       `json:"author"` // the Detection Rule License asks to name it wherever the rule fires
	References  []string     `json:"references"`
	FalsePos    []string     `json:"falsePositives"`
	Tags        []string     `json:"tags"`       // attack.t1059.001, attack.execution, cve.2021-44228, ...
	Techniques  []string     `json:"techniques"` // MITRE ATT&CK technique ids out of Tags, upper case: T1059.001
	LogSource   LogSource    `json:"logSource"`
	FieldsShown []string     `json:"fields"` // the rule's own `fields`
	Source      string       `json:"-"`      // the YAML as imported
	Correlation *Correlation `json:"-"`      // of a CorrelationRule, read from Source
	Path        string       `json:"path"`   // where it was imported from, for people
	Enabled     bool         `json:"enabled"`
	WasEnabled  bool         `json:"wasEnabled"` // now or ever before
	State       RuleState    `json:"state"`
	StateReason string       `json:"stateReason"` // why it is not active; empty when it is
	CreatedAt   time.Time    `json:"createdAt"`
	UpdatedAt   time.Time    `json:"updatedAt"`
}

// GlobalID is the rule's id in the graph.
func (r *Rule) GlobalID() string { return GlobalID(KindRule, r.ID.String()) }

// Stage is where the rule is in its life.
func (r *Rule) Stage() RuleStage {
	switch {
	case r.Enabled:
		return RuleEnabled
	case r.WasEnabled:
		return RuleDisabled
	default:
		return RuleDraft
	}
}

// RuleStage is where a rule is in its life.
type RuleStage string

// The stages. A rule that was enabled once is no draft again.
const (
	RuleDraft    RuleStage = "DRAFT"
	RuleEnabled  RuleStage = "ENABLED"
	RuleDisabled RuleStage = "DISABLED"
)

// RuleStages lists all stages.
var RuleStages = []RuleStage{RuleDraft, RuleEnabled, RuleDisabled}

// FiredRule is what a rule said of itself at a version that fired.
type FiredRule struct {
	Version     int
	Title       string
	Description string
	Level       Severity
	Author      string
	References  []string
	FalsePos    []string
	FieldsShown []string
	Source      string
}

// NewFiredRule is what a version's text says, which was read as a rule.
func NewFiredRule(text *RuleText, r *Rule) *FiredRule {
	list := func(words []string) []string { return append([]string{}, words...) }
	return &FiredRule{
		Version: text.Version, Title: r.Title, Description: r.Description, Level: r.Level, Author: r.Author, References: list(r.References),
		FalsePos: list(r.FalsePos), FieldsShown: list(r.FieldsShown), Source: text.Source,
	}
}

// RuleAt names a version of a rule.
type RuleAt struct {
	ID      ID
	Version int
}

// RuleText is what a rule was at a version.
type RuleText struct {
	RuleAt
	Source string
}

// RuleKinds lists all kinds.
var RuleKinds = []RuleKind{DetectionRule, CorrelationRule, FilterRule}

// RuleMark tells states of a rule apart without its text. The time is beside the
// version because a restored database may give a version out anew.
type RuleMark struct {
	ID        ID
	Version   int
	UpdatedAt time.Time
}

// Of tells whether the mark is of this state of its rule.
func (m RuleMark) Of(r *Rule) bool {
	return m.ID == r.ID && m.Version == r.Version && m.UpdatedAt.Equal(r.UpdatedAt)
}

// RuleState says whether the engine runs a rule. It depends on the rule alone,
// not on Enabled.
type RuleState string

// The states. An inactive rule is valid but needs something that is not there
// (a placeholder list, a feature of a later version); an invalid one is wrong.
const (
	RuleActive   RuleState = "ACTIVE"
	RuleInactive RuleState = "INACTIVE"
	RuleInvalid  RuleState = "INVALID"
)

// RuleStates lists all states.
var RuleStates = []RuleState{RuleActive, RuleInactive, RuleInvalid}
