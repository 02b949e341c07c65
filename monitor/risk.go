package monitor

import (
	"math"
	"time"
)

// The risk of an asset is
//
//	score = criticality × Σ over its open alerts of weight(severity) × 0.5^(age / half-life)
//
// where the age of an alert counts from its last match. RiskPoints keeps the sum
// without the decay up to now: weight × 2^((last match − riskStart) / half-life).
// All alerts decay alike, so that the sum only has to be changed when an alert
// is, and the order of two assets does not depend on when one asks.
const (
	RiskHalfLife = 7 * 24 * time.Hour
	// RiskFormula is the formula for people.
	RiskFormula = "criticality (LOW 0.5, MEDIUM 1, HIGH 1.5, CRITICAL 2) x sum over open alerts of weight (INFORMATIONAL 0, LOW 5, MEDIUM 20, HIGH 50, CRITICAL 100) x 0.5 ^ (days since its last match / 7)"
)

// riskStart is any fixed instant; a float64 holds 19 years of doubling every week.
var riskStart = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// RiskWeight is what an alert of a severity counts.
func RiskWeight(s Severity) float64 {
	switch s {
	case SeverityLow:
		return 5
	case SeverityMedium:
		return 20
	case SeverityHigh:
		return 50
	case SeverityCritical:
		return 100
	default:
		return 0
	}
}

// CriticalityFactor is by what an asset's risk is multiplied.
func CriticalityFactor(c Criticality) float64 {
	switch c {
	case CriticalityLow:
		return 0.5
	case CriticalityHigh:
		return 1.5
	case CriticalityCritical:
		return 2
	default:
		return 1
	}
}

// RiskPoints is what an alert adds to the Risk of its assets; a closed one nothing.
// An alert that claims to come from the future counts as of when it was stored.
func RiskPoints(a *Alert) float64 {
	if a == nil || a.Status == AlertClosed {
		return 0
	}
	return RiskWeight(a.Severity) * math.Exp2(float64(countsFrom(a).Sub(riskStart))/float64(RiskHalfLife))
}

// countsFrom is the instant from which an alert's age counts.
func countsFrom(a *Alert) time.Time {
	if a.LastSeen.After(a.UpdatedAt) {
		return a.UpdatedAt
	}
	return a.LastSeen
}

// Score is the asset's risk at a time. What rounding leaves of alerts that are
// closed again counts as nothing.
func (a *Asset) Score(now time.Time) float64 {
	score := CriticalityFactor(a.Criticality) * Decayed(a.Risk, now)
	if score < 1e-6 {
		return 0
	}
	return score
}

// Decayed gives what RiskPoints are worth at a time.
func Decayed(points float64, now time.Time) float64 {
	return points * math.Exp2(-float64(now.Sub(riskStart))/float64(RiskHalfLife))
}

// AssetRisk is an asset's risk at a time.
type AssetRisk struct {
	Asset   *Asset
	At      time.Time
	Score   float64
	Formula string
}

// AssetRiskFactor is what one open alert adds to it: the product of the three.
type AssetRiskFactor struct {
	Alert                      *Alert
	Weight, Decay, Criticality float64
	Points                     float64
}

// RiskFactor gives what an open alert adds to the asset's risk at a time.
func (a *Asset) RiskFactor(alert *Alert, at time.Time) *AssetRiskFactor {
	f := &AssetRiskFactor{Alert: alert, Weight: RiskWeight(alert.Severity), Criticality: CriticalityFactor(a.Criticality)}
	f.Points = f.Criticality * Decayed(RiskPoints(alert), at)
	f.Decay = math.Exp2(-float64(at.Sub(countsFrom(alert))) / float64(RiskHalfLife))
	return f
}
