package detect

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/monitor"
)

// readCorrelation reads the correlation section of a document.
//
// https://github.com/SigmaHQ/sigma-specification, "Sigma Correlation Rules
// Specification", 2.1; extended conditions, value_median and the operator neq as in
// pySigma.
func (d *document) readCorrelation(e entry) (*monitor.Correlation, error) {
	if e.value == nil || e.value.Kind != yaml.MappingNode {
		return nil, errorAt(e.value, "correlation must be a mapping of type, rules, timespan and so on")
	}
	keys, err := d.entries(e.value)
	if err != nil {
		return nil, err
	}
	r := &correlationReader{document: d, section: e.value, is: &monitor.Correlation{}, fields: map[string]entry{}}
	for _, k := range keys {
		if !slices.Contains(correlationKeys, k.name) {
			return nil, errorAt(k.key, "a correlation has no %q, only %s", shorten(k.name), strings.Join(correlationKeys, ", "))
		}
		r.fields[k.name] = k
	}
	for _, read := range []func() error{r.readType, r.readRules, r.readGroupBy, r.readAliases, r.readTimespan, r.readGenerate, r.readCondition} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return r.is, nil
}

var correlationKeys = []string{"type", "rules", "group-by", "aliases", "timespan", "condition", "generate"}

// correlationReader is a correlation section under reading.
type correlationReader struct {
	*document
	section *yaml.Node
	is      *monitor.Correlation
	fields  map[string]entry
}

// need gives a key that must be there.
func (r *correlationReader) need(name string) (entry, error) {
	e := r.fields[name]
	if e.value == nil || isNull(e.value) {
		return e, errorAt(r.section, "a correlation needs %s", name)
	}
	return e, nil
}

func (r *correlationReader) readType() error {
	e, err := r.need("type")
	if err != nil {
		return err
	}
	s, err := r.text(e)
	if err != nil {
		return err
	}
	r.is.Type = monitor.CorrelationType(strings.ToLower(s))
	if !slices.Contains(monitor.CorrelationTypes, r.is.Type) {
		var known []string
		for _, t := range monitor.CorrelationTypes {
			known = append(known, string(t))
		}
		return errorAt(e.value, "the type %q is none of %s", shorten(s), strings.Join(known, ", "))
	}
	return nil
}

// readRules reads the rules that are counted. Where an extended condition names
// them they need not be listed.
func (r *correlationReader) readRules() error {
	condition := r.fields["condition"].value
	extended := condition != nil && condition.Kind == yaml.ScalarNode && !isNull(condition)
	e := r.fields["rules"]
	if extended && r.is.Type.Temporal() && (e.value == nil || isNull(e.value)) {
		return nil
	}
	e, err := r.need("rules")
	if err != nil {
		return err
	}
	if r.is.Rules, err = r.texts(e); err != nil {
		return err
	}
	return r.checkRules(e.value)
}

func (r *correlationReader) checkRules(at *yaml.Node) error {
	switch n := len(r.is.Rules); {
	case n == 0:
		return errorAt(at, "a correlation counts one rule at least")
	case n > monitor.MaxCorrelationRules:
		return errorAt(at, "a correlation counts %d rules at most, not %d", monitor.MaxCorrelationRules, n)
	}
	for i, name := range r.is.Rules {
		if slices.Contains(r.is.Rules[:i], name) {
			return errorAt(at, "the rule %q stands here twice", shorten(name))
		}
	}
	return nil
}

func (r *correlationReader) readGroupBy() error {
	e := r.fields["group-by"]
	list, err := r.texts(e)
	if err != nil {
		return err
	}
	for i, name := range list {
		if slices.Contains(list[:i], name) {
			return errorAt(e.value, "the field %q stands here twice", shorten(name))
		}
	}
	if len(list) > monitor.MaxCorrelationFields {
		return errorAt(e.value, "group-by takes %d fields at most, not %d", monitor.MaxCorrelationFields, len(list))
	}
	r.is.GroupBy = list
	return nil
}

