package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestAnswersAsTables(t *testing.T) {
	for _, c := range []struct {
		name     string
		messages []string
		want     string
	}{
		{
			"a connection: columns in the selection's order, what a row lacks is empty",
			[]string{`{"alerts":{"nodes":[{"host":"web-1","rule":null,"count":12345678901234567890},{"host":"web-2","rule":{"title":"A","tags":["x","y"]},"count":2}]}}`},
			"host   count                 rule.title  rule.tags\nweb-1  12345678901234567890\nweb-2  2                     A           x, y\n",
		},
		{"edges are their nodes", []string{`{"alerts":{"edges":[{"cursor":"c","node":{"host":"a"}}]}}`}, "cursor  host\nc       a\n"},
		{"a field that is a list", []string{`{"eventDays":[{"day":"2026-01-01","held":true}]}`}, "day         held\n2026-01-01  yes\n"},
		{"nothing in it", []string{`{"alerts":{"nodes":[]}}`}, ""},
		{
			"no list: each value under its path",
			[]string{`{"alert":{"title":"T","tags":[],"evidence":[{"n":1},{"n":2}]},"viewer":null}`},
			"FIELD             VALUE\nalert.title       T\nalert.tags\nalert.evidence.0.n  1\nalert.evidence.1.n  2\nviewer\n",
		},
		{
			"messages of a subscription: the head once, and again for other columns",
			[]string{`{"f":{"entries":[{"a":1}]}}`, `{"f":{"entries":[]}}`, `{"f":{"entries":[{"a":2}]}}`, `{"f":{"entries":[{"a":3,"b":4}]}}`},
			"a\n1\n2\na  b\n3  4\n",
		},
		{"what a log says is no command", []string{"{\"alerts\":{\"nodes\":[{\"host\":\"\\u001b[2J\"}]}}"}, "host\n\\x1b[2J\n"},
	} {
		got, err := printed(t, func() (err error) {
			o := &queryOutput{format: "table"}
			for _, message := range c.messages {
				err = errors.Join(err, o.print(json.RawMessage(message)))
			}
			return err
		})
		if err != nil || squeeze(got) != squeeze(c.want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.name, err, got, c.want)
		}
	}
}

// squeeze leaves one space between columns: their widths are the table's own matter.
func squeeze(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, "\n")
}
