// Package schema holds the contract to its rules: every name is described and
// formed like the others, and no release takes away what clients use. It reads
// the schema only, and knows nothing of what answers it.
package schema

import (
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
)

// conventions describe names that mean the same wherever they stand. The file
// says nothing of them, so that it reads as a story; introspection and the
// playground show them.
var conventions = struct{ fields, arguments, inputs map[string]string }{
	fields: map[string]string{
		"id":        "Opaque and unique over all types; `node` finds the entity by it.",
		"version":   "Grows with every change: give it to a mutation's expectedVersion.",
		"createdAt": "When it was made here.",
		"updatedAt": "When it was last changed.",
		"edges":     "The items with their cursors.",
		"nodes":     "The items alone.",
		"pageInfo":  "How this page lies in the list.",
		"node":      "The item.",
		"cursor":    "Place in the list: give it to `after` to go on behind it.",
		"errors":    "What the user can mend; empty when all went well.",
		"actor":     "Who or what did it.",
		"at":        "When it was done.",
	},
	arguments: map[string]string{
		"id":      "The entity's id.",
		"input":   "What to do, and to what.",
		"first":   "How many items at most: 1 to 500.",
		"after":   "Go on behind this cursor.",
		"filter":  "Which ones; without it all.",
		"orderBy": "In which order.",
		"asOf":    "As it was at that instant, by the journal.",
	},
	inputs: map[string]string{
		"id":              "The entity's id.",
		"expectedVersion": "Refuses with CONFLICT when the entity has changed since this version.",
		"and":             "All of these hold too.",
		"or":              "At least one of these holds.",
		"not":             "This does not hold.",
		"eq":              "Equal to this.",
		"in":              "Equal to one of these.",
		"contains":        "Has this somewhere in it.",
		"startsWith":      "Begins with this.",
		"exists":          "true: there is a value. false: there is none.",
		"gt":              "Greater or later than this.",
		"gte":             "This, or greater or later.",
		"lt":              "Less or earlier than this.",
		"lte":             "This, or less or earlier.",
	},
}

// completing keeps two from completing one schema at once: gqlgen gives the same
// one to everybody.
var completing sync.Mutex

// Complete describes what the file leaves to convention. It may be called again.
func Complete(s *ast.Schema) {
	completing.Lock()
	defer completing.Unlock()
	for _, def := range s.Types {
		if builtIn(def) {
			continue
		}
		noun := s.Types[strings.TrimSuffix(def.Name, "Filter")]
		for _, field := range def.Fields {
			known := conventions.fields
			if def.Kind == ast.InputObject {
				known = conventions.inputs
			}
			describe(&field.Description, known[field.Name])
			if def.Kind == ast.InputObject && noun != nil && noun != def {
				describe(&field.Description, descriptionOf(noun, field.Name))
			}
			for _, a := range field.Arguments {
				describe(&a.Description, conventions.arguments[a.Name])
			}
		}
	}
}

// descriptionOf gives what a type says of a field: a filter's conditions are on
// the fields of its noun.
func descriptionOf(noun *ast.Definition, field string) string {
	if f := noun.Fields.ForName(field); f != nil {
		if f.Description != "" {
			return f.Description
		}
		return conventions.fields[field]
	}
	return ""
}

func describe(description *string, convention string) {
	if *description == "" && convention != "" {
		*description = convention
	}
}

func builtIn(def *ast.Definition) bool { return def.BuiltIn || strings.HasPrefix(def.Name, "__") }
