package db

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
)

// silenceSweep is how many silent sources one call notes.
const silenceSweep = 50

// NoteSilence raises an alert about each source that has sent nothing for longer than
// it is waited for, and gives how many there were. Every replica may call it: a silence
// has its name (monitor.Silence), by which its alert is raised once, also where a
// replica dies between the alert and the note. One that another has taken over from is
// not missed, unless people said for how long it may be silent.
func (s *Store) NoteSilence(ctx context.Context) (int, error) {
	due := dialect.From(goqu.T("sources").As("s")).Select(columnList(sourceColumns)...).
		Where(goqu.C("silent_since").IsNull(), goqu.C("silent_at").Lte(s.now()), goqu.Or(goqu.C("expect_seconds").IsNotNull(), goqu.L("NOT EXISTS ?", successor()))).
		Order(goqu.C("silent_at").Asc(), goqu.C("id").Asc()).Limit(silenceSweep)
	sources, err := query(ctx, s.db, due, scanSource)
	if err != nil || len(sources) == 0 {
		return 0, err
	}
	batch := &monitor.Batch{}
	for i, source := range sources {
		event, part, err := monitor.Silence(source, s.now())
		if err != nil {
			return 0, err
		}
		batch.Events, batch.Parts = append(batch.Events, event), append(batch.Parts, part)
		batch.Findings = append(batch.Findings, monitor.Finding{Event: i, Rule: &monitor.SilentSourceRule})
	}
	if _, err := s.StoreBatch(ctx, batch); err != nil {
		return 0, fmt.Errorf("raise alerts of silent sources: %w", err)
	}
	return s.markSilent(ctx, sources, batch.Events)
}

// successionTime is how long a source may go on beside the one that takes over from it.
const successionTime = time.Hour

// successor gives the sources that have taken over from the source s: a token of the
// same name that began to send the same when s ended. A token is replaced in this way,
// and the server's own agent does so by itself.
func successor() *goqu.SelectDataset {
	same := func(column string) goqu.Expression { return goqu.I("n." + column).Eq(goqu.I("s." + column)) }
	return dialect.From(goqu.T("sources").As("n")).Select(goqu.L("1")).Where(
		same("token_name"), same("protocol"), same("format"), goqu.I("s.token_name").Neq(""), goqu.I("n.id").Neq(goqu.I("s.id")),
		goqu.I("n.last_seen").Gt(goqu.I("s.last_seen")),
		goqu.I("n.first_seen").Gt(goqu.L("s.last_seen - INTERVAL ? SECOND", int(successionTime.Seconds()))),
	)
}

// markSilent notes what alerts were raised about. A source that was heard of in between
// is back at once.
func (s *Store) markSilent(ctx context.Context, sources []*monitor.Source, events []*monitor.Event) (n int, err error) {
	ids := make([]monitor.ID, len(sources))
	for i, source := range sources {
		ids[i] = source.ID
	}
	err = s.change(ctx, monitor.SystemActor, monitor.ActionSourceSilent, func(t *tx) error {
		n = 0
		found, err := t.lockSources(ctx, ids)
		if err != nil {
			return err
		}
		for i, source := range sources {
			was := found[source.ID]
			if was == nil || !was.SilentSince.IsZero() {
				continue // another replica was here
			}
			n++
			next := *was
			if next.AlertID, err = t.openAlertOf(ctx, events[i]); err != nil {
				return err
			}
			next.SilentSince, next.Version, next.UpdatedAt = t.now, was.Version+1, t.now
			if err := t.noteSource(monitor.ActionSourceSilent, was, &next); err != nil {
				return err
			}
			if was.LastSeen.After(source.LastSeen) {
				back := next
				if err := t.endSilence(ctx, &next, &back); err != nil {
					return err
				}
				next = back
			}
			if err := t.writeSource(ctx, &next); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("note silent sources: %w", err)
	}
	return n, nil
}

// openAlertOf gives the open alert about a source's silence; zero where there is none:
// a suppression hid it, or somebody closed it already.
func (t *tx) openAlertOf(ctx context.Context, ev *monitor.Event) (monitor.ID, error) {
	key := monitor.DedupKey(&monitor.SilentSourceRule, ev)
	id, _, err := one(ctx, t, dialect.From("alerts").Select("id").Where(goqu.C("open_key").Eq(key)), scanID)
	return id, err
}

// sourceLife is how long a source that nobody has set anything of is kept behind its
// last record.
const sourceLife = 90 * 24 * time.Hour

// ForgetSources deletes sources that nobody has heard of for 90 days and nobody has
// said anything about, a bounded number in one call.
func (s *Store) ForgetSources(ctx context.Context) error {
	old := dialect.Delete("sources").Where(goqu.C("last_seen").Lt(s.now().Add(-sourceLife)), goqu.C("expect_seconds").IsNull()).Limit(1_000)
	if err := exec(ctx, s.db, old); err != nil {
		return fmt.Errorf("forget sources: %w", err)
	}
	return nil
}
