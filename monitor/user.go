package monitor

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// User is a person.
type User struct {
	ID          ID     `json:"id"`
	Version     int    `json:"version"`
	Name        string `json:"name"` // to log in with; lower case, unique
	DisplayName string `json:"displayName"`
	Role        Role   `json:"role"`
	Disabled    bool   `json:"disabled"`
	// SecondFactor tells that logging in takes a one-time password too.
	SecondFactor bool      `json:"secondFactor"`
	CreatedAt    time.Time `json:"createdAt"`
	UpdatedAt    time.Time `json:"updatedAt"`
}

// MaxDisplayName is in characters.
const MaxDisplayName = 128

// Check says what is wrong with what people set.
func (u *User) Check() error {
	if n := utf8.RuneCountInString(u.DisplayName); n < 1 || n > MaxDisplayName {
		return InputErrorf("displayName", "a display name has 1 to %d characters", MaxDisplayName)
	}
	if u.Role.Rank() == 0 {
		return InputErrorf("role", "%q is no role", u.Role)
	}
	return nil
}

// GlobalID is the user's id in the graph.
func (u *User) GlobalID() string { return GlobalID(KindUser, u.ID.String()) }

// Role is what a person may do. Each includes the ones before it.
type Role string

// The roles, from the least.
const (
	RoleViewer  Role = "VIEWER"
	RoleAnalyst Role = "ANALYST"
	RoleAdmin   Role = "ADMIN"
)

// Rank gives 1 for a viewer to 3 for an administrator, 0 for anything else.
func (r Role) Rank() int {
	switch r {
	case RoleViewer:
		return 1
	case RoleAnalyst:
		return 2
	case RoleAdmin:
		return 3
	default:
		return 0
	}
}

// Scope is what an API token may do.
type Scope string

// The scopes. Ingest allows sending events and nothing else.
const (
	ScopeIngest Scope = "ingest"
	ScopeRead   Scope = "read"
	ScopeWrite  Scope = "write"
	ScopeAdmin  Scope = "admin"
)

// Role is what somebody has to be to let a program do that.
func (s Scope) Role() Role {
	switch s {
	case ScopeRead:
		return RoleViewer
	case ScopeIngest, ScopeWrite:
		return RoleAnalyst
	default:
		return RoleAdmin
	}
}

// Scopes lists all scopes.
var Scopes = []Scope{ScopeIngest, ScopeRead, ScopeWrite, ScopeAdmin}

// Session is one login of one person, alive as long as its refresh token is
// rotated in time.
type Session struct {
	ID        ID        `json:"id"`
	UserID    ID        `json:"userId"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt"`
	RevokedAt time.Time `json:"revokedAt"` // zero: alive
	Address   string    `json:"address"`   // from which it began
	Agent     string    `json:"agent"`     // the browser's own words
	EndsAt    time.Time `json:"endsAt"`    // however often it is refreshed; zero: only when it is not
	// RefreshedAt is when its tokens were last renewed, which a client in use does
	// every few minutes.
	RefreshedAt time.Time `json:"-"`
}

// Until is when a session that is refreshed now is over: at, or at its end.
func (s *Session) Until(at time.Time) time.Time {
	if !s.EndsAt.IsZero() && s.EndsAt.Before(at) {
		return s.EndsAt
	}
	return at
}

// GlobalID is the session's id in the graph.
func (s *Session) GlobalID() string { return GlobalID(KindSession, s.ID.String()) }

// APIToken lets a program in. Only a hash of its secret is stored.
type APIToken struct {
	ID         ID        `json:"id"`
	Name       string    `json:"name"`
	Scopes     []Scope   `json:"scopes"`
	OwnerID    ID        `json:"ownerId"` // zero: made on the command line
	CreatedAt  time.Time `json:"createdAt"`
	ExpiresAt  time.Time `json:"expiresAt"` // zero: never
	RevokedAt  time.Time `json:"revokedAt"` // zero: alive
	LastUsedAt time.Time `json:"-"`
}

