// Package page owns keyset pagination: connections, edges and cursors in the
// shape of the GraphQL Cursor Connections Specification (Relay). It knows
// nothing of entities or SQL.
package page

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// MaxFirst is the largest page that any list gives out.
const MaxFirst = 500

// ErrBadCursor says that a cursor was not one that this server made.
var ErrBadCursor = errors.New("page cursor is not valid")

// Args ask for the first N items behind After.
type Args struct {
	First int
	After string
}

// Check gives an error unless 1 <= First <= MaxFirst.
func (a Args) Check() error {
	if a.First < 1 || a.First > MaxFirst {
		return fmt.Errorf("first must be between 1 and %d, got %d", MaxFirst, a.First)
	}
	return nil
}

// Connection is one page of a list.
type Connection[T any] struct {
	Edges    []Edge[T]
	PageInfo Info
	// TotalCount is exact up to a bound; beyond it TotalCountIsEstimate is set
	// and TotalCount is that bound.
	TotalCount           int
	TotalCountIsEstimate bool
	// Position is the feed cursor taken before the page was read: a feed
	// resumed from it misses nothing that the page does not show.
	Position string
}

// Nodes gives the items without their cursors.
func (c *Connection[T]) Nodes() []T {
	nodes := make([]T, len(c.Edges))
	for i, e := range c.Edges {
		nodes[i] = e.Node
	}
	return nodes
}

// Edge is one item and the cursor of its place in the list.
type Edge[T any] struct {
	Node   T
	Cursor string
}

// Info tells whether more follows, and from where.
type Info struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string
	EndCursor       *string
}

// Build makes a connection of up to first items out of rows, of which one more
// than first was asked from the store to learn whether another page follows.
func Build[T any](rows []T, args Args, cursor func(T) string) *Connection[T] {
	c := &Connection[T]{PageInfo: Info{HasPreviousPage: args.After != "", HasNextPage: len(rows) > args.First}}
	if c.PageInfo.HasNextPage {
		rows = rows[:args.First]
	}
	c.Edges = make([]Edge[T], len(rows))
	for i, row := range rows {
		c.Edges[i] = Edge[T]{Node: row, Cursor: cursor(row)}
	}
	if n := len(c.Edges); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Edges[0].Cursor, &c.Edges[n-1].Cursor
	}
	return c
}

// EncodeCursor makes an opaque cursor of the key that a list is ordered by.
func EncodeCursor(key ...any) string {
	raw, err := json.Marshal(key)
	if err != nil {
		panic(fmt.Sprintf("page: cursor key of an unsupported type: %v", err)) // a programming error
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// DecodeCursor reads a cursor of EncodeCursor into the pointers in key.
// A foreign or damaged cursor gives ErrBadCursor.
func DecodeCursor(cursor string, key ...any) error {
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return ErrBadCursor
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts) != len(key) {
		return ErrBadCursor
	}
	for i, part := range parts {
		if err := json.Unmarshal(part, key[i]); err != nil {
			return ErrBadCursor
		}
	}
	return nil
}
