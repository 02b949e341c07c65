package export

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// column is one of the columns that a list can be written in, named as its field
// in the schema.
type column[T any] struct {
	name  string
	value func(T) any // text, a number, a time, a list of texts, or JSON; nil for none
}

// Columns names the columns of a noun; nil where it cannot be exported.
func Columns(noun monitor.LineNoun) []string {
	switch noun {
	case monitor.LineAlerts:
		return names(alertColumns)
	case monitor.LineEvents:
		return names(eventColumns)
	case monitor.LineIncidents:
		return names(incidentColumns)
	case monitor.LineIndicators:
		return names(indicatorColumns)
	default:
		return nil
	}
}

func names[T any](columns []column[T]) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.name
	}
	return out
}

func checkColumns(wanted, known []string) error {
	for i, name := range wanted {
		if !slices.Contains(known, name) {
			return monitor.InputErrorf("columns", "there is no column %q; there are %s", name, strings.Join(known, ", "))
		}
		if slices.Contains(wanted[:i], name) {
			return monitor.InputErrorf("columns", "the column %q is named twice", name)
		}
	}
	return nil
}

func chosen[T any](all []column[T], wanted []string) []column[T] {
	out := make([]column[T], 0, len(wanted))
	for _, name := range wanted {
		if i := slices.IndexFunc(all, func(c column[T]) bool { return c.name == name }); i >= 0 {
			out = append(out, all[i])
		}
	}
	return out
}

// alertRow is an alert with what it only names by id.
type alertRow struct {
	*monitor.Alert
	assignee string
	fired    *monitor.FiredRule // never nil; it says nothing where no column asks
}

var alertColumns = []column[*alertRow]{
	{"id", func(a *alertRow) any { return a.GlobalID() }},
	{"createdAt", func(a *alertRow) any { return a.CreatedAt }},
	{"updatedAt", func(a *alertRow) any { return a.UpdatedAt }},
	{"firstSeen", func(a *alertRow) any { return a.FirstSeen }},
	{"lastSeen", func(a *alertRow) any { return a.LastSeen }},
	{"severity", func(a *alertRow) any { return text(a.Severity) }},
	{"status", func(a *alertRow) any { return text(a.Status) }},
	{"title", func(a *alertRow) any { return text(a.Title) }},
	{"count", func(a *alertRow) any { return a.Count }},
	{"assignee", func(a *alertRow) any { return text(a.assignee) }},
	{"disposition", func(a *alertRow) any { return text(a.Disposition) }},
	{"reason", func(a *alertRow) any { return text(a.Reason) }},
	{"acknowledgedAt", func(a *alertRow) any { return a.AcknowledgedAt }},
	{"startedAt", func(a *alertRow) any { return a.StartedAt }},
	{"closedAt", func(a *alertRow) any { return a.ClosedAt }},
	{"host", func(a *alertRow) any { return text(a.Host) }},
	{"user", func(a *alertRow) any { return text(a.User) }},
	{"sourceIp", func(a *alertRow) any { return address(a.SrcIP) }},
	{"sourcePort", func(a *alertRow) any { return port(a.SrcPort) }},
	{"destinationIp", func(a *alertRow) any { return address(a.DstIP) }},
	{"destinationPort", func(a *alertRow) any { return port(a.DstPort) }},
	{"process", func(a *alertRow) any { return text(a.Process) }},
	{"fileHash", func(a *alertRow) any { return text(a.FileHash) }},
	{"techniques", func(a *alertRow) any { return list(a.Techniques) }},
	{"tags", func(a *alertRow) any { return list(a.Tags) }},
	{"rule", func(a *alertRow) any { return global(monitor.KindRule, a.RuleID) }},
	{"incident", func(a *alertRow) any { return global(monitor.KindIncident, a.IncidentID) }},
	{"mergedInto", func(a *alertRow) any { return global(monitor.KindAlert, a.MergedInto) }},
	{"version", func(a *alertRow) any { return a.Version }},
	{"ruleVersion", func(a *alertRow) any { return a.RuleVersion }},
	{"ruleAuthor", func(a *alertRow) any { return text(a.RuleAuthor) }},
	{"references", func(a *alertRow) any { return list(a.fired.References) }},
	{"falsePositives", func(a *alertRow) any { return list(a.fired.FalsePos) }},
}

