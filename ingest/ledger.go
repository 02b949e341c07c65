package ingest

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// LedgerStore keeps what a ledger has counted, additively over all replicas.
type LedgerStore interface {
	// CountSources gives how many of the sources found no place.
	CountSources(ctx context.Context, counts []*monitor.SourceCount) (refused int, err error)
	AddDeadLetters(ctx context.Context, letters []*monitor.DeadLetter) error
}

// Bounds of what waits to be written.
const (
	flushPeriod   = 3 * time.Second
	flushTime     = 30 * time.Second
	maxSources    = 2_000   // between two flushes
	maxLetters    = 2_000   // likewise
	maxHeldBytes  = 8 << 20 // of letters
	requestKept   = 100     // letters of one request
	requestBytes  = 1 << 20
	beginningKept = 4 << 10 // of a record that is too large to be read
)

// Ledger counts what comes of each source, and holds the records that were rejected,
// until both are written: every few seconds, so that no batch costs a row's update. What
// a process that is killed has not written is not counted; senders were told of what was
// rejected all the same. Safe for concurrent use.
type Ledger struct {
	store LedgerStore
	log   *slog.Logger
	now   func() time.Time

	mu      sync.Mutex
	counts  map[monitor.SourceKey]*monitor.SourceCount
	letters []*monitor.DeadLetter
	held    int
	lost    int // letters for which there was no room since the last flush
}

// NewLedger makes a ledger. Run writes it.
func NewLedger(store LedgerStore, log *slog.Logger) *Ledger {
	return &Ledger{store: store, log: log, now: time.Now, counts: map[monitor.SourceKey]*monitor.SourceCount{}}
}

// Run writes the ledger until ctx ends, and a last time then.
func (l *Ledger) Run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(flushPeriod):
		}
		timed, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
		l.Flush(timed)
		cancel()
	}
}

// Flush writes what is there. What the database does not take comes with the next flush.
func (l *Ledger) Flush(ctx context.Context) {
	l.mu.Lock()
	counts, letters, lost := make([]*monitor.SourceCount, 0, len(l.counts)), l.letters, l.lost
	for _, c := range l.counts {
		counts = append(counts, c)
	}
	l.counts, l.letters, l.held, l.lost = map[monitor.SourceKey]*monitor.SourceCount{}, nil, 0, 0
	l.mu.Unlock()
	if lost > 0 {
		l.log.Warn("ingest: rejected records were not kept: too many came at once", "records", lost)
	}
	if len(counts) > 0 {
		refused, err := l.store.CountSources(ctx, counts)
		if err != nil {
			l.log.Warn("ingest: count sources", "error", err)
			l.takeBack(counts)
		}
		if refused > 0 {
			l.log.Warn("ingest: there are too many sources, new ones are not listed", "refused", refused)
		}
	}
	if len(letters) > 0 {
		if err := l.store.AddDeadLetters(ctx, letters); err != nil {
			l.log.Warn("ingest: keep rejected records", "error", err)
			l.keep(letters)
		}
	}
}

// takeBack adds counts that could not be written to those that came meanwhile. Counts
// may have been written in part: then they count twice, which a database that fails
// excuses.
func (l *Ledger) takeBack(counts []*monitor.SourceCount) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range counts {
		if to := l.countOf(c.Key, c.First); to != nil {
			addCount(to, c)
		}
	}
}

func addCount(to, more *monitor.SourceCount) {
	if more.First.Before(to.First) {
		to.First = more.First
	}
	if more.Last.After(to.Last) {
		to.Last = more.Last
	}
	to.Records, to.Rejected, to.Bytes = to.Records+more.Records, to.Rejected+more.Rejected, to.Bytes+more.Bytes
	to.Lag, to.Lagged, to.LagMax = to.Lag+more.Lag, to.Lagged+more.Lagged, max(to.LagMax, more.LagMax)
	for at, m := range more.Minutes {
		is := to.Minutes[at]
		to.Minutes[at] = monitor.SourceMinute{Records: is.Records + m.Records, Rejected: is.Rejected + m.Rejected, Bytes: is.Bytes + m.Bytes}
	}
}

// countOf gives a source's count; nil where there are too many. l.mu is held.
func (l *Ledger) countOf(key monitor.SourceKey, at time.Time) *monitor.SourceCount {
	c := l.counts[key]
	if c == nil {
		if len(l.counts) >= maxSources {
			return nil
		}
		c = &monitor.SourceCount{Key: key, First: at, Last: at, Minutes: map[time.Time]monitor.SourceMinute{}}
		l.counts[key] = c
	}
	return c
}

