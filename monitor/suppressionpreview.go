package monitor

import (
	"bytes"
	"slices"
	"time"
)

// Bounds of a preview.
const (
	MaxPreviewDays     = 90
	MaxPreviewAlerts   = 1_000 // looked at, the latest first
	MaxPreviewFindings = 5_000 // looked at
	maxPreviewExamples = 10
)

// SuppressionPreview is what a suppression would have hidden of what is stored.
type SuppressionPreview struct {
	Since    time.Time
	Examined int // findings that were compared
	// Complete tells whether all findings since then were; else the latest alerts' were.
	Complete bool
	Findings int // would have been hidden
	Alerts   int // would not have been raised
	Smaller  int // alerts that would have fewer findings
	Rules    []*SuppressionPreviewRule
	Examples []*Alert // the latest alerts of both kinds
}

// SuppressionPreviewRule is the part of a preview that is one rule's.
type SuppressionPreviewRule struct {
	RuleID   ID
	Alerts   int // would not have been raised, or would be smaller
	Findings int // would have been hidden
}

// Add counts an alert of whose findings so many would have been hidden. Add the
// latest first.
func (p *SuppressionPreview) Add(a *Alert, findings, hidden int) {
	p.Examined += findings
	if hidden == 0 {
		return
	}
	p.Findings += hidden
	if hidden == findings {
		p.Alerts++
	} else {
		p.Smaller++
	}
	if len(p.Examples) < maxPreviewExamples {
		p.Examples = append(p.Examples, a)
	}
	i := slices.IndexFunc(p.Rules, func(r *SuppressionPreviewRule) bool { return r.RuleID == a.RuleID })
	if i < 0 {
		i, p.Rules = len(p.Rules), append(p.Rules, &SuppressionPreviewRule{RuleID: a.RuleID})
	}
	p.Rules[i].Alerts++
	p.Rules[i].Findings += hidden
}

// Sort puts the rule first that would be hidden most.
func (p *SuppressionPreview) Sort() {
	slices.SortFunc(p.Rules, func(a, b *SuppressionPreviewRule) int {
		if a.Findings != b.Findings {
			return b.Findings - a.Findings
		}
		return bytes.Compare(a.RuleID[:], b.RuleID[:])
	})
}
