package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/security-monitor/secmon/limit"
	"github.com/security-monitor/secmon/monitor"
)

// RateLimit tells what the operation that asks cost, and what is left.
func (queryResolver) RateLimit(ctx context.Context) (*monitor.RateLimit, error) {
	charge, _ := graphql.GetOperationContext(ctx).Stats.GetExtension(limit.StatsKey).(*limit.Charge)
	if charge == nil {
		return &monitor.RateLimit{}, nil
	}
	b := charge.Budget
	return &monitor.RateLimit{Cost: charge.Cost, Limit: b.Limit, Remaining: b.Remaining, ResetAt: b.Reset.UTC()}, nil
}
