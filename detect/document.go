package detect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// What a rule's author may ask of us. The largest of SigmaHQ's 3,867 rules has
// 295 KB, about 4,000 values and regexes of 400 bytes.
const (
	maxSource       = 1 << 20 // bytes of one document
	maxFlowDepth    = 100     // brackets inside brackets, before the YAML library sees them
	maxValues       = 10_000  // scalars in metadata lists and in the detection, aliases counted each time
	maxLeaves       = 50_000  // tests in a condition after globs are expanded
	maxTokens       = 2_000   // words and brackets in a condition
	maxNesting      = 50      // brackets and nots inside each other in a condition
	maxRegex        = 4 << 10 // bytes of a regular expression
	maxRegexProgram = 20_000  // instructions it compiles to, for example a{1000} has 1,002
	maxPattern      = 64 << 10
	maxTitle        = 256 // characters, by the specification
	maxName         = 255
)

// document is one YAML document under reading. It carries the budget of values,
// so that aliases cannot multiply a small source into a large rule.
type document struct {
	root   *yaml.Node
	more   bool // further documents follow in the same source
	budget int
}

// entry is one key and value of a mapping.
type entry struct {
	name  string
	key   *yaml.Node
	value *yaml.Node
}

// readDocument checks the size and form of a source and parses it as YAML. It
// never panics, whatever the YAML library does.
func readDocument(source []byte) (doc *document, err error) {
	if err := checkSource(source); err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			doc, err = nil, &SyntaxError{1, 1, fmt.Sprintf("not readable as YAML: %v", r)}
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	var first, second yaml.Node
	if err := decoder.Decode(&first); err != nil {
		return nil, yamlError(err)
	}
	if err := decoder.Decode(&second); err != nil && !errors.Is(err, io.EOF) {
		return nil, yamlError(err)
	}
	root := follow(first.Content[0])
	if root.Kind != yaml.MappingNode {
		return nil, errorAt(root, "a rule is a mapping of title, logsource, detection and so on")
	}
	more := len(second.Content) > 0 && second.Content[0].Tag != "!!null"
	return &document{root: root, more: more, budget: maxValues}, nil
}

func checkSource(source []byte) error {
	switch {
	case len(source) > maxSource:
		return &SyntaxError{1, 1, fmt.Sprintf("the rule has %d bytes, more than %d", len(source), maxSource)}
	case !utf8.Valid(source):
		return positionOfByte(source, firstInvalid(source), "not valid UTF-8")
	case bytes.IndexByte(source, 0) >= 0:
		return positionOfByte(source, bytes.IndexByte(source, 0), "a NUL character")
	}
	return checkDepth(source)
}

// checkDepth refuses sources that nest so deeply that the YAML library would
// spend long on them. Brackets in texts count too: a rule has few of them in a
// row without a closing one, and block style nests by indentation, one column a
// level.
func checkDepth(source []byte) error {
	depth, indent, leading := 0, 0, true
	for i, c := range source {
		switch {
		case c == '\n':
			indent, leading = 0, true
		case leading && (c == ' ' || c == '-' || c == '?' || c == ':'):
			indent++
		default:
			leading = false
		}
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(depth-1, 0)
		case '\n':
			depth = 0 // only brackets that open on one line can be many at little cost
		}
		if depth > maxFlowDepth || indent > 10*maxFlowDepth {
			return positionOfByte(source, i, "nested too deeply")
		}
	}
	return nil
}

func firstInvalid(source []byte) int {
	for i := 0; i < len(source); {
		r, n := utf8.DecodeRune(source[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return 0
}

func positionOfByte(source []byte, offset int, message string) error {
	before := source[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	return &SyntaxError{bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1, message}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// yamlError turns "yaml: line 3: did not find expected key" into a SyntaxError.
// The library tells no column.
func yamlError(err error) error {
	if errors.Is(err, io.EOF) {
		return &SyntaxError{1, 1, "the document is empty"}
	}
	line, message := 1, err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil && n > 0 {
			line = n
		}
	}
	return &SyntaxError{line, 1, "YAML: " + message}
}

func errorAt(n *yaml.Node, format string, args ...any) error {
	return &SyntaxError{max(n.Line, 1), max(n.Column, 1), fmt.Sprintf(format, args...)}
}

// errorIn points at a byte of a scalar's text. In texts of several lines only
// the scalar's own position is known.
func errorIn(n *yaml.Node, offset int, format string, args ...any) error {
	e := &SyntaxError{max(n.Line, 1), max(n.Column, 1), fmt.Sprintf(format, args...)}
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.Contains(n.Value, "\n") || offset > len(n.Value) {
		return e
	}
	before := n.Value[:offset]
	e.Column += utf8.RuneCountInString(before)
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		e.Column++
	}
	if n.Style&yaml.SingleQuotedStyle != 0 {
		e.Column += strings.Count(before, "'")
	}
	return e
}

// follow gives what an alias stands for.
func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// spend takes one value from the budget.
func (d *document) spend(n *yaml.Node) error {
	if d.budget--; d.budget < 0 {
		return errorAt(n, "more than %d values", maxValues)
	}
	return nil
}

// entries lists a mapping's keys and values in order. Keys must be plain and
// stand once.
func (d *document) entries(n *yaml.Node) ([]entry, error) {
	list := make([]entry, 0, len(n.Content)/2)
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := follow(n.Content[i])
		switch {
		case key.Kind != yaml.ScalarNode:
			return nil, errorAt(key, "a key must be a plain text")
		case key.Tag == "!!merge":
			return nil, errorAt(key, "merge keys (<<) are not supported")
		case seen[key.Value]:
			return nil, errorAt(key, "the key %q stands here twice", shorten(key.Value))
		}
		if err := d.spend(key); err != nil {
			return nil, err
		}
		seen[key.Value] = true
		list = append(list, entry{key.Value, n.Content[i], follow(n.Content[i+1])})
	}
	return list, nil
}

// text reads a single scalar as text; null and absence give "".
func (d *document) text(e entry) (string, error) {
	if e.value == nil || isNull(e.value) {
		return "", nil
	}
	if e.value.Kind != yaml.ScalarNode {
		return "", errorAt(e.value, "%s must be a text", e.name)
	}
	return strings.TrimSpace(e.value.Value), nil
}

// texts reads a list of scalars; one scalar alone stands for a list of one.
func (d *document) texts(e entry) ([]string, error) {
	if e.value == nil || isNull(e.value) {
		return nil, nil
	}
	nodes := []*yaml.Node{e.value}
	if e.value.Kind == yaml.SequenceNode {
		nodes = e.value.Content
	}
	var list []string
	for _, n := range nodes {
		n = follow(n)
		if n.Kind != yaml.ScalarNode {
			return nil, errorAt(n, "%s must be a list of texts", e.name)
		}
		if err := d.spend(n); err != nil {
			return nil, err
		}
		if s := strings.TrimSpace(n.Value); s != "" && !isNull(n) {
			list = append(list, s)
		}
	}
	return list, nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// shorten keeps error messages readable: at most 60 characters of a text.
func shorten(s string) string {
	if utf8.RuneCountInString(s) <= 60 {
		return s
	}
	return string([]rune(s)[:60]) + "..."
}
