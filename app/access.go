package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/monitor"
)

// Access is what commands about users and tokens need.
type Access struct {
	Store *db.Store
	Auth  *auth.Auth
}

// WithAuth runs f on the configured database, without a server.
func WithAuth(ctx context.Context, cfg Storage, lg *slog.Logger, f func(*Access) error) error {
	store, closeAll, err := OpenStore(ctx, cfg, lg)
	if err != nil {
		return err
	}
	// No access token is signed here, so no keys are needed.
	return errors.Join(f(&Access{Store: store, Auth: auth.New(store, nil, nil)}), closeAll())
}

// IngestToken makes a token that may send events until expires.
func (a *App) IngestToken(ctx context.Context, name string, expires time.Time) (string, error) {
	token := monitor.APIToken{Name: name, Scopes: []monitor.Scope{monitor.ScopeIngest}, ExpiresAt: expires.UTC().Truncate(time.Microsecond)}
	secret, _, err := a.Auth.CreateToken(ctx, monitor.SystemActor, token)
	return secret, err
}
