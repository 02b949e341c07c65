package monitor

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// IncidentGrouping says which alerts open an incident together. Its JSON form is
// the snapshot that the journal keeps.
type IncidentGrouping struct {
	ID           ID              `json:"id"`
	Version      int             `json:"version"`
	Name         string          `json:"name"`
	Enabled      bool            `json:"enabled"`
	Filter       json.RawMessage `json:"filter"` // the input AlertFilter; {} for every alert
	Fields       []GroupingField `json:"fields"`
	Window       time.Duration   `json:"window"` // nanoseconds
	MinimumCount int             `json:"minimumCount"`
	CreatedAt    time.Time       `json:"createdAt"`
	UpdatedAt    time.Time       `json:"updatedAt"`

	matching *Predicate // of Filter, once Check has passed
}

// GlobalID is the grouping's id in the graph.
func (g *IncidentGrouping) GlobalID() string {
	return GlobalID(KindIncidentGrouping, g.ID.String())
}

// IsNode marks the types of the schema's interface Node.
func (*IncidentGrouping) IsNode() {}

// GroupingField is a field in which the alerts of a group are equal.
type GroupingField string

// The fields, as in the schema.
const (
	GroupByHost          GroupingField = "HOST"
	GroupByUser          GroupingField = "USER"
	GroupBySourceIP      GroupingField = "SOURCE_IP"
	GroupByDestinationIP GroupingField = "DESTINATION_IP"
	GroupByRule          GroupingField = "RULE"
	GroupByTechnique     GroupingField = "TECHNIQUE"
)

// Bounds of groupings.
const (
	MaxGroupings       = 100
	MaxGroupingName    = 100 // characters
	MaxGroupingCount   = 1_000
	MinGroupingWindow  = time.Minute
	MaxGroupingWindow  = 30 * 24 * time.Hour
	maxGroupTechniques = 5 // of one alert
)

// Check gives BAD_INPUT for a grouping that cannot be, and readies it for Groups.
func (g *IncidentGrouping) Check() (err error) {
	if g.Name, err = checkText("name", g.Name, MaxGroupingName); err != nil {
		return err
	}
	slices.Sort(g.Fields)
	g.Fields = slices.Compact(g.Fields)
	switch {
	case len(g.Fields) == 0:
		return InputErrorf("fields", "a grouping needs one field at least")
	case g.MinimumCount < 1 || g.MinimumCount > MaxGroupingCount:
		return InputErrorf("minimumCount", "it takes 1 to %d alerts, not %d", MaxGroupingCount, g.MinimumCount)
	case g.Window < MinGroupingWindow || g.Window > MaxGroupingWindow:
		return InputErrorf("window", "a window lasts %s to %s, not %s", ISODuration(MinGroupingWindow), ISODuration(MaxGroupingWindow), ISODuration(g.Window))
	}
	filter, err := ParseFilter[AlertFilter](g.Filter)
	if err != nil {
		return err
	}
	matching, err := filter.Compile()
	g.matching = &matching
	return err
}

// Group is one of a grouping's groups: the alerts that have Values in its fields.
type Group struct {
	Key    [32]byte
	Values string // for people: host=web-1, user=root
}

// Groups gives the groups that an alert comes to: none when the filter does not
// match or the alert has nothing in one of the fields, several when it has several
// techniques. The grouping has passed Check.
func (g *IncidentGrouping) Groups(a *Alert, now time.Time) []Group {
	if !g.matching.Matches(a, now) {
		return nil
	}
	techniques := []string{""}
	if slices.Contains(g.Fields, GroupByTechnique) {
		techniques = a.Techniques[:min(len(a.Techniques), maxGroupTechniques)]
	}
	var out []Group
	for _, technique := range techniques {
		if group, ok := g.group(a, technique); ok {
			out = append(out, group)
		}
	}
	return out
}