// keep holds letters until the next flush, as far as there is room.
func (l *Ledger) keep(letters []*monitor.DeadLetter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, letter := range letters {
		if len(l.letters) >= maxLetters || l.held+len(letter.Raw) > maxHeldBytes {
			l.lost++
			continue
		}
		l.letters, l.held = append(l.letters, letter), l.held+len(letter.Raw)
	}
}

// note counts a request whose answer is certain.
func (l *Ledger) note(c *collection) {
	key := monitor.SourceKey{Protocol: c.protocol}
	if viewer := monitor.ViewerFrom(c.ctx); viewer != nil && viewer.Token != nil {
		key.TokenID, key.TokenName = viewer.Token.ID, viewer.Token.Name
	}
	events := c.batch.Events
	l.mu.Lock()
	for from := 0; from < len(events); {
		key.Format = events[from].Format
		to := from
		more := &monitor.SourceCount{First: c.received, Last: c.received, Minutes: map[time.Time]monitor.SourceMinute{}}
		for ; to < len(events) && events[to].Format == key.Format; to++ {
			more.Records++
			more.Bytes += int64(len(events[to].Raw))
			// An event that tells no time has the time of its receipt.
			if lag := c.received.Sub(events[to].OccurredAt); lag != 0 {
				lag = max(lag, 0) // a clock that is ahead
				more.Lag, more.Lagged, more.LagMax = more.Lag+lag, more.Lagged+1, max(more.LagMax, lag)
			}
		}
		l.add(key, more)
		from = to
	}
	if c.rejected > 0 {
		key.Format = monitor.UnreadableFormat
		if len(events) > 0 {
			key.Format = events[0].Format
		}
		l.add(key, &monitor.SourceCount{First: c.received, Last: c.received, Rejected: int64(c.rejected), Minutes: map[time.Time]monitor.SourceMinute{}})
	}
	l.lost += c.rejected - len(c.letters)
	l.mu.Unlock()
	now := l.now()
	for i, letter := range c.letters {
		if letter.ID = c.letterID(i); letter.ID.IsZero() {
			letter.ID = monitor.NewID(now)
		}
		letter.At, letter.SourceKey, letter.State = c.received, key, monitor.LetterWaiting
		letter.Size, letter.Mapping = len(letter.Raw), c.mapping
	}
	l.keep(c.letters)
}

func (l *Ledger) add(key monitor.SourceKey, more *monitor.SourceCount) {
	to := l.countOf(key, more.First)
	if to == nil {
		return
	}
	more.Minutes[more.First.Truncate(time.Minute)] = monitor.SourceMinute{Records: more.Records, Rejected: more.Rejected, Bytes: more.Bytes}
	addCount(to, more)
}

// reject notes that a record of the request is not stored, and keeps it as long as the
// request has not too many such.
func (c *collection) reject(problem *Rejection) {
	c.rejected++
	raw := problem.raw
	problem.raw = nil // the answer does not need it
	if c.Ledger == nil || len(c.letters) >= requestKept {
		return
	}
	cut := problem.Code == CodeRecordTooLarge || len(raw) > monitor.MaxLetterBytes
	raw = raw[:min(len(raw), monitor.MaxLetterBytes)]
	if c.letterBytes += len(raw); c.letterBytes > requestBytes {
		return
	}
	c.names = append(c.names, problem.name)
	c.letters = append(c.letters, &monitor.DeadLetter{
		Code: problem.Code, Message: cutRunes(clean(problem.Message), maxName), Line: problem.Line, Raw: append([]byte(nil), raw...), Cut: cut,
	})
}

// letterID is made of the sender's name for the record or its request, and of the
// record, so that one that is sent again is kept once: also where the first answer was
// lost, and where nothing of the request was stored. Zero where the sender has no name.
func (c *collection) letterID(i int) monitor.ID {
	letter := c.letters[i]
	name := monitor.HashPart("document", c.names[i])
	switch {
	case c.names[i] != "":
	case c.key != "":
		name = monitor.HashPart("request", c.key, strconv.Itoa(letter.Line))
	default:
		return monitor.ID{}
	}
	raw := letter.Raw
	if letter.Cut {
		raw = nil // how much of it was read may differ
	}
	return monitor.ID(monitor.HashPart("dead letter", c.protocol, c.sender, string(name[:]), letter.Code, string(raw)))
}
