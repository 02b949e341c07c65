package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var deliveryColumns = []string{
	"id", "queue_id", "number", "state", "test", "body", "bytes", "attempts", "log", "next_at", "since", "done_at", "created_at",
}

// Deliveries gives one page of a queue's deliveries, latest first, without bodies.
func (s *Store) Deliveries(ctx context.Context, of monitor.ID, state *monitor.DeliveryState, args page.Args) (*monitor.DeliveryConnection, error) {
	st := deliveries(false).Where(goqu.C("queue_id").Eq(of[:])).
		Order(goqu.C("number").Desc()).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if state != nil {
		st = st.Where(goqu.C("state").Eq(string(*state)))
	}
	if args.After != "" {
		var number int64
		if err := page.DecodeCursor(args.After, &number); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		st = st.Where(goqu.C("number").Lt(number))
	}
	found, err := query(ctx, s.db, st, scanDelivery)
	if err != nil {
		return nil, fmt.Errorf("list deliveries of %s: %w", of, err)
	}
	return page.Build(found, args, func(d *monitor.Delivery) string { return page.EncodeCursor(d.Number) }), nil
}

// Delivery gives one delivery with its body; NOT_FOUND without it.
func (s *Store) Delivery(ctx context.Context, id monitor.ID) (*monitor.Delivery, error) {
	d, found, err := one(ctx, s.db, deliveries(true).Where(goqu.C("id").Eq(id[:])), scanDelivery)
	if err != nil {
		return nil, fmt.Errorf("load delivery %s: %w", id, err)
	}
	if !found {
		return nil, monitor.Errorf(monitor.CodeNotFound, "there is no such delivery (any more)")
	}
	return d, nil
}

// Enqueue makes deliveries of what a queue was told between two of its positions, and
// moves it there: both or nothing. ErrLeaseLost where the lease is another's, or the
// queue is not at from.
func (s *Store) Enqueue(ctx context.Context, lease monitor.Lease, from, to monitor.Position, bodies [][]byte) error {
	err := s.change(ctx, monitor.SystemActor, "delivery.enqueue", func(t *tx) error {
		q, numbered, err := t.lockLeased(ctx, lease)
		if err != nil {
			return err
		}
		if q.Reached != from.Cursor() {
			return monitor.ErrLeaseLost // it was sent elsewhere by a replay
		}
		rows := make([]any, len(bodies))
		for i, body := range bodies {
			numbered++
			rows[i] = deliveryRow(newDelivery(lease.Queue, numbered, body, t.now), to.Seq)
		}
		for _, row := range rows { // one by one: a statement has to fit into a packet
			if err := exec(ctx, t, dialect.Insert("deliveries").Rows(row)); err != nil {
				return err
			}
		}
		return exec(ctx, t, dialect.Update("delivery_queues").Set(goqu.Record{"reached": to.Cursor(), "numbered": numbered}).Where(goqu.C("id").Eq(lease.Queue[:])))
	})
	if err != nil {
		return fmt.Errorf("enqueue deliveries of %s: %w", lease.Queue, err)
	}
	return nil
}

// newDelivery makes one that waits. A body that is too large never leaves: it is
// given up at once, and says so.
func newDelivery(queue monitor.ID, number int64, body []byte, now time.Time) *monitor.Delivery {
	d := &monitor.Delivery{
		ID: monitor.NewID(now), Queue: queue, Number: number, State: monitor.DeliveryPending, Body: body, Bytes: len(body),
		NextAt: now, Since: now, CreatedAt: now,
	}
	if len(body) > monitor.MaxDeliveryBody {
		d.State, d.Body, d.DoneAt = monitor.DeliveryFailed, nil, now
		d.Log = []monitor.DeliveryAttempt{{At: now, Error: fmt.Sprintf("the body has %d bytes, at most %d are sent: select less", len(body), monitor.MaxDeliveryBody)}}
	}
	return d
}

