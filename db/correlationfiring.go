package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// Bounds of what leads from the alert of a correlation to what those that it counts
// have counted themselves.
const (
	maxFiringMembers = 100 // kept of one firing: the newest
	maxFiringsRead   = 100 // for one alert: the newest
	maxFiringLevels  = 8   // correlations below each other
)

// chainedFiring is a firing of a correlation that others count.
type chainedFiring struct {
	rule   *monitor.Rule
	event  int
	window []monitor.Counted
}

// chained tells whether another correlation counts that a rule fires by an event.
func (c *correlator) chained(rule *monitor.Rule, event int) bool {
	_, is := c.above[firedBy{rule.ID, event}]
	return is
}

// remember notes a firing for the correlations that count it. One event may make
// several groups fire.
func (c *correlator) remember(rule *monitor.Rule, event int, seen *monitor.Observed) {
	window := slices.Clone(seen.Window[max(0, len(seen.Window)-maxFiringMembers):])
	if f := c.chains[firedBy{rule.ID, event}]; f != nil {
		f.window = append(f.window, window...)
		slices.SortFunc(f.window, func(a, b monitor.Counted) int { return a.Compare(&b) })
		f.window = slices.Clone(f.window[max(0, len(f.window)-maxFiringMembers):])
		return
	}
	c.chains[firedBy{rule.ID, event}] = &chainedFiring{rule, event, window}
}

// keptFor is how long a firing may be asked for: as long as those above can keep it,
// and those above them what these have fired by it.
func (c *correlator) keptFor(rule monitor.ID, event int) (longest time.Duration) {
	for _, above := range c.above[firedBy{rule, event}] {
		longest = max(longest, c.machine(above).Expires()+c.keptFor(above.ID, event))
	}
	return longest
}

// insertChains writes the firings: the ids of the correlation's rules, and behind
// them the window in the form of a state.
func (c *correlator) insertChains(ctx context.Context) error {
	rows, size := []any{}, 0
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		err := exec(ctx, c, dialect.Insert("correlation_firings").Rows(rows...))
		rows, size = nil, 0
		if err != nil {
			return fmt.Errorf("insert firings: %w", err)
		}
		return nil
	}
	for by, f := range c.chains {
		members := f.rule.Correlation.Members
		text := []byte{byte(len(members))} //nolint:gosec // MaxCorrelationRules at most
		for _, id := range members {
			text = append(text, id[:]...)
		}
		text = append(text, (&monitor.CorrelationState{Kept: f.window, Latest: f.window[0].At}).Encode()...)
		event := c.batch.Events[f.event].ID
		rows = append(rows, goqu.Record{
			"rule_id": bytesOf(by.rule[:]), "batch": bytesOf(event.Batch[:]), "ordinal": event.Ordinal, "members": text,
			"expires_at": c.now.Add(c.keptFor(by.rule, f.event)),
		})
		if size += len(text); len(rows) == insertEvents || size > insertBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

var errBadFiring = errors.New("firing of a correlation cannot be read")

func readFiring(text []byte) (members []member, err error) {
	if len(text) == 0 || len(text) < 1+16*int(text[0]) {
		return nil, errBadFiring
	}
	n := int(text[0])
	ids, rest := text[1:1+16*n], text[1+16*n:]
	state, err := monitor.DecodeCorrelationState(rest)
	if err != nil {
		return nil, err
	}
	for _, each := range state.Kept {
		m := member{Counted: each}
		if each.Member < n {
			copy(m.rule[:], ids[16*each.Member:])
		}
		members = append(members, m)
	}
	return members, nil
}

// member is what an alert of a correlation lists.
type member struct {
	monitor.Counted
	rule monitor.ID
}

// membersOf gives what a firing names, and of the correlations among it what they had
// counted in turn, the newest of each.
func (t *tx) membersOf(ctx context.Context, f *firing) ([]member, error) {
	var all, level []member
	for _, each := range f.named {
		m := member{Counted: each}
		copy(m.rule[:], f.group.rule.Correlation.MemberID(each.Member))
		level = append(level, m)
	}
	all = append(all, level...)
	seen := map[firingName]bool{}
	for range maxFiringLevels {
		var anyOf []goqu.Expression
		for _, m := range slices.Backward(level) {
			if name := (firingName{m.rule, m.Event}); m.Chained && !seen[name] && len(seen) < maxFiringsRead {
				seen[name] = true
				anyOf = append(anyOf, goqu.Ex{"rule_id": bytesOf(m.rule[:]), "batch": bytesOf(m.Event.Batch[:]), "ordinal": m.Event.Ordinal})
			}
		}
		if len(anyOf) == 0 {
			break
		}
		st := dialect.From("correlation_firings").Select("members").Where(goqu.Or(anyOf...))
		below, err := query(ctx, t, st, func(r scanner) (of []member, err error) {
			var text []byte
			if err := r.Scan(&text); err != nil {
				return nil, err
			}
			of, _ = readFiring(text) // one that cannot be read leads nowhere
			return of, nil
		})
		if err != nil {
			return nil, fmt.Errorf("read firings: %w", err)
		}
		level = slices.Concat(below...)
		slices.SortFunc(level, func(a, b member) int { return a.Compare(&b.Counted) })
		level = level[max(0, len(level)-monitor.MaxCorrelationEvidence):]
		all = append(all, level...)
	}
	return all, nil
}

type firingName struct {
	rule  monitor.ID
	event monitor.EventID
}

// valueOf is a counted value as people read it.
func (m *member) valueOf() string {
	if !utf8.ValidString(m.Value) {
		return "" // shortened to a hash
	}
	return m.Value
}

// trimFirings forgets firings that no correlation can ask for any more.
func (s *Store) trimFirings(ctx context.Context) error {
	for {
		n, err := affected(ctx, s.db, dialect.Delete("correlation_firings").Where(goqu.C("expires_at").Lt(s.now())).Order(goqu.C("expires_at").Asc()).Limit(1_000))
		if err != nil || n < 1_000 {
			return err
		}
	}
}
