package schema

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Breaks gives what a client of the old schema could not do any more with the
// new one, each as a sentence that begins with the name it is about. Additions
// are none, but for what clients would then have to send.
func Breaks(before, after *ast.Schema) []string {
	c := &comparison{after: after}
	for _, def := range before.Types {
		if !builtIn(def) {
			c.definition(def)
		}
	}
	slices.Sort(c.breaks)
	return c.breaks
}

type comparison struct {
	after  *ast.Schema
	breaks []string
}

func (c *comparison) add(name, format string, args ...any) {
	c.breaks = append(c.breaks, name+": "+fmt.Sprintf(format, args...))
}

func (c *comparison) definition(was *ast.Definition) {
	is := c.after.Types[was.Name]
	switch {
	case is == nil:
		c.add(was.Name, "is gone")
		return
	case is.Kind != was.Kind:
		c.add(was.Name, "was %s, is %s", was.Kind, is.Kind)
		return
	}
	for _, value := range was.EnumValues {
		if is.EnumValues.ForName(value.Name) == nil {
			c.add(was.Name+"."+value.Name, "is gone")
		}
	}
	for _, name := range was.Interfaces {
		if !slices.Contains(is.Interfaces, name) {
			c.add(was.Name, "implements %s no longer", name)
		}
	}
	for _, name := range was.Types {
		if !slices.Contains(is.Types, name) {
			c.add(was.Name, "is no longer a union with %s", name)
		}
	}
	if was.Kind == ast.InputObject {
		c.inputs(was, is)
		return
	}
	for _, field := range was.Fields {
		c.field(was, field, is.Fields.ForName(field.Name))
	}
}

func (c *comparison) field(of *ast.Definition, was, is *ast.FieldDefinition) {
	name := of.Name + "." + was.Name
	if is == nil {
		c.add(name, "is gone")
		return
	}
	if !gives(was.Type, is.Type) {
		c.add(name, "was %s, is %s", was.Type, is.Type)
	}
	for _, a := range was.Arguments {
		now := is.Arguments.ForName(a.Name)
		where := name + "(" + a.Name + ":)"
		if now == nil {
			c.add(where, "is gone")
			continue
		}
		c.takes(where, a.Type, now.Type, now.DefaultValue)
		c.defaults(where, a.DefaultValue, now.DefaultValue)
	}
	for _, a := range is.Arguments {
		if was.Arguments.ForName(a.Name) == nil && required(a.Type, a.DefaultValue) {
			c.add(name+"("+a.Name+":)", "is new and has to be given")
		}
	}
}

func (c *comparison) inputs(was, is *ast.Definition) {
	for _, field := range was.Fields {
		name := was.Name + "." + field.Name
		now := is.Fields.ForName(field.Name)
		if now == nil {
			c.add(name, "is gone")
			continue
		}
		c.takes(name, field.Type, now.Type, now.DefaultValue)
		c.defaults(name, field.DefaultValue, now.DefaultValue)
	}
	for _, field := range is.Fields {
		if was.Fields.ForName(field.Name) == nil && required(field.Type, field.DefaultValue) {
			c.add(was.Name+"."+field.Name, "is new and has to be given")
		}
	}
}

// takes looks whether what clients send is still taken.
func (c *comparison) takes(name string, was, is *ast.Type, std *ast.Value) {
	if gives(is, was) {
		return
	}
	// A value that became required may be left out where there is a default.
	optional := *is
	optional.NonNull = false
	if !was.NonNull && std != nil && gives(&optional, was) {
		c.add(name, "was %s, is %s: null is no longer taken", was, is)
		return
	}
	c.add(name, "was %s, is %s", was, is)
}

// defaults looks whether leaving something out still means the same.
func (c *comparison) defaults(name string, was, is *ast.Value) {
	if was == nil {
		return
	}
	if is == nil || was.String() != is.String() {
		c.add(name, "had the default %s, has %s", was, is)
	}
}

func required(t *ast.Type, std *ast.Value) bool { return t.NonNull && std == nil }

// gives tells whether a value of type is can stand where one of type was is
// expected: the same, or never null where null was possible.
func gives(was, is *ast.Type) bool {
	if was.NonNull && !is.NonNull {
		return false
	}
	if (was.Elem == nil) != (is.Elem == nil) {
		return false
	}
	if was.Elem != nil {
		return gives(was.Elem, is.Elem)
	}
	return was.NamedType == is.NamedType
}
