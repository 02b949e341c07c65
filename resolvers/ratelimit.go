package resolvers

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/security-monitor/secmon/limit"
	"github.com/security-monitor/secmon/monitor"
)

// RateLimit tells what the operation that asks cost, and what is left.
func (queryResolver) RateLimit(ctx context.Context) (*monitor.RateLimit, error) {
	charge, _ := graphql.GetOperationContext(ctx).Stats.GetExtension(limit.StatsKey).(*limit.Charge)
	if charge == nil {
		return &monitor.RateLimit{ResetAt: time.Now().UTC()}, nil
	}
	b := charge.Budget
	reset := b.Reset.UTC()
	if b.Reset.IsZero() { // without a bound the budget is always whole
		reset = time.Now().UTC()
	}
	return &monitor.RateLimit{Cost: charge.Cost, Limit: b.Limit, Remaining: b.Remaining, ResetAt: reset}, nil
}
