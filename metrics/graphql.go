package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// GraphQL counts operations, over whatever transport they come.
type GraphQL struct {
	operations *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	cost       *prometheus.HistogramVec
	refused    *prometheus.CounterVec

	names known // set once, before the first operation
}

// Operation types and outcomes beside the codes of errors.
var (
	operationTypes = knownOf("query", "mutation", "subscription")
	operationCodes = knownOf("OK", "UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "BAD_INPUT", "CONFLICT", "RATE_LIMITED", "TOTP_REQUIRED",
		"COST_LIMIT", "CURSOR_EXPIRED", "TIMEOUT", "UNAVAILABLE", "INTERNAL", "PERSISTED_QUERY_NOT_FOUND")
	limitKinds = []string{"cost", "depth", "aliases", "rootFields", "directives", "fields", "tokens", "documentBytes", "variableBytes", "requestBytes"}
	limits     = knownOf(limitKinds...)
)

func newGraphQL(r *prometheus.Registry) *GraphQL {
	g := &GraphQL{
		operations: counters(r, "secmon_graphql_operations_total", "Operations that were answered; a subscription counts when it begins.", "operation", "type", "code"),
		seconds:    histograms(r, "secmon_graphql_operation_seconds", "Time from the reading of a query or mutation to its answer.", latencies, "operation", "type"),
		cost:       histograms(r, "secmon_graphql_cost_points", "Points that an operation costs (docs/limits.md).", []float64{1, 10, 50, 100, 500, 1_000, 5_000, 20_000}, "type"),
		refused:    counters(r, "secmon_graphql_refused_total", "Operations refused because of their form or cost.", "limit"),
	}
	for kind := range operationTypes {
		g.cost.WithLabelValues(kind)
	}
	for _, kind := range limitKinds {
		g.refused.WithLabelValues(kind)
	}
	return g
}

// Know sets the names of operations that may stand in a label: those of the
// dashboard and of trusted operations, and the schema's root fields. Call it
// before the first operation.
func (g *GraphQL) Know(names []string) { g.names = knownOf(names...) }

// Operation is one that was answered.
type Operation struct {
	Name  string // the client's
	Field string // the first root field, which names operations whose own name is not known
	Type  string // query, mutation or subscription; "" where it could not be read
	Code  string // OK, or that of its first error
	Limit string // which one refused it
	Cost  int    // points, 0 where it was not measured
	Took  time.Duration
}

// Answered counts an operation.
func (g *GraphQL) Answered(o Operation) {
	name := g.names.or(o.Name)
	if name == other {
		name = g.names.or(o.Field)
	}
	kind := operationTypes.or(o.Type)
	g.operations.WithLabelValues(name, kind, operationCodes.or(o.Code)).Inc()
	if o.Limit != "" {
		g.refused.WithLabelValues(limits.or(o.Limit)).Inc()
	}
	if o.Cost > 0 {
		g.cost.WithLabelValues(kind).Observe(float64(o.Cost))
	}
	if kind != "subscription" {
		g.seconds.WithLabelValues(name, kind).Observe(o.Took.Seconds())
	}
}
