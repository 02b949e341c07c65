package monitor

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds of a backtest.
const (
	MaxBacktestEvents = 1_000_000            // that are tried, the latest first
	MaxBacktestSpan   = 400 * 24 * time.Hour // from the beginning to the end
	MaxBacktestShown  = 100                  // events that are kept with what matched
	MaxBacktestSource = 256 << 10            // bytes of a rule's text

	maxBacktestKeys    = 5_000 // alerts, hosts and users that are told apart
	maxBacktestTop     = 20    // hosts and users that are shown
	maxBacktestValue   = 512   // bytes of a value that is kept
	backtestHourlySpan = 7 * 24 * time.Hour
)

// BacktestSpec says what a backtest tries: a rule's text on the events that match
// and happened in [From, To).
type BacktestSpec struct {
	Source string          `json:"source"`
	Filter json.RawMessage `json:"filter"` // an EventFilter
	From   time.Time       `json:"from"`
	To     time.Time       `json:"to"`
}

// Check says what is wrong with it.
func (s *BacktestSpec) Check() error {
	switch {
	case len(s.Source) > MaxBacktestSource:
		return InputErrorf("source", "at most %d bytes", MaxBacktestSource)
	case !s.From.Before(s.To):
		return InputErrorf("to", "a backtest ends behind its beginning")
	case s.To.Sub(s.From) > MaxBacktestSpan:
		return InputErrorf("from", "at most %d days", MaxBacktestSpan/(24*time.Hour))
	}
	_, err := s.EventFilter()
	return err
}

// EventFilter is the filter with the bounds of time in it.
func (s *BacktestSpec) EventFilter() (*EventFilter, error) {
	given, err := ParseFilter[EventFilter](s.Filter)
	if err != nil {
		return nil, fmt.Errorf("filter of a backtest: %w", err)
	}
	if _, err := given.Compile(); err != nil {
		return nil, err
	}
	from, to := FixedTime(s.From), FixedTime(s.To)
	return &EventFilter{And: []*EventFilter{given}, OccurredAt: &TimeFilter{Gte: &from, Lt: &to}}, nil
}

// Bounds are the buckets in which matches are counted: hours of a week at most,
// days of longer times.
func (s *BacktestSpec) Bounds() SeriesBounds {
	b := SeriesBounds{From: s.From, To: s.To, Interval: time.Hour}
	if s.To.Sub(s.From) > backtestHourlySpan {
		b.Interval = 24 * time.Hour
	}
	_ = b.Check() // the bounds were checked; it aligns the beginning
	return b
}

// Backtest is what a backtest tries, and what it has found so far. Its JSON form,
// without the Spec, is kept while the job goes on and after.
type Backtest struct {
	Job  ID           `json:"-"`
	Spec BacktestSpec `json:"-"`

	After      string          `json:"after"`      // cursor of the last event that was tried
	Tried      int             `json:"tried"`      // events
	Matched    int             `json:"matched"`    // of them
	Unreadable int             `json:"unreadable"` // of them, that the program of today cannot read
	Complete   bool            `json:"complete"`   // everything in the bounds was tried
	Filters    []ID            `json:"filters"`    // those in force that are applied
	Suppressed int             `json:"suppressed"` // of the matches: suppressions in force hide them
	Counts     []int           `json:"counts"`     // of matches, one a bucket
	Keys       map[string]int  `json:"keys"`       // matches that are not hidden by what alerts are told apart by
	KeysMore   bool            `json:"keysMore"`   // there are more than maxBacktestKeys
	HostCounts map[string]int  `json:"hosts"`
	UserCounts map[string]int  `json:"users"`
	Shown      []BacktestMatch `json:"shown"`
}

// BacktestMatch is an event that made the rule fire.
type BacktestMatch struct {
	Event  string         `json:"event"` // an EventID
	Fields []MatchedField `json:"fields"`
}

// Add notes an event that the rule fires on, and whether a suppression hides that.
func (b *Backtest) Add(rule *Rule, e *Event, matched []MatchedField, hidden bool) {
	b.Matched++
	bounds := b.Spec.Bounds()
	if b.Counts == nil {
		b.Counts = make([]int, bounds.Buckets())
	}
	if i := int(e.OccurredAt.Sub(bounds.From) / bounds.Interval); i >= 0 && i < len(b.Counts) {
		b.Counts[i]++
	}
	if hidden {
		b.Suppressed++
	} else if !countOf(&b.Keys, hex.EncodeToString(DedupKey(rule, e)[:8])) {
		b.KeysMore = true
	}
	if e.Host != "" {
		countOf(&b.HostCounts, e.Host)
	}
	if e.User != "" {
		countOf(&b.UserCounts, e.User)
	}
	if len(b.Shown) < MaxBacktestShown {
		b.Shown = append(b.Shown, BacktestMatch{Event: e.ID.String(), Fields: shortened(matched)})
	}
}

// countOf counts a value; false where it is one too many to be told apart.
func countOf(counts *map[string]int, value string) bool {
	if *counts == nil {
		*counts = map[string]int{}
	}
	if _, known := (*counts)[value]; !known && len(*counts) >= maxBacktestKeys {
		return false
	}
	(*counts)[value]++
	return true
}

// shortened keeps what a list shows of each value; the event has the whole.
func shortened(fields []MatchedField) []MatchedField {
	out := make([]MatchedField, len(fields))
	for i, f := range fields {
		if len(f.Value) > maxBacktestValue {
			f.Value = strings.ToValidUTF8(f.Value[:maxBacktestValue], "") + "…"
		}
		if len(f.Pattern) > maxBacktestValue {
			f.Pattern = strings.ToValidUTF8(f.Pattern[:maxBacktestValue], "") + "…"
		}
		out[i] = f
	}
	return out
}

// Alerts is how many alerts the matches that are not hidden would be, each still open when the next
// match comes.
func (b *Backtest) Alerts() int { return len(b.Keys) }

// Source is the rule's text.
func (b *Backtest) Source() string { return b.Spec.Source }

// From is when the events begin that are tried, To when they end.
func (b *Backtest) From() time.Time { return b.Spec.From }

// To is when the events end that are tried.
func (b *Backtest) To() time.Time { return b.Spec.To }

// Histogram counts the matches by time.
func (b *Backtest) Histogram() *TimeSeries {
	series := NewTimeSeries(b.Spec.Bounds(), nil, false)
	line := series.Series[0]
	copy(line.Counts, b.Counts)
	for _, n := range line.Counts {
		line.Total += n
	}
	series.Total = line.Total
	return series
}

// Hosts are those with most matches.
func (b *Backtest) Hosts() *TopValues { return commonest(b.HostCounts) }

// Users are those with most matches.
func (b *Backtest) Users() *TopValues { return commonest(b.UserCounts) }

func commonest(counts map[string]int) *TopValues {
	top := &TopValues{Values: []*ValueCount{}, IsEstimate: len(counts) >= maxBacktestKeys}
	for value, n := range counts {
		top.Values = append(top.Values, &ValueCount{Value: value, Count: n})
		top.Total += n
	}
	slices.SortFunc(top.Values, func(a, b *ValueCount) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Value, b.Value)) })
	top.Values = top.Values[:min(len(top.Values), maxBacktestTop)]
	return top
}

// Progress is how many seconds of the time are behind it, and of how many, when
// it is at an event of that time. Events are tried from the end to the beginning.
func (s *BacktestSpec) Progress(at time.Time) (done, total int) {
	total = max(1, int(s.To.Sub(s.From).Seconds()))
	return min(total, max(0, int(s.To.Sub(at).Seconds()))), total
}