func alertRows(ctx context.Context, lists Lists, filter *monitor.AlertFilter, args page.Args, columns []string) (*page.Connection[*alertRow], error) {
	found, err := lists.Alerts(ctx, filter, monitor.AlertsByCreated, args)
	if err != nil {
		return nil, err
	}
	people, err := namesOf(ctx, lists, found.Edges, func(a *monitor.Alert) monitor.ID { return a.AssigneeID })
	if err != nil {
		return nil, err
	}
	var fired map[monitor.RuleAt]*monitor.FiredRule
	if slices.Contains(columns, "references") || slices.Contains(columns, "falsePositives") {
		if fired, err = firedRules(ctx, lists, found.Edges); err != nil {
			return nil, err
		}
	}
	return mapped(found, func(a *monitor.Alert) *alertRow {
		return &alertRow{a, people[a.AssigneeID], cmp.Or(fired[firedBy(a)], &monitor.FiredRule{})}
	}), nil
}

func firedBy(a *monitor.Alert) monitor.RuleAt {
	return monitor.RuleAt{ID: a.RuleID, Version: a.RuleVersion}
}

// firedRules reads each version that raised an alert of the page once.
func firedRules(ctx context.Context, lists Lists, alerts []page.Edge[*monitor.Alert]) (map[monitor.RuleAt]*monitor.FiredRule, error) {
	var of []monitor.RuleAt
	known := map[monitor.RuleAt]bool{}
	for _, edge := range alerts {
		if at := firedBy(edge.Node); at.Version > 0 && !known[at] {
			known[at] = true
			of = append(of, at)
		}
	}
	return lists.FiredRules(ctx, of)
}

// incidentRow is an incident with what it only names by id.
type incidentRow struct {
	*monitor.Incident
	assignee string
}

var incidentColumns = []column[*incidentRow]{
	{"id", func(i *incidentRow) any { return i.GlobalID() }},
	{"createdAt", func(i *incidentRow) any { return i.CreatedAt }},
	{"updatedAt", func(i *incidentRow) any { return i.UpdatedAt }},
	{"severity", func(i *incidentRow) any { return text(i.Severity) }},
	{"status", func(i *incidentRow) any { return text(i.Status) }},
	{"title", func(i *incidentRow) any { return text(i.Title) }},
	{"description", func(i *incidentRow) any { return text(i.Description) }},
	{"assignee", func(i *incidentRow) any { return text(i.assignee) }},
	{"disposition", func(i *incidentRow) any { return text(i.Disposition) }},
	{"reason", func(i *incidentRow) any { return text(i.Reason) }},
	{"closedAt", func(i *incidentRow) any { return i.ClosedAt }},
	{"alertCount", func(i *incidentRow) any { return i.AlertCount }},
	{"taskCount", func(i *incidentRow) any { return i.TaskCount }},
	{"tasksDone", func(i *incidentRow) any { return i.TasksDone }},
	{"mergedInto", func(i *incidentRow) any { return global(monitor.KindIncident, i.MergedIntoID) }},
	{"version", func(i *incidentRow) any { return i.Version }},
}

func incidentRows(ctx context.Context, lists Lists, filter *monitor.IncidentFilter, args page.Args) (*page.Connection[*incidentRow], error) {
	found, err := lists.Incidents(ctx, filter, args)
	if err != nil {
		return nil, err
	}
	people, err := namesOf(ctx, lists, found.Edges, func(i *monitor.Incident) monitor.ID { return i.AssigneeID })
	if err != nil {
		return nil, err
	}
	return mapped(found, func(i *monitor.Incident) *incidentRow { return &incidentRow{i, people[i.AssigneeID]} }), nil
}

// The names are those that an import knows: the file can be read in elsewhere.
var indicatorColumns = []column[*monitor.Indicator]{
	{"id", func(i *monitor.Indicator) any { return i.GlobalID() }},
	{"kind", func(i *monitor.Indicator) any { return text(i.Kind) }},
	{"value", func(i *monitor.Indicator) any { return text(i.Value) }},
	{"includeSubdomains", func(i *monitor.Indicator) any { return i.Subdomains }},
	{"source", func(i *monitor.Indicator) any { return text(i.Source) }},
	{"severity", func(i *monitor.Indicator) any { return text(i.Severity) }},
	{"confidence", func(i *monitor.Indicator) any { return i.Confidence }},
	{"state", func(i *monitor.Indicator) any { return text(i.State(time.Now())) }},
	{"validFrom", func(i *monitor.Indicator) any { return i.ValidFrom }},
	{"validUntil", func(i *monitor.Indicator) any { return i.ValidUntil }},
	{"revokedAt", func(i *monitor.Indicator) any { return i.RevokedAt }},
	{"revoked", func(i *monitor.Indicator) any { return !i.RevokedAt.IsZero() }},
	{"tags", func(i *monitor.Indicator) any { return list(i.Tags) }},
	{"description", func(i *monitor.Indicator) any { return text(i.Description) }},
	{"reference", func(i *monitor.Indicator) any { return text(i.Reference) }},
	{"createdAt", func(i *monitor.Indicator) any { return i.CreatedAt }},
	{"createdBy", func(i *monitor.Indicator) any { return text(i.CreatedBy) }},
	{"updatedAt", func(i *monitor.Indicator) any { return i.UpdatedAt }},
	{"updatedBy", func(i *monitor.Indicator) any { return text(i.UpdatedBy) }},
	{"version", func(i *monitor.Indicator) any { return i.Version }},
}

