package channel

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Bounds of executing a template. Those who write them are trusted with a channel, not
// with the server: a template ends soon, and holds little.
const (
	maxRounds = 1_000     // of all loops of a template together
	maxWork   = 256 << 10 // bytes that its functions handle
)

// CheckTemplates gives BAD_INPUT for templates that cannot be parsed, or fail on a
// notice of one alert or of many.
func CheckTemplates(f monitor.NoticeFormat) error {
	for _, n := range []*monitor.Notice{Example("Example"), exampleSum("Example")} {
		for path, text := range map[string]string{"template.subject": f.Subject, "template.text": f.Text} {
			made, err := execute(path, text, clean(n))
			if err == nil && len(made) > maxText {
				err = monitor.InputErrorf(path, "%s", errLong)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// execute gives what a template makes of a notice, "" for an empty template. What is
// longer than maxText is cut: events are long at times, and half of it is better than
// nothing.
func execute(path, text string, n *monitor.Notice) (string, error) {
	if text == "" {
		return "", nil
	}
	r := &run{}
	t, err := template.New(strings.TrimPrefix(path, "template.")).Funcs(r.functions()).Parse(text)
	if err == nil {
		err = restrict(t)
	}
	var out bounded
	if err == nil {
		err = t.Execute(&out, fieldsOf(n))
	}
	if errors.Is(err, errFull) {
		out.WriteString("…")
		err = nil
	}
	if err != nil {
		said := goType.ReplaceAllString(strings.TrimPrefix(err.Error(), "template: "), "")
		return "", monitor.InputErrorf(path, "%s", cut(visible(said), 300))
	}
	return strings.TrimSpace(visible(out.String())), nil
}

// goType is what text/template says of our own types, which nobody who writes a template knows.
var goType = regexp.MustCompile(` (?:in|of struct) type \S*channel\.\w+`)

var errLong = fmt.Errorf("the text is longer than %d bytes", maxText)

// errFull ends a template that wrote all that is kept.
var errFull = errors.New("the text is full")

// bounded keeps what a template writes, and ends it when that is too much.
type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if left := maxText - b.Len(); len(p) > left {
		b.Builder.Write(p[:left])
		return left, errFull
	}
	return b.Builder.Write(p)
}

// restrict refuses templates within templates, which could call themselves, and has
// each round of a loop counted: loops over numbers or within loops may have no end
// that anybody lives to see.
func restrict(t *template.Template) error {
	for _, other := range t.Templates() {
		if other.Name() != t.Name() {
			return errors.New("define and block are not known here")
		}
	}
	if t.Tree == nil { // nothing but white space and comments
		return nil
	}
	counter := template.Must(template.New("").Funcs((&run{}).functions()).Parse("{{" + countRound + "}}"))
	return restrictList(t.Root, counter.Root.Nodes[0])
}

func restrictList(list *parse.ListNode, count parse.Node) error {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		var err error
		switch node := node.(type) {
		case *parse.TemplateNode:
			err = errors.New("template is not known here")
		case *parse.IfNode:
			err = errors.Join(restrictList(node.List, count), restrictList(node.ElseList, count))
		case *parse.WithNode:
			err = errors.Join(restrictList(node.List, count), restrictList(node.ElseList, count))
		case *parse.RangeNode:
			err = errors.Join(restrictList(node.List, count), restrictList(node.ElseList, count))
			node.List.Nodes = append([]parse.Node{count}, node.List.Nodes...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// countRound is the function that stands at the beginning of each loop.
const countRound = "countRound"

// run is one execution of a template.
type run struct{ rounds, work int }

func (r *run) round() (string, error) {
	if r.rounds++; r.rounds > maxRounds {
		return "", fmt.Errorf("the loops go on for more than %d rounds", maxRounds)
	}
	return "", nil
}

// functions are what templates may call: our own, and those of the library that make
// text, which are bounded here.
func (r *run) functions() template.FuncMap {
	return template.FuncMap{
		countRound: r.round,
		"join":     func(sep string, list []string) (string, error) { return r.made(strings.Join(list, sep)) },
		"upper":    func(s string) (string, error) { return r.made(strings.ToUpper(s)) },
		"lower":    func(s string) (string, error) { return r.made(strings.ToLower(s)) },
		"truncate": r.truncate,
		"contains": func(part, s string) (bool, error) { _, err := r.made(s); return strings.Contains(s, part), err },
		"replace":  r.replace,
		"default":  func(usual, s string) string { return cmp.Or(s, usual) },
		"time":     r.time,
		"duration": lasting,
		"print":    func(args ...any) (string, error) { return r.format(fmt.Sprint, args) },
		"println":  func(args ...any) (string, error) { return r.format(fmt.Sprintln, args) },
		"printf":   r.printf,
		"html":     func(args ...any) (string, error) { return r.format(template.HTMLEscaper, args) },
		"js":       func(args ...any) (string, error) { return r.format(template.JSEscaper, args) },
		"urlquery": func(args ...any) (string, error) { return r.format(template.URLQueryEscaper, args) },
		"call":     func() (string, error) { return "", errors.New("call is not known here") },
	}
}

// made bounds what a function handles.
func (r *run) made(s string) (string, error) {
	if len(s) > maxText {
		return "", errLong
	}
	if r.work += len(s); r.work > maxWork {
		return "", fmt.Errorf("the functions handle more than %d bytes", maxWork)
	}
	return s, nil
}

func (r *run) truncate(most int, s string) (string, error) {
	if most < 1 {
		return "", fmt.Errorf("truncate: at least 1 character, not %d", most)
	}
	return r.made(cut(s, most))
}

func (r *run) replace(old, by, s string) (string, error) {
	if old == "" || (strings.Count(s, old)+1)*len(by) > maxText {
		return "", errors.New("replace: nothing is looked for, or too much comes of it")
	}
	return r.made(strings.ReplaceAll(s, old, by))
}

// time shows a moment in a time zone.
func (r *run) time(zone string, m moment) (string, error) {
	at, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return "", fmt.Errorf("time: %q is no time zone such as Europe/Berlin or UTC", cut(zone, 50))
	}
	if m.at.IsZero() {
		return "", nil
	}
	return r.made(m.at.In(at).Format("2006-01-02 15:04 MST"))
}

// format calls a function that makes text of values, which are bounded first: a text
// that is put together of itself again and again would double each time.
func (r *run) format(f func(...any) string, args []any) (string, error) {
	total := 0
	for _, a := range args {
		if s, ok := a.(string); ok {
			total += len(s)
		}
	}
	if total > maxText {
		return "", errLong
	}
	return r.made(f(args...))
}

// wide are widths of printf that make much of nothing.
var wide = regexp.MustCompile(`%[^%a-zA-Z]*(\d{4}|\*)`)

func (r *run) printf(format string, args ...any) (string, error) {
	if wide.MatchString(format) {
		return "", errors.New("printf: widths have at most three digits")
	}
	return r.format(func(args ...any) string { return fmt.Sprintf(format, args...) }, append([]any{}, args...))
}
