package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/monitor"
)

type archiveCommand struct {
	List    archiveListCommand    `cmd:"" help:"List the archived days: events, objects, bytes."`
	Verify  archiveVerifyCommand  `cmd:"" help:"Read archived days to their end and check every count and hash, without a database. Leaves with 1 when something is wrong."`
	Restore archiveRestoreCommand `cmd:"" help:"Bring archived events back for a while, under their ids; servers may run meanwhile. Nothing is raised by it."`
}

var errNotArchived = missing{errors.New("nothing is archived of these days")}

// span is the days that a command is about.
type span struct {
	From time.Time `env:"-" help:"First day on which the events came in, in UTC." format:"2006-01-02" placeholder:"DATE"`
	To   time.Time `env:"-" help:"Last day; without it today." format:"2006-01-02" placeholder:"DATE"`
}

func (s *span) last() time.Time {
	if s.To.IsZero() {
		return time.Now().UTC()
	}
	return s.To
}

type archiveListCommand struct {
	app.Archiving `embed:""`
	span          `embed:""`
}

// Run prints a line for each manifest.
func (c *archiveListCommand) Run(ctx context.Context) error {
	all, err := app.ListArchive(ctx, c.Archiving, c.From, c.last())
	for _, m := range all {
		what := "whole day"
		if m.Scope != "" {
			what = "some sources"
		}
		fmt.Printf("%s\t%s\t%s\t%d bytes\t%s\t%s\n", m.Day, counted(m.Events, "event"), counted(len(m.Objects), "object"), m.Bytes, what, m.Name)
	}
	if err == nil && len(all) == 0 {
		fmt.Fprintln(os.Stderr, errNotArchived) // a list of nothing is an answer
	}
	return err
}

type archiveVerifyCommand struct {
	app.Archiving `embed:""`
	span          `embed:""`
}

// Run prints what each is worth.
func (c *archiveVerifyCommand) Run(ctx context.Context) error {
	n := 0
	err := app.VerifyArchive(ctx, c.Archiving, c.From, c.last(), func(m *app.Manifest, err error) {
		n++
		if err != nil {
			fmt.Printf("%s\tNOT WHOLE: %v\n", m.Name, err)
			return
		}
		fmt.Printf("%s\twhole: %s\n", m.Name, counted(m.Events, "event"))
	})
	if err == nil && n == 0 {
		err = errNotArchived
	}
	return err
}

type archiveRestoreCommand struct {
	app.Storage   `embed:""`
	app.Archiving `embed:""`
	From          time.Time     `env:"-" required:"" help:"First day on which the events came in, in UTC." format:"2006-01-02" placeholder:"DATE"`
	To            time.Time     `env:"-" required:"" help:"Last day." format:"2006-01-02" placeholder:"DATE"`
	Filter        string        `env:"-" help:"Only those that fit, in the query language of events." placeholder:"QUERY"`
	Hold          time.Duration `env:"-" help:"How long they stay." default:"168h"`
}

// Run restores.
func (c *archiveRestoreCommand) Run(ctx context.Context) error {
	r := &monitor.EventRestore{From: c.From, To: c.To, Query: c.Filter, Until: time.Now().Add(c.Hold).UTC()}
	if err := app.RestoreArchive(ctx, c.Storage, c.Archiving, r, quiet()); err != nil {
		return err
	}
	if r.Total == 0 {
		return errNotArchived
	}
	fmt.Printf("%s of %s back until %s\n", counted(r.Restored, "event"), counted(r.Objects, "object"), r.Until.Format(time.RFC3339))
	return nil
}
