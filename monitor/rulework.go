package monitor

import (
	"cmp"
	"slices"
	"time"
)

// Bounds of trying a rule that is being written.
const (
	MaxTestRecords = 500       // given with the request
	MaxTestBytes   = 512 << 10 // of given records
	MaxTestEvents  = 1_000     // stored ones that are read
	MaxTestShown   = 100       // stored ones that are shown
	MaxImportFiles = 200       // of one request
	MaxImportBytes = 1 << 20
)

// RuleActivityWindow is the time that RuleActivity looks back on.
const RuleActivityWindow = 30 * 24 * time.Hour

// RuleProblem is what is wrong with a rule's YAML. Line and Column count from 1,
// Column in characters; both are 0 where it is about the whole.
type RuleProblem struct {
	Message string
	Line    int
	Column  int
}

// RuleCheck is what the engine makes of a rule that is being written.
type RuleCheck struct {
	Problem  *RuleProblem
	Rule     *Rule // nil with a problem
	Existing *Rule // has the id of Rule
}

// RuleTest is what a rule says of events.
type RuleTest struct {
	Problem *RuleProblem
	Tried   int
	Matched int
	Filters []ID // those in force that were applied
	Results []*RuleTestResult
}

// RuleTestResult is what a rule says of one event.
type RuleTestResult struct {
	Line          int    // of the given records; 0 for stored events
	Event         *Event // stored, nil for given records
	LogSource     *LogSource
	Format        string
	Matches       bool
	SameLogSource bool // the rule looks at this kind of log at all
	Fields        []MatchedField
	Error         string // why the record could not be read
}

// RuleVersion is a rule as it once was.
type RuleVersion struct {
	Version   int
	Source    string
	CreatedAt time.Time
	CreatedBy *Actor // nil where nobody noted it
}

// RuleActivity is what a rule's alerts of the last thirty days say of it.
type RuleActivity struct {
	Rule           ID
	AlertsLastDay  int
	Alerts         int
	Closed         int
	FalsePositives int // closed as benign or false positive
	LastFired      time.Time
}

// harmless is the share of the closed alerts that were.
func (a *RuleActivity) harmless() float64 {
	return float64(a.FalsePositives) / float64(max(1, a.Closed))
}

// MaxRankedRules bounds an order of rules by what has become of them.
const MaxRankedRules = 1_000

// RankActivities puts them into an order of rules; those that have nothing to be
// compared by are left out.
func RankActivities(all []*RuleActivity, order RuleOrder) []*RuleActivity {
	if order == RulesByFalsePositives {
		all = slices.DeleteFunc(all, func(a *RuleActivity) bool { return a.Closed == 0 })
	}
	slices.SortFunc(all, func(a, b *RuleActivity) int {
		byShare := 0
		if order == RulesByFalsePositives {
			byShare = cmp.Or(cmp.Compare(b.harmless(), a.harmless()), b.FalsePositives-a.FalsePositives)
		}
		return cmp.Or(byShare, b.Alerts-a.Alerts, slices.Compare(a.Rule[:], b.Rule[:]))
	})
	return all
}

// RuleTechniques is what coverage needs of a rule.
type RuleTechniques struct {
	ID         ID
	Kind       RuleKind
	Name       string // by which correlations may refer to it
	Source     string // of a correlation
	Techniques []string
	Runs       bool // it is enabled, and active
}

// AlertTimes are how long alerts waited for people.
type AlertTimes struct {
	Acknowledged WaitingTime
	Resolved     WaitingTime
}

// WaitingTime is a distribution of times, in seconds.
type WaitingTime struct {
	Count         int
	MeanSeconds   float64
	MedianSeconds float64
	P90Seconds    float64
}

// NewWaitingTime makes the distribution of some times; it orders them.
func NewWaitingTime(times []time.Duration) WaitingTime {
	if len(times) == 0 {
		return WaitingTime{}
	}
	slices.Sort(times)
	var sum float64
	for _, t := range times {
		sum += t.Seconds()
	}
	// The nearest rank: the smallest time that so many are not above.
	rank := func(percent int) float64 { return times[(len(times)*percent+99)/100-1].Seconds() }
	return WaitingTime{Count: len(times), MeanSeconds: sum / float64(len(times)), MedianSeconds: rank(50), P90Seconds: rank(90)}
}

// RuleFile is a file of an archive of rules.
type RuleFile struct {
	Path   string
	Source string
}

// RuleImport says what became of the files of an import.
type RuleImport struct {
	Added, Updated, Unchanged int
	Inactive                  []RuleFileProblem // stored, but they do not run, and why
	Refused                   []RuleFileProblem // not stored
	Converted                 []RuleFileProblem // of Sigma 1, and what they are now
}

// RuleFileProblem is a file and what is the matter with it.
type RuleFileProblem struct {
	Path    string
	Message string
}

// Bounds of looking at what comes in with a rule that is being written.
const (
	MaxWatchedRules  = 32    // at once, on one replica
	MaxWatchedEvents = 1_000 // of one page of the journal; more are skipped
	MaxWatchedShown  = 50    // of one page of the journal

	MaxWatchedTime = 500 * time.Millisecond // of looking at one page of the journal
)

// RuleHealth says whether a rule looks at events.
type RuleHealth string

// The healths, as in the schema.
const (
	RuleRunning   RuleHealth = "RUNNING"
	RuleOff       RuleHealth = "OFF"
	RuleNeedsMore RuleHealth = "INACTIVE"
	RuleFailing   RuleHealth = "FAILING"
)

// Bounds of what is told of rules.
const (
	MaxRuleCosts   = 500 // of one replica, the slowest
	MaxShownFields = 32  // of one event
	MaxShownBytes  = 4_096
)

// RuleCost is what a rule costs, as measured on a sample of the events of its log
// source.
type RuleCost struct {
	Rule        ID    `json:"rule"`
	Events      int64 `json:"events"`
	Tried       int64 `json:"tried"`
	Hits        int64 `json:"hits"`
	Nanoseconds int64 `json:"nanoseconds"` // in all
}

// NanosecondsPerEvent is the mean time that the rule takes of an event of its log source.
func (c *RuleCost) NanosecondsPerEvent() float64 {
	if c.Events == 0 {
		return 0
	}
	return float64(c.Nanoseconds) / float64(c.Events)
}

// Add takes in what another replica has measured.
func (c *RuleCost) Add(other *RuleCost) {
	c.Events += other.Events
	c.Tried += other.Tried
	c.Hits += other.Hits
	c.Nanoseconds += other.Nanoseconds
}

// CompareRuleCosts puts the slowest first.
func CompareRuleCosts(a, b *RuleCost) int {
	return cmp.Or(cmp.Compare(b.NanosecondsPerEvent(), a.NanosecondsPerEvent()), slices.Compare(a.Rule[:], b.Rule[:]))
}

// RuleOrder is an order of the list of rules.
type RuleOrder string

// The orders, as in the schema.
const (
	RulesByTitle RuleOrder = "TITLE"
	RulesByCost  RuleOrder = "COST"

	RulesByAlerts         RuleOrder = "ALERTS"
	RulesByFalsePositives RuleOrder = "FALSE_POSITIVES"
)

// ShownField is a field that a rule wants to be shown.
type ShownField struct {
	Field string
	Value string
}
