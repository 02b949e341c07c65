package db

import (
	"context"
	"fmt"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// ClaimAlert says that a person looks at an alert, for monitor.ClaimLease from
// now. While somebody else's lease runs it is a CONFLICT, unless takeOver. A
// claim leaves the version as it is: it must not refuse anybody's work.
func (s *Store) ClaimAlert(ctx context.Context, actor monitor.Actor, id, by monitor.ID, takeOver bool) (*monitor.Alert, error) {
	return s.holdAlert(ctx, actor, monitor.ActionAlertClaim, id, func(a *monitor.Alert, t *tx) (bool, error) {
		return a.Claim(by, takeOver, t.now)
	})
}

// ReleaseAlert ends a person's claim; without one it does nothing.
func (s *Store) ReleaseAlert(ctx context.Context, actor monitor.Actor, id, by monitor.ID) (*monitor.Alert, error) {
	return s.holdAlert(ctx, actor, monitor.ActionAlertRelease, id, func(a *monitor.Alert, _ *tx) (bool, error) {
		return a.Release(by), nil
	})
}

func (s *Store) holdAlert(ctx context.Context, actor monitor.Actor, action string, id monitor.ID, hold func(*monitor.Alert, *tx) (bool, error)) (*monitor.Alert, error) {
	var now *monitor.Alert
	err := s.change(ctx, actor, action, func(t *tx) error {
		was, err := t.lockAlert(ctx, id)
		if err != nil {
			return err
		}
		now = was
		next := *was
		changed, err := hold(&next, t)
		if err != nil || !changed {
			return err
		}
		now = &next
		set := goqu.Record{"claimed_by": nullID(next.ClaimedBy), "claimed_until": nullTime(next.ClaimedUntil)}
		if err := exec(ctx, t, dialect.Update("alerts").Set(set).Where(goqu.C("id").Eq(id[:]))); err != nil {
			return err
		}
		change, err := monitor.NewChange(monitor.KindAlert, id, action, was, &next)
		t.changes = append(t.changes, change)
		return err
	})
	if err != nil {
		return now, fmt.Errorf("%s %s: %w", action, id, err)
	}
	return now, nil
}
