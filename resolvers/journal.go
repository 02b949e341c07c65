package resolvers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/security-monitor/secmon/graph"
	"github.com/security-monitor/secmon/monitor"
)

type actorResolver struct{ *Resolver }

// Actor answers the fields of Actor that are more than a value.
func (r *Resolver) Actor() graph.ActorResolver { return actorResolver{r} }

func (actorResolver) User(ctx context.Context, a *monitor.Actor) (*monitor.User, error) {
	if a.Kind != monitor.ActorUser {
		return nil, nil //nolint:nilnil // null is the answer
	}
	return loadUser(ctx, a.ID)
}

// bookkeeping fields change with every entry and tell a reader nothing.
var bookkeeping = []string{"version", "updatedAt", "dedupKey"}

// journalOf lists what the journal says of one entity, latest first.
func (r *Resolver) journalOf(ctx context.Context, kind monitor.Kind, id monitor.ID, first int, after *string) (*monitor.JournalConnection, error) {
	args, err := pageArgs(first, after)
	if err != nil {
		return nil, err
	}
	entries, err := r.Discussion.JournalOf(ctx, kind, id, args)
	if err != nil {
		return nil, err
	}
	var changes []monitor.Change
	for _, edge := range entries.Edges {
		for _, c := range edge.Node.Body.Changes {
			if c.ID == id {
				changes = append(changes, c)
			}
		}
	}
	if err := loadPeople(ctx, changes); err != nil {
		return nil, err
	}
	out := &monitor.JournalConnection{PageInfo: entries.PageInfo, Edges: make([]monitor.JournalEdge, len(entries.Edges))}
	for i, edge := range entries.Edges {
		entry, err := r.journalEntry(ctx, id, edge.Node)
		if err != nil {
			return nil, err
		}
		out.Edges[i] = monitor.JournalEdge{Node: entry, Cursor: edge.Cursor}
	}
	return out, nil
}

func (r *Resolver) journalEntry(ctx context.Context, id monitor.ID, e monitor.Entry) (*monitor.JournalEntry, error) {
	out := &monitor.JournalEntry{Cursor: r.Feed.PositionOf(e).Cursor(), Seq: e.Seq, At: e.Body.At, Actor: e.Body.Actor, Action: e.Body.Action, Changes: []*monitor.FieldChange{}}
	for _, c := range e.Body.Changes {
		if c.ID != id {
			continue
		}
		if c.Action != "" {
			out.Action = c.Action
		}
		fields, err := fieldChanges(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("journal entry %d: %w", e.Seq, err)
		}
		out.Changes = append(out.Changes, fields...)
	}
	return out, nil
}

// shownWhole are the kinds whose creation lists what was set: an administrator has to
// see that somebody made an account that may do everything. Of others, which events
// raise or which hold whole texts, everything was new.
var shownWhole = []monitor.Kind{
	monitor.KindUser, monitor.KindAPIToken, monitor.KindIncidentGrouping, monitor.KindSuppression, monitor.KindSource, monitor.KindDeadLetter, monitor.KindMapping, monitor.KindSavedView, monitor.KindSavedOperation, monitor.KindExport,
	monitor.KindWebhook, monitor.KindChannel,
}

// fieldChanges lists the fields that a change altered, by name.
func fieldChanges(ctx context.Context, c monitor.Change) ([]*monitor.FieldChange, error) {
	var before, after map[string]json.RawMessage
	if isNew(c) {
		if !slices.Contains(shownWhole, c.Kind) {
			return nil, nil
		}
		return fieldsSet(c)
	}
	if err := json.Unmarshal(c.Before, &before); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(c.After, &after); err != nil {
		return nil, err
	}
	var fields []*monitor.FieldChange
	for name, was := range before {
		switch {
		case slices.Contains(bookkeeping, name):
		case name == "assigneeId":
			change, err := assigneeChange(ctx, was, after[name])
			if err != nil {
				return nil, err
			}
			fields = append(fields, change)
		case name == "incidentId" || name == "mergedIntoId":
			fields = append(fields, &monitor.FieldChange{
				Field: strings.TrimSuffix(name, "Id"), Before: globalJSON(monitor.KindIncident, was), After: globalJSON(monitor.KindIncident, after[name]),
			})
		case name == "rules" && c.Kind == monitor.KindSuppression:
			fields = append(fields, &monitor.FieldChange{Field: name, Before: globalListJSON(monitor.KindRule, was), After: globalListJSON(monitor.KindRule, after[name])})
		default:
			fields = append(fields, &monitor.FieldChange{Field: name, Before: unset(was), After: unset(after[name])})
		}
	}
	slices.SortFunc(fields, byField)
	return fields, nil
}

