package main

import (
	"context"
	"fmt"
	"time"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/monitor"
)

type archiveCommand struct {
	List    archiveListCommand    `cmd:"" help:"List the archived days: events, objects, bytes."`
	Verify  archiveVerifyCommand  `cmd:"" help:"Read archived days to their end and check every count and hash, without a database. Leaves with 1 when something is wrong."`
	Restore archiveRestoreCommand `cmd:"" help:"Bring archived events back for a while, under their ids; servers may run meanwhile. Nothing is raised by it."`
}

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
		fmt.Printf("%s\t%d events\t%d objects\t%d bytes\t%s\t%s\n", m.Day, m.Events, len(m.Objects), m.Bytes, what, m.Name)
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
		fmt.Printf("%s\twhole: %d events\n", m.Name, m.Events)
	})
	if err == nil && n == 0 {
		fmt.Println("nothing is archived of these days")
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
	fmt.Printf("%d events of %d objects are back until %s\n", r.Restored, r.Objects, r.Until.Format(time.RFC3339))
	return nil
}
