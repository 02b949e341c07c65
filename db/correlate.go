package db

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// Correlating are the settings of correlations.
type Correlating struct {
	Allowance time.Duration // how late an event may come; monitor.DefaultCorrelationAllowance where 0, none where below
	MaxGroups int           // of one rule; DefaultMaxGroups where 0
}

// DefaultMaxGroups bounds the groups that one correlation rule keeps.
const DefaultMaxGroups = 100_000

func (c Correlating) withDefaults() Correlating {
	c.Allowance = max(0, cmp.Or(c.Allowance, monitor.DefaultCorrelationAllowance))
	c.MaxGroups = cmp.Or(c.MaxGroups, DefaultMaxGroups)
	return c
}

// CorrelationStats counts what correlations did in this process.
type CorrelationStats struct {
	Counted       atomic.Int64 // events that were counted
	Fired         atomic.Int64
	Late          atomic.Int64 // events that came too late to count
	EvictedEvents atomic.Int64 // events that a group's bound forgot
	EvictedGroups atomic.Int64 // groups that a rule's bound forgot
	Unreadable    atomic.Int64 // states that could not be read, and began afresh
}

// Correlations gives the figures of this process.
func (s *Store) Correlations() *CorrelationStats { return &s.correlated }

// correlator counts the samples of one batch. Its transaction holds the rows of the
// groups that they come to: those of correlations that others count before those of
// the others, and each locked in the order of its key; so that over all replicas a
// group's events are counted one batch after another. Each is read and written once.
type correlator struct {
	*tx
	batch    *monitor.Batch
	settings Correlating
	machines map[*monitor.Rule]*machine
	firings  []*firing
	fired    map[firedBy]time.Time
	above    map[firedBy][]*monitor.Rule // which count that a correlation fires by an event
	chains   map[firedBy]*chainedFiring  // of those
	made     map[monitor.ID]int          // groups that were not there before, by rule
	counted, firedTimes, late,
	evicted, unreadable int64
}

// firedBy names a correlation and the event by which it fired.
type firedBy struct {
	rule  monitor.ID
	event int
}

// groupName is the key of a group's row.
type groupName struct {
	rule monitor.ID
	key  [32]byte
}

type machine struct {
	*monitor.Correlator
	definition [32]byte
}

// countedGroup is what one batch brings to a group of a correlation.
type countedGroup struct {
	rule    *monitor.Rule
	values  []string
	key     [32]byte
	silent  bool
	samples []sampleOf
	state   *monitor.CorrelationState
	firing  *firing
}

type sampleOf struct {
	event int
	monitor.Counted
}

// firing is what the batch made a group fire, all times together.
type firing struct {
	group *countedGroup
	event int // the last one by which it fired
	total int // events of the first window, and what came on top
	fresh int // events that stood in no firing before
	first time.Time
	last  time.Time
	named []monitor.Counted // the newest
}

// correlate counts the batch's samples and gives the groups that fire and are not
// silent. It costs nothing without samples.
func (t *tx) correlate(ctx context.Context, b *monitor.Batch, settings Correlating) (*correlator, error) {
	c := &correlator{tx: t, batch: b, settings: settings, machines: map[*monitor.Rule]*machine{}, fired: map[firedBy]time.Time{}, made: map[monitor.ID]int{}}
	c.above, c.chains = map[firedBy][]*monitor.Rule{}, map[firedBy]*chainedFiring{}
	byDepth := map[int][]*monitor.Sample{}
	newest := newestRules(b)
	for i := range b.Samples {
		s := &b.Samples[i]
		if now := newest[s.Rule.ID]; now != s.Rule && c.machine(now).definition != c.machine(s.Rule).definition {
			continue
		}
		byDepth[s.Depth] = append(byDepth[s.Depth], s)
		if by := (firedBy{s.Found.ID, s.Event}); s.Chained && !slices.Contains(c.above[by], s.Rule) {
			c.above[by] = append(c.above[by], s.Rule)
		}
	}
	for _, depth := range slices.Sorted(maps.Keys(byDepth)) {
		groups := c.gather(byDepth[depth])
		for chunk := range slices.Chunk(groups, insertEvents) {
			if err := c.count(ctx, chunk); err != nil {
				return nil, fmt.Errorf("correlate: %w", err)
			}
		}
	}
	return c, c.insertChains(ctx)
}

