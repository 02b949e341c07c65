package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/security-monitor/secmon/client/table"
)

// queryOutput prints the data of answers: as JSON a line each, or for people. The first
// list of an answer (a connection's, or a field that is one) is a table; an answer
// without is a line for each value, under its path.
type queryOutput struct {
	format string
	out    *table.Table
	titles []string
}

// cell is a value under its path.
type cell struct{ path, text string }

func (o *queryOutput) print(data json.RawMessage) error {
	if o.format != "table" {
		return printRaw(data)
	}
	name, list, others := firstList(data)
	if name == "" {
		return o.write([][]cell{leaves(nil, "", data)}, true)
	}
	if others {
		fmt.Fprintf(os.Stderr, "secmon: the table has %s alone; -o json has all\n", table.Visible(name))
	}
	rows := make([][]cell, len(list))
	for i, each := range list {
		rows[i] = leaves(nil, "", each)
		for j := range rows[i] { // of an edge
			rows[i][j].path = strings.TrimPrefix(rows[i][j].path, "node.")
		}
	}
	return o.write(rows, false)
}

// write prints rows under their paths, or where they are standing each value in a line. The
// head comes again where a later message of a subscription has other columns.
func (o *queryOutput) write(rows [][]cell, standing bool) error {
	if standing {
		var lines [][]string
		for _, c := range rows[0] {
			lines = append(lines, []string{c.path, c.text})
		}
		return newTable(table.Column{Title: "FIELD"}, table.Column{Title: "VALUE", Wide: true}).Write(lines)
	}
	titles := columnsOf(rows)
	if len(titles) == 0 {
		return nil
	}
	if slices.ContainsFunc(titles, func(title string) bool { return !slices.Contains(o.titles, title) }) {
		columns := make([]table.Column, len(titles))
		for i, title := range titles {
			columns[i] = table.Column{Title: table.Visible(title), Wide: true}
		}
		o.titles, o.out = titles, newTable(columns...)
	}
	lines := make([][]string, len(rows))
	for i, row := range rows {
		lines[i] = make([]string, len(o.titles))
		for _, c := range row {
			if at := slices.Index(o.titles, c.path); at >= 0 {
				lines[i][at] = c.text
			}
		}
	}
	return o.out.Write(lines)
}

// columnsOf gives the paths of all rows, in the order of the selection. An object that is
// missing in some rows has no column beside those of its fields.
func columnsOf(rows [][]cell) []string {
	var titles []string
	for _, row := range rows {
		for _, c := range row {
			if !slices.Contains(titles, c.path) {
				titles = append(titles, c.path)
			}
		}
	}
	return slices.DeleteFunc(titles, func(title string) bool {
		return slices.ContainsFunc(titles, func(other string) bool { return strings.HasPrefix(other, title+".") })
	})
}

// firstList finds the first field that is a list of objects, or has one as a connection,
// a feed's message or a payload has it. others tells whether there are more fields.
func firstList(data json.RawMessage) (name string, list []json.RawMessage, others bool) {
	fields := members(data)
	for _, field := range fields {
		if list, ok := objects(field.value); ok {
			return field.name, list, len(fields) > 1
		}
		for _, inner := range members(field.value) {
			switch inner.name {
			case "nodes", "edges", "entries":
				if list, ok := objects(inner.value); ok {
					return field.name + "." + inner.name, list, len(fields) > 1
				}
			}
		}
	}
	return "", nil, false
}

// objects gives the elements of a list of objects; an empty list is one.
func objects(value json.RawMessage) ([]json.RawMessage, bool) {
	var list []json.RawMessage
	if first(value) != '[' || json.Unmarshal(value, &list) != nil {
		return nil, false
	}
	return list, !slices.ContainsFunc(list, func(each json.RawMessage) bool { return first(each) != '{' })
}

type member struct {
	name  string
	value json.RawMessage
}

// members gives the members of an object in their order, nil of what is none.
func members(value json.RawMessage) (all []member) {
	if first(value) != '{' {
		return nil
	}
	in := json.NewDecoder(bytes.NewReader(value))
	if _, err := in.Token(); err != nil {
		return nil
	}
	for in.More() {
		name, err := in.Token()
		var inner json.RawMessage
		if err == nil {
			err = in.Decode(&inner)
		}
		if err != nil {
			return all
		}
		all = append(all, member{fmt.Sprint(name), inner})
	}
	return all
}

// leaves adds the values below a path. A list of objects has their numbers in paths.
func leaves(all []cell, path string, value json.RawMessage) []cell {
	at := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	if inner := members(value); len(inner) > 0 {
		for _, m := range inner {
			all = leaves(all, at(m.name), m.value)
		}
		return all
	}
	if list, ok := objects(value); ok && len(list) > 0 {
		for i, each := range list {
			all = leaves(all, at(strconv.Itoa(i)), each)
		}
		return all
	}
	return append(all, cell{path, leafText(value)})
}

// leafText is textOf, and leaves numbers as the server wrote them.
func leafText(value json.RawMessage) string {
	switch first(value) {
	case '"', 't', 'f', 'n', '[':
		var v any
		in := json.NewDecoder(bytes.NewReader(value))
		in.UseNumber()
		if in.Decode(&v) == nil {
			return textOf(v)
		}
	}
	return string(value)
}

// first gives the first byte of JSON, 0 of nothing.
func first(value json.RawMessage) byte {
	if value = bytes.TrimSpace(value); len(value) > 0 {
		return value[0]
	}
	return 0
}
