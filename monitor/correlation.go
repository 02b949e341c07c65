package monitor

import "time"

// RuleKind tells the kinds of Sigma documents apart.
// https://github.com/SigmaHQ/sigma-specification, versions 2: rules, correlation
// rules, filters
type RuleKind string

// The kinds of documents.
const (
	DetectionRule   RuleKind = "DETECTION"   // looks at one event
	CorrelationRule RuleKind = "CORRELATION" // counts what other rules found
	FilterRule      RuleKind = "FILTER"      // takes events away from other rules
)

// CorrelationType is how a correlation rule counts.
type CorrelationType string

// Sigma's types of correlations.
const (
	CorrelateEventCount      CorrelationType = "event_count"
	CorrelateValueCount      CorrelationType = "value_count"
	CorrelateTemporal        CorrelationType = "temporal"
	CorrelateTemporalOrdered CorrelationType = "temporal_ordered"
	CorrelateValueSum        CorrelationType = "value_sum"
	CorrelateValueAvg        CorrelationType = "value_avg"
	CorrelateValuePercentile CorrelationType = "value_percentile"
)

// Correlation is the `correlation` section of a Sigma rule.
type Correlation struct {
	Type      CorrelationType
	Rules     []string                     // ids or names of the rules it counts, in its order
	GroupBy   []string                     // fields or aliases
	Aliases   map[string]map[string]string // alias, rule as in Rules, field of that rule's events
	Timespan  time.Duration
	Condition CorrelationCondition
	Generate  bool // the rules it counts raise alerts of their own too
}

// CorrelationCondition is when a correlation fires: all Bounds hold.
type CorrelationCondition struct {
	Bounds     []CorrelationBound
	Fields     []string // whose values value_count and the like look at
	Percentile float64  // of value_percentile, 0 to 100
}

// CorrelationBound compares what was counted with a limit.
type CorrelationBound struct {
	Op    string // gt, gte, lt, lte, eq, neq
	Limit float64
}

// Sample is an event that counts towards a correlation: what detection takes out
// of it for the state that the store keeps.
type Sample struct {
	Event  int      // index in Batch.Events; of a Match always 0
	Rule   *Rule    // the correlation
	Member int      // which of Correlation.Rules found the event
	Group  []string // values of Correlation.GroupBy, in its order
	Values []string // values of Condition.Fields; numbers in their JSON spelling
}
