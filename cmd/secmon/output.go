package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"

	"github.com/security-monitor/secmon/client/table"
)

// outputFlag is how a command prints what it got.
type outputFlag struct {
	Output string `short:"o" env:"-" enum:"table,json" default:"table" help:"table: for people; json: for programs, an object a line."`
}

// counted gives a number with what is counted, in the singular where it is one.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// newTable writes to standard output, and fits what is a terminal.
func newTable(columns ...table.Column) *table.Table {
	width := 0
	if descriptor := int(os.Stdout.Fd()); term.IsTerminal(descriptor) { //nolint:gosec // a descriptor is small
		width, _, _ = term.GetSize(descriptor) // 0 cuts nothing
	}
	return table.New(os.Stdout, width, columns...)
}

func printJSON(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(append(table.JSON(text), '\n'))
	return err
}

// valueAt gives the value at a path of names, such as rule.title, as text.
func valueAt(node map[string]any, path string) string {
	var value any = node
	for name := range strings.SplitSeq(path, ".") {
		inner, _ := value.(map[string]any)
		value = inner[name]
	}
	return textOf(value)
}

func textOf(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		parts := make([]string, len(v))
		for i, each := range v {
			parts[i] = textOf(each)
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprint(value)
}
