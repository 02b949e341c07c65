package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// question is what replicas ask each other: who follows a feed, how they are, or
// what rules cost.
type question struct {
	Of     monitor.ID `json:"of"` // whose subscriptions; zero: all
	Health bool       `json:"health,omitempty"`
	Costs  bool       `json:"costs,omitempty"` // of rules
}

// Consumers gives the running subscriptions of all replicas that answer.
func (a *App) Consumers(ctx context.Context, of monitor.ID) (all []*monitor.FeedConsumer, complete bool) {
	answers, complete := a.bus.Ask(ctx, question{Of: of})
	all = a.live.Consumers(of)
	for _, answer := range answers {
		var theirs []*monitor.FeedConsumer
		if err := json.Unmarshal(answer, &theirs); err != nil {
			a.lg.Warn("feed: unreadable answer of a replica", "error", err)
			complete = false
			continue
		}
		all = append(all, theirs...)
	}
	slices.SortFunc(all, monitor.CompareConsumers)
	return all, complete
}

// answer answers another replica.
func (a *App) answer(asked json.RawMessage) (any, error) {
	var q question
	if err := json.Unmarshal(asked, &q); err != nil {
		return nil, fmt.Errorf("read question: %w", err)
	}
	if q.Health {
		return a.self(a.running), nil
	}
	if q.Costs {
		return a.ruleCosts(), nil
	}
	return a.live.Consumers(q.Of), nil
}

// maxAlarms bounds the consumers whose alarm is not written yet; what is beyond
// it is in the log.
const maxAlarms = 64

// lagRule stands in for a rule in the alerts about consumers that fall behind.
var lagRule = monitor.Rule{
	ID: monitor.ID{'f', 'e', 'e', 'd', '.', 'l', 'a', 'g'}, Version: 1, Title: "A feed consumer falls behind",
	Level: monitor.SeverityMedium, Author: "Security Monitor", Tags: []string{"secmon.health"},
}

// alarm notes that a consumer falls behind; it does not wait.
func (a *App) alarm(c *monitor.FeedConsumer) {
	a.lg.Warn("feed: a consumer falls behind", "owner", c.Owner.Name, "operation", c.Operation, "address", c.Address, "lag", c.Lag, "behind", c.BehindFor)
	select {
	case a.alarms <- c:
	default:
	}
}

// raiseAlarms makes alerts of consumers that fall behind: an event that says so,
// and a finding on it. Repeated ones join the open alert of their owner.
func (a *App) raiseAlarms(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-a.alarms:
			if err := a.raiseLag(ctx, c); err != nil && ctx.Err() == nil {
				a.lg.Error("feed: alert about a consumer that falls behind", "error", err)
			}
		}
	}
}

func (a *App) raiseLag(ctx context.Context, c *monitor.FeedConsumer) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	raw, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("record of a consumer: %w", err)
	}
	event := &monitor.Event{
		OccurredAt: time.Now().UTC().Truncate(time.Microsecond), Class: monitor.ClassDetectionFinding, Action: "feed.lag", Outcome: monitor.OutcomeUnknown,
		Severity: monitor.SeverityMedium, Format: "secmon", User: c.Owner.Name, Raw: raw,
		Message: fmt.Sprintf("%s of %s has not been at the head of the feed for %s and is %d changes behind", c.Operation, c.Owner.Name, c.BehindFor.Round(time.Second), c.Lag),
	}
	_, err = a.Store.StoreBatch(ctx, &monitor.Batch{Events: []*monitor.Event{event}, Findings: []monitor.Finding{{Event: 0, Rule: &lagRule}}})
	return err
}
