package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/security-monitor/secmon/client"
	"github.com/security-monitor/secmon/client/table"
)

// tailCommand follows a feed: for shell pipes and simple integrations.
type tailCommand struct {
	connection `embed:""`
	Feed       string `arg:"" enum:"alerts,events,incidents,journal,entity" help:"alerts, events, incidents, journal (administrators), or entity."`
	Filter     string `env:"-" help:"Filter of the feed as in GraphQL variables, such as {\"severity\":{\"gte\":\"HIGH\"}}." placeholder:"JSON"`
	Kind       string `env:"-" help:"For entity: ADDRESS, HOST, HASH or USER." enum:"ADDRESS,HOST,HASH,USER," default:""`
	Value      string `env:"-" help:"For entity: the address, host, hash or user."`
	After      string `env:"-" help:"Cursor to go on from; without it the feed begins now." placeholder:"CURSOR"`
	CursorFile string `name:"cursor-file" help:"File that keeps the cursor: a later run goes on where this one stopped." type:"path" placeholder:"FILE"`
	Fields     string `env:"-" help:"What to select of each entry, in GraphQL." placeholder:"SELECTION"`
	Output     string `short:"o" help:"json: one object a line; text: one line for people." enum:"json,text" default:"text"`
	Count      int    `env:"-" help:"End after so many entries; 0: never."`
}

// feedShape is how a feed is asked and read.
type feedShape struct {
	field, filter, list, selection string
	line                           func(entry map[string]any) string
}

var feedShapes = map[string]feedShape{
	"alerts": {
		"alertFeed", "AlertFilter", "entries", "change cursor action actor { kind name } at alert { id version title severity status count host user source { ip } rule { id title } lastSeen }",
		func(e map[string]any) string {
			return line(e, "at", "change", "alert.severity", "alert.status", "alert.host", "alert.user", "alert.title")
		},
	},
	"events": {
		"eventFeed", "EventFilter", "events", "id occurredAt class action outcome severity host user source { ip port } destination { ip port } process message",
		func(e map[string]any) string {
			return line(e, "occurredAt", "severity", "class", "host", "user", "message")
		},
	},
	"incidents": {
		"incidentFeed", "IncidentFilter", "entries", "change cursor action actor { kind name } at incident { id version title severity status alertCount }",
		func(e map[string]any) string {
			return line(e, "at", "change", "incident.severity", "incident.status", "incident.title")
		},
	},
	"journal": {
		"journalFeed", "JournalFilter", "entries", "cursor at actor { kind name } action events changes { kind id action created fields { field before after } }",
		func(e map[string]any) string { return line(e, "at", "actor.name", "action") },
	},
	"entity": {
		"entityFeed", "", "entries", "cursor at event { id occurredAt class action host user source { ip } destination { ip } message } alert { change action alert { id title severity status host user } }",
		func(e map[string]any) string {
			return line(e, "at", "event.host", "event.message", "alert.change", "alert.alert.severity", "alert.alert.title")
		},
	},
}

// line joins the values at these paths, without those that are not there.
func line(e map[string]any, paths ...string) string {
	var parts []string
	for _, path := range paths {
		var value any = e
		for name := range strings.SplitSeq(path, ".") {
			inner, _ := value.(map[string]any)
			value = inner[name]
		}
		if value != nil && value != "" {
			parts = append(parts, table.Visible(fmt.Sprint(value)))
		}
	}
	return strings.Join(parts, "  ")
}

// Run follows the feed until it is interrupted.
func (c *tailCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	feed, shape, err := c.feed(r)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	printed := 0
	err = feed.Run(ctx, func(m client.Message) error {
		n, whole, err := c.print(out, shape, m, c.Count-printed)
		printed += n
		if err = errors.Join(err, out.Flush()); err != nil {
			return err
		}
		if whole { // the rest of a message has to come again
			if err := c.keep(m.Cursor); err != nil {
				return err
			}
		}
		if c.Count > 0 && printed >= c.Count {
			return io.EOF
		}
		return nil
	})
	return endOfFeed(err)
}

