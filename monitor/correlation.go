package monitor

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

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

// Sigma's types of correlations; value_median is pySigma's.
const (
	CorrelateEventCount      CorrelationType = "event_count"
	CorrelateValueCount      CorrelationType = "value_count"
	CorrelateTemporal        CorrelationType = "temporal"
	CorrelateTemporalOrdered CorrelationType = "temporal_ordered"
	CorrelateValueSum        CorrelationType = "value_sum"
	CorrelateValueAvg        CorrelationType = "value_avg"
	CorrelateValuePercentile CorrelationType = "value_percentile"
	CorrelateValueMedian     CorrelationType = "value_median"
)

// CorrelationTypes lists all types.
var CorrelationTypes = []CorrelationType{
	CorrelateEventCount, CorrelateValueCount, CorrelateTemporal, CorrelateTemporalOrdered,
	CorrelateValueSum, CorrelateValueAvg, CorrelateValuePercentile, CorrelateValueMedian,
}

// Temporal tells the types that ask which rules have found something.
func (t CorrelationType) Temporal() bool {
	return t == CorrelateTemporal || t == CorrelateTemporalOrdered
}

// Numeric tells the types that calculate with a field's values.
func (t CorrelationType) Numeric() bool {
	switch t {
	case CorrelateValueSum, CorrelateValueAvg, CorrelateValuePercentile, CorrelateValueMedian:
		return true
	default:
		return false
	}
}

// Bounds of a correlation: what one group keeps is bounded by them.
const (
	MaxCorrelationRules    = 32     // that one correlation counts
	MaxCorrelationFields   = 16     // of group-by
	MaxCorrelationLimit    = 10_000 // of event_count
	MaxCorrelationValues   = 2_000  // different ones of value_count
	MaxCorrelationSpan     = 366 * 24 * time.Hour
	MaxCorrelationBranches = 64 // of an extended condition of temporal_ordered
)

// Correlation is the `correlation` section of a Sigma rule.
type Correlation struct {
	Type      CorrelationType              `json:"type"`
	Rules     []string                     `json:"rules"`   // ids or names of the rules it counts, in its order
	GroupBy   []string                     `json:"groupBy"` // fields or aliases
	Aliases   map[string]map[string]string `json:"aliases"` // alias, rule as in Rules, field of that rule's events
	Timespan  time.Duration                `json:"timespan"`
	Condition CorrelationCondition         `json:"condition"`
	Generate  bool                         `json:"generate"` // the rules it counts raise alerts of their own too
	Members   []ID                         `json:"-"`        // the ids of Rules, once they are found
}

// CorrelationCondition is when a correlation fires: all Bounds hold, or Expr does.
type CorrelationCondition struct {
	Bounds     []CorrelationBound `json:"bounds"`
	Fields     []string           `json:"fields"`     // whose values value_count and the like look at; may be aliases
	Percentile float64            `json:"percentile"` // of value_percentile, 0 to 100
	Expr       *CorrelationExpr   `json:"expr"`       // the extended condition of a temporal correlation
}

// CorrelationBound compares what was counted with a limit.
type CorrelationBound struct {
	Op    string  `json:"op"` // gt, gte, lt, lte, eq, neq
	Limit float64 `json:"limit"`
}

// Holds compares.
func (b CorrelationBound) Holds(n float64) bool {
	switch b.Op {
	case "gt":
		return n > b.Limit
	case "gte":
		return n >= b.Limit
	case "lt":
		return n < b.Limit
	case "lte":
		return n <= b.Limit
	case "eq":
		return n == b.Limit
	case "neq":
		return n != b.Limit
	default:
		panic(fmt.Sprintf("monitor: operator %q is not known", b.Op)) // a programming error
	}
}

// CorrelationExpr is an extended condition, a tree: Op is and, or, not, or rule for
// a leaf, which holds when the rule has found something.
type CorrelationExpr struct {
	Op     string             `json:"op"`
	Of     []*CorrelationExpr `json:"of"`
	Member int                `json:"member"` // of a leaf: index in Correlation.Rules
}

