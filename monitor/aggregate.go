package monitor

import (
	"fmt"
	"time"
)

// Bounds of what is counted over many rows.
const (
	MaxAggregated = 200_000 // rows that one answer is made of, the latest first
	MaxBuckets    = 1_000   // of one time series
	MaxTop        = 100     // values of one list of the commonest
	maxSeries     = 10      // lines of one time series; what is rarer is one more
)

// AggregateField is a field by which rows are counted.
type AggregateField string

// ValueCount is how many rows have a value.
type ValueCount struct {
	Value string
	Count int
}

// TopValues are the commonest values of a field, the commonest first.
type TopValues struct {
	Values []*ValueCount
	// Total counts the rows that have a value at all.
	Total int
	// IsEstimate says that there are more rows than were read.
	IsEstimate bool
}

// MaxGroupBy is how many fields events are grouped by at most.
const MaxGroupBy = 3

// EventGroups are the commonest combinations of values, the commonest first.
type EventGroups struct {
	Groups     []*EventGroup
	Total      int  // events that were counted
	IsEstimate bool // there are more: these are the latest
}

// EventGroup is how many events have the same values.
type EventGroup struct {
	Values              []*string // in the order of the fields; nil for none
	Count               int
	FirstSeen, LastSeen time.Time
}

// SeriesBounds are the buckets of a time series.
type SeriesBounds struct {
	From, To time.Time
	Interval time.Duration
}

// Check aligns the beginning to the interval, counted from 1970 in UTC, and says
// what is wrong. A day's buckets begin at midnight UTC, whatever clocks do.
func (s *SeriesBounds) Check() error {
	switch {
	case s.Interval < time.Second:
		return InputErrorf("interval", "an interval lasts a second at least")
	case !s.From.Before(s.To):
		return InputErrorf("to", "a series ends behind its beginning")
	}
	s.From, s.To = s.From.UTC(), s.To.UTC()
	since := s.From.Sub(time.Unix(0, 0))
	if since < 0 {
		return InputErrorf("from", "a series begins in 1970 or later")
	}
	s.From = s.From.Add(-(since % s.Interval))
	// Divided, not multiplied: a product of times may be beyond what they can hold.
	if span := s.To.Sub(s.From); span/s.Interval > MaxBuckets || span/s.Interval == MaxBuckets && span%s.Interval > 0 {
		return InputErrorf("interval", "more than %d buckets: choose a longer interval or a shorter time", MaxBuckets)
	}
	return nil
}

// Buckets is how many there are.
func (s *SeriesBounds) Buckets() int {
	span := s.To.Sub(s.From)
	n := int(span / s.Interval)
	if span%s.Interval > 0 {
		n++
	}
	return n
}

// TimeSeries counts rows by time.
type TimeSeries struct {
	SeriesBounds
	Series     []*Series
	Total      int
	IsEstimate bool
}

// Series is one line: of all rows, of those with one value, or of the rest.
type Series struct {
	Value  *string // nil: of all rows, or of the rest
	Counts []int   // one a bucket
	Total  int
}

// Starts gives when each bucket begins.
func (s *SeriesBounds) Starts() []time.Time {
	out := make([]time.Time, s.Buckets())
	for i := range out {
		out[i] = s.From.Add(time.Duration(i) * s.Interval)
	}
	return out
}

// NewTimeSeries makes a series without counts: one line for all rows, or one for
// each of the values and one for the rest.
func NewTimeSeries(bounds SeriesBounds, values []*ValueCount, grouped bool) *TimeSeries {
	t := &TimeSeries{SeriesBounds: bounds}
	for _, v := range values[:min(len(values), maxSeries)] {
		t.Series = append(t.Series, &Series{Value: &v.Value, Counts: make([]int, bounds.Buckets())})
	}
	if !grouped || len(values) > maxSeries {
		t.Series = append(t.Series, &Series{Counts: make([]int, bounds.Buckets())})
	}
	return t
}

// Add counts n rows of a line, by its place, into a bucket.
func (t *TimeSeries) Add(line, bucket, n int) error {
	if line < 0 || line >= len(t.Series) || bucket < 0 || bucket >= t.Buckets() {
		return fmt.Errorf("line %d, bucket %d: the series has no such place", line, bucket)
	}
	t.Series[line].Counts[bucket] += n
	t.Series[line].Total += n
	t.Total += n
	return nil
}
