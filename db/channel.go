package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

var channelColumns = []string{
	"id", "version", "name", "kind", "settings", "secret_at", "owner_id", "role", "line", "tells", "after_minutes", "group_minutes", "quiet", "template",
	"enabled", "created_at", "updated_at",
}

// Channels gives one page of channels, latest first: those of an owner, or all where
// it is zero.
func (s *Store) Channels(ctx context.Context, owner monitor.ID, args page.Args) (*monitor.ChannelConnection, error) {
	st := queuedTable("channels", channelColumns)
	if !owner.IsZero() {
		st = st.Where(goqu.C("owner_id").Eq(owner[:]))
	}
	st, err := newestFirst(st, args)
	if err != nil {
		return nil, err
	}
	found, err := s.channels(ctx, st)
	if err != nil {
		return nil, fmt.Errorf("list channels: %w", err)
	}
	return page.Build(found, args, func(c *monitor.Channel) string { return page.EncodeCursor(c.CreatedAt, c.ID) }), nil
}

// ChannelsByID gives the channels with those ids, in no order; missing ones are left out.
func (s *Store) ChannelsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Channel, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := s.channels(ctx, queuedTable("channels", channelColumns).Where(goqu.C("id").In(idList(ids))))
	if err != nil {
		return nil, fmt.Errorf("load %d channels: %w", len(ids), err)
	}
	return found, nil
}

func (s *Store) channels(ctx context.Context, st *goqu.SelectDataset) ([]*monitor.Channel, error) {
	found, err := query(ctx, s.db, st, scanChannel)
	if err != nil {
		return nil, err
	}
	queues := make([]*monitor.DeliveryQueue, len(found))
	for i, c := range found {
		queues[i] = &c.Queue
	}
	return found, s.countWaiting(ctx, queues)
}

// ChannelSecret gives the sealed secret, nil where there is none.
func (s *Store) ChannelSecret(ctx context.Context, id monitor.ID) ([]byte, error) {
	st := dialect.From("channels").Select("secret").Where(goqu.C("id").Eq(id[:]))
	secret, _, err := one(ctx, s.db, st, func(r scanner) (sealed []byte, err error) { return sealed, r.Scan(&sealed) })
	if err != nil {
		return nil, fmt.Errorf("load secret of channel %s: %w", id, err)
	}
	return secret, nil
}

// CreateChannel stores a channel whose first message tells of what comes behind from.
// seal is given the new id, which the secret is bound to; nil: there is no secret.
func (s *Store) CreateChannel(ctx context.Context, actor monitor.Actor, made monitor.Channel, from monitor.Position, seal func(monitor.ID) ([]byte, error)) (*monitor.Channel, error) {
	if err := made.Check(); err != nil {
		return nil, err
	}
	err := s.change(ctx, actor, monitor.ActionChannelCreate, func(t *tx) error {
		// Two at once may both be the last: a bound against floods need not be exact.
		there, _, err := one(ctx, t, dialect.From("channels").Select(goqu.COUNT(goqu.Star())), scanInt)
		if err != nil {
			return err
		}
		if there >= monitor.MaxChannels {
			return monitor.Errorf(monitor.CodeConflict, "there are %d channels already", monitor.MaxChannels)
		}
		made.ID, made.Version, made.CreatedAt, made.UpdatedAt = monitor.NewID(t.now), 1, t.now, t.now
		made.Queue = monitor.DeliveryQueue{ID: made.ID, Kind: monitor.KindChannel, Active: made.Enabled, Reached: from.Cursor()}
		row, err := t.channelRow(&made, seal)
		if err != nil {
			return err
		}
		if err := exec(ctx, t, dialect.Insert("channels").Rows(row)); err != nil {
			return err
		}
		if err := t.insertQueue(ctx, &made.Queue); err != nil {
			return err
		}
		return t.noteChannel(t.action, made.ID, nil, &made)
	})
	if err != nil {
		return nil, fmt.Errorf("create channel: %w", err)
	}
	return &made, nil
}

// UpdateChannel changes a channel as UpdateAlert does an alert. seal, not nil, gives a
// new secret.
func (s *Store) UpdateChannel(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, change func(*monitor.Channel) error, seal func(monitor.ID) ([]byte, error)) (*monitor.Channel, error) {
	return queuedChannel.change(ctx, s, actor, monitor.ActionChannelUpdate, id, expected, func(t *tx, next *monitor.Channel) error {
		if err := change(next); err != nil {
			return err
		}
		if err := next.Check(); err != nil {
			return err
		}
		return t.writeChannel(ctx, next, seal)
	})
}

// ResumeChannel lets a channel that is off or paused go on where it stopped, or from a
// place where what was behind that is gone.
func (s *Store) ResumeChannel(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, may func(*monitor.Channel) error, from monitor.Position) (*monitor.Channel, error) {
	return queuedChannel.change(ctx, s, actor, monitor.ActionChannelResume, id, expected, func(t *tx, next *monitor.Channel) error {
		if err := may(next); err != nil {
			return err
		}
		if next.Pause == monitor.PauseExpired {
			next.Queue.Reached = from.Cursor()
			if err := exec(ctx, t, dialect.Update("delivery_queues").Set(goqu.Record{"reached": next.Queue.Reached}).Where(goqu.C("id").Eq(id[:]))); err != nil {
				return err
			}
		}
		next.Enabled, next.Pause, next.PauseText = true, "", ""
		if err := t.writeChannel(ctx, next, nil); err != nil {
			return err
		}
		return t.resumeQueue(ctx, id)
	})
}