// Holds tells whether the expression is true of the members that are there.
func (x *CorrelationExpr) Holds(there func(member int) bool) bool {
	switch x.Op {
	case "rule":
		return there(x.Member)
	case "not":
		return !x.Of[0].Holds(there)
	}
	for _, each := range x.Of {
		if each.Holds(there) == (x.Op == "or") {
			return x.Op == "or"
		}
	}
	return x.Op == "and"
}

// negates tells whether a member that comes can make the expression false.
func (x *CorrelationExpr) negates() bool {
	if x.Op == "not" {
		return true
	}
	for _, each := range x.Of {
		if each.negates() {
			return true
		}
	}
	return false
}

// correlationBranch is one way in which an extended condition can hold.
type correlationBranch struct {
	with, without uint64 // sets of members
}

// branches gives the disjunctive normal form, nil where it has more than
// MaxCorrelationBranches.
func (x *CorrelationExpr) branches(want bool) []correlationBranch {
	switch {
	case x.Op == "rule" && want:
		return []correlationBranch{{with: 1 << x.Member}}
	case x.Op == "rule":
		return []correlationBranch{{without: 1 << x.Member}}
	case x.Op == "not":
		return x.Of[0].branches(!want)
	}
	var all []correlationBranch
	for i, each := range x.Of {
		found := each.branches(want)
		if found == nil {
			return nil
		}
		if (x.Op == "or") == want || i == 0 {
			all = append(all, found...)
		} else {
			all = product(all, found)
		}
		if len(all) > MaxCorrelationBranches {
			return nil
		}
	}
	return all
}

// product joins each with each. What contradicts itself stays: it never holds.
func product(a, b []correlationBranch) []correlationBranch {
	if len(a)*len(b) > MaxCorrelationBranches {
		return make([]correlationBranch, MaxCorrelationBranches+1)
	}
	var out []correlationBranch
	for _, x := range a {
		for _, y := range b {
			out = append(out, correlationBranch{x.with | y.with, x.without | y.without})
		}
	}
	return out
}

// TooManyBranches tells whether an extended condition can be true in more ways than
// temporal_ordered follows.
func (x *CorrelationExpr) TooManyBranches() bool { return x.branches(true) == nil }

// Definition tells whether a state was kept for the same correlation: of another
// one it says nothing.
func (c *Correlation) Definition() [32]byte {
	text, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("monitor: correlation as JSON: %v", err)) // texts and finite numbers only
	}
	return sha256.Sum256(text)
}

// saturates gives the count above which all counts are one to the condition.
func (c *Correlation) saturates() int {
	most := 0.0
	for _, b := range c.Condition.Bounds {
		most = max(most, b.Limit)
	}
	return int(min(math.Floor(most), MaxCorrelationLimit)) + 1
}

// grows tells whether more can only make the condition true, never false.
func (c *Correlation) grows() bool {
	if x := c.Condition.Expr; x != nil {
		return !x.negates()
	}
	for _, b := range c.Condition.Bounds {
		if b.Op != "gt" && b.Op != "gte" {
			return false
		}
	}
	return true
}

// Sample is an event that counts towards a correlation: what detection takes out
// of it for the state that the store keeps.
type Sample struct {
	Event  int      // index in Batch.Events; of a Match always 0
	Rule   *Rule    // the correlation
	Found  *Rule    // the member that found the event: a detection rule, or a correlation that fired
	Member int      // which of Correlation.Rules that is
	Group  []string // values of Correlation.GroupBy, in its order, case folded
	Value  string   // values of Condition.Fields; a number in its JSON spelling
	// Chained: it counts only when Found, a correlation, fires by this event.
	Chained bool
	Silent  bool // others count the correlation in turn, and none says generate
	Depth   int  // correlations below it: 0 where it counts detection rules alone
}

// GroupKey names the sample's group among the groups of its rule.
func (s *Sample) GroupKey() [32]byte { return keyOf(s.Group) }

func keyOf(parts []string) [32]byte {
	h := sha256.New()
	var size [4]byte
	for _, part := range parts {
		n := len(part)
		size = [4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)} //nolint:gosec // the lower bits
		h.Write(size[:])
		h.Write([]byte(part))
	}
	return [32]byte(h.Sum(nil))
}
