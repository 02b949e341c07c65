// Package report writes an incident out, as Markdown, HTML or JSON. It owns the
// form alone: what stands in a report its caller has read. Most of the text came
// with events, from whoever attacks: each form escapes all of it.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Input is what a report is made of.
type Input struct {
	Incident *monitor.Incident
	Span     monitor.IncidentSpan
	Groups   []monitor.AlertGroup
	Alerts   []*monitor.Alert                 // the latest
	Timeline []*monitor.IncidentTimelineEntry // the latest, latest first
	Entities *monitor.IncidentEntities
	Tasks    []*monitor.IncidentTask
	Comments []*monitor.Comment // oldest first
	People   map[monitor.ID]*monitor.User
	// Which lists go on behind what is here.
	MoreAlerts, MoreTimeline, MoreComments bool
	At                                     time.Time
}

// Document is a report; its JSON form is the report for programs.
type Document struct {
	Title       string         `json:"title"`
	Summary     string         `json:"summary"`
	Description string         `json:"description"`
	Facts       []Fact         `json:"facts"`
	Notes       []string       `json:"notes"` // what was left out
	Timeline    []Step         `json:"timeline"`
	Alerts      []Alert        `json:"alerts"`
	Entities    []EntityList   `json:"entities"`
	Tasks       []Task         `json:"tasks"`
	Comments    []Comment      `json:"comments"`
	ID          string         `json:"id"` // in the graph
	Counts      map[string]int `json:"alertsByStatus"`
	GeneratedAt time.Time      `json:"generatedAt"`
}

// Fact is one line of what is known.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Step is one step of the timeline.
type Step struct {
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Action  string    `json:"action"`
	Subject string    `json:"subject"` // the alert's title; empty for the incident
	Detail  string    `json:"detail"`
}

// Alert is one alert.
type Alert struct {
	ID          string    `json:"id"`
	LastSeen    time.Time `json:"lastSeen"`
	Severity    string    `json:"severity"`
	Status      string    `json:"status"`
	Disposition string    `json:"disposition"`
	Title       string    `json:"title"`
	Host        string    `json:"host"`
	User        string    `json:"user"`
	Source      string    `json:"source"`
	Destination string    `json:"destination"`
	Techniques  []string  `json:"techniques"`
	Count       int       `json:"count"`
}

// EntityList is the entities of one kind.
type EntityList struct {
	Kind  string                `json:"kind"`
	Items []monitor.EntityCount `json:"items"`
}

// Task is one thing to do.
type Task struct {
	Title    string     `json:"title"`
	Done     bool       `json:"done"`
	Assignee string     `json:"assignee"`
	Due      *time.Time `json:"due"`
}

// Comment is what somebody wrote.
type Comment struct {
	At     time.Time `json:"at"`
	Author string    `json:"author"`
	Body   string    `json:"body"`
}

// New makes a report.
func New(in Input) *Document {
	i := in.Incident
	d := &Document{
		Title: i.Title, Description: i.Description, ID: i.GlobalID(), GeneratedAt: in.At.UTC().Truncate(time.Second), Counts: map[string]int{},
		Notes: []string{}, Timeline: []Step{}, Alerts: []Alert{}, Entities: []EntityList{}, Tasks: []Task{}, Comments: []Comment{},
	}
	for _, g := range in.Groups {
		d.Counts[string(g.Status)] += g.Count
	}
	d.Summary = summary(in)
	d.facts(in)
	d.notes(in)
	for _, e := range in.Timeline {
		d.Timeline = append(d.Timeline, in.step(e))
	}
	for _, a := range in.Alerts {
		d.Alerts = append(d.Alerts, Alert{
			ID: a.GlobalID(), LastSeen: a.LastSeen, Severity: string(a.Severity), Status: string(a.Status), Disposition: string(a.Disposition), Title: a.Title,
			Host: a.Host, User: a.User, Source: endpoint(a.Source()), Destination: endpoint(a.Destination()),
			Techniques: a.Techniques, Count: a.Count,
		})
	}
	d.entities(in.Entities)
	for _, t := range in.Tasks {
		task := Task{Title: t.Title, Done: t.Done, Assignee: in.name(t.AssigneeID)}
		if !t.DueAt.IsZero() {
			task.Due = &t.DueAt
		}
		d.Tasks = append(d.Tasks, task)
	}
	for _, c := range in.Comments {
		d.Comments = append(d.Comments, Comment{At: c.CreatedAt, Author: in.name(c.AuthorID), Body: c.Body})
	}
	return d
}

// JSON writes the report for programs.
func (d *Document) JSON() (string, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out) // it escapes <, > and &: the text can stand in a page
	e.SetIndent("", "  ")
	err := e.Encode(d)
	return out.String(), err
}

func summary(in Input) string {
	i := in.Incident
	alerts := "no alerts"
	switch {
	case i.AlertCount == 1:
		alerts = "one alert"
	case i.AlertCount > 1:
		alerts = fmt.Sprintf("%d alerts", i.AlertCount)
	}
	text := fmt.Sprintf("An incident of severity %s with %s, opened %s; it is %s.", i.Severity, alerts, clock(i.CreatedAt), strings.ReplaceAll(string(i.Status), "_", " "))
	if !in.Span.FirstSeen.IsZero() {
		text += fmt.Sprintf(" What its alerts saw happened from %s to %s.", clock(in.Span.FirstSeen), clock(in.Span.LastSeen))
	}
	if i.TaskCount > 0 {
		text += fmt.Sprintf(" %d of %d tasks are done.", i.TasksDone, i.TaskCount)
	}
	return text
}

