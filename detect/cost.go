package detect

import (
	"sync/atomic"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// One event in so many is tried with the clock in hand.
const measureEvery = 64

// Cost is what a rule costs, as measured on a sample of the events of its log
// source while the rule stayed as it is.
type Cost struct {
	Rule   *monitor.Rule
	Events int64         // of its log source, in the sample
	Tried  int64         // of them, those that the index proposed the rule for
	Hits   int64         // of those, how many it fired on
	Time   time.Duration // that finding and trying it took, in all
}

// PerEvent is the mean time that the rule takes of an event of its log source, in
// nanoseconds; 0 before anything was measured.
func (c Cost) PerEvent() float64 {
	if c.Events == 0 {
		return 0
	}
	return float64(c.Time.Nanoseconds()) / float64(c.Events)
}

// meter adds up what the sampled events say of a rule.
type meter struct {
	tried, hits, nanoseconds atomic.Int64
}

// Costs gives what each rule in force costs, in the order of Compile.
func (rs *Ruleset) Costs() []Cost {
	if rs == nil {
		return nil
	}
	list := make([]Cost, 0, len(rs.rules))
	for _, c := range rs.rules {
		list = append(list, Cost{
			Rule: c.rule, Events: c.sampled.Load() - c.since,
			Tried: c.meter.tried.Load(), Hits: c.meter.hits.Load(), Time: time.Duration(c.meter.nanoseconds.Load()),
		})
	}
	return list
}

// try tells whether the rule fires on the event.
func (c *compiledRule) try(e *event) bool {
	if !e.measured {
		return c.test.holds(e)
	}
	begun := time.Now()
	fires := c.test.holds(e)
	c.meter.nanoseconds.Add(time.Since(begun).Nanoseconds())
	c.meter.tried.Add(1)
	if fires {
		c.meter.hits.Add(1)
	}
	return fires
}

// measure asks the test. Rules that are found by the same test share its time.
func (p *posting) measure(e *event, v *value) bool {
	begun := time.Now()
	is := p.test.is.match(e, v)
	took := time.Since(begun).Nanoseconds() / int64(len(p.rules))
	for _, c := range p.rules {
		c.meter.nanoseconds.Add(took)
	}
	return is
}

// samples counts the measured events of each log source, from Ruleset to Ruleset.
type samples map[monitor.LogSource]*atomic.Int64

// samples are those of rs, for the next Ruleset to go on with.
func (rs *Ruleset) samples() samples {
	all := make(samples)
	if rs != nil {
		for source, x := range rs.indexes {
			all[source] = x.sampled
		}
	}
	return all
}

func (s samples) of(source monitor.LogSource) *atomic.Int64 {
	if s[source] == nil {
		s[source] = new(atomic.Int64)
	}
	return s[source]
}
