package resolvers

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/export"
	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
)

// Exports keeps the rights to take lists out.
type Exports interface {
	CreateExport(ctx context.Context, e monitor.Export, secretHash [32]byte) (*monitor.Export, error)
}

// ExportPath is where the files are; an export's id follows.
const ExportPath = "/api/export/"

// AlertExport makes a link to a file of alerts.
func (r mutationResolver) AlertExport(ctx context.Context, input model.AlertExportInput) (*model.ExportPayload, error) {
	filter, err := exportFilter(input.Filter, compiles(input.Filter))
	return r.export(ctx, monitor.Export{Noun: monitor.LineAlerts, Format: input.Format, Columns: input.Columns, MaxRows: input.MaxRows, Filter: filter}, err)
}

// EventExport makes a link to a file of events.
func (r mutationResolver) EventExport(ctx context.Context, input model.EventExportInput) (*model.ExportPayload, error) {
	filter, err := exportFilter(input.Filter, compiles(input.Filter))
	return r.export(ctx, monitor.Export{Noun: monitor.LineEvents, Format: input.Format, Columns: input.Columns, MaxRows: input.MaxRows, Filter: filter}, err)
}

// IncidentExport makes a link to a file of incidents.
func (r mutationResolver) IncidentExport(ctx context.Context, input model.IncidentExportInput) (*model.ExportPayload, error) {
	filter, err := exportFilter(input.Filter, compiles(input.Filter))
	return r.export(ctx, monitor.Export{Noun: monitor.LineIncidents, Format: input.Format, Columns: input.Columns, MaxRows: input.MaxRows, Filter: filter}, err)
}

// IndicatorExport makes a link to a file of indicators.
func (r mutationResolver) IndicatorExport(ctx context.Context, input model.IndicatorExportInput) (*model.ExportPayload, error) {
	filter, err := exportFilter(input.Filter, compiles(input.Filter))
	return r.export(ctx, monitor.Export{Noun: monitor.LineIndicators, Format: input.Format, Columns: input.Columns, MaxRows: input.MaxRows, Filter: filter}, err)
}

// compiles tells whether a filter can be asked for: better now than in the file.
func compiles(filter interface {
	Compile() (monitor.Predicate, error)
},
) error {
	_, err := filter.Compile()
	return err
}

func exportFilter[F any](filter *F, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	return monitor.FilterJSON(filter)
}

func (r mutationResolver) export(ctx context.Context, e monitor.Export, err error) (*model.ExportPayload, error) {
	if err == nil {
		err = export.Check(&e)
	}
	if err != nil {
		mendable, err := userErrors(err)
		return &model.ExportPayload{Errors: mendable}, err
	}
	viewer := monitor.ViewerFrom(ctx)
	e.CreatedBy, e.SessionID = viewer.Actor(), viewer.SessionID
	secret, hash := auth.NewLink()
	created, err := r.Exports.CreateExport(ctx, e, hash)
	if err != nil {
		return nil, err
	}
	link := ExportPath + created.ID.String() + "?" + url.Values{"key": {secret}}.Encode()
	return &model.ExportPayload{Export: created, URL: &link, Errors: []*model.UserError{}}, nil
}