// readAliases reads {alias: {rule: field}}. A rule that is not counted by this
// correlation may be one that a correlation below counts.
func (r *correlationReader) readAliases() error {
	e := r.fields["aliases"]
	if e.value == nil || isNull(e.value) {
		return nil
	}
	if e.value.Kind != yaml.MappingNode {
		return errorAt(e.value, "aliases must be a mapping of alias, rule and field")
	}
	aliases, err := r.entries(e.value)
	if err != nil {
		return err
	}
	r.is.Aliases = make(map[string]map[string]string, len(aliases))
	for _, alias := range aliases {
		if alias.value.Kind != yaml.MappingNode {
			return errorAt(alias.value, "the alias %q must be a mapping of rule and field", shorten(alias.name))
		}
		rules, err := r.entries(alias.value)
		if err != nil {
			return err
		}
		of := make(map[string]string, len(rules))
		for _, rule := range rules {
			field, err := r.text(rule)
			if err != nil {
				return err
			}
			if field == "" {
				return errorAt(rule.key, "the alias %q names no field for the rule %q", shorten(alias.name), shorten(rule.name))
			}
			of[rule.name] = field
		}
		r.is.Aliases[alias.name] = of
	}
	return nil
}

// Lengths of a timespan's units; a month and a year are the means of the Gregorian
// calendar, as in pySigma.
var timespanUnits = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
	'M': 2_629_746 * time.Second, 'y': 31_556_952 * time.Second,
}

func (r *correlationReader) readTimespan() error {
	e, err := r.need("timespan")
	if err != nil {
		return err
	}
	s, err := r.text(e)
	if err != nil {
		return err
	}
	span, ok := parseTimespan(s)
	if !ok {
		return errorAt(e.value, "the timespan %q is not a number and one of s, m, h, d, w, M, y, as in 15m", shorten(s))
	}
	if span > monitor.MaxCorrelationSpan {
		return errorAt(e.value, "the timespan %q is longer than a year", shorten(s))
	}
	r.is.Timespan = span
	return nil
}

func parseTimespan(s string) (time.Duration, bool) {
	if len(s) < 2 || len(s) > 10 {
		return 0, false
	}
	unit, known := timespanUnits[s[len(s)-1]]
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	if err != nil || !known || n == 0 || s[0] == '+' {
		return 0, false
	}
	if n > uint64(math.MaxInt64/int64(unit)) {
		return math.MaxInt64, true
	}
	return time.Duration(n) * unit, true //nolint:gosec // checked
}

func (r *correlationReader) readGenerate() (err error) {
	r.is.Generate, err = r.truth(r.fields["generate"])
	return err
}

// truth reads true or false; absence gives false.
func (d *document) truth(e entry) (bool, error) {
	if e.value == nil || isNull(e.value) {
		return false, nil
	}
	if e.value.Kind != yaml.ScalarNode || e.value.Tag != "!!bool" {
		return false, errorAt(e.value, "%s takes true or false", e.name)
	}
	return strings.EqualFold(e.value.Value, "true"), nil
}

// readCondition reads a mapping of bounds, or an extended condition. A temporal
// correlation without a condition wants all its rules.
func (r *correlationReader) readCondition() error {
	e := r.fields["condition"]
	if e.value == nil || isNull(e.value) {
		if !r.is.Type.Temporal() {
			return errorAt(r.section, "a correlation of the type %s needs a condition", r.is.Type)
		}
		r.is.Condition.Bounds = []monitor.CorrelationBound{{Op: "gte", Limit: float64(len(r.is.Rules))}}
		return nil
	}
	switch {
	case e.value.Kind == yaml.ScalarNode && r.is.Type.Temporal():
		return r.readExtended(e.value)
	case e.value.Kind == yaml.ScalarNode:
		return errorAt(e.value, "only temporal and temporal_ordered take a condition in words")
	case e.value.Kind != yaml.MappingNode:
		return errorAt(e.value, "condition must be a mapping such as gte: 10")
	}
	keys, err := r.entries(e.value)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := r.readConditionPart(k); err != nil {
			return err
		}
	}
	return r.checkCondition(e.value)
}