// newestRules gives of each correlation the version that is in force last in a batch.
// Where the rules change while it is gathered, it has samples of two: those of the
// older one would begin a state that is worth nothing, and have another form.
func newestRules(b *monitor.Batch) map[monitor.ID]*monitor.Rule {
	newest := map[monitor.ID]*monitor.Rule{}
	for i := range b.Samples {
		rule := b.Samples[i].Rule
		if is := newest[rule.ID]; is == nil || rule.Version >= is.Version {
			newest[rule.ID] = rule
		}
	}
	return newest
}

// count reads some groups, counts their samples, and writes them.
func (c *correlator) count(ctx context.Context, groups []*countedGroup) error {
	if err := c.lock(ctx, groups); err != nil {
		return err
	}
	for _, g := range groups {
		c.observe(g)
	}
	return c.write(ctx, groups)
}

// gather puts samples into their groups, in key order, and each group's in the order
// of time: what comes in one batch is not late to itself.
func (c *correlator) gather(samples []*monitor.Sample) []*countedGroup {
	byName := map[groupName]*countedGroup{}
	for _, s := range samples {
		event := c.batch.Events[s.Event]
		at := c.timeOf(event)
		if s.Chained {
			last, fired := c.fired[firedBy{s.Found.ID, s.Event}]
			if !fired {
				continue
			}
			at = last
		}
		counted, ok := c.machine(s.Rule).Counted(s, event.ID, at)
		if !ok {
			continue
		}
		n := groupName{s.Rule.ID, s.GroupKey()}
		g := byName[n]
		if g == nil {
			g = &countedGroup{rule: s.Rule, values: s.Group, key: n.key, silent: s.Silent}
			byName[n] = g
		}
		g.samples = append(g.samples, sampleOf{s.Event, counted})
	}
	groups := slices.SortedFunc(maps.Values(byName), func(a, b *countedGroup) int {
		return cmp.Or(bytes.Compare(a.rule.ID[:], b.rule.ID[:]), bytes.Compare(a.key[:], b.key[:]))
	})
	for _, g := range groups {
		slices.SortStableFunc(g.samples, func(a, b sampleOf) int { return cmp.Or(a.At.Compare(b.At), a.event-b.event) })
	}
	return groups
}

// timeOf is when an event happened. One that claims to come from the future counts
// as of its receipt: otherwise all that come after it would be late.
func (c *correlator) timeOf(e *monitor.Event) time.Time {
	if e.OccurredAt.After(e.ReceivedAt.Add(c.settings.Allowance)) {
		return e.ReceivedAt
	}
	return e.OccurredAt
}

func (c *correlator) machine(rule *monitor.Rule) *machine {
	m := c.machines[rule]
	if m == nil {
		m = &machine{monitor.NewCorrelator(rule.Correlation, c.settings.Allowance), rule.Correlation.Definition()}
		c.machines[rule] = m
	}
	return m
}

func (g *countedGroup) is() goqu.Ex {
	return goqu.Ex{"rule_id": append([]byte(nil), g.rule.ID[:]...), "group_hash": append([]byte(nil), g.key[:]...)}
}

// lock makes the groups' rows where they are missing, locks and reads them. It is the
// insert that locks, these rows and no others, in the order of their keys. The SELECT
// locks nothing: what is locked cannot change, and a FOR UPDATE would lock whatever
// the server reads on its way, in small tables all rows, and so run into others. A state
// that was kept for another correlation, or that cannot be read, begins afresh.
func (c *correlator) lock(ctx context.Context, groups []*countedGroup) error {
	if len(groups) == 0 {
		return nil
	}
	rows, anyOf, byName := make([]any, len(groups)), make([]goqu.Expression, len(groups)), make(map[groupName]*countedGroup, len(groups))
	for i, g := range groups {
		row := goqu.Record(g.is())
		row["definition"], row["state"], row["expires_at"] = noDefinition[:], []byte{}, c.now
		rows[i], anyOf[i], byName[groupName{g.rule.ID, g.key}] = row, g.is(), g
		g.state = &monitor.CorrelationState{}
	}
	insert := dialect.Insert("correlation_state").Rows(rows...).OnConflict(goqu.DoUpdate("", goqu.Record{"rule_id": goqu.C("rule_id")}))
	if err := exec(ctx, c, insert); err != nil {
		return fmt.Errorf("lock groups: %w", err)
	}
	st := dialect.From("correlation_state").Select("rule_id", "group_hash", "definition", "state").Where(goqu.Or(anyOf...)).
		Order(goqu.C("rule_id").Asc(), goqu.C("group_hash").Asc())
	_, err := query(ctx, c, st, func(r scanner) (struct{}, error) {
		var n groupName
		var key, definition, state []byte
		if err := r.Scan(idColumn{&n.rule}, &key, &definition, &state); err != nil {
			return struct{}{}, err
		}
		copy(n.key[:], key)
		if g := byName[n]; g != nil {
			if bytes.Equal(definition, noDefinition[:]) { // made by the insert above: none other leaves a row so
				c.made[n.rule]++
			}
			c.read(g, definition, state)
		}
		return struct{}{}, nil
	})
	if err != nil {
		return fmt.Errorf("read groups: %w", err)
	}
	return nil
}

