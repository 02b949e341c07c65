package contract

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/security-monitor/secmon/monitor"
)

// What variables are taken from: ids, names and cursors, as a client learns them.
const (
	someAlerts = `query ($first: Int!, $after: String) { list: alerts(filter: {status: {in: [NEW, ACKNOWLEDGED]}}, first: $first, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } }`
	someEvents = `query ($first: Int!, $after: String) { list: events(orderBy: RECEIVED_AT_DESC, first: $first, after: $after) { nodes { id host user } pageInfo { endCursor hasNextPage } } }`
	someRules  = `query ($first: Int!, $after: String) { list: rules(first: $first, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } }`
)

// listed is a page of any list.
type listed struct {
	Nodes []struct{ ID, Host, User string }
	Page  struct {
		EndCursor   string
		HasNextPage bool
	} `json:"pageInfo"`
}

// learn reads what the mix's variables are chosen from: up to pages pages of each list.
func learn(ctx context.Context, c *client, pages int) (variables, error) {
	v := variables{
		"word":     {"ws-0", "web-", "ana", "powershell", "Suspicious"},
		"frequent": {"svchost", "cdn1", "ssh_login", "Windows 11", "CORP"},
	}
	for _, each := range []monitor.EventClass{monitor.ClassProcessActivity, monitor.ClassAuthentication, monitor.ClassDNSActivity, monitor.ClassAPIActivity, monitor.ClassScriptActivity, monitor.ClassDetectionFinding} {
		v["class"] = append(v["class"], string(each))
	}
	for _, from := range []struct{ document, id, cursor string }{{someAlerts, "alert", "alertCursor"}, {someEvents, "event", "eventCursor"}, {someRules, "rule", "ruleCursor"}} {
		after := ""
		for range pages {
			page, err := c.page(ctx, from.document, nil, 100, after)
			if err != nil {
				return nil, err
			}
			for _, n := range page.Nodes {
				v[from.id] = append(v[from.id], n.ID)
				if n.Host != "" {
					v["host"], v["user"] = append(v["host"], n.Host), append(v["user"], n.User)
				}
			}
			after = page.Page.EndCursor
			v[from.cursor] = append(v[from.cursor], after)
			if !page.Page.HasNextPage {
				break
			}
		}
	}
	return v, nil
}

// page asks for a page of what the document calls list, at any depth up to one object.
func (c *client) page(ctx context.Context, document string, variables map[string]any, first int, after string) (*listed, error) {
	all := map[string]any{"first": first}
	if after != "" {
		all["after"] = after
	}
	for name, value := range variables {
		all[name] = value
	}
	var data map[string]json.RawMessage
	if err := c.query(ctx, document, all, &data); err != nil {
		return nil, err
	}
	if outer, ok := data["of"]; ok {
		if err := json.Unmarshal(outer, &data); err != nil {
			return nil, err
		}
	}
	var page listed
	if err := json.Unmarshal(data["list"], &page); err != nil {
		return nil, fmt.Errorf("a page: %w", err)
	}
	return &page, nil
}
