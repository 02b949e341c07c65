package app

import (
	"net/http"
	"strconv"
	"time"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/limit"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/taxii"
)

const (
	// taxiiSettle is longer than any transaction that changes an indicator or an alert.
	taxiiSettle = time.Minute
	// What a request costs, in points: for itself, and for each object of its page.
	taxiiCost, taxiiObjectCost = 100, 5
)

// routeTAXII joins the endpoint that others read indicators from.
func (a *App) routeTAXII(mux *http.ServeMux, points limit.Points) {
	h := auth.Shippers(a.Auth.Middleware(&taxii.Handler{
		Store: a.Store, Settle: taxiiSettle, Log: a.lg,
		Admit: func(w http.ResponseWriter, r *http.Request, objects int) error {
			return a.admitTAXII(w, r, points, objects)
		},
	}))
	mux.Handle(taxii.Path, h)
	mux.Handle(taxii.Path+"/", h)
}

// admitTAXII lets those in who may read, as far as their budget goes: the one that
// operations are paid from too.
func (a *App) admitTAXII(w http.ResponseWriter, r *http.Request, points limit.Points, objects int) error {
	ctx := r.Context()
	viewer, address := monitor.ViewerFrom(ctx), auth.Address(ctx)
	visitOf(ctx).by(viewer, address)
	id := ""
	if viewer != nil {
		id = viewer.Actor().ID.String()
	}
	charge, err := a.rate.Charge(ctx, points, id, address, taxiiCost+taxiiObjectCost*objects)
	if err != nil {
		w.Header().Set("Retry-After", strconv.Itoa(int(charge.Budget.RetryAfter/time.Second)+1))
		return err
	}
	if err := auth.Failure(ctx); err != nil {
		return err
	}
	switch {
	case viewer == nil:
		return monitor.Errorf(monitor.CodeUnauthenticated, "send an API token with the scope read: as the password of any user, or Authorization: Bearer smt_...")
	case viewer.Role().Rank() < monitor.RoleViewer.Rank():
		return monitor.Errorf(monitor.CodeForbidden, "this credential may not read; it needs the scope read")
	}
	return nil
}