// writeChannel stores a channel under its next version; without seal the secret stays.
func (t *tx) writeChannel(ctx context.Context, c *monitor.Channel, seal func(monitor.ID) ([]byte, error)) error {
	c.Version, c.UpdatedAt = c.Version+1, t.now
	row, err := t.channelRow(c, seal)
	if err != nil {
		return err
	}
	delete(row, "id")
	if err := exec(ctx, t, dialect.Update("channels").Set(row).Where(goqu.C("id").Eq(c.ID[:]))); err != nil {
		return err
	}
	return exec(ctx, t, dialect.Update("delivery_queues").Set(goqu.Record{"active": c.Enabled}).Where(goqu.C("id").Eq(c.ID[:])))
}

// DeleteChannel takes a channel away, with its deliveries.
func (s *Store) DeleteChannel(ctx context.Context, actor monitor.Actor, id monitor.ID, expected *int, may func(*monitor.Channel) error) error {
	return queuedChannel.delete(ctx, s, actor, id, expected, may)
}

// RedeliverChannel is Redeliver of a channel's message.
func (s *Store) RedeliverChannel(ctx context.Context, actor monitor.Actor, id monitor.ID, may func(*monitor.Channel) error) (*monitor.Delivery, error) {
	return queuedChannel.again(ctx, s, actor, id, may)
}

// KeepChannelTest keeps a test of a channel, which was sent already, in its log.
func (s *Store) KeepChannelTest(ctx context.Context, actor monitor.Actor, id monitor.ID, test *monitor.Delivery) error {
	return queuedChannel.keepTest(ctx, s, actor, id, test)
}

var queuedChannel = &queued[monitor.Channel]{
	name: "channel", table: "channels", load: (*tx).channel, note: (*tx).noteChannel, version: func(c *monitor.Channel) int { return c.Version },
	remove: monitor.ActionChannelDelete, redeliver: monitor.ActionChannelRedeliver, test: monitor.ActionChannelTest,
}

// channel gives a channel, locked with its queue.
func (t *tx) channel(ctx context.Context, id monitor.ID) (*monitor.Channel, error) {
	if err := t.lockQueue(ctx, id); err != nil {
		return nil, err
	}
	c, found, err := one(ctx, t, queuedTable("channels", channelColumns).Where(goqu.C("id").Eq(id[:])), scanChannel)
	if err == nil && !found {
		err = monitor.Errorf(monitor.CodeNotFound, "there is no such channel")
	}
	return c, err
}

func (t *tx) noteChannel(action string, id monitor.ID, was, next *monitor.Channel) error {
	change, err := monitor.NewChange(monitor.KindChannel, id, action, was, next)
	t.changes = append(t.changes, change)
	return err
}

// channelRow is a channel's row; without seal the secret stays as it is.
func (t *tx) channelRow(c *monitor.Channel, seal func(monitor.ID) ([]byte, error)) (goqu.Record, error) {
	row := goqu.Record{
		"id": append([]byte(nil), c.ID[:]...), "version": c.Version, "name": c.Name, "kind": string(c.Kind), "settings": jsonColumn{c.Settings},
		"owner_id": append([]byte(nil), c.OwnerID[:]...), "role": string(c.Role), "line": c.Query, "tells": string(c.Trigger),
		"after_minutes": c.AfterMinutes, "group_minutes": c.GroupMinutes, "quiet": nil, "template": jsonColumn{c.Template}, "enabled": c.Enabled,
		"created_at": c.CreatedAt, "updated_at": c.UpdatedAt,
	}
	if c.Quiet != nil {
		row["quiet"] = jsonColumn{c.Quiet}
	}
	if seal == nil {
		return row, nil
	}
	sealed, err := seal(c.ID)
	if err != nil {
		return nil, err
	}
	if len(sealed) == 0 {
		c.SecretAt, row["secret"], row["secret_at"] = time.Time{}, nil, nil
		return row, nil
	}
	c.SecretAt, row["secret"], row["secret_at"] = t.now, sealed, t.now
	return row, nil
}

func scanChannel(r scanner) (*monitor.Channel, error) {
	c := &monitor.Channel{}
	err := r.Scan(append([]any{
		idColumn{&c.ID},
		&c.Version, &c.Name, &c.Kind,
		jsonColumn{&c.Settings},
		timeColumn{&c.SecretAt},
		idColumn{&c.OwnerID},
		&c.Role, &c.Query, &c.Trigger, &c.AfterMinutes, &c.GroupMinutes,
		jsonColumn{&c.Quiet},
		jsonColumn{&c.Template},
		&c.Enabled,
		timeColumn{&c.CreatedAt},
		timeColumn{&c.UpdatedAt},
	}, queueFields(&c.Queue)...)...)
	c.Pause, c.PauseText = c.Queue.Pause, c.Queue.PauseText
	return c, err
}
