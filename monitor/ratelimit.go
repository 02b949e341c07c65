package monitor

import (
	"io"
	"strconv"
	"strings"
)

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

// MarshalGQL writes it as the schema's enum does, in capitals.
func (a Audience) MarshalGQL(w io.Writer) {
	if a == "" {
		a = Audience(RoleViewer)
	}
	_, _ = io.WriteString(w, strconv.Quote(strings.ToUpper(string(a)))) // the writer is a buffer in memory
}

// UnmarshalGQL reads what MarshalGQL writes.
func (a *Audience) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	*a = Audience(text)
	switch {
	case ok && text == strings.ToUpper(string(AudienceNobody)):
		*a = AudienceNobody
	case !ok || Role(text).Rank() == 0:
		return Errorf(CodeBadInput, "%v is no Audience", v)
	}
	return nil
}
