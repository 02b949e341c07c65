package db

import (
	"context"
	"fmt"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// settingsID is the key of the only row.
const settingsID = 1

// Overrides gives what administrators have set; where nothing was ever set, the
// version is 0.
func (s *Store) Overrides(ctx context.Context) (*monitor.Overrides, error) {
	o, found, err := one(ctx, s.db, dialect.From("settings").Select("body").Where(goqu.C("id").Eq(settingsID)), scanOverrides)
	if err != nil {
		return nil, fmt.Errorf("load settings: %w", err)
	}
	if !found {
		o = &monitor.Overrides{}
	}
	return o, nil
}

// UpdateOverrides changes what administrators have set. CONFLICT where it is at
// another version than expected.
func (s *Store) UpdateOverrides(ctx context.Context, actor monitor.Actor, expected *int, change func(*monitor.Overrides) error) (*monitor.Overrides, error) {
	var now *monitor.Overrides
	err := s.change(ctx, actor, monitor.ActionSettingsUpdate, func(t *tx) error {
		// The row is made first, so that two at once wait for one another.
		first := dialect.Insert("settings").Rows(goqu.Record{"id": settingsID, "body": jsonColumn{&monitor.Overrides{}}}).OnConflict(goqu.DoUpdate("", goqu.Record{"id": settingsID}))
		if err := exec(ctx, t, first); err != nil {
			return err
		}
		was, _, err := one(ctx, t, dialect.From("settings").Select("body").Where(goqu.C("id").Eq(settingsID)).ForUpdate(goqu.Wait), scanOverrides)
		if err != nil {
			return err
		}
		if expected != nil && *expected != was.Version {
			return monitor.Errorf(monitor.CodeConflict, "the settings have changed since: they are at version %d, not %d", was.Version, *expected)
		}
		next := *was
		if err := change(&next); err != nil {
			return err
		}
		next.Version, next.UpdatedAt, now = was.Version+1, t.now, &next
		if err := exec(ctx, t, dialect.Update("settings").Set(goqu.Record{"body": jsonColumn{&next}}).Where(goqu.C("id").Eq(settingsID))); err != nil {
			return err
		}
		noted, err := monitor.NewChange(monitor.KindSettings, monitor.ID{}, monitor.ActionSettingsUpdate, was, &next)
		t.changes = append(t.changes, noted)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("update settings: %w", err)
	}
	return now, nil
}

func scanOverrides(r scanner) (*monitor.Overrides, error) {
	o := &monitor.Overrides{}
	return o, r.Scan(jsonColumn{o})
}
