package db

import (
	"context"
	"fmt"
	"slices"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// placeholdersID is the key of the row of table settings that holds them.
const placeholdersID = 2

// Placeholders gives the lists of values that stand for placeholders in rules.
func (s *Store) Placeholders(ctx context.Context) (*monitor.PlaceholderSet, error) {
	set, found, err := one(ctx, s.db, dialect.From("settings").Select("body").Where(goqu.C("id").Eq(placeholdersID)), scanPlaceholders)
	if err != nil {
		return nil, fmt.Errorf("load placeholders: %w", err)
	}
	if !found {
		set = &monitor.PlaceholderSet{}
	}
	return set, nil
}

// Judge says whether a rule's text runs with these lists, and if not why.
type Judge func(source string, lists monitor.Placeholders) (monitor.RuleState, string)

// SetPlaceholder sets a list of values, or deletes it when it has none, and lets
// judge say of each rule that reads lists whether it runs now. CONFLICT where the
// list is at another version than expected, 0 for one that is not there. It gives
// the list as it is now; of a deleted one, as it was.
func (s *Store) SetPlaceholder(ctx context.Context, actor monitor.Actor, expected *int, list *monitor.Placeholder, judge Judge) (*monitor.Placeholder, error) {
	var now *monitor.Placeholder
	action := monitor.ActionPlaceholderSet
	if len(list.Values) == 0 {
		action = monitor.ActionPlaceholderDrop
	}
	err := s.change(ctx, actor, action, func(t *tx) error {
		set, err := t.lockPlaceholders(ctx)
		if err != nil {
			return err
		}
		var was *monitor.Placeholder
		if was, now, err = edit(set, expected, list); err != nil {
			return err
		}
		now.UpdatedAt = t.now
		set.Version++
		if err := exec(ctx, t, dialect.Update("settings").Set(goqu.Record{"body": jsonColumn{set}}).Where(goqu.C("id").Eq(placeholdersID))); err != nil {
			return err
		}
		noted, err := monitor.NewChange(monitor.KindSettings, monitor.ID{}, action, was, now)
		if err != nil {
			return err
		}
		t.changes = append(t.changes, noted) // first: by it replicas know what to load
		return t.judgeRules(ctx, set.Lists(), judge)
	})
	if err != nil {
		return nil, fmt.Errorf("set placeholder %s: %w", list.Name, err)
	}
	return now, nil
}

func (t *tx) lockPlaceholders(ctx context.Context) (*monitor.PlaceholderSet, error) {
	// The row is made first, so that two at once wait for one another.
	first := dialect.Insert("settings").Rows(goqu.Record{"id": placeholdersID, "body": jsonColumn{&monitor.PlaceholderSet{}}}).
		OnConflict(goqu.DoUpdate("", goqu.Record{"id": placeholdersID}))
	if err := exec(ctx, t, first); err != nil {
		return nil, err
	}
	set, _, err := one(ctx, t, dialect.From("settings").Select("body").Where(goqu.C("id").Eq(placeholdersID)).ForUpdate(goqu.Wait), scanPlaceholders)
	return set, err
}

// edit puts a list into the set, or takes it out, and gives it before and after.
func edit(set *monitor.PlaceholderSet, expected *int, list *monitor.Placeholder) (was, now *monitor.Placeholder, err error) {
	at, found := set.Find(list.Name)
	version := 0
	if found {
		was = set.All[at]
		version = was.Version
	}
	next := *list
	next.Version = version + 1
	switch remove := len(list.Values) == 0; {
	case expected != nil && *expected != version:
		return nil, nil, monitor.Errorf(monitor.CodeConflict, "the list has changed since: it is at version %d, not %d", version, *expected)
	case remove && !found:
		return nil, nil, monitor.Errorf(monitor.CodeNotFound, "there is no such list")
	case remove:
		next.Name, next.Values = was.Name, []string{}
		set.All = slices.Delete(set.All, at, at+1)
	case found:
		set.All[at] = &next
	case len(set.All) >= monitor.MaxPlaceholders:
		return nil, nil, monitor.InputErrorf("name", "there are %d lists already, as many as can be", monitor.MaxPlaceholders)
	default:
		set.All = slices.Insert(set.All, at, &next)
	}
	return was, &next, nil
}

// readsLists is in the text of every rule that reads lists.
const readsLists = "|expand"

// judgeRules notes of each rule that reads lists whether it runs with these.
func (t *tx) judgeRules(ctx context.Context, lists monitor.Placeholders, judge Judge) error {
	st := dialect.From("rules").Select(columnList(ruleColumns)...).Where(goqu.C("source").Like("%" + readsLists + "%")).Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait)
	rules, err := query(ctx, t, st, scanRule)
	if err != nil {
		return fmt.Errorf("lock rules with placeholders: %w", err)
	}
	for _, was := range rules {
		next := *was
		next.State, next.StateReason = judge(was.Source, lists)
		if next.State == was.State && next.StateReason == was.StateReason {
			continue
		}
		next.UpdatedAt = t.now
		update := dialect.Update("rules").Set(goqu.Record{"state": string(next.State), "state_reason": next.StateReason, "updated_at": t.now}).Where(goqu.C("id").Eq(was.ID[:]))
		if err := exec(ctx, t, update); err != nil {
			return fmt.Errorf("write state of rule %s: %w", was.ID, err)
		}
		noted, err := monitor.NewChange(monitor.KindRule, was.ID, monitor.ActionRuleState, was, &next)
		if err != nil {
			return err
		}
		t.changes = append(t.changes, noted)
	}
	return nil
}

func scanPlaceholders(r scanner) (*monitor.PlaceholderSet, error) {
	set := &monitor.PlaceholderSet{}
	return set, r.Scan(jsonColumn{set})
}
