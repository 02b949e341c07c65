package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/trace"
)

// maxLogged bounds what a client may put into a line of the log.
const maxLogged = 200 // bytes

// observed gives every request an id, which the answer carries and the log and
// all errors name; measures, traces and logs it; and keeps a panic from ending
// the connection without a word.
func (a *App) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails since Go 1.24
		id := hex.EncodeToString(b[:])
		w.Header().Set("X-Request-Id", id)
		a.setHeaders(w.Header(), r.URL.Path)
		if a.draining.Err() != nil {
			w.Header().Set("Connection", "close") // a proxy that kept it would send on it when it is being closed
		}
		begun, route, note := time.Now(), routeOf(r.URL.Path), &visit{viewer: "nobody"}
		ctx, span := a.traceRequest(r, route, id)
		answer := &answerWriter{ResponseWriter: w, socket: strings.EqualFold(r.Header.Get("Upgrade"), "websocket")}
		a.metrics.HTTP.Begun()
		defer func() {
			p := recover()
			aborted := a.panicked(ctx, answer, r, id, p)
			took := time.Since(begun)
			if answer.live {
				a.metrics.HTTP.Ended(route, answer.status, -1)
			} else {
				a.metrics.HTTP.Ended(route, answer.status, took)
			}
			span.Count("http.response.status_code", answer.status)
			if answer.status >= http.StatusInternalServerError {
				span.Fail("answered with an error")
			}
			a.logRequest(ctx, r, route, id, note, answer, took)
			span.End()
			if aborted {
				panic(p)
			}
		}()
		next.ServeHTTP(answer, r.WithContext(withVisit(monitor.WithRequestID(ctx, id), note)))
	})
}

// traceRequest begins the span of a request. Probes and the dashboard's files are
// not traced: nobody looks for them.
func (a *App) traceRequest(r *http.Request, route, id string) (context.Context, trace.Span) {
	if route == "health" || route == "dashboard" || route == "playground" {
		return r.Context(), trace.Span{}
	}
	ctx, span := a.tracer.Request(r.Context(), route, r.Header)
	if span.On() {
		span.Name("HTTP " + route)
		span.Text("http.request.method", clipped(r.Method))
		span.Text("http.route", route)
		span.Text("secmon.request", id)
	}
	return ctx, span
}

// panicked answers in place of a handler that panicked; true when the connection
// has to be cut.
func (a *App) panicked(ctx context.Context, w *answerWriter, r *http.Request, id string, p any) (abort bool) {
	if p == nil {
		return false
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return true
	}
	a.lg.ErrorContext(ctx, "http: panic", "panic", p, "path", clipped(r.URL.Path), "request", id)
	if w.status != 0 { // it has begun: an end as if nothing were would make it whole
		return true
	}
	writeJSON(w, http.StatusInternalServerError, map[string]string{"code": string(monitor.CodeInternal), "message": "something went wrong on our side", "requestId": id})
	return false
}

// logRequest writes the line about a request (docs/logging.md). Probes and the
// dashboard's files are worth a line only to whoever looks for trouble.
func (a *App) logRequest(ctx context.Context, r *http.Request, route, id string, v *visit, w *answerWriter, took time.Duration) {
	level := slog.LevelInfo
	if route == "health" || route == "dashboard" || route == "playground" {
		level = slog.LevelDebug
	}
	if !a.cfg.LogRequests || !a.lg.Enabled(ctx, level) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	a.lg.LogAttrs(ctx, level, "request",
		slog.String("request", id), slog.String("route", route), slog.String("method", clipped(r.Method)), slog.String("path", clipped(r.URL.Path)),
		slog.Int("status", w.status), slog.Float64("duration_ms", milliseconds(took)), slog.Int64("bytes", w.bytes),
		slog.String("viewer_kind", v.viewer), slog.String("viewer", v.viewerID), slog.String("address", v.address),
		slog.String("operation", v.operation), slog.String("operation_type", v.kind), slog.String("code", v.code), slog.Int("cost", v.cost))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1_000 }

func clipped(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxLogged)], "") }