// DueDeliveries gives up to limit deliveries that are to be sent now, with their
// bodies, and when the next one is (zero: none waits). In order it is the oldest one
// or none. Those of busy are under way and left out.
func (s *Store) DueDeliveries(ctx context.Context, lease monitor.Lease, inOrder bool, limit int, busy []monitor.ID) (due []*monitor.Delivery, next time.Time, err error) {
	waiting := goqu.Ex{"queue_id": lease.Queue[:], "state": string(monitor.DeliveryPending)}
	first := dialect.From("deliveries").Select("id", "next_at").Where(waiting).Limit(uint(limit + len(busy))) //nolint:gosec // small constants
	if inOrder {
		first = first.Order(goqu.C("number").Asc()).Limit(1)
	} else {
		first = first.Order(goqu.C("next_at").Asc(), goqu.C("id").Asc())
	}
	type place struct {
		id monitor.ID
		at time.Time
	}
	places, err := query(ctx, s.db, first, func(r scanner) (p place, err error) { return p, r.Scan(idColumn{&p.id}, timeColumn{&p.at}) })
	if err != nil {
		return nil, next, fmt.Errorf("look for due deliveries of %s: %w", lease.Queue, err)
	}
	taken := make(map[monitor.ID]bool, len(busy))
	for _, id := range busy {
		taken[id] = true
	}
	now := s.now()
	for _, p := range places {
		switch {
		case taken[p.id]:
		case p.at.After(now):
			if next.IsZero() || p.at.Before(next) {
				next = p.at
			}
		case len(due) < limit:
			d, found, err := one(ctx, s.db, deliveries(true).Where(goqu.C("id").Eq(p.id[:]), goqu.C("state").Eq(string(monitor.DeliveryPending))), scanDelivery)
			if err != nil {
				return nil, next, fmt.Errorf("load delivery %s: %w", p.id, err)
			}
			if found {
				due = append(due, d)
			}
		}
	}
	return due, next, nil
}

// SettleDelivery notes a try to send, and what became of it: pending ones are tried
// again at next. ErrLeaseLost where the lease is another's: they try it too.
func (s *Store) SettleDelivery(ctx context.Context, lease monitor.Lease, d *monitor.Delivery, attempt monitor.DeliveryAttempt, state monitor.DeliveryState, next time.Time) error {
	err := s.change(ctx, monitor.SystemActor, "delivery.settle", func(t *tx) error {
		q, _, err := t.lockLeased(ctx, lease)
		if err != nil {
			return err
		}
		now := *d
		now.Log = append(now.Log[:len(now.Log):len(now.Log)], attempt)
		if over := len(now.Log) - monitor.MaxDeliveryLog; over > 0 {
			now.Log = now.Log[over:]
		}
		set := goqu.Record{"state": string(state), "attempts": d.Attempts + 1, "log": jsonColumn{now.Log}}
		if state == monitor.DeliveryPending {
			set["next_at"] = next
		} else {
			set["done_at"] = t.now
		}
		st := dialect.Update("deliveries").Set(set).Where(goqu.C("id").Eq(d.ID[:]), goqu.C("state").Eq(string(monitor.DeliveryPending)))
		if err := exec(ctx, t, st); err != nil {
			return err
		}
		if state == monitor.DeliveryDelivered {
			q.FailingSince, q.LastSuccess, q.LastError = time.Time{}, t.now, ""
		} else {
			if q.FailingSince.IsZero() {
				q.FailingSince = t.now
			}
			q.LastError = clip(attempt.Error, 1_000)
		}
		return exec(ctx, t, dialect.Update("delivery_queues").Set(goqu.Record{
			"failing_since": nullTime(q.FailingSince), "last_success": nullTime(q.LastSuccess), "last_error": q.LastError,
		}).Where(goqu.C("id").Eq(lease.Queue[:])))
	})
	if err != nil {
		return fmt.Errorf("settle delivery %s: %w", d.ID, err)
	}
	return nil
}

// redeliver lets a delivery be sent again; in gives the transaction that notes it.
func (s *Store) redeliver(ctx context.Context, id monitor.ID, in func(d *monitor.Delivery, again func(*tx) error) error) (*monitor.Delivery, error) {
	d, err := s.Delivery(ctx, id)
	if err != nil {
		return nil, err
	}
	if d.Body == nil || d.Test {
		return nil, monitor.Errorf(monitor.CodeConflict, "it cannot be sent again: its body is not kept, or it was a test")
	}
	err = in(d, func(t *tx) error {
		return exec(ctx, t, dialect.Update("deliveries").Set(goqu.Record{"state": string(monitor.DeliveryPending), "next_at": t.now, "since": t.now, "done_at": nil}).
			Where(goqu.C("id").Eq(id[:])))
	})
	if err != nil {
		return nil, err
	}
	return s.Delivery(ctx, id)
}

