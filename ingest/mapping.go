package ingest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// CodeMappingFailed is of a record that lacks what its mapping requires.
const CodeMappingFailed = "MAPPING_FAILED"

// mappings are those in force. It is replaced as a whole.
type mappings struct {
	byName  map[string]*mapping
	testing []*mapping // with tests, in the order of their names
}

// mapping is a monitor.Mapping made ready.
type mapping struct {
	*monitor.Mapping
	tests      []string // paths as at takes them
	fields     []string
	severities map[string]monitor.Severity
	renames    map[string]string
}

// SetMappings puts mappings in force; all have passed Check.
func (n *Normaliser) SetMappings(all []*monitor.Mapping) {
	set := &mappings{byName: map[string]*mapping{}}
	for _, each := range all {
		if !each.Enabled {
			continue
		}
		m := compileMapping(each)
		set.byName[m.Name] = m
		if len(m.Tests) > 0 {
			set.testing = append(set.testing, m)
		}
	}
	slices.SortFunc(set.testing, func(a, b *mapping) int { return strings.Compare(a.Name, b.Name) })
	n.mappings.Store(set)
}

func compileMapping(of *monitor.Mapping) *mapping {
	m := &mapping{Mapping: of, severities: map[string]monitor.Severity{}, renames: map[string]string{}}
	for _, t := range of.Tests {
		m.tests = append(m.tests, pathAt(t.Path))
	}
	for _, f := range of.Fields {
		m.fields = append(m.fields, pathAt(f.Path))
	}
	for _, s := range of.Severities {
		m.severities[strings.ToLower(s.Value)] = s.Severity
	}
	for _, r := range of.Renames {
		m.renames[r.From] = r.To
	}
	return m
}

// pathAt gives a path with dots as at takes it.
func pathAt(path string) string { return strings.ReplaceAll(path, ".", "/") }

// named gives the mapping of a webhook; nil where there is none of that name.
func (s *mappings) named(name string) *mapping {
	if s == nil || name == "" {
		return nil
	}
	return s.byName[name]
}

// find gives the first mapping whose tests hold of a record.
func (s *mappings) find(v *fastjson.Value) *mapping {
	if s == nil {
		return nil
	}
	for _, m := range s.testing {
		if m.recognises(v) {
			return m
		}
	}
	return nil
}

func (m *mapping) recognises(v *fastjson.Value) bool {
	for i, test := range m.Tests {
		found := at(v, m.tests[i])
		if found == nil || test.Equals != nil && scalar(found) != *test.Equals {
			return false
		}
	}
	return len(m.Tests) > 0
}

// normalise reads a record by the mapping: first as one of unknown shape, then what the
// mapping says of it.
func (m *mapping) normalise(in *input) error {
	normaliseGeneric(in)
	in.ev.Format = m.Format()
	for name, own := range map[*string]string{
		&in.rec.LogSource.Product: m.LogSource.Product, &in.rec.LogSource.Category: m.LogSource.Category, &in.rec.LogSource.Service: m.LogSource.Service,
	} {
		if own != "" {
			*name = own
		}
	}
	if m.Class != "" {
		in.ev.Class = m.Class
	}
	for i, field := range m.Fields {
		value := text(in.v, m.fields[i])
		if !m.put(in, field.Target, value) && field.Required {
			return &recordError{CodeMappingFailed, fmt.Sprintf("the mapping %s requires %s, and at %s stands none", m.Name, strings.ToLower(string(field.Target)), clip(field.Path))}
		}
	}
	if len(m.renames) > 0 {
		in.rec.rename(func(name string) string {
			if to, ok := m.renames[name]; ok {
				return to
			}
			return name
		})
	}
	return nil
}

// put sets a value of the envelope, and tells whether there is one that can be read.
func (m *mapping) put(in *input, target monitor.MappingTarget, value string) bool {
	ev := in.ev
	switch target {
	case monitor.TargetTime:
		ev.OccurredAt = in.received
		return in.occurredText(value)
	case monitor.TargetSeverity:
		severity, ok := m.severities[strings.ToLower(value)]
		if !ok {
			severity, ok = genericSeverity[strings.ToLower(value)]
		}
		if ev.Severity = monitor.SeverityInformational; ok {
			ev.Severity = severity
		}
		return ok
	case monitor.TargetSrcIP:
		ev.SrcIP = parseIP(value)
		return ev.SrcIP.IsValid()
	case monitor.TargetDstIP:
		ev.DstIP = parseIP(value)
		return ev.DstIP.IsValid()
	case monitor.TargetSrcPort:
		ev.SrcPort = parsePort(value)
		return ev.SrcPort > 0
	case monitor.TargetDstPort:
		ev.DstPort = parsePort(value)
		return ev.DstPort > 0
	}
	texts := map[monitor.MappingTarget]*string{
		monitor.TargetHost: &ev.Host, monitor.TargetUser: &ev.User, monitor.TargetProcess: &ev.Process, monitor.TargetCommand: &ev.Command,
		monitor.TargetFilePath: &ev.FilePath, monitor.TargetFileHash: &ev.FileHash, monitor.TargetDomain: &ev.Domain, monitor.TargetURL: &ev.URL,
		monitor.TargetAction: &ev.Action, monitor.TargetMessage: &ev.Message,
	}
	if to := texts[target]; to != nil {
		*to = value
	}
	return value != ""
}

