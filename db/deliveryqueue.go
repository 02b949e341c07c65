package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

var queueColumns = []string{
	"id", "kind", "active", "reached", "pause", "pause_text", "paused_at", "failing_since", "last_success", "last_error",
}

// LeaseQueues renews the leases of an owner, takes free queues of those kinds, up to
// limit in all, and gives all that the owner holds. A lease that is not renewed in
// time is anybody's.
func (s *Store) LeaseQueues(ctx context.Context, owner string, kinds []monitor.Kind, lasts time.Duration, limit int) ([]monitor.Lease, error) {
	now := s.now()
	works := goqu.Ex{"active": 1, "pause": ""}
	mine := goqu.C("lease_owner").Eq(owner)
	renew := dialect.Update("delivery_queues").Set(goqu.Record{"lease_until": now.Add(lasts)}).Where(works, mine)
	if err := exec(ctx, s.db, renew); err != nil {
		return nil, fmt.Errorf("renew leases: %w", err)
	}
	st := dialect.From("delivery_queues").Select("id", "kind", "lease_token").Where(works, mine, goqu.C("kind").In(kinds)).Order(goqu.C("id").Asc())
	scan := func(r scanner) (l monitor.Lease, err error) {
		l.Owner = owner
		return l, r.Scan(idColumn{&l.Queue}, &l.Kind, &l.Token)
	}
	held, err := query(ctx, s.db, st, scan)
	if err != nil {
		return nil, fmt.Errorf("list leases: %w", err)
	}
	if len(held) >= limit {
		return held, nil
	}
	// Claimed by compare and set: who comes second changes nothing.
	free := goqu.Or(goqu.C("lease_owner").Eq(""), goqu.C("lease_until").Lt(now))
	claim := dialect.Update("delivery_queues").Set(goqu.Record{"lease_owner": owner, "lease_until": now.Add(lasts), "lease_token": goqu.L("lease_token + 1")}).
		Where(works, free, goqu.C("kind").In(kinds)).Order(goqu.C("id").Asc()).Limit(uint(limit - len(held))) //nolint:gosec // positive
	if err := exec(ctx, s.db, claim); err != nil {
		return nil, fmt.Errorf("claim queues: %w", err)
	}
	if held, err = query(ctx, s.db, st, scan); err != nil {
		return nil, fmt.Errorf("list leases: %w", err)
	}
	return held, nil
}

// ReleaseQueues gives all leases of an owner back.
func (s *Store) ReleaseQueues(ctx context.Context, owner string) error {
	st := dialect.Update("delivery_queues").Set(goqu.Record{"lease_owner": "", "lease_until": nil}).Where(goqu.C("lease_owner").Eq(owner))
	if err := exec(ctx, s.db, st); err != nil {
		return fmt.Errorf("release queues: %w", err)
	}
	return nil
}

// LeasedQueue gives a queue with what waits in it; ErrLeaseLost where the lease is another's.
func (s *Store) LeasedQueue(ctx context.Context, lease monitor.Lease) (*monitor.DeliveryQueue, error) {
	q, found, err := one(ctx, s.db, leased(lease, queueColumns), scanQueue)
	if err != nil {
		return nil, fmt.Errorf("load queue %s: %w", lease.Queue, err)
	}
	if !found {
		return nil, monitor.ErrLeaseLost
	}
	return q, s.countWaiting(ctx, []*monitor.DeliveryQueue{q})
}

func (s *Store) countWaiting(ctx context.Context, queues []*monitor.DeliveryQueue) error {
	byID := map[monitor.ID]*monitor.DeliveryQueue{}
	ids := make([]monitor.ID, len(queues))
	for i, q := range queues {
		byID[q.ID], ids[i] = q, q.ID
	}
	if len(ids) == 0 {
		return nil
	}
	st := dialect.From("deliveries").Select("queue_id", goqu.COUNT(goqu.Star()), goqu.COALESCE(goqu.SUM("bytes"), 0)).
		Where(goqu.C("queue_id").In(idList(ids)), goqu.C("state").Eq(string(monitor.DeliveryPending))).GroupBy("queue_id")
	_, err := query(ctx, s.db, st, func(r scanner) (none struct{}, err error) {
		var id monitor.ID
		var n int
		var bytes int64
		if err := r.Scan(idColumn{&id}, &n, &bytes); err != nil {
			return none, err
		}
		if q := byID[id]; q != nil {
			q.Waiting, q.WaitingBytes = n, bytes
		}
		return none, nil
	})
	if err != nil {
		return fmt.Errorf("count deliveries that wait: %w", err)
	}
	return nil
}

// PauseQueue stops a queue that cannot go on by itself, and notes it in the journal
// of its owner. ErrLeaseLost where the lease is another's.
func (s *Store) PauseQueue(ctx context.Context, lease monitor.Lease, reason monitor.PauseReason, text string) error {
	err := s.change(ctx, monitor.SystemActor, pauseActions[lease.Kind], func(t *tx) error {
		if _, _, err := t.lockLeased(ctx, lease); err != nil {
			return err
		}
		return t.noteQueue(ctx, lease.Kind, lease.Queue, func() error {
			return exec(ctx, t, dialect.Update("delivery_queues").Set(goqu.Record{
				"pause": string(reason), "pause_text": clip(text, 1_000), "paused_at": t.now,
			}).Where(goqu.C("id").Eq(lease.Queue[:])))
		})
	})
	if err != nil {
		return fmt.Errorf("pause queue %s: %w", lease.Queue, err)
	}
	return nil
}