// keepTest keeps a test, which was sent already, in the log of a queue.
func (t *tx) keepTest(ctx context.Context, queue monitor.ID, test *monitor.Delivery) error {
	numbered, _, err := one(ctx, t, dialect.From("delivery_queues").Select("numbered").Where(goqu.C("id").Eq(queue[:])), scanInt)
	if err != nil {
		return err
	}
	test.Queue, test.Number, test.Test = queue, int64(numbered+1), true
	if err := exec(ctx, t, dialect.Update("delivery_queues").Set(goqu.Record{"numbered": test.Number}).Where(goqu.C("id").Eq(queue[:]))); err != nil {
		return err
	}
	return exec(ctx, t, dialect.Insert("deliveries").Rows(deliveryRow(test, 0)))
}

// Bounds of what is kept of a queue's deliveries that are over.
const (
	deliveryMemory = 7 * 24 * time.Hour
	deliveriesKept = 1_000
	bodiesKept     = 64 << 20 // bytes
)

// TrimDeliveries forgets old deliveries, and the bodies of more than a queue may
// keep. Those that wait stay.
func (s *Store) TrimDeliveries(ctx context.Context) error {
	return s.trimDeliveries(ctx, deliveryMemory, deliveriesKept, bodiesKept)
}

func (s *Store) trimDeliveries(ctx context.Context, memory time.Duration, most, bytes int) error {
	queues, err := query(ctx, s.db, dialect.From("delivery_queues").Select("id"), scanID)
	if err != nil {
		return fmt.Errorf("trim deliveries: %w", err)
	}
	type size struct {
		number int64
		bytes  int
		at     time.Time
	}
	for _, id := range queues {
		over := goqu.And(goqu.C("queue_id").Eq(id[:]), goqu.C("state").Neq(string(monitor.DeliveryPending)))
		sizes := dialect.From("deliveries").Select("number", "bytes", "created_at").Where(over).Order(goqu.C("number").Desc()).Limit(uint(most + 1)) //nolint:gosec // a constant
		kept, err := query(ctx, s.db, sizes, func(r scanner) (x size, err error) { return x, r.Scan(&x.number, &x.bytes, timeColumn{&x.at}) })
		if err != nil {
			return fmt.Errorf("trim deliveries of %s: %w", id, err)
		}
		forgotten, bodiless, sum := int64(0), int64(0), 0
		for i, x := range kept {
			if i == most || s.now().Sub(x.at) > memory {
				forgotten = x.number
				break
			}
			if sum += x.bytes; sum > bytes && bodiless == 0 {
				bodiless = x.number
			}
		}
		if forgotten > 0 {
			if err := exec(ctx, s.db, dialect.Delete("deliveries").Where(over, goqu.C("number").Lte(forgotten))); err != nil {
				return fmt.Errorf("trim deliveries of %s: %w", id, err)
			}
		}
		if bodiless > 0 {
			if err := exec(ctx, s.db, dialect.Update("deliveries").Set(goqu.Record{"body": nil}).Where(over, goqu.C("number").Lte(bodiless))); err != nil {
				return fmt.Errorf("trim bodies of %s: %w", id, err)
			}
		}
	}
	return nil
}

func deliveries(bodies bool) *goqu.SelectDataset {
	columns := columnList(deliveryColumns)
	if !bodies {
		columns[5] = goqu.L("NULL")
	}
	return dialect.From("deliveries").Select(columns...)
}

func deliveryRow(d *monitor.Delivery, seq uint64) goqu.Record {
	log := d.Log
	if log == nil {
		log = []monitor.DeliveryAttempt{}
	}
	row := goqu.Record{
		"id": append([]byte(nil), d.ID[:]...), "queue_id": append([]byte(nil), d.Queue[:]...), "number": d.Number, "state": string(d.State), "test": d.Test,
		"seq": seq, "body": d.Body, "bytes": d.Bytes, "attempts": d.Attempts, "log": jsonColumn{log}, "next_at": d.NextAt, "since": d.Since,
		"done_at": nullTime(d.DoneAt), "created_at": d.CreatedAt,
	}
	if d.Body == nil {
		row["body"] = nil
	}
	return row
}

func scanDelivery(r scanner) (*monitor.Delivery, error) {
	d := &monitor.Delivery{}
	return d, r.Scan(idColumn{&d.ID}, idColumn{&d.Queue}, &d.Number, &d.State, &d.Test, &d.Body, &d.Bytes, &d.Attempts, jsonColumn{&d.Log},
		timeColumn{&d.NextAt}, timeColumn{&d.Since}, timeColumn{&d.DoneAt}, timeColumn{&d.CreatedAt})
}
