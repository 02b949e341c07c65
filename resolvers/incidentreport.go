package resolvers

import (
	"context"
	"strings"
	"time"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
	"github.com/security-monitor/secmon/report"
)

// reportItems bounds each list of a report.
const reportItems = page.MaxFirst

// IncidentReport writes an incident out.
func (r queryResolver) IncidentReport(ctx context.Context, id string, format model.ReportFormat) (*model.IncidentReport, error) {
	incident, err := r.Incident(ctx, id, nil)
	if err != nil || incident == nil {
		return nil, err
	}
	in, err := r.reportInput(ctx, incident)
	if err != nil {
		return nil, err
	}
	out := &model.IncidentReport{
		Incident: *incident, Format: format, Title: incident.Title, GeneratedAt: in.At, Truncated: in.MoreAlerts || in.MoreComments || in.MoreTimeline,
	}
	document := report.New(*in)
	ending := ""
	switch format {
	case model.ReportFormatJSON:
		out.ContentType, ending = "application/json", ".json"
		out.Content, err = document.JSON()
	case model.ReportFormatHTML:
		out.ContentType, ending = "text/html; charset=utf-8", ".html"
		out.Content, err = document.HTML()
	case model.ReportFormatMarkdown:
		out.ContentType, ending = "text/markdown; charset=utf-8", ".md"
		out.Content = document.Markdown()
	}
	out.FileName = "incident-" + incident.CreatedAt.Format("2006-01-02") + "-" + strings.SplitN(incident.ID.String(), "-", 2)[0] + ending
	return out, err
}

func (r *Resolver) reportInput(ctx context.Context, i *monitor.Incident) (*report.Input, error) {
	in := &report.Input{Incident: i, At: time.Now().UTC()}
	args := page.Args{First: reportItems}
	alerts, err := r.Incidents.AlertsOfIncident(ctx, i.ID, nil, args)
	if err != nil {
		return nil, err
	}
	timeline, err := r.IncidentReading.IncidentTimeline(ctx, i.ID, args)
	if err != nil {
		return nil, err
	}
	comments, err := r.IncidentComments.CommentsOfIncident(ctx, i.ID, args)
	if err != nil {
		return nil, err
	}
	in.Alerts, in.MoreAlerts = alerts.Nodes(), alerts.PageInfo.HasNextPage
	in.Timeline, in.MoreTimeline = timeline.Nodes(), timeline.PageInfo.HasNextPage
	in.Comments, in.MoreComments = comments.Nodes(), comments.PageInfo.HasNextPage
	if in.Tasks, err = r.IncidentTasks.TasksOfIncidents(ctx, []monitor.ID{i.ID}); err != nil {
		return nil, err
	}
	if in.Entities, err = r.IncidentReading.IncidentEntities(ctx, i.ID); err != nil {
		return nil, err
	}
	spans, err := r.IncidentReading.IncidentSpans(ctx, []monitor.ID{i.ID})
	if err != nil {
		return nil, err
	}
	groups, err := r.IncidentReading.AlertGroupsOfIncidents(ctx, []monitor.ID{i.ID})
	if err != nil {
		return nil, err
	}
	for _, span := range spans {
		in.Span = *span
	}
	for _, g := range groups {
		in.Groups = g.Groups
	}
	in.People, err = r.peopleOf(ctx, in)
	return in, err
}

// peopleOf loads everybody whom a report names.
func (r *Resolver) peopleOf(ctx context.Context, in *report.Input) (map[monitor.ID]*monitor.User, error) {
	wanted := map[monitor.ID]bool{in.Incident.AssigneeID: true}
	for _, t := range in.Tasks {
		wanted[t.AssigneeID] = true
	}
	for _, c := range in.Comments {
		wanted[c.AuthorID] = true
	}
	for _, id := range report.PeopleOf(in.Timeline) {
		wanted[id] = true
	}
	ids := make([]monitor.ID, 0, len(wanted))
	for id := range wanted {
		if !id.IsZero() {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // nobody
	}
	found, err := r.Users.UsersByID(ctx, ids)
	people := make(map[monitor.ID]*monitor.User, len(found))
	for _, user := range found {
		people[user.ID] = user
	}
	return people, err
}
