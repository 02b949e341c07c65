package db

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// The groups of a rule are bounded where they are made, not only by the upkeep. Each
// process may make a sixty-fourth of the bound before it looks at the table again, and
// then forgets what is beyond the bound before it stores the next batch. So a rule has
// at most the bound, and of each process a sixty-fourth of it and what the batches bring
// that it stores at the same time.
//
// It is done in statements of their own before the batch's transaction, each about
// groups of one rule in the order of their keys: a batch that waits here holds
// nothing that others wait for.

// trimGroups is how many groups one statement deletes.
const trimGroups = 500

// groupRooms says how many groups of each rule this process may make before it has
// to look.
type groupRooms struct{ byRule sync.Map } // monitor.ID, *groupRoom

type groupRoom struct {
	mu         sync.Mutex
	left       atomic.Int64
	definition [32]byte // of the correlation now; guarded by mu, as is clean
	clean      bool     // no groups of other definitions are left
}

func (r *groupRooms) of(rule monitor.ID) *groupRoom {
	room, _ := r.byRule.LoadOrStore(rule, &groupRoom{})
	return room.(*groupRoom)
}

// took notes the groups that a committed batch made.
func (r *groupRooms) took(c *correlator) {
	if c == nil {
		return
	}
	for rule, n := range c.made {
		r.of(rule).left.Add(-int64(n))
	}
}

// makeRoom forgets groups beyond the bound of the rules that a batch counts for. That
// it fails stops no batch: the next one tries again, and the upkeep tells.
func (s *Store) makeRoom(ctx context.Context, b *monitor.Batch) {
	var before *monitor.Rule
	for i := range b.Samples {
		rule := b.Samples[i].Rule
		if rule == before {
			continue
		}
		before = rule
		room := s.rooms.of(rule.ID)
		if room.left.Load() > 0 {
			continue
		}
		room.mu.Lock()
		if room.left.Load() <= 0 { // nobody has done it meanwhile
			room.know(rule.Correlation.Definition())
			if s.evictGroups(ctx, rule.ID, room) == nil {
				room.left.Store(int64(max(1, s.correlating.MaxGroups/64)))
			}
		}
		room.mu.Unlock()
	}
}

func (r *groupRoom) know(definition [32]byte) {
	if r.definition != definition {
		r.definition, r.clean = definition, false
	}
}

// TrimCorrelations forgets groups that can make no correlation fire any more: those
// that are done, and those of rules that are not in force. Of rules with more than
// their bound it forgets those that would be done first.
func (s *Store) TrimCorrelations(ctx context.Context) error {
	done := keptGroups().Where(goqu.C("expires_at").Lt(s.now())).Order(goqu.C("expires_at").Asc()).Limit(trimGroups)
	if err := s.forgetAll(ctx, done); err != nil {
		return fmt.Errorf("forget groups that are done: %w", err)
	}
	if err := s.trimFirings(ctx); err != nil {
		return fmt.Errorf("forget firings: %w", err)
	}
	counts := dialect.From("correlation_state").Select("rule_id", goqu.COUNT(goqu.Star())).GroupBy("rule_id")
	kept := map[monitor.ID]int{}
	rules, err := query(ctx, s.db, counts, func(r scanner) (monitor.ID, error) {
		var rule monitor.ID
		var n int
		err := r.Scan(idColumn{&rule}, &n)
		kept[rule] = n
		return rule, err
	})
	if err != nil || len(rules) == 0 {
		return err
	}
	enabled := dialect.From("rules").Select("id").Where(goqu.C("enabled").Eq(1), goqu.C("kind").Eq(string(monitor.CorrelationRule)), goqu.C("id").In(idList(rules)))
	inForce, err := query(ctx, s.db, enabled, func(r scanner) (id monitor.ID, err error) { return id, r.Scan(idColumn{&id}) })
	if err != nil {
		return fmt.Errorf("read rules of groups: %w", err)
	}
	for _, rule := range rules {
		switch {
		case !slices.Contains(inForce, rule):
			err = s.forgetAll(ctx, keptGroups().Where(goqu.C("rule_id").Eq(rule[:])).Limit(trimGroups))
		case kept[rule] > s.correlating.MaxGroups:
			room := s.rooms.of(rule)
			room.mu.Lock()
			err = s.evictGroups(ctx, rule, room)
			room.mu.Unlock()
		}
		if err != nil {
			return fmt.Errorf("forget groups of rule %s: %w", rule, err)
		}
	}
	return nil
}

