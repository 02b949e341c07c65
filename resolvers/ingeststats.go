package resolvers

import (
	"context"
	"errors"
	"time"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// IngestStats counts what comes in, second by second. What came in the minute
// before is told at once: the journal knows it.
func (r subscriptionResolver) IngestStats(ctx context.Context) (<-chan *model.IngestStats, error) {
	at := time.Now().Truncate(time.Second)
	stream, minute, err := r.minuteBefore(ctx, at)
	if err != nil {
		return nil, err
	}
	out := make(chan *model.IngestStats)
	go func() { // ends with ctx
		defer close(out)
		for tell(ctx, out, minute.statsAt(at)) {
			at = at.Add(time.Second)
			counts, err := countUntil(ctx, stream, at)
			if err != nil && ctx.Err() == nil {
				// The journal was replaced, or does not answer: what comes from now on counts.
				if stream, _, err = r.Feed.Subscribe(ctx, nil); err != nil {
					return
				}
			}
			minute.begin(at)
			minute.add(at, counts)
		}
	}()
	return out, nil
}

// minuteBefore counts what came in the minute up to then, second by second, and
// gives the stream of what comes next. What has come since then counts in the next
// second. Where the journal cannot be followed from so far back, the minute is empty.
func (r *Resolver) minuteBefore(ctx context.Context, at time.Time) (Stream, *ingestMinute, error) {
	minute := new(ingestMinute)
	head := r.Feed.Position()
	from, found, err := r.Journal.EntryAt(ctx, at.Add(-time.Minute))
	if err != nil {
		return nil, nil, err
	}
	var after *monitor.Position
	if found && from.Seq < head.Seq {
		position := r.Feed.PositionOf(from)
		after = &position
	}
	stream, _, err := r.Feed.Subscribe(ctx, after)
	if after != nil && monitor.CodeOf(err) == monitor.CodeCursorExpired {
		after = nil
		stream, _, err = r.Feed.Subscribe(ctx, nil)
	}
	if err != nil || after == nil {
		return stream, minute, err
	}
	for seq := from.Seq; seq < head.Seq; {
		entries, err := stream.Next(ctx, 256)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range entries {
			minute.add(e.Body.At, countsOf(e))
			seq = e.Seq
		}
	}
	return stream, minute, nil
}

// ingestMinute has the counts of the latest seconds, each by the second that it
// ends with; a little more than a minute, as clocks differ.
type ingestMinute [64]struct {
	end    int64 // in Unix time
	counts model.IngestCounts
}

// begin forgets what is older than a minute when the second that ends with at is counted.
func (m *ingestMinute) begin(at time.Time) {
	end := endOf(at)
	if slot := &m[end%int64(len(m))]; slot.end != end {
		slot.end, slot.counts = end, model.IngestCounts{}
	}
}

// add counts what came at an instant.
func (m *ingestMinute) add(at time.Time, counts model.IngestCounts) {
	end := endOf(at)
	slot := &m[end%int64(len(m))]
	if slot.end > end {
		return // of more than a minute ago
	}
	m.begin(at)
	add(&slot.counts, counts)
}

// statsAt gives the second that ends with at and the minute up to it.
func (m *ingestMinute) statsAt(at time.Time) *model.IngestStats {
	stats := &model.IngestStats{At: at.UTC()}
	now := endOf(at)
	for _, slot := range m {
		if slot.end == now {
			stats.LastSecond = slot.counts
		}
		if slot.end <= now && slot.end > now-60 {
			add(&stats.LastMinute, slot.counts)
		}
	}
	return stats
}

// endOf gives the end of the second in which an instant lies.
func endOf(at time.Time) int64 {
	return at.Add(time.Second - 1).Unix()
}

func tell(ctx context.Context, out chan<- *model.IngestStats, stats *model.IngestStats) bool {
	select {
	case out <- stats:
		return true
	case <-ctx.Done():
		return false
	}
}

// countUntil counts what the stream gives until then.
func countUntil(ctx context.Context, stream Stream, at time.Time) (model.IngestCounts, error) {
	var counts model.IngestCounts
	timed, cancel := context.WithDeadline(ctx, at)
	defer cancel()
	for {
		entries, err := stream.Next(timed, 256)
		if err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				err = nil
			}
			return counts, err
		}
		for _, e := range entries {
			add(&counts, countsOf(e))
		}
		if !time.Now().Before(at) { // more than a second can read: the next one counts the rest
			return counts, nil
		}
	}
}

func countsOf(e monitor.Entry) model.IngestCounts {
	counts := model.IngestCounts{Events: e.Body.Events}
	if !e.Body.Batch.IsZero() {
		counts.Batches = 1
	}
	for i := range e.Body.Changes {
		if c := &e.Body.Changes[i]; c.Kind == monitor.KindAlert && c.Action == monitor.ActionAlertRaise {
			counts.Alerts++
		}
	}
	return counts
}

func add(to *model.IngestCounts, more model.IngestCounts) {
	to.Events += more.Events
	to.Batches += more.Batches
	to.Alerts += more.Alerts
}