var correlationOps = []string{"gt", "gte", "lt", "lte", "eq", "neq"}

func (r *correlationReader) readConditionPart(k entry) (err error) {
	c := &r.is.Condition
	switch {
	case slices.Contains(correlationOps, k.name):
		limit, err := r.number(k)
		c.Bounds = append(c.Bounds, monitor.CorrelationBound{Op: k.name, Limit: limit})
		return err
	case k.name == "field":
		if r.is.Type != monitor.CorrelateValueCount && !r.is.Type.Numeric() {
			return errorAt(k.key, "the type %s looks at no field", r.is.Type)
		}
		c.Fields, err = r.texts(k)
		return err
	case k.name == "percentile":
		if r.is.Type != monitor.CorrelateValuePercentile {
			return errorAt(k.key, "only value_percentile has a percentile")
		}
		c.Percentile, err = r.number(k)
		if err == nil && (c.Percentile < 0 || c.Percentile > 100) {
			err = errorAt(k.value, "a percentile is between 0 and 100")
		}
		return err
	default:
		return errorAt(k.key, "a condition has no %q, only %s, field, percentile", shorten(k.name), strings.Join(correlationOps, ", "))
	}
}

func (r *correlationReader) number(k entry) (float64, error) {
	if k.value.Kind == yaml.ScalarNode && (k.value.Tag == "!!int" || k.value.Tag == "!!float" || k.value.Tag == "!!str") {
		n, err := strconv.ParseFloat(strings.ReplaceAll(k.value.Value, "_", ""), 64)
		if err == nil && !math.IsInf(n, 0) && !math.IsNaN(n) {
			return n, nil
		}
	}
	return 0, errorAt(k.value, "%s takes a number", k.name)
}

// checkCondition looks at what a condition must have, and refuses one that cannot be
// told from what is kept.
func (r *correlationReader) checkCondition(at *yaml.Node) error {
	c, t := &r.is.Condition, r.is.Type
	_, percentile := entryOf(at, "percentile")
	switch {
	case len(c.Bounds) == 0:
		return errorAt(at, "a condition needs one of %s", strings.Join(correlationOps, ", "))
	case t == monitor.CorrelateValueCount && len(c.Fields) == 0:
		return errorAt(at, "the type %s needs a field in its condition", t)
	case t.Numeric() && len(c.Fields) != 1:
		return errorAt(at, "the type %s needs one field in its condition", t)
	case t == monitor.CorrelateValuePercentile && !percentile:
		return errorAt(at, "the type %s needs a percentile in its condition", t)
	}
	for _, b := range c.Bounds {
		switch most := mostOf(t); {
		case t.Numeric():
		case b.Limit < 0:
			return errorAt(at, "a count is not below 0")
		case b.Limit > most:
			return errorAt(at, "the type %s counts up to %.0f", t, most)
		}
	}
	return nil
}

func mostOf(t monitor.CorrelationType) float64 {
	switch t {
	case monitor.CorrelateEventCount:
		return monitor.MaxCorrelationLimit
	case monitor.CorrelateValueCount:
		return monitor.MaxCorrelationValues
	default:
		return monitor.MaxCorrelationRules
	}
}

func entryOf(n *yaml.Node, key string) (*yaml.Node, bool) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if follow(n.Content[i]).Value == key {
			return n.Content[i+1], true
		}
	}
	return nil, false
}