// evictGroups forgets the groups of a rule that are beyond its bound: those of
// definitions that it had before, then those that would be done first. It asks for
// what is behind the newest: so that replicas that do it at once forget the same.
func (s *Store) evictGroups(ctx context.Context, rule monitor.ID, room *groupRoom) error {
	ofRule := keptGroups().Where(goqu.C("rule_id").Eq(rule[:]))
	beyond := ofRule.Order(goqu.C("expires_at").Desc(), goqu.C("group_hash").Desc()).
		Offset(uint(max(0, s.correlating.MaxGroups))).Limit(10 * trimGroups) //nolint:gosec // not below 0
	for {
		groups, err := query(ctx, s.db, beyond, scanKept)
		if err != nil || len(groups) == 0 {
			return err
		}
		if !room.clean && room.definition != noDefinition {
			other := ofRule.Where(goqu.C("definition").Neq(room.definition[:])).Limit(uint(len(groups)))
			stale, err := query(ctx, s.db, other, scanKept)
			if err != nil {
				return err
			}
			if _, err := s.forget(ctx, stale); err != nil {
				return err
			}
			room.clean = len(stale) < len(groups)
			continue
		}
		live := slices.DeleteFunc(slices.Clone(groups), func(g keptGroup) bool { return g.expires.Before(s.now()) })
		dead := slices.DeleteFunc(groups, func(g keptGroup) bool { return !g.expires.Before(s.now()) })
		if _, err := s.forget(ctx, dead); err != nil {
			return err
		}
		n, err := s.forget(ctx, live)
		s.correlated.EvictedGroups.Add(int64(n))
		if err != nil {
			return err
		}
	}
}

// keptGroup is a group's row as somebody saw it.
type keptGroup struct {
	groupName
	expires time.Time
}

func keptGroups() *goqu.SelectDataset {
	return dialect.From("correlation_state").Select("rule_id", "group_hash", "expires_at")
}

func scanKept(r scanner) (g keptGroup, err error) {
	var key []byte
	err = r.Scan(idColumn{&g.rule}, &key, timeColumn{&g.expires})
	copy(g.key[:], key)
	return g, err
}

// forgetAll forgets what a statement selects, until it selects no more.
func (s *Store) forgetAll(ctx context.Context, which *goqu.SelectDataset) error {
	for {
		groups, err := query(ctx, s.db, which, scanKept)
		if err != nil || len(groups) == 0 {
			return err
		}
		if _, err := s.forget(ctx, groups); err != nil {
			return err
		}
	}
}

// forget deletes groups, unless they have counted something since they were seen. It
// gives how many it deleted.
func (s *Store) forget(ctx context.Context, groups []keptGroup) (deleted int, err error) {
	slices.SortFunc(groups, func(a, b keptGroup) int {
		return cmp.Or(bytes.Compare(a.rule[:], b.rule[:]), bytes.Compare(a.key[:], b.key[:]))
	})
	for len(groups) > 0 {
		n := 1
		for n < min(len(groups), trimGroups) && groups[n].rule == groups[0].rule {
			n++
		}
		// By the primary key, whatever the server thinks of it: another way would lock
		// rows that are not meant, or the keys before the rows, and so run into batches.
		text, args := "DELETE c FROM `correlation_state` c FORCE INDEX (PRIMARY) WHERE ", make([]any, 0, 3*n)
		for i, g := range groups[:n] {
			if i > 0 {
				text += " OR "
			}
			text += "(c.rule_id = ? AND c.group_hash = ? AND c.expires_at = ?)"
			args = append(args, bytesOf(g.rule[:]), bytesOf(g.key[:]), g.expires)
		}
		gone, err := affected(ctx, s.db, written{text, args})
		deleted += gone
		if err != nil {
			return deleted, err
		}
		groups = groups[n:]
	}
	return deleted, nil
}

func bytesOf(b []byte) []byte { return append([]byte(nil), b...) }

// affected runs a statement and gives how many rows it changed.
func affected(ctx context.Context, r runner, st statement) (int, error) {
	text, args, err := st.ToSQL()
	if err != nil {
		return 0, fmt.Errorf("build SQL: %w", err)
	}
	result, err := r.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, away(err)
	}
	n, err := result.RowsAffected()
	return int(n), err
}
