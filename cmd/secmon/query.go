package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/security-monitor/secmon/client"
	"github.com/security-monitor/secmon/client/table"
	"github.com/security-monitor/secmon/monitor"
)

type queryCommand struct {
	connection `embed:""`
	Operation  string            `arg:"" env:"-" help:"GraphQL: a file, - for standard input, the text itself, or the name of a saved operation."`
	Name       string            `env:"-" help:"Which operation, where the text has several." placeholder:"NAME"`
	Var        map[string]string `env:"-" mapsep:"none" help:"A variable: JSON, or else a text. May be given several times." placeholder:"NAME=VALUE"`
	Vars       string            `env:"-" type:"existingfile" help:"File with a JSON object of variables; --var wins." placeholder:"FILE"`
	Saved      bool              `env:"-" help:"The operation is a saved one's name, whatever it looks like."`
	Count      int               `env:"-" help:"Of a subscription: end after so many messages; 0: never."`
	Output     string            `short:"o" env:"-" enum:"json,table" default:"json" help:"json: the data, a line for each message; table: the first list as a table, of an answer without one a line for each value."`
}

const maxOperation = 1 << 20

// Run prints the answer's data, also where parts of it failed. Of a subscription
// it prints each message's data as a line.
func (c *queryCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	text, variables, err := c.read(ctx, r)
	if err != nil {
		return err
	}
	operation, err := c.pick(text)
	if err != nil {
		return err
	}
	if operation.Operation == ast.Subscription {
		return c.follow(ctx, r, text, operation.Name, variables)
	}
	data, err := r.Do(ctx, text, operation.Name, variables)
	if len(data) > 0 && (err == nil || string(data) != "null") {
		if printErr := (&queryOutput{format: c.Output}).print(data); printErr != nil {
			return printErr
		}
	}
	var all client.Errors
	if errors.As(err, &all) && len(all) > 1 {
		for _, e := range all[1:] {
			fmt.Fprintf(os.Stderr, "secmon: %s\n", table.Visible(client.Errors{e}.Error()))
		}
	}
	if err != nil {
		return err
	}
	return payloadErrors(data)
}

// read finds the text and its variables.
func (c *queryCommand) read(ctx context.Context, r *remote) (text string, variables map[string]any, err error) {
	variables = map[string]any{}
	switch {
	case c.Saved:
		text, variables, err = r.savedOperation(ctx, c.Operation)
	case c.Operation == "-":
		text, err = readBounded(os.Stdin)
	case strings.Contains(c.Operation, "{"):
		text = c.Operation
	default:
		file, openErr := os.Open(c.Operation)
		switch {
		case errors.Is(openErr, os.ErrNotExist):
			text, variables, err = r.savedOperation(ctx, c.Operation)
		case openErr != nil:
			return "", nil, openErr
		default:
			text, err = readBounded(file)
			_ = file.Close() // only read
		}
	}
	if err != nil {
		return "", nil, err
	}
	return text, variables, c.addVariables(variables)
}

func readBounded(from io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxOperation+1))
	if err == nil && len(text) > maxOperation {
		err = fmt.Errorf("an operation has at most %d bytes", maxOperation)
	}
	return string(text), err
}

func (c *queryCommand) addVariables(variables map[string]any) error {
	if c.Vars != "" {
		text, err := os.ReadFile(c.Vars)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &variables); err != nil {
			return usage{fmt.Errorf("%s is not a JSON object: %w", c.Vars, err)}
		}
	}
	for name, value := range c.Var {
		var parsed any
		if json.Unmarshal([]byte(value), &parsed) != nil {
			parsed = value
		}
		variables[name] = parsed
	}
	return nil
}

// pick reads the text, so that a mistake of form is told with its place.
func (c *queryCommand) pick(text string) (*ast.OperationDefinition, error) {
	document, err := parser.ParseQuery(&ast.Source{Name: "operation", Input: text})
	if err != nil {
		return nil, usage{err}
	}
	if c.Name == "" && len(document.Operations) == 1 {
		return document.Operations[0], nil
	}
	var names []string
	for _, o := range document.Operations {
		if c.Name != "" && o.Name == c.Name {
			return o, nil
		}
		names = append(names, o.Name)
	}
	return nil, usage{fmt.Errorf("which operation? --name one of: %s", strings.Join(names, ", "))}
}

// savedOperation gives the text and the variables of the operation of that name.
func (r *remote) savedOperation(ctx context.Context, name string) (string, map[string]any, error) {
	for after := any(nil); ; {
		var data struct {
			SavedOperations struct {
				Nodes []struct {
					Name, Document string
					Variables      map[string]any
				}
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}
		err := r.ask(ctx, `query($after: String) { savedOperations(first: 100, after: $after) { nodes { name document variables } pageInfo { hasNextPage endCursor } } }`,
			map[string]any{"after": after}, &data)
		if err != nil {
			return "", nil, err
		}
		for _, o := range data.SavedOperations.Nodes {
			if strings.EqualFold(o.Name, name) {
				if o.Variables == nil {
					o.Variables = map[string]any{}
				}
				return o.Document, o.Variables, nil
			}
		}
		if !data.SavedOperations.PageInfo.HasNextPage {
			return "", nil, client.Errors{{Message: fmt.Sprintf("%q is no file, no GraphQL, and no saved operation", name), Extensions: map[string]any{"code": string(monitor.CodeNotFound)}}}
		}
		after = data.SavedOperations.PageInfo.EndCursor
	}
}

// payloadErrors gives what mutations say in their payloads.
func payloadErrors(data json.RawMessage) error {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil {
		return nil //nolint:nilerr // what is no object has no payloads
	}
	var all []client.UserError
	for _, field := range fields {
		var payload struct{ Errors []client.UserError }
		if json.Unmarshal(field, &payload) == nil {
			for _, e := range payload.Errors {
				if e.Code != "" || e.Message != "" {
					all = append(all, e)
				}
			}
		}
	}
	return client.UserErrors(all)
}

// follow prints the messages of a subscription until it ends.
func (c *queryCommand) follow(ctx context.Context, r *remote, text, name string, variables map[string]any) error {
	feed := &client.Feed{URL: r.address(), Token: r.Token, Query: text, OperationName: name, Variables: variables, Retrying: retrying}
	seen, out := 0, &queryOutput{format: c.Output}
	err := feed.Run(ctx, func(m client.Message) error {
		if len(m.Errors) > 0 {
			return m.Errors
		}
		if err := out.print(m.Data); err != nil {
			return err
		}
		if seen++; c.Count > 0 && seen >= c.Count {
			return io.EOF
		}
		return nil
	})
	return endOfFeed(err)
}

// address is the GraphQL endpoint.
func (r *remote) address() string { return strings.TrimRight(r.Server, "/") + "/api/graphql" }

// retrying tells why a feed begins again.
func retrying(err error, in time.Duration) {
	fmt.Fprintf(os.Stderr, "secmon: %s; trying again in %s\n", table.Visible(fmt.Sprint(err)), in.Round(10*time.Millisecond))
}
