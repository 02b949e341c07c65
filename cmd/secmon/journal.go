package main

import (
	"context"
	"fmt"
	"os"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/audit"
)

type journalCommand struct {
	Verify journalVerifyCommand `cmd:"" help:"Check that nobody has changed the journal, or an export of it. Leaves with 1 where somebody has."`
	Export journalExportCommand `cmd:"" help:"Write the journal to standard output, so that it can be verified elsewhere."`
}

type journalVerifyCommand struct {
	app.Storage `embed:""`
	File        string `env:"-" help:"An export to verify instead of the database; - is standard input." placeholder:"FILE"`
}

// Run prints what was verified.
func (c *journalVerifyCommand) Run(ctx context.Context) error {
	if c.File != "" {
		return c.verifyFile()
	}
	return app.WithAuth(ctx, c.Storage, quiet(), func(access *app.Access) error {
		n, err := access.Store.VerifyJournal(ctx, func(int, int) error { return nil })
		if err == nil {
			fmt.Printf("%d entries, nothing was changed\n", n)
		}
		return err
	})
}

func (c *journalVerifyCommand) verifyFile() error {
	in := os.Stdin
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer file.Close() //nolint:errcheck // it was only read
		in = file
	}
	report, err := audit.Verify(in)
	if err == nil {
		hash, _ := report.End.Hash.MarshalText() // it has no error
		fmt.Printf("%d entries, nothing was changed; the last is %d with the hash %s\n", report.Entries, report.End.Seq, hash)
	}
	return err
}

type journalExportCommand struct {
	app.Storage `embed:""`
	Format      string `env:"-" enum:"ndjson,csv" default:"ndjson" help:"ndjson can be verified; csv is for spreadsheets."`
	After       uint64 `env:"-" help:"Begin behind the entry of this number."`
}

// Run writes the journal as it is now. How many entries there were goes to standard error.
func (c *journalExportCommand) Run(ctx context.Context) error {
	return app.WithAuth(ctx, c.Storage, quiet(), func(access *app.Access) error {
		n, err := access.ExportJournal(ctx, os.Stdout, c.Format == "csv", c.After)
		if err == nil {
			fmt.Fprintf(os.Stderr, "%d entries\n", n)
		}
		return err
	})
}