func (d *Document) facts(in Input) {
	i := in.Incident
	for _, f := range []Fact{
		{"Status", string(i.Status)},
		{"Severity", string(i.Severity)},
		{"Disposition", string(i.Disposition)},
		{"Assignee", in.name(i.AssigneeID)},
		{"Opened", clock(i.CreatedAt)},
		{"Closed", clock(i.ClosedAt)},
		{"Reason", i.Reason},
		{"First seen", clock(in.Span.FirstSeen)},
		{"Last seen", clock(in.Span.LastSeen)},
		{"Alerts", fmt.Sprint(i.AlertCount)},
	} {
		if f.Value != "" {
			d.Facts = append(d.Facts, f)
		}
	}
}

func (d *Document) notes(in Input) {
	if in.MoreTimeline {
		d.Notes = append(d.Notes, fmt.Sprintf("Of the timeline only the latest %d steps are here.", len(in.Timeline)))
	}
	if in.MoreAlerts {
		d.Notes = append(d.Notes, fmt.Sprintf("Of %d alerts only the latest %d are here.", in.Incident.AlertCount, len(in.Alerts)))
	}
	if in.MoreComments {
		d.Notes = append(d.Notes, fmt.Sprintf("Of the comments only the first %d are here.", len(in.Comments)))
	}
	if in.Entities != nil && in.Entities.IsEstimate {
		d.Notes = append(d.Notes, fmt.Sprintf("The entities are of the latest %d alerts.", in.Entities.Alerts))
	}
}

func (d *Document) entities(e *monitor.IncidentEntities) {
	if e == nil {
		return
	}
	for _, list := range []EntityList{{"Hosts", e.Hosts}, {"Users", e.Users}, {"Addresses", e.Addresses}, {"File hashes", e.Hashes}, {"Techniques", e.Techniques}} {
		if len(list.Items) > 0 {
			d.Entities = append(d.Entities, list)
		}
	}
}

// quiet fields tell a reader of the report nothing.
var quiet = []string{"version", "updatedAt", "dedupKey", "alertCount", "commentCount", "incidentId", "count", "comments", "groupingId", "mergedIntoId"}

func (in *Input) step(e *monitor.IncidentTimelineEntry) Step {
	s := Step{At: e.Entry.Body.At, Actor: e.Entry.Body.Actor.Name, Action: e.Action()}
	var details []string
	for _, c := range e.Changes() {
		if c.Kind == monitor.KindAlert {
			if alert, _, err := monitor.States[monitor.Alert](c); err == nil {
				s.Subject = alert.Title
			}
		}
		details = append(details, in.changed(c)...)
	}
	s.Detail = strings.Join(details, "; ")
	return s
}

// changed tells the fields that a change altered, by name.
func (in *Input) changed(c monitor.Change) []string {
	var before, after map[string]json.RawMessage
	if json.Unmarshal(c.Before, &before) != nil || json.Unmarshal(c.After, &after) != nil {
		return nil // created: all of it was new
	}
	var out []string
	for name, was := range before {
		if !slices.Contains(quiet, name) && !strings.HasSuffix(name, "At") {
			out = append(out, fmt.Sprintf("%s: %s → %s", strings.TrimSuffix(name, "Id"), in.value(was), in.value(after[name])))
		}
	}
	slices.Sort(out)
	return out
}

// value shows a field of a snapshot: text without its quotes, a person by name.
func (in *Input) value(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return short(string(raw))
	}
	if id, err := monitor.ParseID(text); err == nil {
		text = in.name(id)
	}
	if text == "" {
		return "none"
	}
	return short(text)
}

// short keeps one value from filling the page.
func short(text string) string {
	const most = 200
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

func (in *Input) name(id monitor.ID) string {
	if user := in.People[id]; user != nil {
		return user.Name
	}
	return ""
}

// clock writes an instant for people; nothing for the zero one.
func clock(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04:05 UTC")
}

// endpoint writes an address and port, as far as they are known.
func endpoint(e monitor.Endpoint) string {
	text := ""
	if e.IP != nil {
		text = *e.IP
	}
	if e.Port != nil {
		text += fmt.Sprintf(" port %d", *e.Port)
	}
	return strings.TrimSpace(text)
}

// PeopleOf gives the ids of those whom the changes of a timeline assign.
func PeopleOf(timeline []*monitor.IncidentTimelineEntry) []monitor.ID {
	var ids []monitor.ID
	for _, e := range timeline {
		for _, c := range e.Changes() {
			for _, raw := range []json.RawMessage{c.Before, c.After} {
				var state struct {
					AssigneeID monitor.ID `json:"assigneeId"`
				}
				if json.Unmarshal(raw, &state) == nil && !state.AssigneeID.IsZero() {
					ids = append(ids, state.AssigneeID)
				}
			}
		}
	}
	return ids
}