func (g *IncidentGrouping) group(a *Alert, technique string) (Group, bool) {
	h := sha256.New()
	var values []string
	for _, field := range g.Fields {
		name, value := groupValue(a, field, technique)
		if value == "" {
			return Group{}, false
		}
		h.Write([]byte(string(field) + "\x00" + value + "\x00"))
		if field == GroupByRule {
			value = a.Title
		}
		values = append(values, name+"="+value)
	}
	return Group{Key: [32]byte(h.Sum(nil)), Values: strings.Join(values, ", ")}, true
}

func groupValue(a *Alert, field GroupingField, technique string) (name, value string) {
	switch field {
	case GroupByHost:
		return "host", a.Host
	case GroupByUser:
		return "user", a.User
	case GroupBySourceIP:
		if a.SrcIP.IsValid() {
			value = a.SrcIP.String()
		}
		return "source", value
	case GroupByDestinationIP:
		if a.DstIP.IsValid() {
			value = a.DstIP.String()
		}
		return "destination", value
	case GroupByRule:
		return "rule", a.RuleID.String()
	case GroupByTechnique:
		return "technique", technique
	default:
		panic(fmt.Sprintf("monitor: grouping field %s is not known", field)) // a programming error
	}
}

// Open makes the incident of a group's alerts: as severe as the worst of them.
func (g *IncidentGrouping) Open(id ID, group Group, alerts []*Alert, now time.Time) *Incident {
	i := &Incident{
		ID: id, Version: 1, Title: clip(g.Name+": "+group.Values, MaxIncidentTitle), Status: IncidentOpen, Severity: SeverityInformational,
		GroupingID: g.ID, AlertCount: len(alerts), CreatedAt: now, UpdatedAt: now,
		Description: fmt.Sprintf("Opened by the grouping %q: %d alerts within %s.", g.Name, len(alerts), ISODuration(g.Window)),
	}
	for _, a := range alerts {
		if a.Severity.Rank() > i.Severity.Rank() {
			i.Severity = a.Severity
		}
	}
	return i
}

// clip cuts a text to so many characters.
func clip(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// ParseFilter reads the JSON form of a filter input. A key that it does not have is
// BAD_INPUT.
func ParseFilter[F any](raw []byte) (*F, error) {
	filter := new(F)
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(filter); err != nil {
		return nil, InputErrorf("filter", "the filter cannot be read: %v", err)
	}
	return filter, nil
}

// FilterJSON writes a filter as JSON with the schema's names, without what is not
// said. Nil gives {}.
func FilterJSON[F any](filter *F) (json.RawMessage, error) {
	if filter == nil {
		return json.RawMessage("{}"), nil
	}
	raw, err := json.Marshal(filter)
	if err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	var tree any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	return json.Marshal(schemaNames(tree))
}

func schemaNames(tree any) any {
	switch node := tree.(type) {
	case map[string]any:
		out := make(map[string]any, len(node))
		for name, value := range node {
			if value == nil {
				continue
			}
			if strings.HasSuffix(name, "IP") || strings.HasSuffix(name, "ID") {
				name = name[:len(name)-1] + strings.ToLower(name[len(name)-1:])
			}
			first, size := utf8.DecodeRuneInString(name)
			out[string(unicode.ToLower(first))+name[size:]] = schemaNames(value)
		}
		return out
	case []any:
		for i := range node {
			node[i] = schemaNames(node[i])
		}
	}
	return tree
}

// MarshalText writes what ParseTimeInput reads.
func (t TimeInput) MarshalText() ([]byte, error) {
	if !t.relative {
		return []byte(t.fixed.Format(time.RFC3339Nano)), nil
	}
	return []byte(relativeText(t.offset)), nil
}

// UnmarshalText reads what ParseTimeInput reads.
func (t *TimeInput) UnmarshalText(text []byte) (err error) {
	*t, err = ParseTimeInput(string(text))
	return err
}

func relativeText(offset time.Duration) string {
	sign := "+"
	if offset < 0 {
		sign, offset = "-", -offset
	}
	if offset == 0 {
		return "now"
	}
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{7 * 24 * time.Hour, "w"}, {24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if offset%unit.length == 0 {
			return fmt.Sprintf("now%s%d%s", sign, offset/unit.length, unit.name)
		}
	}
	return fmt.Sprintf("now%s%ds", sign, offset/time.Second)
}
