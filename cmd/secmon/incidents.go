package main

import (
	"context"

	"github.com/security-monitor/secmon/client/table"
	"github.com/security-monitor/secmon/monitor"
)

type incidentsCommand struct {
	List incidentsListCommand `cmd:"" help:"List incidents, the newest first."`
	Show incidentsShowCommand `cmd:"" help:"Show an incident."`
}

type incidentsListCommand struct {
	connection `embed:""`
	pageFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" env:"-" help:"Query line as in the dashboard, such as 'status:open severity:>=high'; all without it."`
}

var incidentList = listing{
	`query($first: Int!, $after: String, $filter: IncidentFilter) { list: incidents(first: $first, after: $after, filter: $filter) {
		nodes { id version title severity status disposition alertCount taskCount tasksDone assignee { name } createdAt updatedAt closedAt firstSeen lastSeen }
		pageInfo { hasNextPage endCursor } } }`,
	[]table.Column{{Title: "CREATED"}, {Title: "SEVERITY"}, {Title: "STATUS"}, {Title: "ALERTS"}, {Title: "TITLE", Wide: true}, {Title: "ASSIGNEE"}, {Title: "ID"}},
	[]string{"createdAt", "severity", "status", "alertCount", "title", "assignee.name", "id"},
}

// Run prints the list.
func (c *incidentsListCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	return incidentList.run(ctx, r, map[string]any{"filter": lineFilter(c.Query)}, c.pageFlags, c.Output)
}

type incidentsShowCommand struct {
	connection `embed:""`
	outputFlag `embed:""`
	ID         string `arg:"" env:"-" help:"Id of the incident."`
}

var incidentView = showing{
	monitor.KindIncident,
	`query($id: ID!) { node: incident(id: $id) { id version title description severity status disposition reason alertCount taskCount tasksDone commentCount assignee { name }
		createdAt updatedAt closedAt firstSeen lastSeen mergedInto { id } tasks { id title done assignee { name } dueAt }
		alerts(first: 50) { nodes { id title severity status host user lastSeen } pageInfo { hasNextPage } } } }`,
	[][2]string{
		{"id", "id"},
		{"title", "title"},
		{"severity", "severity"},
		{"status", "status"},
		{"disposition", "disposition"},
		{"reason", "reason"},
		{"assignee", "assignee.name"},
		{"alerts", "alertCount"},
		{"tasks", "taskCount"},
		{"tasks done", "tasksDone"},
		{"created", "createdAt"},
		{"first seen", "firstSeen"},
		{"last seen", "lastSeen"},
		{"merged into", "mergedInto.id"},
		{"description", "description"},
	},
}

// Run prints the incident; -o json has tasks and the latest alerts too.
func (c *incidentsShowCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	return incidentView.run(ctx, r, c.ID, c.Output)
}

type eventsCommand struct {
	Search eventsSearchCommand `cmd:"" help:"Search the stored events, the latest first."`
}

type eventsSearchCommand struct {
	connection `embed:""`
	pageFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" env:"-" help:"Query line as in the dashboard, such as 'host:web-* process:*\\powershell.exe occurredAt:>=now-1h'; all without it."`
	Raw        bool   `env:"-" help:"With -o json: the records as they came too."`
}

var eventList = listing{
	`query($first: Int!, $after: String, $filter: EventFilter, $raw: Boolean!) { list: events(first: $first, after: $after, filter: $filter) {
		nodes { id occurredAt receivedAt class action outcome severity format logSource { product category service } host user source { ip port } destination { ip port } process command fileHash filePath domain url message raw @include(if: $raw) }
		pageInfo { hasNextPage endCursor } } }`,
	[]table.Column{{Title: "OCCURRED"}, {Title: "SEVERITY"}, {Title: "CLASS"}, {Title: "HOST", Wide: true}, {Title: "USER", Wide: true}, {Title: "SOURCE"}, {Title: "MESSAGE", Wide: true}},
	[]string{"occurredAt", "severity", "class", "host", "user", "source.ip", "message"},
}

// Run prints what it finds.
func (c *eventsSearchCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	return eventList.run(ctx, r, map[string]any{"filter": lineFilter(c.Query), "raw": c.Raw && c.Output == "json"}, c.pageFlags, c.Output)
}