// endOfFeed tells what ended a feed from what has gone wrong.
func endOfFeed(err error) error {
	switch earliest, expired := client.Expired(err); {
	case expired:
		return fmt.Errorf("%w; the earliest position is --after %s", err, earliest)
	case errors.Is(err, io.EOF), errors.Is(err, context.Canceled), errors.Is(err, syscall.EPIPE):
		return nil // done, interrupted, or nobody reads any more
	}
	return err
}

// feed makes the subscription.
func (c *tailCommand) feed(r *remote) (*client.Feed, feedShape, error) {
	shape := feedShapes[c.Feed]
	if c.Fields != "" {
		shape.selection = c.Fields
	}
	f := &client.Feed{
		URL: r.address(), Token: r.Token, Variables: map[string]any{}, After: c.After, Retrying: retrying,
	}
	declared, given := "$filter: "+shape.filter, "filter: $filter"
	if c.Feed == "entity" {
		if c.Kind == "" || c.Value == "" {
			return nil, shape, errors.New("entity needs --kind and --value")
		}
		declared, given = "$kind: EntityKind!, $value: String!", "kind: $kind, value: $value"
		f.Variables["kind"], f.Variables["value"] = c.Kind, c.Value
	}
	if c.Filter != "" {
		if c.Feed == "entity" {
			return nil, shape, errors.New("entity takes no --filter")
		}
		var filter map[string]any
		if err := json.Unmarshal([]byte(c.Filter), &filter); err != nil {
			return nil, shape, fmt.Errorf("--filter is not a JSON object: %w", err)
		}
		f.Variables["filter"] = filter
	}
	f.Query = fmt.Sprintf("subscription Tail($after: Cursor, %s) { feed: %s(after: $after, %s) { cursor items: %s { %s } } }", declared, shape.field, given, shape.list, shape.selection)
	if c.After == "" && c.CursorFile != "" {
		kept, err := os.ReadFile(c.CursorFile)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, shape, err
		}
		f.After = string(bytes.TrimSpace(kept))
	}
	return f, shape, nil
}

// print writes the entries of a message, with --count at most so many.
func (c *tailCommand) print(out *bufio.Writer, shape feedShape, m client.Message, atMost int) (n int, whole bool, err error) {
	if len(m.Errors) > 0 {
		return 0, false, m.Errors
	}
	var data struct {
		Feed struct{ Items []json.RawMessage }
	}
	if err := json.Unmarshal(m.Data, &data); err != nil {
		return 0, false, err
	}
	for i, item := range data.Feed.Items {
		if c.Count > 0 && i >= atMost {
			return i, false, nil
		}
		if c.Output == "json" {
			var compact bytes.Buffer // raw records may hold line breaks between their tokens
			if err := json.Compact(&compact, item); err != nil {
				return i, false, err
			}
			_, _ = out.Write(table.JSON(compact.Bytes())) // Flush tells
			_ = out.WriteByte('\n')
			continue
		}
		var entry map[string]any
		if err := json.Unmarshal(item, &entry); err != nil {
			return i, false, err
		}
		_, _ = out.WriteString(shape.line(entry) + "\n") // Flush tells
	}
	return len(data.Feed.Items), true, nil
}

// keep writes the cursor so that the file always holds a whole one.
func (c *tailCommand) keep(cursor string) error {
	if c.CursorFile == "" || cursor == "" {
		return nil
	}
	part, err := os.CreateTemp(filepath.Dir(c.CursorFile), ".cursor-*")
	if err != nil {
		return err
	}
	_, err = part.WriteString(cursor + "\n")
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(part.Name(), c.CursorFile)
	}
	if err != nil {
		_ = os.Remove(part.Name())
	}
	return err
}
