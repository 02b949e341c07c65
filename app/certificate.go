package app

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"time"
)

// certificatePeriod is how often the certificates of others are looked at.
const certificatePeriod = time.Hour

// lookAtCertificates notes when the certificates end that others show us: they are
// not ours to renew, and stop everything when nobody does. Whether they are valid
// is found out where they are used; here counts the date alone.
func (a *App) lookAtCertificates(ctx context.Context) {
	if time.Since(a.certificatesSeen) < certificatePeriod {
		return
	}
	a.certificatesSeen = time.Now()
	for peer, address := range map[string]string{"redis": a.cfg.RedisURL, "oidc": a.cfg.Issuer, "public_url": a.cfg.PublicURL} {
		if ends, found := certificateEnd(ctx, address); found {
			a.metrics.Health.Certificate(peer, ends)
		}
	}
}

// certificateEnd gives when the certificate of the server at an address ends;
// false where it speaks no TLS or does not answer.
func certificateEnd(ctx context.Context, address string) (time.Time, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "rediss" {
		return time.Time{}, false
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "rediss": "6379"}[u.Scheme]
	}
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: true}} //nolint:gosec // nothing is said on it: an expired certificate has a date, too
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return time.Time{}, false
	}
	defer conn.Close() //nolint:errcheck // nothing was said
	shown := conn.(*tls.Conn).ConnectionState().PeerCertificates
	if len(shown) == 0 {
		return time.Time{}, false
	}
	return shown[0].NotAfter, true
}