var pauseActions = map[monitor.Kind]string{monitor.KindWebhook: monitor.ActionWebhookPause, monitor.KindChannel: monitor.ActionChannelPause}

// noteQueue notes what fn does to a queue as a change of the noun that it belongs to.
func (t *tx) noteQueue(ctx context.Context, kind monitor.Kind, id monitor.ID, fn func() error) error {
	switch kind {
	case monitor.KindWebhook:
		return queuedWebhook.around(ctx, t, id, fn)
	case monitor.KindChannel:
		return queuedChannel.around(ctx, t, id, fn)
	default:
		return fmt.Errorf("a queue of kind %s", kind)
	}
}

// queuedTable gives the nouns of a table, each beside its queue, which has its id.
func queuedTable(table string, own []string) *goqu.SelectDataset {
	var columns []any
	names := make([]string, 0, len(own)+len(queueColumns))
	for _, c := range own {
		columns, names = append(columns, goqu.I("n."+c)), append(names, c)
	}
	for _, c := range queueColumns {
		columns, names = append(columns, goqu.I("q."+c).As("queue_"+c)), append(names, "queue_"+c)
	}
	both := dialect.From(goqu.T(table).As("n")).Join(goqu.T("delivery_queues").As("q"), goqu.On(goqu.I("q.id").Eq(goqu.I("n.id")))).Select(columns...)
	return dialect.From(both.As("queued")).Select(columnList(names)...)
}

func (t *tx) insertQueue(ctx context.Context, q *monitor.DeliveryQueue) error {
	return exec(ctx, t, dialect.Insert("delivery_queues").Rows(goqu.Record{
		"id": q.ID[:], "kind": string(q.Kind), "active": q.Active, "reached": q.Reached,
	}))
}

// lockQueue locks a queue, and with it its noun: whoever changes that locks it first.
func (t *tx) lockQueue(ctx context.Context, id monitor.ID) error {
	_, err := query(ctx, t, dialect.From("delivery_queues").Select("id").Where(goqu.C("id").Eq(id[:])).ForUpdate(goqu.Wait), scanID)
	return err
}

// deleteQueued takes a noun of a table away, with its queue and deliveries.
func (t *tx) deleteQueued(ctx context.Context, table string, id monitor.ID) error {
	for _, of := range []struct{ table, column string }{{table, "id"}, {"delivery_queues", "id"}, {"deliveries", "queue_id"}} {
		if err := exec(ctx, t, dialect.Delete(of.table).Where(goqu.C(of.column).Eq(id[:]))); err != nil {
			return err
		}
	}
	return nil
}

// resumeQueue lets a queue go on, and what waits in it be tried at once.
func (t *tx) resumeQueue(ctx context.Context, id monitor.ID) error {
	if err := exec(ctx, t, dialect.Update("delivery_queues").Set(goqu.Record{
		"pause": "", "pause_text": "", "paused_at": nil, "failing_since": nil,
	}).Where(goqu.C("id").Eq(id[:]))); err != nil {
		return err
	}
	return exec(ctx, t, dialect.Update("deliveries").Set(goqu.Record{"next_at": t.now, "since": t.now}).
		Where(goqu.C("queue_id").Eq(id[:]), goqu.C("state").Eq(string(monitor.DeliveryPending))))
}

// lockLeased locks a queue that works and whose lease is held; numbered is the last
// number that was given to a delivery.
func (t *tx) lockLeased(ctx context.Context, lease monitor.Lease) (q *monitor.DeliveryQueue, numbered int64, err error) {
	columns := append(queueColumns[:len(queueColumns):len(queueColumns)], "numbered")
	q, found, err := one(ctx, t, leased(lease, columns).ForUpdate(goqu.Wait), func(r scanner) (*monitor.DeliveryQueue, error) {
		q := &monitor.DeliveryQueue{}
		return q, r.Scan(append(queueFields(q), &numbered)...)
	})
	if err == nil && !found {
		err = monitor.ErrLeaseLost
	}
	return q, numbered, err
}

func leased(lease monitor.Lease, columns []string) *goqu.SelectDataset {
	return dialect.From("delivery_queues").Select(columnList(columns)...).Where(goqu.Ex{
		"id": lease.Queue[:], "lease_owner": lease.Owner, "lease_token": lease.Token, "active": 1, "pause": "",
	})
}

func scanQueue(r scanner) (*monitor.DeliveryQueue, error) {
	q := &monitor.DeliveryQueue{}
	return q, r.Scan(queueFields(q)...)
}

func queueFields(q *monitor.DeliveryQueue) []any {
	return []any{
		idColumn{&q.ID},
		&q.Kind, &q.Active, &q.Reached, &q.Pause, &q.PauseText,
		timeColumn{&q.PausedAt},
		timeColumn{&q.FailingSince},
		timeColumn{&q.LastSuccess},
		&q.LastError,
	}
}
