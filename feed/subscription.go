package feed

import (
	"context"
	"fmt"

	"github.com/security-monitor/secmon/monitor"
)

// Subscription reads the journal from one position on. It holds no queue: it is
// at the head, or it reads what it is behind from the ring or the journal. A
// subscriber that is slow costs nobody else anything. Not for concurrent use.
type Subscription struct {
	tail    *Tail
	journal int // the one that it reads; see Tail.journal
	seq     uint64
	// gate, where not nil, says up to where entries come, see Hub.Subscribe.
	gate func() (journal int, at monitor.Position, moved <-chan struct{})
}

// Subscribe begins behind after, or at the head where after is nil. A position
// that cannot be continued without a gap gives CURSOR_EXPIRED with the reason,
// the earliest position and the head.
func (t *Tail) Subscribe(ctx context.Context, after *monitor.Position) (*Subscription, monitor.Position, error) {
	t.mu.Lock()
	head, journal := t.positionOf(t.head), t.journal
	t.mu.Unlock()
	if after == nil {
		return &Subscription{tail: t, journal: journal, seq: head.Seq}, head, nil
	}
	if err := t.check(ctx, *after, head); err != nil {
		return nil, monitor.Position{}, err
	}
	return &Subscription{tail: t, journal: journal, seq: after.Seq}, *after, nil
}

// check tells whether the journal can be read on from a position.
func (t *Tail) check(ctx context.Context, p, head monitor.Position) error {
	if p.Epoch != head.Epoch {
		return t.expired(ctx, "epoch", "it is of another journal: of another database, or of this one before it was restored from a backup", head)
	}
	if t.remembers(p) {
		return nil // so that a crowd that comes back does not go to the database
	}
	if p.Seq > 0 {
		entry, found, err := t.log.Entry(ctx, p.Seq) // this replica may lag behind the one that gave the cursor
		switch {
		case err != nil:
			return err
		case found && monitor.TagOf(entry.Hash) != p.Tag:
			return t.expired(ctx, "mismatch", "the server has another entry of that number", head)
		case found:
			return nil
		}
	}
	earliest, err := t.log.Earliest(ctx) // after the entry: what is trimmed between the two is told as trimmed
	switch {
	case err != nil:
		return err
	case p.Seq < earliest.Seq:
		return t.expired(ctx, "trimmed", "the entries behind it are past retention", head)
	case p.Seq > earliest.Seq:
		return t.expired(ctx, "ahead", "the server does not have that entry", head)
	case p.Tag != earliest.Tag:
		return t.expired(ctx, "mismatch", "the server had another entry of that number", head)
	}
	return nil // the entry itself is trimmed, all behind it are there
}

// remembers tells whether the ring has the entry of a position. Should the
// journal have been replaced without this replica's knowing yet, whoever reads on
// from there is told when it learns it.
func (t *Tail) remembers(p monitor.Position) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.Seq == 0 || p.Epoch != t.epoch {
		return false
	}
	entries, ok := t.ring.after(p.Seq-1, 1)
	return ok && len(entries) == 1 && entries[0].Seq == p.Seq && monitor.TagOf(entries[0].Hash) == p.Tag
}

func (t *Tail) expired(ctx context.Context, reason, why string, head monitor.Position) error {
	earliest, err := t.log.Earliest(ctx)
	if err != nil {
		return err
	}
	expired := monitor.Errorf(monitor.CodeCursorExpired, "the feed cannot go on from this cursor: %s", why)
	expired.Details = map[string]any{"reason": reason, "head": head.Cursor(), "earliest": earliest.Cursor()}
	return expired
}

// Next waits for entries and gives up to limit of them, in order, without a gap
// to those given before. It fails with ctx, with CURSOR_EXPIRED when the
// subscription fell past retention or the journal was replaced, and with
// whatever the database says.
func (s *Subscription) Next(ctx context.Context, limit int) ([]monitor.Entry, error) {
	for {
		entries, wait, err := s.poll(ctx, limit)
		if err != nil {
			return nil, err
		}
		if len(entries) > 0 {
			s.seq = entries[len(entries)-1].Seq
			return entries, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-wait:
		}
	}
}

// poll gives what is there already; wait is closed when more comes.
func (s *Subscription) poll(ctx context.Context, limit int) (entries []monitor.Entry, wait <-chan struct{}, err error) {
	if s.gate == nil {
		return s.tail.read(ctx, s.journal, s.seq, limit)
	}
	journal, at, moved := s.gate()
	if journal < s.journal || journal == s.journal && at.Seq <= s.seq {
		return nil, moved, nil
	}
	entries, wait, err = s.tail.read(ctx, s.journal, s.seq, limit)
	return upTo(entries, at.Seq), wait, err
}

// upTo keeps the entries up to seq.
func upTo(entries []monitor.Entry, seq uint64) []monitor.Entry {
	n := len(entries)
	for n > 0 && entries[n-1].Seq > seq {
		n--
	}
	return entries[:n]
}

// read gives up to limit entries behind seq of a journal, in order and without a
// hole, from the ring or the journal itself; wait is closed when there are more.
// UNAVAILABLE: there should be some, but the database does not have them (yet).
func (t *Tail) read(ctx context.Context, journal int, seq uint64, limit int) (entries []monitor.Entry, wait <-chan struct{}, err error) {
	t.mu.Lock()
	now, head, wait := t.journal, t.positionOf(t.head), t.changed
	inRing, ok := t.ring.after(seq, limit)
	t.mu.Unlock()
	switch {
	case now != journal:
		// Its cursor tells, checked anew, from where it can go on.
		return nil, nil, t.expired(ctx, "mismatch", "the journal was replaced by another", head)
	case seq >= head.Seq:
		return nil, wait, nil // also when this replica is behind the cursor: it waits until it has caught up
	case ok:
		return inRing, wait, nil
	}
	entries, err = t.log.Entries(ctx, seq, limit)
	if err != nil {
		return nil, nil, fmt.Errorf("replay behind %d: %w", seq, err)
	}
	if len(entries) == 0 {
		return nil, nil, monitor.Errorf(monitor.CodeUnavailable, "the journal behind %d is not there", seq)
	}
	if entries[0].Seq != seq+1 {
		return nil, nil, t.expired(ctx, "trimmed", "the entries behind it are past retention", head)
	}
	return entries, wait, nil
}
