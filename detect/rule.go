package detect

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/monitor"
)

// parsedRule is a rule document after reading: what people see of it, and the
// test that an event must pass. Inactive rules have no test.
type parsedRule struct {
	about *monitor.Rule
	test  expr
}

// Parse reads one Sigma rule document. The rule comes back ACTIVE, or INACTIVE
// with the reason where it needs something that is not there; a wrong document
// gives a *SyntaxError and no rule. Version, Path, Enabled and the times are
// the caller's. A rule without an id gets one made from its source, so that the
// same source always has the same id.
//
// https://github.com/SigmaHQ/sigma-specification, version 2.1
func Parse(source []byte) (*monitor.Rule, error) {
	p, err := parseRule(source)
	if err != nil {
		return nil, err
	}
	return p.about, nil
}

func parseRule(source []byte) (*parsedRule, error) {
	doc, err := readDocument(source)
	if err != nil {
		return nil, err
	}
	keys, err := doc.entries(doc.root)
	if err != nil {
		return nil, err
	}
	p := &parsedRule{about: &monitor.Rule{
		Source: string(source), Level: monitor.SeverityMedium, State: monitor.RuleActive, ID: IDOf(source), Kind: monitor.DetectionRule,
	}}
	fields := make(map[string]entry, len(keys))
	for _, e := range keys {
		fields[e.name] = e
	}
	if err := doc.readAbout(p.about, fields); err != nil {
		return nil, err
	}
	if reason := doc.laterVersion(fields); reason != "" {
		p.about.State, p.about.StateReason = monitor.RuleInactive, reason
		return p, nil
	}
	return p, doc.readBody(p, fields)
}

// readBody reads the log source and the detection, or the correlation.
func (d *document) readBody(p *parsedRule, fields map[string]entry) error {
	if e, ok := fields["correlation"]; ok {
		return d.readCorrelationRule(p.about, e, fields["generate"])
	}
	if err := d.readLogSource(&p.about.LogSource, fields["logsource"]); err != nil {
		return err
	}
	test, reason, err := d.readDetection(fields["detection"])
	if err != nil {
		return err
	}
	if reason != "" {
		p.about.State, p.about.StateReason = monitor.RuleInactive, reason
		return nil
	}
	p.test = test
	return nil
}

// readCorrelationRule reads the body of a correlation rule. The specification's
// schema has generate beside the section, its text and pySigma within.
func (d *document) readCorrelationRule(r *monitor.Rule, e, generate entry) (err error) {
	r.Kind = monitor.CorrelationRule
	if r.Correlation, err = d.readCorrelation(e); err != nil {
		return err
	}
	outer, err := d.truth(generate)
	r.Correlation.Generate = r.Correlation.Generate || outer
	return err
}

// laterVersion names what makes a document something else than a plain rule.
func (d *document) laterVersion(fields map[string]entry) string {
	if d.more {
		return "several documents in one source: arrives with a later version"
	}
	for _, kind := range []string{"filter", "action"} {
		if _, ok := fields[kind]; ok {
			return fmt.Sprintf("a document with %q: arrives with a later version", kind)
		}
	}
	taxonomy, err := d.text(fields["taxonomy"])
	if err == nil && taxonomy != "" && !strings.EqualFold(taxonomy, "sigma") {
		return fmt.Sprintf("the taxonomy %q is not known here, only Sigma's own", shorten(taxonomy))
	}
	return ""
}

func (d *document) readAbout(r *monitor.Rule, fields map[string]entry) error {
	title, ok := fields["title"]
	if !ok {
		return errorAt(d.root, "a rule needs a title")
	}
	texts := []struct {
		name string
		into *string
	}{{"title", &r.Title}, {"name", &r.Name}, {"description", &r.Description}, {"status", &r.Status}}
	for _, t := range texts {
		s, err := d.text(fields[t.name])
		if err != nil {
			return err
		}
		*t.into = s
	}
	if r.Title == "" || utf8.RuneCountInString(r.Title) > maxTitle {
		return errorAt(title.value, "the title must have 1 to %d characters", maxTitle)
	}
	if utf8.RuneCountInString(r.Name) > maxName {
		return errorAt(fields["name"].value, "the name must have at most %d characters", maxName)
	}
	r.Status = strings.ToLower(r.Status)
	if err := d.readLists(r, fields); err != nil {
		return err
	}
	if err := d.readID(r, fields["id"]); err != nil {
		return err
	}
	return d.readLevel(r, fields["level"])
}

func (d *document) readLists(r *monitor.Rule, fields map[string]entry) error {
	var authors []string
	lists := []struct {
		name string
		into *[]string
	}{
		{"author", &authors},
		{"references", &r.References},
		{"falsepositives", &r.FalsePos},
		{"tags", &r.Tags},
		{"fields", &r.FieldsShown},
	}
	for _, l := range lists {
		list, err := d.texts(fields[l.name])
		if err != nil {
			return err
		}
		*l.into = list
	}
	r.Author = strings.Join(authors, ", ")
	r.Techniques = techniques(r.Tags)
	return nil
}

func (d *document) readID(r *monitor.Rule, e entry) error {
	s, err := d.text(e)
	if err != nil || s == "" {
		return err
	}
	id, err := monitor.ParseID(s)
	if err != nil || id.IsZero() {
		return errorAt(e.value, "the id %q is not a UUID", shorten(s))
	}
	r.ID = id
	return nil
}

func (d *document) readLevel(r *monitor.Rule, e entry) error {
	s, err := d.text(e)
	if err != nil || s == "" {
		return err
	}
	level := monitor.Severity(strings.ToUpper(s))
	if level.Rank() < 0 {
		return errorAt(e.value, "the level %q is none of informational, low, medium, high, critical", shorten(s))
	}
	r.Level = level
	return nil
}

func (d *document) readLogSource(ls *monitor.LogSource, e entry) error {
	if e.value == nil {
		return errorAt(d.root, "a rule needs a logsource")
	}
	if e.value.Kind != yaml.MappingNode {
		return errorAt(e.value, "logsource must name a product, category or service")
	}
	keys, err := d.entries(e.value)
	if err != nil {
		return err
	}
	parts := map[string]*string{"product": &ls.Product, "category": &ls.Category, "service": &ls.Service}
	for _, k := range keys {
		if into := parts[k.name]; into != nil {
			s, err := d.text(k)
			if err != nil {
				return err
			}
			*into = strings.ToLower(s)
		}
	}
	if *ls == (monitor.LogSource{}) {
		return errorAt(e.value, "logsource must name a product, category or service")
	}
	return nil
}

var techniqueTag = regexp.MustCompile(`(?i)^attack\.(t\d{4}(?:\.\d{3})?)$`)

// techniques picks MITRE ATT&CK ids out of tags: attack.t1059.001 is T1059.001.
func techniques(tags []string) []string {
	var ids []string
	for _, tag := range tags {
		m := techniqueTag.FindStringSubmatch(tag)
		if m == nil {
			continue
		}
		if id := strings.ToUpper(m[1]); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// IDOf is the id of a rule whose text names none: a UUID of version 8 (RFC 9562,
// section 5.8) from the text's hash.
func IDOf(source []byte) monitor.ID {
	sum := sha256.Sum256(source)
	id := monitor.ID(sum[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}
