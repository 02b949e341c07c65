package app

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/export"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/stix"
)

// Bounds of the files that are written at once on one replica, and of one of them.
const (
	maxExports    = 2
	exportTime    = time.Hour
	exportPace    = time.Minute        // for a page, from the database to the client
	exportMemory  = 7 * 24 * time.Hour // how long links that are over are kept
	exportRetryIn = 10 * time.Second
)

// export writes the file of a link that a mutation made. A file that cannot be
// written to its end ends with a broken connection, never as if it were whole.
func (a *App) export(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), exportTime)
	defer cancel()
	e, err := a.exportOf(ctx, r.PathValue("id"), r.URL.Query().Get("key"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	select {
	case a.exports <- struct{}{}:
		defer func() { <-a.exports }()
	default:
		w.Header().Set("Retry-After", strconv.Itoa(int(exportRetryIn/time.Second)))
		a.refuse(w, r, monitor.Errorf(monitor.CodeRateLimited, "%d files are being written already; try again in %s", maxExports, exportRetryIn))
		return
	}
	exportHeaders(w.Header(), e)
	if r.Method == http.MethodHead {
		return
	}
	done, err := a.writeExport(ctx, w, e)
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err = errors.Join(err, a.Store.NoteExport(noting, e, done.Rows)); err != nil {
		a.lg.Warn("export: cut off", "export", e.ID.String(), "rows", done.Rows, "request", monitor.RequestID(ctx), "error", err)
		panic(http.ErrAbortHandler)
	}
}

// writeExport gives a slow client so long for each page, and asks before each
// whether whoever made the link may still read.
func (a *App) writeExport(ctx context.Context, w http.ResponseWriter, e *monitor.Export) (export.Result, error) {
	out := http.NewResponseController(w)
	extend := func() { _ = out.SetWriteDeadline(time.Now().Add(exportPace)) } // fails where the write fails
	extend()
	defer func() { _ = out.SetWriteDeadline(time.Time{}) }() // the connection may serve other requests
	return export.Write(ctx, w, e, exported{a.Store, a.bench()}, func() error {
		if err := out.Flush(); err != nil {
			return err
		}
		extend()
		return a.mayTake(ctx, e)
	})
}

// exportOf gives the export of a link, while whoever made it may read.
func (a *App) exportOf(ctx context.Context, id, key string) (*monitor.Export, error) {
	over := monitor.Errorf(monitor.CodeNotFound, "there is no such file; links work for %s", monitor.ExportLifetime)
	parsed, err := monitor.ParseID(id)
	if err != nil {
		return nil, over
	}
	e, found, err := a.Store.LiveExport(ctx, parsed, auth.LinkHash(key))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, over
	}
	return e, a.mayTake(ctx, e)
}

func (a *App) mayTake(ctx context.Context, e *monitor.Export) error {
	maker, err := a.Auth.Standing(ctx, e.SessionID, e.CreatedBy)
	if err == nil && maker.Role().Rank() < monitor.RoleViewer.Rank() {
		err = monitor.Errorf(monitor.CodeForbidden, "this credential may not read any more")
	}
	return err
}

func exportHeaders(h http.Header, e *monitor.Export) {
	h.Set("Content-Type", "application/x-ndjson")
	switch e.Format {
	case monitor.ExportCSV:
		h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	case monitor.ExportSTIX:
		h.Set("Content-Type", stix.MediaType)
	}
	h.Set("Content-Disposition", `attachment; filename="`+e.FileName()+`"`)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Accel-Buffering", "no") // an ingress hands on page by page
}

// refuse answers with an error's code and message.
func (a *App) refuse(w http.ResponseWriter, r *http.Request, err error) {
	code, message := monitor.CodeOf(err), "something went wrong on our side"
	var known *monitor.Error
	if errors.As(err, &known) {
		message = known.Message
	} else {
		a.lg.Error("http", "path", r.URL.Path, "request", monitor.RequestID(r.Context()), "error", err)
	}
	writeJSON(w, statusOf(code), map[string]string{"code": string(code), "message": message, "requestId": monitor.RequestID(r.Context())})
}

func statusOf(code monitor.Code) int {
	switch code {
	case monitor.CodeNotFound:
		return http.StatusNotFound
	case monitor.CodeUnauthenticated:
		return http.StatusUnauthorized
	case monitor.CodeForbidden:
		return http.StatusForbidden
	case monitor.CodeRateLimited:
		return http.StatusTooManyRequests
	case monitor.CodeUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// exported are the lists that files are made of.
type exported struct {
	*db.Store
	bench ruleBench
}

// FiredRules gives what rules said at those versions.
func (e exported) FiredRules(ctx context.Context, of []monitor.RuleAt) (map[monitor.RuleAt]*monitor.FiredRule, error) {
	return e.bench.FiredRules(ctx, of)
}