var eventColumns = []column[*monitor.Event]{
	{"id", func(e *monitor.Event) any { return e.GlobalID() }},
	{"occurredAt", func(e *monitor.Event) any { return e.OccurredAt }},
	{"receivedAt", func(e *monitor.Event) any { return e.ReceivedAt }},
	{"class", func(e *monitor.Event) any { return text(e.Class) }},
	{"action", func(e *monitor.Event) any { return text(e.Action) }},
	{"outcome", func(e *monitor.Event) any { return text(e.Outcome) }},
	{"severity", func(e *monitor.Event) any { return text(e.Severity) }},
	{"product", func(e *monitor.Event) any { return text(e.LogSource.Product) }},
	{"category", func(e *monitor.Event) any { return text(e.LogSource.Category) }},
	{"service", func(e *monitor.Event) any { return text(e.LogSource.Service) }},
	{"format", func(e *monitor.Event) any { return text(e.Format) }},
	{"host", func(e *monitor.Event) any { return text(e.Host) }},
	{"user", func(e *monitor.Event) any { return text(e.User) }},
	{"sourceIp", func(e *monitor.Event) any { return address(e.SrcIP) }},
	{"sourcePort", func(e *monitor.Event) any { return port(e.SrcPort) }},
	{"destinationIp", func(e *monitor.Event) any { return address(e.DstIP) }},
	{"destinationPort", func(e *monitor.Event) any { return port(e.DstPort) }},
	{"process", func(e *monitor.Event) any { return text(e.Process) }},
	{"command", func(e *monitor.Event) any { return text(e.Command) }},
	{"fileHash", func(e *monitor.Event) any { return text(e.FileHash) }},
	{"filePath", func(e *monitor.Event) any { return text(e.FilePath) }},
	{"domain", func(e *monitor.Event) any { return text(e.Domain) }},
	{"url", func(e *monitor.Event) any { return text(e.URL) }},
	{"message", func(e *monitor.Event) any { return text(e.Message) }},
	{"raw", func(e *monitor.Event) any { return e.Raw }},
}

func mapped[A, B any](c *page.Connection[A], f func(A) B) *page.Connection[B] {
	out := &page.Connection[B]{PageInfo: c.PageInfo, Edges: make([]page.Edge[B], len(c.Edges))}
	for i, e := range c.Edges {
		out.Edges[i] = page.Edge[B]{Node: f(e.Node), Cursor: e.Cursor}
	}
	return out
}

// namesOf gives the names of the people that a page's rows belong to.
func namesOf[T any](ctx context.Context, lists Lists, rows []page.Edge[T], of func(T) monitor.ID) (map[monitor.ID]string, error) {
	var ids []monitor.ID
	for _, row := range rows {
		if id := of(row.Node); !id.IsZero() && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	found := map[monitor.ID]string{}
	if len(ids) == 0 {
		return found, nil
	}
	people, err := lists.UsersByID(ctx, ids)
	for _, p := range people {
		found[p.ID] = p.Name
	}
	return found, err
}

func text[S ~string](s S) any {
	if s == "" {
		return nil
	}
	return string(s)
}

func list(l []string) any {
	if l == nil {
		l = []string{}
	}
	return l
}

func address(a netip.Addr) any {
	if !a.IsValid() {
		return nil
	}
	return a.String()
}

func port(p uint16) any {
	if p == 0 {
		return nil
	}
	return int(p)
}

func global(kind monitor.Kind, id monitor.ID) any {
	if id.IsZero() {
		return nil
	}
	return monitor.GlobalID(kind, id.String())
}

// stamp writes a time as the schema does.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000000Z") }
