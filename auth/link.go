package auth

import (
	"context"
	"crypto/sha256"

	"github.com/security-monitor/secmon/monitor"
)

// NewLink makes the secret of a link that works without a header, and the hash to
// keep of it.
func NewLink() (secret string, hash [32]byte) { return newSecret() }

// LinkHash is what NewLink gave for a secret.
func LinkHash(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }

// Standing gives who a link's maker is now: of a login that goes on, or of a token
// that is alive. UNAUTHENTICATED when they may not come in any more.
func (a *Auth) Standing(ctx context.Context, session monitor.ID, maker monitor.Actor) (*monitor.Viewer, error) {
	over := monitor.Errorf(monitor.CodeUnauthenticated, "the login or the token that this link was made with is over")
	if maker.Kind == monitor.ActorToken {
		token, found, err := a.store.LiveToken(ctx, maker.ID)
		if err == nil && !found {
			err = over
		}
		return &monitor.Viewer{Token: token}, err
	}
	_, user, found, err := a.store.LiveSession(ctx, session)
	if err == nil && (!found || user.ID != maker.ID) {
		err = over
	}
	return &monitor.Viewer{User: user, SessionID: session}, err
}
