package db

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/doug-martin/goqu/v9"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// letterColumns leaves out the record itself, which may be large.
var letterColumns = []string{
	"id", "at", "protocol", "token_id", "token_name", "format", "code", "message", "line", "size", "cut", "mapping", "state", "replayed_at", "result", "batch",
}

const (
	letterHead = 4_000 // characters of a record that are searched
	// trimLetters and trimLetterBytes are how much comes in between two trims.
	trimLetters     = 1_000
	trimLetterBytes = 16 << 20
)

// AddDeadLetters keeps records that were rejected. One that is there already is not
// written again. The journal does not tell of them: they are data, as events are.
func (s *Store) AddDeadLetters(ctx context.Context, letters []*monitor.DeadLetter) error {
	size := 0
	err := s.change(ctx, monitor.SystemActor, monitor.ActionDeadLetterKeep, func(t *tx) error {
		size = 0
		for _, l := range letters {
			size += len(l.Raw)
			insert := dialect.Insert("dead_letters").Rows(letterRow(l)).OnConflict(goqu.DoUpdate("", goqu.Record{"id": goqu.C("id")}))
			if err := exec(ctx, t, insert); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep %d dead letters: %w", len(letters), err)
	}
	if s.letters.Add(int64(len(letters))) > trimLetters || s.letterBytes.Add(int64(size)) > trimLetterBytes {
		return s.TrimDeadLetters(ctx)
	}
	return nil
}

// DeadLetters gives one page of the dead letters that match, latest first, without the
// records themselves.
func (s *Store) DeadLetters(ctx context.Context, filter *monitor.DeadLetterFilter, args page.Args) (*monitor.DeadLetterConnection, error) {
	keys := []string{"at", "id"}
	st := dialect.From("dead_letters").Select(columnList(letterColumns)...).Order(descending(keys)...).Limit(uint(args.First + 1)) //nolint:gosec // checked by the caller
	if filter != nil {
		if filter.State != nil {
			st = st.Where(goqu.C("state").Eq(string(*filter.State)))
		}
		if filter.Code != nil {
			st = st.Where(goqu.C("code").Eq(*filter.Code))
		}
		if filter.Source != nil {
			id, err := monitor.ParseIDOf(monitor.KindSource, *filter.Source)
			if err != nil {
				return nil, monitor.InputErrorf("source", "%v", err)
			}
			st = st.Where(goqu.C("source_id").Eq(id[:]))
		}
		if filter.Text != nil && *filter.Text != "" {
			words := "%" + escapeLike(strings.ToLower(*filter.Text)) + "%"
			st = st.Where(goqu.Or(goqu.Func("LOWER", goqu.C("head")).Like(words), goqu.Func("LOWER", goqu.C("message")).Like(words)))
		}
	}
	if args.After != "" {
		var at time.Time
		var id monitor.ID
		if err := page.DecodeCursor(args.After, &at, &id); err != nil {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after: %v", err)
		}
		st = st.Where(before(keys, []any{at, id[:]}))
	}
	found, err := query(ctx, s.db, st, scanLetter)
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	return page.Build(found, args, func(l *monitor.DeadLetter) string { return page.EncodeCursor(l.At, l.ID) }), nil
}

// DeadLettersByID gives the dead letters with those ids, whole, in no order; missing ones
// are left out.
func (s *Store) DeadLettersByID(ctx context.Context, ids []monitor.ID) ([]*monitor.DeadLetter, error) {
	return byIDs(ctx, s.db, "dead_letters", append(append([]string{}, letterColumns...), "raw"), ids, scanWholeLetter)
}

// SettleReplays notes what became of letters that were replayed. One that is stored stays
// so, whatever a later replay says; one that is gone is left out.
func (s *Store) SettleReplays(ctx context.Context, actor monitor.Actor, replays []*monitor.LetterReplay) error {
	byID := make(map[monitor.ID]*monitor.LetterReplay, len(replays))
	ids := make([]monitor.ID, 0, len(replays))
	for _, r := range replays {
		if !r.Again || r.Letter.State != monitor.LetterReplayed {
			byID[r.Letter.ID], ids = r, append(ids, r.Letter.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	err := s.change(ctx, actor, monitor.ActionDeadLetterReplay, func(t *tx) error {
		letters, err := t.lockLetters(ctx, ids)
		if err != nil {
			return err
		}
		for _, was := range letters {
			if was.State == monitor.LetterReplayed {
				continue // by another one meanwhile
			}
			r := byID[was.ID]
			next := *was
			next.State, next.ReplayedAt, next.Result, next.Batch = monitor.LetterFailed, t.now, r.Result, r.Letter.Batch
			if r.Stored {
				next.State = monitor.LetterReplayed
			}
			set := goqu.Record{"state": string(next.State), "replayed_at": t.now, "result": next.Result, "batch": nullID(next.Batch)}
			if err := exec(ctx, t, dialect.Update("dead_letters").Set(set).Where(goqu.C("id").Eq(was.ID[:]))); err != nil {
				return err
			}
			if err := t.noteLetter(monitor.ActionDeadLetterReplay, was, &next); err != nil {
				return err
			}
			raw := r.Letter.Raw
			*r.Letter = next
			r.Letter.Raw = raw
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle %d replays: %w", len(ids), err)
	}
	return nil
}

// DeleteDeadLetters takes dead letters away, and gives those that were there.
func (s *Store) DeleteDeadLetters(ctx context.Context, actor monitor.Actor, ids []monitor.ID) (gone []monitor.ID, err error) {
	err = s.change(ctx, actor, monitor.ActionDeadLetterDelete, func(t *tx) error {
		gone = nil
		letters, err := t.lockLetters(ctx, ids)
		if err != nil || len(letters) == 0 {
			return err
		}
		for _, was := range letters {
			gone = append(gone, was.ID)
			if err := t.noteLetter(monitor.ActionDeadLetterDelete, was, nil); err != nil {
				return err
			}
		}
		return exec(ctx, t, dialect.Delete("dead_letters").Where(goqu.C("id").In(idList(gone))))
	})
	if err != nil {
		return nil, fmt.Errorf("delete %d dead letters: %w", len(ids), err)
	}
	return gone, nil
}

// lockLetters locks letters in the order of their ids; missing ones are left out.
func (t *tx) lockLetters(ctx context.Context, ids []monitor.ID) ([]*monitor.DeadLetter, error) {
	st := dialect.From("dead_letters").Select(columnList(letterColumns)...).Where(goqu.C("id").In(idList(ids))).Order(goqu.C("id").Asc()).ForUpdate(goqu.Wait)
	return query(ctx, t, st, scanLetter)
}

func (t *tx) noteLetter(action string, was, next *monitor.DeadLetter) error {
	change, err := monitor.NewChange(monitor.KindDeadLetter, was.ID, action, was, next)
	t.changes = append(t.changes, change)
	return err
}

// TrimDeadLetters deletes the dead letters that are too old, and the oldest of those that
// are too many or too large together.
func (s *Store) TrimDeadLetters(ctx context.Context) error {
	return s.trimDeadLetters(ctx, monitor.MaxDeadLetters, monitor.MaxDeadLetterBytes)
}

func (s *Store) trimDeadLetters(ctx context.Context, most uint, bytes int64) error {
	s.letters.Store(0)
	s.letterBytes.Store(0)
	oldest := monitor.DeadLetter{At: s.now().Add(-monitor.DeadLetterLife)}
	st := dialect.From("dead_letters").Select("id", "at", "size").Where(goqu.C("at").Gte(oldest.At)).Order(descending([]string{"at", "id"})...).Limit(most + 1)
	rows, err := query(ctx, s.db, st, func(r scanner) (l monitor.DeadLetter, err error) {
		return l, r.Scan(idColumn{&l.ID}, timeColumn{&l.At}, &l.Size)
	})
	if err != nil {
		return fmt.Errorf("trim dead letters: %w", err)
	}
	for i, l := range rows {
		if bytes -= int64(l.Size); bytes < 0 || uint(i) == most { //nolint:gosec // an index
			oldest = l
			break
		}
	}
	// Those of the same instant go by their ids.
	old := dialect.Delete("dead_letters").Where(goqu.Or(goqu.C("at").Lt(oldest.At), goqu.And(goqu.C("at").Eq(oldest.At), goqu.C("id").Lte(oldest.ID[:]))))
	if err := exec(ctx, s.db, old); err != nil {
		return fmt.Errorf("trim dead letters: %w", err)
	}
	return nil
}

func letterRow(l *monitor.DeadLetter) goqu.Record {
	source := l.SourceKey.ID()
	return goqu.Record{
		"id": bytesOf(l.ID[:]), "at": l.At, "source_id": source[:], "protocol": l.Protocol, "token_id": bytesOf(l.TokenID[:]), "token_name": l.TokenName,
		"format": l.Format, "code": l.Code, "message": l.Message, "line": l.Line, "head": headOf(l.Raw), "raw": append([]byte{}, l.Raw...), "size": len(l.Raw),
		"cut": l.Cut, "mapping": l.Mapping, "state": string(l.State), "replayed_at": nullTime(l.ReplayedAt), "result": l.Result, "batch": nullID(l.Batch),
	}
}

// headOf gives the beginning of a record as text, for searching.
func headOf(raw []byte) string {
	head := strings.ToValidUTF8(string(raw[:min(len(raw), letterHead)]), "\uFFFD")
	return strings.ReplaceAll(head, "\x00", "")
}

func letterFields(l *monitor.DeadLetter, batch *[]byte) []any {
	return []any{
		idColumn{&l.ID},
		timeColumn{&l.At},
		&l.Protocol,
		idColumn{&l.TokenID},
		&l.TokenName, &l.Format, &l.Code, &l.Message, &l.Line, &l.Size, &l.Cut, &l.Mapping,
		&l.State,
		timeColumn{&l.ReplayedAt},
		&l.Result, batch,
	}
}

func scanLetter(r scanner) (*monitor.DeadLetter, error) {
	l := &monitor.DeadLetter{}
	var batch []byte
	err := r.Scan(letterFields(l, &batch)...)
	copy(l.Batch[:], batch)
	return l, err
}

func scanWholeLetter(r scanner) (*monitor.DeadLetter, error) {
	l := &monitor.DeadLetter{}
	var batch, raw []byte
	err := r.Scan(append(letterFields(l, &batch), &raw)...)
	copy(l.Batch[:], batch)
	l.Raw = bytes.Clone(raw)
	return l, err
}
