package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/security-monitor/secmon/client"
)

type exportCommand struct {
	connection `embed:""`
	Noun       string   `arg:"" env:"-" enum:"alerts,events,incidents,indicators" help:"alerts, events, incidents or indicators."`
	Query      string   `arg:"" optional:"" env:"-" help:"Query line as in the dashboard; all without it."`
	Output     string   `short:"o" env:"-" required:"" help:"File to write; - is standard output." placeholder:"FILE"`
	Format     string   `env:"-" enum:"ndjson,csv" default:"ndjson" help:"ndjson or csv."`
	Columns    []string `env:"-" help:"Which columns, in this order; all without it." placeholder:"NAME,..."`
	MaxRows    int      `env:"-" name:"max-rows" default:"1000000" help:"How many rows at most."`
	Tries      int      `env:"-" default:"5" help:"How often a file that breaks off is taken from its beginning; standard output once."`
}

// exportTime is longer than the server writes at one file.
const exportTime = 65 * time.Minute

// Run takes the file. It has its name only when it is whole.
func (c *exportCommand) Run(ctx context.Context) error {
	if c.Tries < 1 || c.MaxRows < 1 {
		return usage{errors.New("--tries and --max-rows are at least 1")}
	}
	r, err := c.open()
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		more, rows, err := c.take(ctx, r)
		if err == nil {
			c.report(rows, more)
			return nil
		}
		var broken *client.Broken
		var away *client.Unreachable
		again := errors.As(err, &broken) || errors.As(err, &away)
		if !again || try >= c.Tries || c.Output == "-" || ctx.Err() != nil {
			return err
		}
		wait := time.Duration(try) * time.Second
		if broken != nil {
			wait = max(wait, min(broken.After, time.Minute))
		}
		retrying(err, wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (c *exportCommand) report(rows int, more bool) {
	told := "the file is whole"
	if c.Format == "ndjson" {
		told = fmt.Sprintf("%d rows, to the end", rows)
	}
	if more {
		told += fmt.Sprintf("; there are more than --max-rows %d", c.MaxRows)
	}
	fmt.Fprintf(os.Stderr, "secmon: %s: %s\n", c.Output, told)
}

// take asks for a link, which works for some minutes only, and takes its file.
func (c *exportCommand) take(ctx context.Context, r *remote) (more bool, rows int, err error) {
	ctx, cancel := context.WithTimeout(ctx, exportTime)
	defer cancel()
	link, err := c.link(ctx, r)
	if err != nil {
		return false, 0, err
	}
	file := client.File{URL: link}
	if c.Format == "ndjson" {
		file.Complete = client.EndOfLines
	}
	if c.Output == "-" {
		return r.Download(ctx, file, os.Stdout)
	}
	return wholeFile(c.Output, func(w io.Writer) (bool, int, error) { return r.Download(ctx, file, w) })
}

func (c *exportCommand) link(ctx context.Context, r *remote) (string, error) {
	noun := strings.TrimSuffix(c.Noun, "s")
	input := map[string]any{"filter": lineFilter(c.Query), "format": strings.ToUpper(c.Format), "maxRows": c.MaxRows}
	if len(c.Columns) > 0 {
		input["columns"] = c.Columns
	}
	var data struct {
		Payload struct {
			URL    string
			Errors []client.UserError
		}
	}
	mutation := fmt.Sprintf(`mutation($input: %sExportInput!) { payload: %sExport(input: $input) { url errors { code message } } }`, strings.ToUpper(noun[:1])+noun[1:], noun)
	err := r.ask(ctx, mutation, map[string]any{"input": input}, &data)
	if err == nil {
		err = client.UserErrors(data.Payload.Errors)
	}
	return data.Payload.URL, err
}

// wholeFile gives a file its name when everything is in it, and leaves what was
// there before until then. What is exported is for its owner alone.
func wholeFile(path string, write func(io.Writer) (bool, int, error)) (more bool, rows int, err error) {
	part, err := os.CreateTemp(filepath.Dir(path), ".secmon-export-*")
	if err != nil {
		return false, 0, err
	}
	out := bufio.NewWriter(part)
	more, rows, err = write(out)
	if err = errors.Join(err, out.Flush(), part.Close()); err == nil {
		err = os.Rename(part.Name(), path)
	}
	if err != nil {
		_ = os.Remove(part.Name())
	}
	return more, rows, err
}