// GlobalID is the token's id in the graph.
func (t *APIToken) GlobalID() string { return GlobalID(KindAPIToken, t.ID.String()) }

// MaxTokenLife is how long a token that somebody makes is valid at most.
const MaxTokenLife = 366 * 24 * time.Hour

// Viewer is who acts: a person in a session, or an API token, or nobody.
type Viewer struct {
	User      *User
	SessionID ID
	Token     *APIToken
	ExpiresAt time.Time // when these rights end; zero: never
	Address   string    // of the client, for throttling and logs
}

// Role gives the highest role that the viewer has, "" for nobody. An API token
// acts as VIEWER with read, ANALYST with write, ADMIN with admin.
func (v *Viewer) Role() Role {
	switch {
	case v == nil:
		return ""
	case v.User != nil:
		return v.User.Role
	case v.HasScope(ScopeAdmin):
		return RoleAdmin
	case v.HasScope(ScopeWrite):
		return RoleAnalyst
	case v.HasScope(ScopeRead):
		return RoleViewer
	default:
		return ""
	}
}

// HasScope tells whether the viewer is a token with that scope.
func (v *Viewer) HasScope(s Scope) bool {
	if v == nil || v.Token == nil {
		return false
	}
	for _, have := range v.Token.Scopes {
		if have == s {
			return true
		}
	}
	return false
}

// Actor gives the name under which the viewer's changes stand in the journal.
func (v *Viewer) Actor() Actor {
	switch {
	case v == nil:
		return SystemActor
	case v.User != nil:
		return Actor{Kind: ActorUser, ID: v.User.ID, Name: v.User.Name}
	case v.Token != nil:
		return Actor{Kind: ActorToken, ID: v.Token.ID, Name: v.Token.Name}
	default:
		return SystemActor
	}
}

type viewerKey struct{}

// WithViewer puts the viewer into the context; only auth does so.
func WithViewer(ctx context.Context, v *Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

// ViewerFrom gives the viewer of the context, nil for nobody. In an operation
// that is executed once for many it panics: what depends on one viewer must not
// reach another.
func ViewerFrom(ctx context.Context) *Viewer {
	if _, shared := ctx.Value(sharedKey{}).(Role); shared {
		panic(Errorf(CodeForbidden, "a shared subscription has no viewer"))
	}
	v, _ := ctx.Value(viewerKey{}).(*Viewer)
	return v
}

type sharedKey struct{}

// WithSharedRole marks the execution of an operation for all subscribers who
// have the role. It runs with that role and as nobody.
func WithSharedRole(ctx context.Context, r Role) context.Context {
	return context.WithValue(ctx, sharedKey{}, r)
}

// Shared tells whether the operation of the context runs for many.
func Shared(ctx context.Context) bool {
	_, shared := ctx.Value(sharedKey{}).(Role)
	return shared
}

// RoleFrom gives the role with which the operation of the context runs: of the
// viewer, or of all who share it; "" for nobody.
func RoleFrom(ctx context.Context) Role {
	if role, shared := ctx.Value(sharedKey{}).(Role); shared {
		return role
	}
	return ViewerFrom(ctx).Role()
}

// MarshalGQL writes the scope as the schema's enum has it.
func (s Scope) MarshalGQL(w io.Writer) {
	_, _ = io.WriteString(w, strconv.Quote(strings.ToUpper(string(s)))) // gqlgen's interface has no error
}

// UnmarshalGQL reads a value of the schema's enum.
func (s *Scope) UnmarshalGQL(v any) error {
	text, _ := v.(string)
	*s = Scope(strings.ToLower(text))
	if !slices.Contains(Scopes, *s) || text != strings.ToUpper(text) {
		return Errorf(CodeBadInput, "%q is no scope", text)
	}
	return nil
}
