// Package feed owns the live side of the journal: every replica tails it in
// order and without holes, and subscriptions read from there, first what they
// missed, then what comes. It carries journal entries and knows nothing of
// GraphQL, filters or entities.
//
//	tx commit ── journal(seq) ──┐
//	        publish on Redis (best effort)
//	                            ▼
//	each replica: Tail ── ring of the newest entries ── Subscription
//	              └ gap, or Redis silent: read from the journal itself
package feed

import (
	"context"

	"github.com/security-monitor/secmon/monitor"
)

// Log is the journal. Entries come in seq order without holes; an entry that
// was given once never changes.
type Log interface {
	// Head gives the position behind the newest entry.
	Head(ctx context.Context) (monitor.Position, error)
	// Entries gives up to limit entries behind seq; none when seq is the head.
	Entries(ctx context.Context, seq uint64, limit int) ([]monitor.Entry, error)
	// Entry gives one entry; found is false where it is not kept.
	Entry(ctx context.Context, seq uint64) (entry monitor.Entry, found bool, err error)
	// Earliest gives the position before the oldest entry that is kept.
	// Retention only ever moves it forward, up to the newest entry.
	Earliest(ctx context.Context) (monitor.Position, error)
}
