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
// test that an event must pass. Inactive rules have no test, nor have
// correlations and filters.
type parsedRule struct {
	about  *monitor.Rule
	test   expr
	filter *filter           // of a FilterRule
	legacy *legacyExpression // of an inactive rule that import can convert

	// Of one that stands among others, see parseRules.
	origin  *parsedRule // as it was parsed, shared from Ruleset to Ruleset
	filters []*filter   // that name it
}

// Parse reads one Sigma document: a rule, a correlation or a filter. It comes
// back ACTIVE, or INACTIVE with the reason where it needs something that is not
// there; a wrong document gives a *SyntaxError and no rule. Version, Path,
// Enabled and the times are the caller's. A rule without an id gets one made from
// its source, so that the same source always has the same id.
//
// https://github.com/SigmaHQ/sigma-specification, version 2.1
func Parse(source []byte, options ...Options) (*monitor.Rule, error) {
	p, err := parseRule(source, options...)
	if err != nil {
		return nil, err
	}
	return p.about, nil
}

func parseRule(source []byte, options ...Options) (*parsedRule, error) {
	doc, err := readDocument(source)
	if err != nil {
		return nil, err
	}
	doc.options = optionsOf(options)
	return doc.readRule(source)
}

// readRule reads the document, of which source is the text.
func (d *document) readRule(source []byte) (*parsedRule, error) {
	keys, err := d.entries(d.root)
	if err != nil {
		return nil, err
	}
	p := &parsedRule{about: &monitor.Rule{
		Source: string(source), Kind: monitor.DetectionRule, Level: monitor.SeverityMedium, State: monitor.RuleActive, ID: IDOf(source),
	}}
	fields := make(map[string]entry, len(keys))
	for _, e := range keys {
		fields[e.name] = e
	}
	if e, ok := fields["action"]; ok {
		return nil, errorAt(e.key, "an action belongs into a file of several documents, which is imported")
	}
	if err := d.readAbout(p.about, fields); err != nil {
		return nil, err
	}
	if p.about.Kind, err = kindOf(fields); err != nil {
		return nil, err
	}
	if reason := d.foreignTaxonomy(fields["taxonomy"]); reason != "" {
		p.deactivate(reason)
		return p, nil
	}
	return p, d.readBody(p, fields)
}

// sections are the keys that make a document what it is.
var sections = []struct {
	key  string
	kind monitor.RuleKind
}{{"correlation", monitor.CorrelationRule}, {"filter", monitor.FilterRule}, {"detection", monitor.DetectionRule}}

// kindOf tells the kinds of documents apart. One that has none of the sections
// is a rule that misses its detection.
func kindOf(fields map[string]entry) (monitor.RuleKind, error) {
	found := ""
	kind := monitor.DetectionRule
	for _, s := range sections {
		e, ok := fields[s.key]
		if ok && found != "" {
			return "", errorAt(e.key, "a document has a %s or a %s, not both", found, s.key)
		}
		if ok {
			found, kind = s.key, s.kind
		}
	}
	return kind, nil
}

func (d *document) readBody(p *parsedRule, fields map[string]entry) (err error) {
	switch p.about.Kind {
	case monitor.CorrelationRule:
		return d.readCorrelationRule(p.about, fields["correlation"], fields["generate"])
	case monitor.FilterRule:
		return d.readFilter(p, fields)
	}
	if err := d.readLogSource(&p.about.LogSource, fields["logsource"]); err != nil {
		return err
	}
	section, test, err := d.readDetection(fields["detection"])
	if err != nil {
		return err
	}
	p.test = test
	if section.inactive != "" {
		p.legacy = section.legacy
		p.deactivate(section.inactive)
	}
	return nil
}

func (p *parsedRule) deactivate(reason string) {
	p.about.State, p.about.StateReason, p.test, p.filter = monitor.RuleInactive, reason, nil, nil
}

// readCorrelationRule reads the body of a correlation rule. The specification's
// schema has generate beside the section, its text and pySigma within.
func (d *document) readCorrelationRule(r *monitor.Rule, e, generate entry) (err error) {
	if r.Correlation, err = d.readCorrelation(e); err != nil {
		return err
	}
	outer, err := d.truth(generate)
	r.Correlation.Generate = r.Correlation.Generate || outer
	return err
}

// foreignTaxonomy names field names other than Sigma's own.
func (d *document) foreignTaxonomy(e entry) string {
	taxonomy, err := d.text(e)
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
		return errorAt(fields["name"].value, "the name has more than %d characters", maxName)
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

// derivedID is the id of a rule that is made of another: the same for the same
// original and part.
func derivedID(original monitor.ID, part string) monitor.ID {
	return IDOf([]byte(original.String() + "\n" + part))
}
