package monitor

import (
	"cmp"
	"slices"
	"time"
)

// SimilarAlert is an alert that has something in common with another.
type SimilarAlert struct {
	Alert   *Alert
	Score   float64 // 0 to 1: the share of what could be the same that is
	Reasons []SimilarityReason
}

// SimilarityReason is something that two alerts have in common.
type SimilarityReason string

// The reasons, as in the schema, with their weights.
const (
	SameRule      SimilarityReason = "SAME_RULE"
	SameHost      SimilarityReason = "SAME_HOST"
	SameUser      SimilarityReason = "SAME_USER"
	SameSource    SimilarityReason = "SAME_SOURCE"
	SameFileHash  SimilarityReason = "SAME_FILE_HASH"
	SameProcess   SimilarityReason = "SAME_PROCESS"
	SameTechnique SimilarityReason = "SAME_TECHNIQUE"
)

// Likeness tells what another alert has in common with a. What a does not have
// counts for nothing. The weights are ours: what points to one attacker (source,
// file) counts more than what many alerts share.
func (a *Alert) Likeness(other *Alert) SimilarAlert {
	s := SimilarAlert{Alert: other, Reasons: []SimilarityReason{}}
	var possible, same float64
	weigh := func(reason SimilarityReason, weight float64, has, holds bool) {
		if !has {
			return
		}
		possible += weight
		if holds {
			same += weight
			s.Reasons = append(s.Reasons, reason)
		}
	}
	weigh(SameRule, 3, true, a.RuleID == other.RuleID)
	weigh(SameHost, 3, a.Host != "", a.Host == other.Host)
	weigh(SameUser, 2, a.User != "", a.User == other.User)
	weigh(SameSource, 4, a.SrcIP.IsValid(), a.SrcIP == other.SrcIP)
	weigh(SameFileHash, 4, a.FileHash != "", a.FileHash == other.FileHash)
	weigh(SameProcess, 1, a.Process != "", a.Process == other.Process)
	weigh(SameTechnique, 1, len(a.Techniques) > 0, slices.ContainsFunc(a.Techniques, func(t string) bool { return slices.Contains(other.Techniques, t) }))
	s.Score = same / possible
	return s
}

// MoreSimilar orders by score, then the latest first.
func MoreSimilar(a, b SimilarAlert) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), b.Alert.LastSeen.Compare(a.Alert.LastSeen), slices.Compare(b.Alert.ID[:], a.Alert.ID[:]))
}

// PrevalenceWindow is how far back Prevalence counts.
const PrevalenceWindow = 30 * 24 * time.Hour

// PrevalenceKey is what Prevalence is about.
type PrevalenceKey struct {
	Rule ID
	Host string
}

// Prevalence is how common the alerts of a rule are.
type Prevalence struct {
	Alerts         int // of the rule
	Hosts          int // that they are about
	Users          int // that they are about
	OnHost         int // about the same host
	Closed         int
	FalsePositives int  // of the closed ones
	IsEstimate     bool // only the newest were counted
}
