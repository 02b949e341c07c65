package monitor

import (
	"context"
	"time"
)

// User is a person.
type User struct {
	ID          ID        `json:"id"`
	Name        string    `json:"name"` // to log in with; lower case, unique
	DisplayName string    `json:"displayName"`
	Role        Role      `json:"role"`
	Disabled    bool      `json:"disabled"`
	CreatedAt   time.Time `json:"createdAt"`
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
}

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
