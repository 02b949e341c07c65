package db

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/exp"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Bounds of one page of the audit log. A filter on what entries say is checked on
// the entries themselves, which stand in the database as they were hashed.
const (
	maxAuditScan = 20_000 // entries that are looked at
	auditTime    = 2 * time.Second
	auditChunk   = 500
	// auditSlack is by how much entries may be out of the order of their times: a
	// transaction takes its time before its number.
	auditSlack = 10 * time.Minute
)

// Audit gives one page of the entries that match, latest first; with an object
// those that touched it. A page can be shorter than asked for, or empty, though
// more follow: when it has looked at maxAuditScan entries it ends with the place
// to go on from.
func (s *Store) Audit(ctx context.Context, filter *monitor.JournalFilter, object *monitor.Object, args page.Args) (*page.Connection[*monitor.Entry], error) {
	p, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	scan := auditScan{store: s, matching: p, now: s.now(), object: object, before: math.MaxInt64}
	if args.After != "" {
		if err := page.DecodeCursor(args.After, &scan.before); err != nil || scan.before > math.MaxInt64 {
			return nil, monitor.Errorf(monitor.CodeBadInput, "after is no cursor of this list")
		}
	}
	if err := scan.narrow(ctx, filter); err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	found, more, err := scan.run(ctx, args.First+1)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	out := page.Build(found, args, func(e *monitor.Entry) string { return page.EncodeCursor(e.Seq) })
	if more && !out.PageInfo.HasNextPage {
		reached := page.EncodeCursor(scan.before)
		out.PageInfo.HasNextPage, out.PageInfo.EndCursor = true, &reached
	}
	return out, nil
}

// auditScan walks down the journal.
type auditScan struct {
	store    *Store
	matching monitor.Predicate
	now      time.Time
	object   *monitor.Object
	from     uint64 // the oldest entry that can match
	before   uint64 // where the walk has come to: older ones follow
}

// narrow bounds the walk by the times that the filter asks for.
func (a *auditScan) narrow(ctx context.Context, filter *monitor.JournalFilter) error {
	if filter == nil || filter.At == nil {
		return nil
	}
	at := filter.At
	for _, lower := range []*monitor.TimeInput{at.Gt, at.Gte} {
		if lower == nil {
			continue
		}
		seq, found, err := a.edge(ctx, goqu.C("at").Gte(lower.At(a.now).Add(-auditSlack)), goqu.C("at").Asc(), goqu.C("seq").Asc())
		switch {
		case err != nil:
			return err
		case !found:
			a.before = 0 // nothing is that young
		default:
			a.from = max(a.from, seq)
		}
	}
	for _, upper := range []*monitor.TimeInput{at.Lt, at.Lte} {
		if upper == nil {
			continue
		}
		seq, found, err := a.edge(ctx, goqu.C("at").Lte(upper.At(a.now).Add(auditSlack)), goqu.C("at").Desc(), goqu.C("seq").Desc())
		switch {
		case err != nil:
			return err
		case !found:
			a.before = 0
		default:
			a.before = min(a.before, seq+1)
		}
	}
	return nil
}

func (a *auditScan) edge(ctx context.Context, where goqu.Expression, order ...exp.OrderedExpression) (uint64, bool, error) {
	st := dialect.From("journal").Select("seq").Where(where).Order(order...).Limit(1)
	return one(ctx, a.store.db, st, func(r scanner) (seq uint64, err error) { return seq, r.Scan(&seq) })
}

// run gives up to n entries; more tells that it stopped at a bound.
func (a *auditScan) run(ctx context.Context, n int) (found []*monitor.Entry, more bool, err error) {
	until := time.Now().Add(auditTime)
	for scanned := 0; a.before > a.from; scanned += auditChunk {
		if scanned >= maxAuditScan || scanned > 0 && time.Now().After(until) {
			return found, true, nil
		}
		looked := 0
		// What does not match is let go row by row: a body may have megabytes.
		_, err := query(ctx, a.store.db, a.chunk(), func(r scanner) (none struct{}, err error) {
			e, err := scanEntry(r)
			if err != nil || len(found) >= n {
				return none, err
			}
			looked, a.before = looked+1, e.Seq
			if a.matching.Matches(&e, a.now) {
				found = append(found, &e)
			}
			return none, nil
		})
		if err != nil {
			return nil, false, err
		}
		if len(found) >= n || looked < auditChunk {
			return found, false, nil
		}
	}
	return found, false, nil
}

func (a *auditScan) chunk() *goqu.SelectDataset {
	if a.object == nil {
		return dialect.From("journal").Select("seq", "body", "hash").
			Where(goqu.C("seq").Lt(a.before), goqu.C("seq").Gte(a.from)).Order(goqu.C("seq").Desc()).Limit(auditChunk)
	}
	refs := dialect.From("journal_refs").Select("seq").
		Where(goqu.C("kind").Eq(string(a.object.Kind)), goqu.C("id").Eq(a.object.ID[:]), goqu.C("seq").Lt(a.before), goqu.C("seq").Gte(a.from)).
		Order(goqu.C("seq").Desc()).Limit(auditChunk)
	return dialect.From(refs.As("r")).Join(goqu.T("journal").As("j"), goqu.On(goqu.I("j.seq").Eq(goqu.I("r.seq")))).
		Select("j.seq", "j.body", "j.hash").Order(goqu.I("j.seq").Desc())
}

// RawEntry is an entry with its body as it was hashed.
type RawEntry struct {
	Seq  uint64
	Hash [32]byte
	Body json.RawMessage
}

// Chain is a piece of the journal: from behind Begin to End.
type Chain struct {
	Epoch      uint64
	Begin, End uint64
	BeginHash  [32]byte // of entry Begin
	EndHash    [32]byte // of entry End
}

// JournalChain gives what is kept of the journal now.
func (s *Store) JournalChain(ctx context.Context) (Chain, error) {
	is, err := extent(ctx, s.db)
	return Chain{Epoch: is.epoch, Begin: is.trimmed, BeginHash: is.hash, End: is.head, EndHash: is.headHash}, err
}

// RawEntries gives up to limit entries behind seq and up to last, in order.
func (s *Store) RawEntries(ctx context.Context, seq, last uint64, limit int) ([]RawEntry, error) {
	st := dialect.From("journal").Select("seq", "body", "hash").Where(goqu.C("seq").Gt(seq), goqu.C("seq").Lte(last)).
		Order(goqu.C("seq").Asc()).Limit(uint(limit)) //nolint:gosec // a small constant of the caller's
	return query(ctx, s.db, st, func(r scanner) (e RawEntry, err error) {
		var hash []byte
		err = r.Scan(&e.Seq, &e.Body, &hash)
		copy(e.Hash[:], hash)
		return e, err
	})
}
