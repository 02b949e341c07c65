package app

import (
	"net/http"
	"strings"
)

// hsts makes browsers come back by TLS alone, for a year (RFC 6797).
const hsts = "max-age=31536000"

// setHeaders tells browsers what an answer may be used for. Nothing under /api is
// a page; the dashboard's own handler says more of its pages.
func (a *App) setHeaders(h http.Header, path string) {
	h.Set("X-Content-Type-Options", "nosniff")
	if strings.HasPrefix(a.cfg.PublicURL, "https://") {
		h.Set("Strict-Transport-Security", hsts)
	}
	if strings.HasPrefix(path, "/api/") {
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
	}
}
