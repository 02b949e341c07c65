package app

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/resolvers"
	"github.com/security-monitor/secmon/web"
)

// routes joins the handlers: /api/graphql, /api/ingest, /api/healthz,
// /api/readyz, and the dashboard for everything else.
func (a *App) routes() (http.Handler, error) {
	graphql, err := a.graphql()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/graphql", a.Auth.Middleware(graphql))
	if err := a.routeIngest(mux, a.in); err != nil {
		return nil, err
	}
	points, err := a.cfg.points()
	if err != nil {
		return nil, err
	}
	a.routeTAXII(mux, points)
	if err := a.routeLogins(mux); err != nil {
		return nil, err
	}
	mux.HandleFunc("GET "+resolvers.ExportPath+"{id}", a.export)
	mux.HandleFunc("GET /api/healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /api/readyz", a.ready)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusNotFound, map[string]string{"code": string(monitor.CodeNotFound), "message": "there is nothing at " + r.URL.Path})
	})
	dashboard := web.Handler()
	mux.Handle("/playground", a.whilePlayed(dashboard))
	mux.Handle("/playground/", a.whilePlayed(dashboard))
	mux.Handle("/", dashboard)
	return a.observed(mux), nil
}

// OffersPlayground tells whether the playground is there for anybody. Whom it is
// offered to, of those who come in, is settings.playground.
func (a *App) OffersPlayground() bool { return a.offers().ToPlay(monitor.RoleAdmin) }

// whilePlayed hides the playground's page while it is for nobody.
func (a *App) whilePlayed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.OffersPlayground() {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ready says whether this replica should get requests: not while it stops, and
// not without its database. Redis being away is no reason: feeds go on by polling.
func (a *App) ready(w http.ResponseWriter, r *http.Request) {
	if a.draining.Err() != nil {
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "stopping"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := a.Store.Ping(ctx); err != nil {
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "database does not answer"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may have left
}