// readExtended reads a condition in words:
//
//	or  = and { "or" and }
//	and = not { "and" not }
//	not = "not" not | "(" or ")" | rule
func (r *correlationReader) readExtended(n *yaml.Node) error {
	x := &extended{correlationReader: r, node: n, tokens: tokenise(n.Value), listed: len(r.is.Rules) > 0}
	if len(x.tokens) == 0 {
		return errorAt(n, "the condition is empty")
	}
	if len(x.tokens) > maxTokens {
		return errorAt(n, "the condition has more than %d words", maxTokens)
	}
	tree, err := x.list("or", x.and)
	if err != nil {
		return err
	}
	if len(x.tokens) > 0 {
		return errorIn(n, x.tokens[0].offset, "%q is not expected here", shorten(x.tokens[0].text))
	}
	if err := r.checkRules(n); err != nil {
		return err
	}
	for i, name := range r.is.Rules {
		if !x.named[i] {
			return errorAt(n, "the condition does not name the rule %q", shorten(name))
		}
	}
	if r.is.Type == monitor.CorrelateTemporalOrdered && tree.TooManyBranches() {
		return errorAt(n, "the condition can be true in more than %d ways", monitor.MaxCorrelationBranches)
	}
	r.is.Condition.Expr = tree
	return nil
}

type extended struct {
	*correlationReader
	node   *yaml.Node
	tokens []token
	listed bool // the rules are listed: the condition names no other
	named  [monitor.MaxCorrelationRules + 1]bool
	depth  int
}

func (x *extended) take(word string) bool {
	if len(x.tokens) > 0 && strings.EqualFold(x.tokens[0].text, word) {
		x.tokens = x.tokens[1:]
		return true
	}
	return false
}

func (x *extended) list(word string, part func() (*monitor.CorrelationExpr, error)) (*monitor.CorrelationExpr, error) {
	var of []*monitor.CorrelationExpr
	for {
		each, err := part()
		if err != nil {
			return nil, err
		}
		of = append(of, each)
		if !x.take(word) {
			break
		}
	}
	if len(of) == 1 {
		return of[0], nil
	}
	return &monitor.CorrelationExpr{Op: word, Of: of}, nil
}

func (x *extended) and() (*monitor.CorrelationExpr, error) { return x.list("and", x.not) }

func (x *extended) not() (*monitor.CorrelationExpr, error) {
	if len(x.tokens) == 0 {
		return nil, errorIn(x.node, len(x.node.Value), "the condition ends too early")
	}
	if x.depth++; x.depth > maxNesting {
		return nil, errorIn(x.node, x.tokens[0].offset, "nested too deeply")
	}
	defer func() { x.depth-- }()
	switch {
	case x.take("not"):
		of, err := x.not()
		return &monitor.CorrelationExpr{Op: "not", Of: []*monitor.CorrelationExpr{of}}, err
	case x.take("("):
		of, err := x.list("or", x.and)
		if err == nil && !x.take(")") {
			err = errorIn(x.node, len(x.node.Value), "a bracket is not closed")
		}
		return of, err
	}
	word := x.tokens[0]
	x.tokens = x.tokens[1:]
	if slices.Contains([]string{"and", "or", ")", "|"}, strings.ToLower(word.text)) {
		return nil, errorIn(x.node, word.offset, "%q is not expected here", word.text)
	}
	member := slices.Index(x.is.Rules, word.text)
	switch {
	case member < 0 && x.listed:
		return nil, errorIn(x.node, word.offset, "the rule %q is not one of rules", shorten(word.text))
	case member < 0 && len(x.is.Rules) == monitor.MaxCorrelationRules:
		return nil, errorIn(x.node, word.offset, "a correlation counts %d rules at most", monitor.MaxCorrelationRules)
	case member < 0:
		member = len(x.is.Rules)
		x.is.Rules = append(x.is.Rules, word.text)
	}
	x.named[member] = true
	return &monitor.CorrelationExpr{Op: "rule", Member: member}, nil
}

// missing says which rule a correlation counts in vain.
func missing(reference, why string) error {
	return fmt.Errorf("the rule %q that it counts %s", shorten(reference), why)
}
