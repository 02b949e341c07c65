package resolvers

import (
	"context"
	"encoding/json"

	"github.com/security-monitor/secmon/graph/model"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// Audit reads the journal as a log.
type Audit interface {
	Audit(ctx context.Context, filter *monitor.JournalFilter, object *monitor.Object, args page.Args) (*page.Connection[*monitor.Entry], error)
}

// Journal lists what was done, latest first.
func (r queryResolver) Journal(ctx context.Context, filter *monitor.JournalFilter, object *string, first int, after *string) (*model.AuditConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	var about *monitor.Object
	if object != nil {
		if about, err = monitor.ParseObject(*object); err != nil {
			return nil, err
		}
	}
	entries, err := r.Audit.Audit(ctx, filter, about, args)
	if err != nil {
		return nil, err
	}
	var changes []monitor.Change
	for _, e := range entries.Edges {
		changes = append(changes, e.Node.Body.Changes...)
	}
	if err := loadPeople(ctx, changes); err != nil {
		return nil, err
	}
	out := &model.AuditConnection{PageInfo: entries.PageInfo, Edges: make([]*model.AuditEdge, len(entries.Edges)), Nodes: make([]*model.JournalFeedEntry, len(entries.Edges))}
	for i, e := range entries.Edges {
		entry, err := r.trailEntry(ctx, e.Node)
		if err != nil {
			return nil, err
		}
		out.Edges[i], out.Nodes[i] = &model.AuditEdge{Node: *entry, Cursor: e.Cursor}, entry
	}
	return out, nil
}

// loadPeople fetches at once whom the changes name as assignees, before and after.
func loadPeople(ctx context.Context, changes []monitor.Change) error {
	wanted := map[monitor.ID]bool{}
	for _, c := range changes {
		var was, is struct{ AssigneeID *monitor.ID }
		if len(c.Before) == 0 || json.Unmarshal(c.Before, &was) != nil || was.AssigneeID == nil {
			continue
		}
		wanted[*was.AssigneeID] = true
		if json.Unmarshal(c.After, &is) == nil && is.AssigneeID != nil {
			wanted[*is.AssigneeID] = true
		}
	}
	delete(wanted, monitor.ID{})
	ids := make([]monitor.ID, 0, len(wanted))
	for id := range wanted {
		ids = append(ids, id)
	}
	_, err := loadersOf(ctx).users.LoadAll(ctx, ids)
	return err
}
