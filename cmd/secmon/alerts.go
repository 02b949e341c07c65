package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/security-monitor/secmon/client"
	"github.com/security-monitor/secmon/client/table"
	"github.com/security-monitor/secmon/monitor"
)

type alertsCommand struct {
	List   alertsListCommand   `cmd:"" help:"List alerts, those that matched last first."`
	Show   alertsShowCommand   `cmd:"" help:"Show an alert."`
	Ack    alertsAckCommand    `cmd:"" help:"Say that somebody looks after alerts: you, unless told otherwise."`
	Close  alertsCloseCommand  `cmd:"" help:"Close alerts with a finding and a reason."`
	Assign alertsAssignCommand `cmd:"" help:"Give alerts to somebody, or to nobody."`
}

type alertsListCommand struct {
	connection `embed:""`
	pageFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" env:"-" help:"Query line as in the dashboard, such as 'severity:>=high status:new host:web-*'; all without it."`
}

var alertList = listing{
	`query($first: Int!, $after: String, $filter: AlertFilter) { list: alerts(first: $first, after: $after, filter: $filter) {
		nodes { id version title severity status disposition count host user source { ip } destination { ip } process techniques tags assignee { name } firstSeen lastSeen createdAt rule { id } incident { id } }
		pageInfo { hasNextPage endCursor } } }`,
	[]table.Column{{Title: "LAST SEEN"}, {Title: "SEVERITY"}, {Title: "STATUS"}, {Title: "COUNT"}, {Title: "HOST", Wide: true}, {Title: "USER", Wide: true}, {Title: "TITLE", Wide: true}, {Title: "ASSIGNEE"}, {Title: "ID"}},
	[]string{"lastSeen", "severity", "status", "count", "host", "user", "title", "assignee.name", "id"},
}

// Run prints the list.
func (c *alertsListCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	return alertList.run(ctx, r, map[string]any{"filter": lineFilter(c.Query)}, c.pageFlags, c.Output)
}

type alertsShowCommand struct {
	connection `embed:""`
	outputFlag `embed:""`
	ID         string `arg:"" env:"-" help:"Id of the alert."`
}

var alertView = showing{
	monitor.KindAlert,
	`query($id: ID!) { node: alert(id: $id) { id version title severity ruleSeverity status disposition reason count firstSeen lastSeen createdAt updatedAt acknowledgedAt closedAt
		host user source { ip port } destination { ip port } process fileHash techniques tags assignee { name } rule { id title } incident { id title }
		evidence(first: 5) { nodes { matched { field value pattern selection } event { id occurredAt message } } }
		comments(first: 50) { nodes { author { name } createdAt body } } } }`,
	[][2]string{
		{"id", "id"},
		{"title", "title"},
		{"severity", "severity"},
		{"status", "status"},
		{"disposition", "disposition"},
		{"reason", "reason"},
		{"assignee", "assignee.name"},
		{"count", "count"},
		{"first seen", "firstSeen"},
		{"last seen", "lastSeen"},
		{"host", "host"},
		{"user", "user"},
		{"source", "source.ip"},
		{"destination", "destination.ip"},
		{"process", "process"},
		{"file hash", "fileHash"},
		{"techniques", "techniques"},
		{"tags", "tags"},
		{"rule", "rule.id"},
		{"incident", "incident.id"},
	},
}

// Run prints the alert; -o json has evidence and comments too.
func (c *alertsShowCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	return alertView.run(ctx, r, c.ID, c.Output)
}

type alertsAckCommand struct {
	connection `embed:""`
	IDs        []string `arg:"" env:"-" name:"id" help:"Ids of the alerts."`
	Unassigned bool     `env:"-" help:"Leave them whose they are."`
}

// Run acknowledges the alerts.
func (c *alertsAckCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	return each(ctx, r, monitor.KindAlert, c.IDs, `mutation($input: AlertAcknowledgeInput!) { payload: alertAcknowledge(input: $input) { errors { code message } } }`,
		map[string]any{"assignToViewer": !c.Unassigned && r.session}, "acknowledged")
}

type alertsCloseCommand struct {
	connection `embed:""`
	IDs        []string `arg:"" env:"-" name:"id" help:"Ids of the alerts."`
	As         string   `env:"-" required:"" enum:"true-positive,benign,false-positive,duplicate" help:"What they turned out to be: ${enum}."`
	Reason     string   `env:"-" required:"" help:"Why, for those who read it later." placeholder:"TEXT"`
}

// Run closes the alerts.
func (c *alertsCloseCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	disposition := strings.ToUpper(strings.ReplaceAll(c.As, "-", "_"))
	return each(ctx, r, monitor.KindAlert, c.IDs, `mutation($input: AlertCloseInput!) { payload: alertClose(input: $input) { errors { code message } } }`,
		map[string]any{"disposition": disposition, "reason": c.Reason}, "closed")
}

type alertsAssignCommand struct {
	connection `embed:""`
	IDs        []string `arg:"" env:"-" name:"id" help:"Ids of the alerts."`
	To         string   `env:"-" xor:"to" help:"Name of the person." placeholder:"NAME"`
	Me         bool     `env:"-" xor:"to" help:"To you."`
	Nobody     bool     `env:"-" xor:"to" help:"To nobody."`
}

// Run assigns the alerts.
func (c *alertsAssignCommand) Run(ctx context.Context) error {
	if c.To == "" && !c.Me && !c.Nobody {
		return usage{errors.New("to whom? --to NAME, --me or --nobody")}
	}
	r, err := c.open()
	if err != nil {
		return err
	}
	var assignee any // null: nobody
	if !c.Nobody {
		if assignee, err = r.person(ctx, c.To); err != nil {
			return err
		}
	}
	return each(ctx, r, monitor.KindAlert, c.IDs, `mutation($input: AlertAssignInput!) { payload: alertAssign(input: $input) { errors { code message } } }`,
		map[string]any{"assignee": assignee}, "assigned")
}

// person gives the id of the person of that name, of the viewer for "".
func (r *remote) person(ctx context.Context, name string) (string, error) {
	if name == "" {
		var data struct {
			Viewer struct{ User *struct{ ID string } }
		}
		if err := r.ask(ctx, `{ viewer { user { id } } }`, nil, &data); err != nil {
			return "", err
		}
		if data.Viewer.User == nil {
			return "", errors.New("an API token is nobody: --to NAME")
		}
		return data.Viewer.User.ID, nil
	}
	for after := any(nil); ; {
		var data struct {
			Users struct {
				Nodes    []struct{ ID, Name string }
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}
		if err := r.ask(ctx, `query($after: String) { users(first: 200, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } } }`, map[string]any{"after": after}, &data); err != nil {
			return "", err
		}
		for _, u := range data.Users.Nodes {
			if strings.EqualFold(u.Name, name) {
				return u.ID, nil
			}
		}
		if !data.Users.PageInfo.HasNextPage {
			return "", client.Errors{{Message: fmt.Sprintf("there is nobody of the name %q", name), Extensions: map[string]any{"code": string(monitor.CodeNotFound)}}}
		}
		after = data.Users.PageInfo.EndCursor
	}
}
