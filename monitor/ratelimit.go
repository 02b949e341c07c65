package monitor

import "time"

// RateLimit is what an operation cost, and what is left of the viewer's budget.
type RateLimit struct {
	Cost      int
	Limit     int // points a minute; 0: no bound
	Remaining int
	ResetAt   time.Time // when the budget is whole again
}

// Audience says whom something is for: a role and those above it, or nobody.
type Audience string

// AudienceNobody is for nobody, whatever the role.
const AudienceNobody Audience = "nobody"

// Includes tells whether somebody with the role belongs to it. The zero Audience
// is everybody who may read.
func (a Audience) Includes(r Role) bool {
	switch a {
	case AudienceNobody:
		return false
	case "":
		return r.Rank() >= RoleViewer.Rank()
	default:
		need := Role(a).Rank()
		return need > 0 && r.Rank() >= need
	}
}
