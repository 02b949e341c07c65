// Package detect runs Sigma rules on records: it parses rule documents,
// compiles sets of them and says which rules a record makes fire, and why.
//
// It does not read logs, does not know where rules are stored, and raises no
// alerts.
package detect

import (
	"sync/atomic"

	"github.com/security-monitor/secmon/monitor"
)

// Engine holds the rules in force. Rules may be swapped while others match:
// each call of Match sees one Ruleset from beginning to end. The zero Engine
// matches nothing.
type Engine struct {
	current atomic.Pointer[Ruleset]
}

// Swap puts a Ruleset in force for all later calls of Match.
func (e *Engine) Swap(rs *Ruleset) { e.current.Store(rs) }

// Ruleset gives the rules in force, nil before the first Swap.
func (e *Engine) Ruleset() *Ruleset { return e.current.Load() }

// Match appends the rules in force that the record makes fire. See Ruleset.Match.
func (e *Engine) Match(rec *monitor.Record, dst []monitor.Match) []monitor.Match {
	return e.current.Load().Match(rec, dst)
}
