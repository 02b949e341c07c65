package db

import (
	"context"
	"fmt"

	"github.com/security-monitor/secmon/monitor"
)

// queued is a kind of noun that has a queue of deliveries of its own id.
type queued[T any] struct {
	name, table string
	load        func(*tx, context.Context, monitor.ID) (*T, error) // locked with its queue
	note        func(*tx, string, monitor.ID, *T, *T) error
	version     func(*T) int
	// The actions that take it away, send a delivery again, and note a test.
	remove, redeliver, test string
}

// change locks a noun and its queue, lets fn do its part, and notes it.
func (q *queued[T]) change(ctx context.Context, s *Store, actor monitor.Actor, action string, id monitor.ID, expected *int, fn func(*tx, *T) error) (*T, error) {
	var now *T
	err := s.change(ctx, actor, action, func(t *tx) error {
		was, err := q.load(t, ctx, id)
		if err != nil {
			return err
		}
		now = was
		next := *was
		if err := fn(t, &next); err != nil { // also who may not: they do not learn the version
			return err
		}
		if expected != nil && *expected != q.version(was) {
			return monitor.Errorf(monitor.CodeConflict, "the %s has changed since: it is at version %d, not %d", q.name, q.version(was), *expected)
		}
		after := &next
		if action == q.remove {
			after = nil
		}
		now = &next
		return q.note(t, action, id, was, after)
	})
	if err != nil {
		return now, fmt.Errorf("%s %s: %w", action, id, err)
	}
	return now, nil
}

// delete takes a noun away, with its queue and deliveries.
func (q *queued[T]) delete(ctx context.Context, s *Store, actor monitor.Actor, id monitor.ID, expected *int, may func(*T) error) error {
	_, err := q.change(ctx, s, actor, q.remove, id, expected, func(t *tx, noun *T) error {
		if err := may(noun); err != nil {
			return err
		}
		return t.deleteQueued(ctx, q.table, id)
	})
	return err
}

// again lets a delivery that is over be sent again, or one that waits be tried now,
// under the same idempotency key.
func (q *queued[T]) again(ctx context.Context, s *Store, actor monitor.Actor, id monitor.ID, may func(*T) error) (*monitor.Delivery, error) {
	return s.redeliver(ctx, id, func(d *monitor.Delivery, again func(*tx) error) error {
		_, err := q.change(ctx, s, actor, q.redeliver, d.Queue, nil, func(t *tx, noun *T) error {
			if err := may(noun); err != nil {
				return err
			}
			return again(t)
		})
		return err
	})
}

// keepTest keeps a test, which was sent already, in the log.
func (q *queued[T]) keepTest(ctx context.Context, s *Store, actor monitor.Actor, id monitor.ID, test *monitor.Delivery) error {
	_, err := q.change(ctx, s, actor, q.test, id, nil, func(t *tx, _ *T) error { return t.keepTest(ctx, id, test) })
	return err
}

// around notes the difference that fn makes to a noun.
func (q *queued[T]) around(ctx context.Context, t *tx, id monitor.ID, fn func() error) error {
	was, err := q.load(t, ctx, id)
	if err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	next, err := q.load(t, ctx, id)
	if err != nil {
		return err
	}
	return q.note(t, t.action, id, was, next)
}
