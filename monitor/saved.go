package monitor

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Saved is what everything that people keep under a name has in common. It is seen
// by its owner, and where it is shared by everybody.
type Saved struct {
	ID          ID        `json:"id"`
	Version     int       `json:"version"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Shared      bool      `json:"shared"`
	OwnerID     ID        `json:"ownerId"` // zero: a token of nobody made it; it is shared
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
}

// Bounds of what people keep.
const (
	MaxSaved            = 200 // of each noun and person
	MaxSavedName        = 100 // characters
	MaxSavedDescription = 1_000
	maxSavedColumns     = 50
	maxSavedDocument    = 32 << 10 // bytes, as of variables
)

func (s *Saved) check() (err error) {
	if s.Name, err = checkText("name", s.Name, MaxSavedName); err != nil {
		return err
	}
	if s.OwnerID.IsZero() && !s.Shared {
		return InputErrorf("shared", "this token belongs to nobody, so that what it keeps has to be shared")
	}
	if s.Description = strings.TrimSpace(s.Description); s.Description != "" {
		s.Description, err = checkText("description", s.Description, MaxSavedDescription)
	}
	return err
}

// SavedView is a list that people look at again: its query line, order and columns.
// Its JSON form is the snapshot that the journal keeps.
type SavedView struct {
	Saved
	Noun    LineNoun `json:"noun"`
	Query   string   `json:"query"`   // a query line; empty for everything
	OrderBy string   `json:"orderBy"` // of the noun's order; empty for the usual one
	Columns []string `json:"columns"` // that a screen shows, in order; empty for the usual ones
}

// GlobalID is the view's id in the graph.
func (v *SavedView) GlobalID() string { return GlobalID(KindSavedView, v.ID.String()) }

// IsNode marks the types of the schema's interface Node.
func (*SavedView) IsNode() {}

// NullableOrderBy is OrderBy, nil for the usual one.
func (v *SavedView) NullableOrderBy() *string { return nullable(v.OrderBy) }

var columnName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.]{0,63}$`)

// lineOrders are the orders that the lists of the nouns have.
var lineOrders = map[LineNoun][]string{
	LineAlerts: enumNames(AlertOrders),
	LineEvents: enumNames(EventOrders),
}

// Check gives BAD_INPUT for a view that cannot be.
func (v *SavedView) Check() error {
	if err := v.check(); err != nil {
		return err
	}
	if err := CheckLine(v.Noun, v.Query); err != nil {
		return err
	}
	if orders := lineOrders[v.Noun]; v.OrderBy != "" && !slices.Contains(orders, v.OrderBy) {
		if len(orders) == 0 {
			return InputErrorf("orderBy", "%s have one order only", lineNouns[v.Noun].plural)
		}
		return InputErrorf("orderBy", "%s have no order %q; there are %s", lineNouns[v.Noun].plural, v.OrderBy, strings.Join(orders, ", "))
	}
	if len(v.Columns) > maxSavedColumns {
		return InputErrorf("columns", "%d columns, at most %d", len(v.Columns), maxSavedColumns)
	}
	for i, name := range v.Columns {
		if !columnName.MatchString(name) || slices.Contains(v.Columns[:i], name) {
			return InputErrorf("columns", "%q is no name of a column, or named twice", name)
		}
	}
	return nil
}

// SavedOperation is an operation that people run again: in the playground, as a
// tile of a dashboard, as a feed of an integration. Its JSON form is the snapshot
// that the journal keeps.
type SavedOperation struct {
	Saved
	Kind      SavedOperationKind `json:"kind"`
	Document  string             `json:"document"`
	Variables json.RawMessage    `json:"variables"` // an object
}

// GlobalID is the operation's id in the graph.
func (o *SavedOperation) GlobalID() string { return GlobalID(KindSavedOperation, o.ID.String()) }

// IsNode marks the types of the schema's interface Node.
func (*SavedOperation) IsNode() {}

// SavedOperationKind is what a saved operation is for.
type SavedOperationKind string

// The kinds, as in the schema.
const (
	SavedSnippet SavedOperationKind = "SNIPPET" // anything, to run by hand
	SavedFeed    SavedOperationKind = "FEED"    // a subscription
	SavedTile    SavedOperationKind = "TILE"    // a query
)

// Check gives BAD_INPUT for an operation that cannot be. Whether the document fits
// the schema is another's to tell.
func (o *SavedOperation) Check() error {
	if err := o.check(); err != nil {
		return err
	}
	if len(o.Document) > maxSavedDocument {
		return InputErrorf("document", "the document has %d bytes, at most %d are kept", len(o.Document), maxSavedDocument)
	}
	if len(o.Variables) > maxSavedDocument {
		return InputErrorf("variables", "the variables have %d bytes, at most %d are kept", len(o.Variables), maxSavedDocument)
	}
	var object map[string]any
	if err := json.Unmarshal(o.Variables, &object); err != nil || object == nil {
		return InputErrorf("variables", "the variables are no JSON object")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, o.Variables); err != nil {
		return InputErrorf("variables", "the variables are no JSON object")
	}
	o.Variables = compact.Bytes()
	return nil
}
