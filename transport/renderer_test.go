package transport

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql/executor"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/resolvers"
)

// pages is a feed of whatever its transport hands in.
type pages struct{ resolvers.Feed }

func (pages) Pages(ctx context.Context) (resolvers.Pages, error) { return PagesFrom(ctx) }

// A group's executions, live, replayed and begun again, run at the same time and
// gqlgen writes coerced values into the variables: under the race detector this
// shows that each has its own.
func TestExecutionsOfAGroupShareNoVariables(t *testing.T) {
	s := &shared{
		exec:      executor.New(graph.NewExecutableSchema(graph.Config{Resolvers: &resolvers.Resolver{Feed: pages{}}})),
		query:     `subscription($f: AlertFilter) { alertFeed(filter: $f) { cursor } }`,
		variables: []byte(`{"f": {"severity": {"in": "HIGH"}, "host": {"eq": "web-1"}, "count": {"gte": 2}}}`),
		role:      monitor.RoleViewer, lg: slog.New(slog.DiscardHandler),
	}
	var running sync.WaitGroup
	defer running.Wait()
	for range 4 {
		running.Go(func() {
			for range 50 {
				r, err := newRenderer(t.Context(), s)
				if err != nil {
					t.Error(err)
					return
				}
				r.Close()
			}
		})
	}
}