// Preview tells what a mapping makes of a record, whether or not it is in force.
func (n *Normaliser) Preview(of *monitor.Mapping, raw []byte, received time.Time, limits Limits) *monitor.MappingPreview {
	p := &monitor.MappingPreview{Time: received, Class: monitor.ClassBase}
	if code, message := (&splitter{limits: limits}).check(raw); code != "" {
		p.Problem = code + ": " + message
		return p
	}
	alone := NewNormaliser()
	named := *of
	named.Enabled = true
	alone.SetMappings([]*monitor.Mapping{&named})
	p.Recognised = compileMapping(&named).recognises(fastjson.MustParseBytes(raw))
	ev, record := &monitor.Event{}, &monitor.Record{}
	if err := alone.normaliseBy(named.Name, raw, received, ev, record); err != nil {
		p.Problem = err.Error()
	}
	p.Time, p.Severity, p.Class, p.Host, p.User, p.Process, p.Action, p.Message = ev.OccurredAt, ev.Severity, ev.Class, ev.Host, ev.User, ev.Process, ev.Action, ev.Message
	p.Product, p.Category, p.Service = record.LogSource.Product, record.LogSource.Category, record.LogSource.Service
	p.SourceIP, p.DestinationIP = addressText(ev.SrcIP), addressText(ev.DstIP)
	for _, f := range record.Fields[:min(len(record.Fields), maxPreviewFields)] {
		var values []string
		for _, value := range f.Values {
			values = append(values, cutBytes(value.Text, maxName))
		}
		p.Fields = append(p.Fields, &monitor.PreviewField{Name: f.Name, Value: strings.Join(values, ", ")})
	}
	return p
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

const (
	maxPreviewFields = 100
	maxShapes        = 50
	maxShapeNames    = 64
	maxShapeSamples  = 5
)

// Shapes groups events of unknown shape by the names that they have at the top, the most
// frequent first; at most 50. Events are given latest first.
func Shapes(events []*monitor.Event) []*monitor.UnknownShape {
	byNames := map[string]*monitor.UnknownShape{}
	var all []*monitor.UnknownShape
	var parser fastjson.Parser
	for _, e := range events {
		v, err := parser.ParseBytes(e.Raw)
		if err != nil || v.Type() != fastjson.TypeObject {
			continue
		}
		var names []string
		v.GetObject().Visit(func(key []byte, _ *fastjson.Value) {
			if len(names) < maxShapeNames {
				names = append(names, clip(string(key)))
			}
		})
		slices.Sort(names)
		key := strings.Join(names, "\x00")
		shape := byNames[key]
		if shape == nil {
			if len(all) == maxShapes {
				continue
			}
			shape = &monitor.UnknownShape{Names: names, LastSeen: e.ReceivedAt}
			shape.Confidence, shape.Guess = guess(e)
			byNames[key], all = shape, append(all, shape)
		}
		if shape.Events++; len(shape.Samples) < maxShapeSamples {
			shape.Samples = append(shape.Samples, e)
		}
	}
	slices.SortStableFunc(all, func(a, b *monitor.UnknownShape) int { return b.Events - a.Events })
	return all
}

// guess says how much of an event's envelope was found without a mapping. What rules need
// most counts most: when, where from, and which product.
func guess(e *monitor.Event) (confidence int, found string) {
	var names []string
	for _, part := range []struct {
		name   string
		points int
		there  bool
	}{
		{"time", 25, !e.OccurredAt.Equal(e.ReceivedAt)},
		{"product", 25, e.LogSource != (monitor.LogSource{})},
		{"host", 15, e.Host != ""},
		{"user or address", 15, e.User != "" || e.SrcIP.IsValid()},
		{"action", 10, e.Action != ""},
		{"message", 10, e.Message != ""},
	} {
		if part.there {
			confidence += part.points
			names = append(names, part.name)
		}
	}
	return confidence, strings.Join(names, ", ")
}
