package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Lint gives what in a schema is against the conventions, each as a sentence that
// begins with the name it is about. Call Complete first: what it describes counts
// as described.
func Lint(s *ast.Schema) []string {
	l := &linter{schema: s}
	for _, def := range s.Types {
		if !builtIn(def) {
			l.definition(def)
		}
	}
	for _, d := range s.Directives {
		if d.Position != nil && d.Position.Src != nil && !d.Position.Src.BuiltIn {
			l.described(d.Description, "@"+d.Name)
		}
	}
	l.mutations()
	slices.Sort(l.problems)
	return l.problems
}

type linter struct {
	schema   *ast.Schema
	problems []string
}

func (l *linter) problem(name, format string, args ...any) {
	l.problems = append(l.problems, name+": "+fmt.Sprintf(format, args...))
}

func (l *linter) described(description, name string) {
	if strings.TrimSpace(description) == "" {
		l.problem(name, "is not described")
	}
}

var (
	pascal = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	camel  = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)
	upper  = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)
	dated  = regexp.MustCompile(`\b20\d\d-[01]\d-[0-3]\d\b`)
)

func (l *linter) named(is *regexp.Regexp, form, short, name string) {
	if !is.MatchString(short) {
		l.problem(name, "is not named in %s", form)
	}
}

func (l *linter) definition(def *ast.Definition) {
	root := def == l.schema.Query || def == l.schema.Mutation || def == l.schema.Subscription
	if !root {
		l.described(def.Description, def.Name)
	}
	l.named(pascal, "PascalCase", def.Name, def.Name)
	if def.Kind == ast.InputObject && !strings.HasSuffix(def.Name, "Input") && !strings.HasSuffix(def.Name, "Filter") {
		l.problem(def.Name, "is an input: its name ends in Input or Filter")
	}
	for _, value := range def.EnumValues {
		name := def.Name + "." + value.Name
		l.described(value.Description, name)
		l.named(upper, "UPPER_CASE", value.Name, name)
		l.deprecated(value.Directives, name)
	}
	for _, field := range def.Fields {
		if !strings.HasPrefix(field.Name, "__") {
			l.field(def, field)
		}
	}
}

func (l *linter) field(def *ast.Definition, field *ast.FieldDefinition) {
	name := def.Name + "." + field.Name
	l.described(field.Description, name)
	l.named(camel, "camelCase", field.Name, name)
	l.deprecated(field.Directives, name)
	for _, a := range field.Arguments {
		l.described(a.Description, name+"("+a.Name+":)")
		l.named(camel, "camelCase", a.Name, name+"("+a.Name+":)")
		l.deprecated(a.Directives, name+"("+a.Name+":)")
	}
	if def.Kind == ast.InputObject {
		return
	}
	isList := strings.HasSuffix(field.Type.Name(), "Connection")
	first := field.Arguments.ForName("first")
	switch {
	case isList && first == nil:
		l.problem(name, "gives a page: it takes first")
	case first != nil && (first.Type.Name() != "Int" || !first.Type.NonNull && first.DefaultValue == nil):
		l.problem(name, "has first that may be left out: it is Int!, or has a default")
	case isList && field.Arguments.ForName("after") == nil:
		l.problem(name, "gives a page: it takes after")
	}
	for _, offset := range []string{"offset", "skip", "page", "limit"} {
		if field.Arguments.ForName(offset) != nil {
			l.problem(name, "takes %s: lists go by first and after", offset)
		}
	}
}

// deprecated wants the date from which on something may be gone.
func (l *linter) deprecated(directives ast.DirectiveList, name string) {
	d := directives.ForName("deprecated")
	if d == nil {
		return
	}
	if reason := d.Arguments.ForName("reason"); reason == nil || !dated.MatchString(reason.Value.Raw) {
		l.problem(name, "is deprecated without the date (2027-01-31) until which it stays, and what to use instead")
	}
}

// verbs begin the names of mutations elsewhere; here the noun does, so that
// related ones stand together in the explorer.
var verbs = regexp.MustCompile(`^(create|update|delete|remove|add|set|get|close|open|assign|enable|disable|merge|split|revoke|make|run|start|stop|cancel|undo|export|import|login|logout|refresh)([A-Z]|$)`)

func (l *linter) mutations() {
	if l.schema.Mutation == nil {
		return
	}
	for _, field := range l.schema.Mutation.Fields {
		if strings.HasPrefix(field.Name, "__") {
			continue
		}
		name := "Mutation." + field.Name
		if verbs.MatchString(field.Name) {
			l.problem(name, "begins with a verb: the noun comes first")
		}
		l.input(name, field)
		payload := l.schema.Types[field.Type.Name()]
		if !field.Type.NonNull || payload == nil || !strings.HasSuffix(payload.Name, "Payload") {
			l.problem(name, "does not give a ...Payload!")
			continue
		}
		if errors := payload.Fields.ForName("errors"); errors == nil || errors.Type.String() != "[UserError!]!" {
			l.problem(payload.Name, "has no errors: [UserError!]!")
		}
	}
}

// input wants one argument, or none where there is nothing to say.
func (l *linter) input(name string, field *ast.FieldDefinition) {
	if len(field.Arguments) == 0 {
		return
	}
	input := field.Arguments.ForName("input")
	if len(field.Arguments) > 1 || input == nil || !input.Type.NonNull || !strings.HasSuffix(input.Type.Name(), "Input") {
		l.problem(name, "takes something else than input: ...Input!")
	}
}