var noDefinition [32]byte // of a row that has only been made

func (c *correlator) read(g *countedGroup, definition, state []byte) {
	if kept := c.machine(g.rule).definition; !bytes.Equal(definition, kept[:]) {
		return
	}
	known, err := monitor.DecodeCorrelationState(state)
	if err != nil {
		c.unreadable++
		return
	}
	g.state = known
}

// observe counts a group's samples.
func (c *correlator) observe(g *countedGroup) {
	m := c.machine(g.rule)
	for _, s := range g.samples {
		seen := m.Observe(g.state, s.Counted)
		c.evicted += int64(seen.Evicted)
		switch {
		case seen.Late:
			c.late++
		case !seen.Duplicate:
			c.counted++
		}
		if !seen.Fired {
			continue
		}
		c.firedTimes++
		c.fired[firedBy{g.rule.ID, s.event}] = seen.Last
		if c.chained(g.rule, s.event) {
			c.remember(g.rule, s.event, &seen)
		}
		if g.firing == nil {
			g.firing = &firing{group: g, first: seen.First, total: seen.Size - seen.Fresh}
			if !g.silent {
				c.firings = append(c.firings, g.firing)
			}
		}
		g.firing.add(s.event, &seen)
	}
}

func (f *firing) add(event int, seen *monitor.Observed) {
	f.event, f.total, f.fresh = event, f.total+seen.Fresh, f.fresh+seen.Fresh
	if seen.First.Before(f.first) {
		f.first = seen.First
	}
	if seen.Last.After(f.last) {
		f.last = seen.Last
	}
	if f.named == nil {
		f.named = seen.Window
		return
	}
	for _, each := range seen.Window {
		if !each.Told {
			f.named = append(f.named, each)
		}
	}
	if n := len(f.named); n > 2*monitor.MaxCorrelationEvidence {
		f.named = slices.Clone(f.named[n-monitor.MaxCorrelationEvidence:])
	}
}

func (c *correlator) write(ctx context.Context, groups []*countedGroup) error {
	values := goqu.Record{}
	for _, name := range []string{"definition", "state", "expires_at"} {
		values[name] = goqu.L("VALUES(?)", goqu.C(name))
	}
	for len(groups) > 0 {
		var rows []any
		for size := 0; len(rows) < len(groups) && size < insertBytes; {
			g := groups[len(rows)]
			m, row := c.machine(g.rule), goqu.Record(g.is())
			state := g.state.Encode()
			row["definition"], row["state"], row["expires_at"] = m.definition[:], state, c.now.Add(m.Expires())
			rows = append(rows, row)
			size += len(state)
		}
		if err := exec(ctx, c, dialect.Insert("correlation_state").Rows(rows...).OnConflict(goqu.DoUpdate("", values))); err != nil {
			return fmt.Errorf("write groups: %w", err)
		}
		groups = groups[len(rows):]
	}
	return nil
}

// note adds what a committed batch counted to the figures.
func (s *CorrelationStats) note(c *correlator) {
	if c == nil {
		return
	}
	s.Counted.Add(c.counted)
	s.Fired.Add(c.firedTimes)
	s.Late.Add(c.late)
	s.EvictedEvents.Add(c.evicted)
	s.Unreadable.Add(c.unreadable)
}
