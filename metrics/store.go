package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Store measures the database as this program sees it. Verbs, tables and actions
// are those of the program's own SQL: nobody else can add any.
type Store struct {
	statements   *prometheus.HistogramVec
	transactions *prometheus.HistogramVec
	errors       *prometheus.CounterVec
}

var verbs = knownOf("SELECT", "INSERT", "UPDATE", "DELETE")

func newStore(r *prometheus.Registry) *Store {
	s := &Store{
		statements:   histograms(r, "secmon_db_statement_seconds", "Time from a statement to the beginning of its answer.", latencies, "verb", "table"),
		transactions: histograms(r, "secmon_db_transaction_seconds", "Time of a transaction that changes state, from its begin to its commit.", latencies, "action"),
		errors:       counters(r, "secmon_db_errors_total", "Statements and commits that failed: away (no connection, or no service), conflict (a deadlock or a lock timeout; the transaction is tried again), cancelled (whoever asked has left, or ran out of time), other.", "kind"),
	}
	for _, kind := range []string{"away", "conflict", "cancelled", other} {
		s.errors.WithLabelValues(kind)
	}
	return s
}

// Statement counts one statement.
func (s *Store) Statement(verb, table string, took time.Duration) {
	s.statements.WithLabelValues(verbs.or(verb), table).Observe(took.Seconds())
}

// Transaction counts one that was committed.
func (s *Store) Transaction(action string, took time.Duration) {
	s.transactions.WithLabelValues(action).Observe(took.Seconds())
}

// Failed counts a statement or a commit that failed.
func (s *Store) Failed(kind string) {
	s.errors.WithLabelValues(kind).Inc()
}
