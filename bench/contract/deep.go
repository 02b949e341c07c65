package contract

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// list is one whose pages are compared. A page has as many items as leave a
// thousand pages, 50 at most.
type list struct {
	name      string
	document  string
	variables map[string]any
}

const nodes = ` { nodes { %s } pageInfo { endCursor hasNextPage } } `

func listOf(name, fields, arguments, item string) list {
	return list{name: name, document: "query ($first: Int!, $after: String) { list: " + fields + "(" + arguments + " first: $first, after: $after)" + fmt.Sprintf(nodes, item) + "}"}
}

func innerList(name, outer, inner, id, item string) list {
	return list{
		name:      name,
		document:  "query ($id: ID!, $first: Int!, $after: String) { of: " + outer + "(id: $id) { list: " + inner + "(first: $first, after: $after)" + fmt.Sprintf(nodes, item) + "} }",
		variables: map[string]any{"id": id},
	}
}

func (p *plan) lists() []list {
	const alertRow = "id title severity status host user count lastSeen assignee { name }"
	const eventRow = "id occurredAt class action severity host user message"
	loud := monitor.GlobalID(monitor.KindAlert, p.loudID().String())
	host := `filter: {host: {eq: "` + hostName(0) + `"}},`
	large := monitor.GlobalID(monitor.KindIncident, p.largeID().String())
	return []list{
		listOf("alerts", "alerts", "", alertRow),
		listOf("alerts, open", "alerts", "filter: {status: {in: [NEW, ACKNOWLEDGED]}},", alertRow),
		listOf("alerts, closed", "alerts", "filter: {status: {eq: CLOSED}},", alertRow),
		listOf("alerts, by creation", "alerts", "orderBy: CREATED_AT_DESC,", alertRow),
		listOf("alerts, by severity", "alerts", "orderBy: SEVERITY_DESC,", alertRow),
		listOf("alerts, open, by severity", "alerts", "filter: {status: {in: [NEW, ACKNOWLEDGED]}}, orderBy: SEVERITY_DESC,", alertRow),
		listOf("alerts of a severity", "alerts", "filter: {severity: {eq: MEDIUM}},", alertRow),
		listOf("alerts of a host", "alerts", host, alertRow),
		listOf("events", "events", "", eventRow),
		listOf("events, by receipt", "events", "orderBy: RECEIVED_AT_DESC,", eventRow),
		listOf("events of a host", "events", host, eventRow),
		listOf("events of a host, by receipt", "events", host+" orderBy: RECEIVED_AT_DESC,", eventRow),
		listOf("events of a user", "events", `filter: {user: {eq: "`+userName(0)+`"}},`, eventRow),
		listOf("events of a class", "events", "filter: {class: {eq: DNS_ACTIVITY}},", eventRow),
		listOf("events, severe", "events", "filter: {severity: {gte: HIGH}},", eventRow),
		listOf("events of a time", "events", `filter: {occurredAt: {lt: "`+p.End.Add(-span/3).Format(time.RFC3339)+`"}},`, eventRow),
		listOf("incidents", "incidents", "", "id title status severity"),
		listOf("rules", "rules", "", "id title level enabled"),
		listOf("users", "users", "", "id name role"),
		innerList("evidence of an alert", "alert", "evidence", loud, "matched { field } event { id message }"),
		innerList("comments of an alert", "alert", "comments", loud, "id body author { name }"),
		innerList("changes of an alert", "alert", "journal", loud, "at action changes { field }"),
		innerList("alerts of an incident", "incident", "alerts", large, alertRow),
	}
}

// depth is how a deep page compares with the first.
type depth struct {
	name        string
	size, page  int
	first, deep time.Duration // medians
}

const (
	deepPage   = 1_000
	deepSize   = 50
	comparings = 31
)

func compare(ctx context.Context, c *client, l list) (depth, error) {
	cursors, total, err := c.walk(ctx, l)
	if err != nil {
		return depth{}, err
	}
	d := depth{name: l.name, size: min(deepSize, max(1, total/deepPage)), page: deepPage}
	after, at := "", 0
	for _, k := range cursors { // the last one before the page
		if k.before <= d.size*(deepPage-1) && k.before < total {
			after, at = k.cursor, k.before
		}
	}
	for at < min(d.size*(deepPage-1), total-1) {
		step := min(500, min(d.size*(deepPage-1), total-1)-at)
		page, err := c.page(ctx, l.document, l.variables, step, after)
		if err != nil {
			return d, err
		}
		after, at = page.Page.EndCursor, at+step
	}
	d.page = at/d.size + 1
	var first, deep []time.Duration
	for range comparings {
		for _, each := range []struct {
			after string
			into  *[]time.Duration
		}{{"", &first}, {after, &deep}} {
			begun := time.Now()
			if _, err := c.page(ctx, l.document, l.variables, d.size, each.after); err != nil {
				return d, err
			}
			*each.into = append(*each.into, time.Since(begun))
		}
	}
	slices.Sort(first)
	slices.Sort(deep)
	d.first, d.deep = first[len(first)/2], deep[len(deep)/2]
	return d, nil
}

// place is a cursor and how many items come before what it leads to.
type place struct {
	cursor string
	before int
}

// walk goes through a list as far as page 1,000 of the largest pages that are compared.
func (c *client) walk(ctx context.Context, l list) (places []place, total int, err error) {
	after := ""
	for total < deepPage*deepSize {
		page, err := c.page(ctx, l.document, l.variables, 500, after)
		if err != nil {
			return nil, 0, fmt.Errorf("%s, behind %d: %w", l.name, total, err)
		}
		total += len(page.Nodes)
		if after = page.Page.EndCursor; !page.Page.HasNextPage {
			break
		}
		places = append(places, place{after, total})
	}
	return places, total, nil
}