func byField(a, b *monitor.FieldChange) int { return strings.Compare(a.Field, b.Field) }

func isNew(c monitor.Change) bool { return len(c.Before) == 0 || string(c.Before) == "null" }

// fieldsSet lists what a new entity has that is not empty.
func fieldsSet(c monitor.Change) ([]*monitor.FieldChange, error) {
	var after map[string]json.RawMessage
	if err := json.Unmarshal(c.After, &after); err != nil {
		return nil, err
	}
	var fields []*monitor.FieldChange
	for name, is := range after {
		// Who made it, and when, the entry itself says; ids are the database's own.
		if name == "id" || name == "createdBy" || name == "createdAt" || strings.HasSuffix(name, "Id") ||
			slices.Contains(bookkeeping, name) || slices.Contains(nothingSet, string(is)) {
			continue
		}
		change := &monitor.FieldChange{Field: name, After: unset(is)}
		if name == "rules" && c.Kind == monitor.KindSuppression {
			change.After = globalListJSON(monitor.KindRule, is)
		}
		fields = append(fields, change)
	}
	slices.SortFunc(fields, byField)
	return fields, nil
}

// nothingSet is how a field stands in a snapshot that was left as it is.
var nothingSet = []string{`null`, `""`, `0`, `false`, `[]`, `{}`, `"0001-01-01T00:00:00Z"`, `"00000000-0000-0000-0000-000000000000"`}

// globalJSON gives an id of a snapshot, which is the database's own, as the graph
// has it; null for none.
func globalJSON(kind monitor.Kind, raw json.RawMessage) monitor.RawJSON {
	var id monitor.ID
	if err := json.Unmarshal(raw, &id); err != nil || id.IsZero() {
		return monitor.RawJSON("null")
	}
	return monitor.RawJSON(strconv.Quote(monitor.GlobalID(kind, id.String()))) // base64
}

// globalListJSON is globalJSON for a list of ids.
func globalListJSON(kind monitor.Kind, raw json.RawMessage) monitor.RawJSON {
	var ids []monitor.ID
	if err := json.Unmarshal(raw, &ids); err != nil {
		return monitor.RawJSON("null")
	}
	globals := make([]string, len(ids))
	for i, id := range ids {
		globals[i] = strconv.Quote(monitor.GlobalID(kind, id.String())) // base64
	}
	return monitor.RawJSON("[" + strings.Join(globals, ",") + "]")
}

// unset gives null for the zero instant, by which a snapshot says that something
// has not happened.
func unset(raw json.RawMessage) monitor.RawJSON {
	if string(raw) == `"0001-01-01T00:00:00Z"` {
		return monitor.RawJSON("null")
	}
	return monitor.RawJSON(raw)
}

// assigneeChange names the people: the ids in a snapshot are the database's own.
func assigneeChange(ctx context.Context, before, after json.RawMessage) (*monitor.FieldChange, error) {
	change := &monitor.FieldChange{Field: "assignee"}
	for raw, into := range map[*json.RawMessage]*monitor.RawJSON{&before: &change.Before, &after: &change.After} {
		var id monitor.ID
		if err := json.Unmarshal(*raw, &id); err != nil {
			return nil, err
		}
		user, err := loadUser(ctx, id)
		if err != nil {
			return nil, err
		}
		if user == nil {
			*into = monitor.RawJSON("null")
			continue
		}
		name, err := json.Marshal(user.Name)
		if err != nil {
			return nil, err
		}
		*into = name
	}
	return change, nil
}
