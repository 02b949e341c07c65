package monitor

import "time"

// Rule is a Sigma detection rule with what the product knows about it.
type Rule struct {
	ID          ID // the rule's own id where it has one
	Version     int
	Title       string
	Description string
	Level       Severity
	Status      string // Sigma's: stable, test, experimental, deprecated, unsupported
	Author      string // the Detection Rule License asks to name it wherever the rule fires
	References  []string
	FalsePos    []string
	Tags        []string // attack.t1059.001, attack.execution, cve.2021-44228, ...
	Techniques  []string // MITRE ATT&CK technique ids out of Tags, upper case: T1059.001
	LogSource   LogSource
	FieldsShown []string // the rule's own `fields`
	Source      string   // the YAML as imported
	Path        string   // where it was imported from, for people
	Enabled     bool
	State       RuleState
	StateReason string // why it is not active; empty when it is
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// GlobalID is the rule's id in the graph.
func (r *Rule) GlobalID() string { return GlobalID(KindRule, r.ID.String()) }

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
