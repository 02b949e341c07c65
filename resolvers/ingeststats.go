package resolvers

import (
	"context"
	"errors"
	"time"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// IngestStats counts what comes in, second by second.
func (r subscriptionResolver) IngestStats(ctx context.Context) (<-chan *model.IngestStats, error) {
	stream, _, err := r.Feed.Subscribe(ctx, nil)
	if err != nil {
		return nil, err
	}
	out := make(chan *model.IngestStats)
	go func() { // ends with ctx
		defer close(out)
		var minute [60]model.IngestCounts
		for n, at := 0, time.Now().Truncate(time.Second).Add(time.Second); ; n, at = n+1, at.Add(time.Second) {
			second := &minute[n%len(minute)]
			if *second, err = countUntil(ctx, stream, at); err != nil && ctx.Err() == nil {
				// The journal was replaced, or does not answer: what comes from now on counts.
				if stream, _, err = r.Feed.Subscribe(ctx, nil); err != nil {
					return
				}
			}
			stats := &model.IngestStats{At: at.UTC(), LastSecond: *second}
			for i := range minute {
				add(&stats.LastMinute, minute[i])
			}
			select {
			case out <- stats:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
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
