package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/monitor"
)

type indicatorsCommand struct {
	Import indicatorsImportCommand `cmd:"" help:"Import a list of indicators: CSV, one value a line, or STIX 2.1. Servers on the same database take it in within a second."`
}

type indicatorsImportCommand struct {
	app.Storage `embed:""`
	Path        string            `arg:"" help:"The file; - is standard input."`
	Source      string            `env:"-" help:"Who warns of those that name nobody; the file's name unless given."`
	Severity    string            `env:"-" enum:"informational,low,medium,high,critical" default:"medium" help:"How bad those are that do not say it (${enum})."`
	Confidence  int               `env:"-" default:"50" help:"How sure the source is of those that do not say it, 0 to 100."`
	ValidFor    time.Duration     `env:"-" help:"For how long those are valid that name no end, such as 720h; without it for ever." placeholder:"DURATION"`
	Exact       bool              `env:"-" help:"Domains do not stand for the names below them."`
	Tag         []string          `env:"-" help:"For all of them."`
	Column      map[string]string `env:"-" help:"Which column has a field, for files that name them otherwise." placeholder:"value=NAME"`
	Revive      bool              `env:"-" help:"What was revoked here, and the list still names, is valid again."`
	Verbose     bool              `env:"-" short:"v" help:"List all that could not be read, as far as the report names them."`
}

// Run imports the list and reports what became of it.
func (c *indicatorsImportCommand) Run(ctx context.Context) error {
	var file io.Reader = os.Stdin
	name := "standard input"
	if c.Path != "-" {
		opened, err := os.Open(c.Path)
		if err != nil {
			return err
		}
		defer opened.Close() //nolint:errcheck // only read
		file, name = opened, filepath.Base(c.Path)
	}
	if c.Source == "" {
		c.Source = name[:len(name)-len(filepath.Ext(name))]
	}
	store, closeAll, err := app.OpenStore(ctx, c.Storage, quiet())
	if err != nil {
		return err
	}
	report, err := app.ImportIndicators(ctx, store, monitor.SystemActor, monitor.IndicatorList{
		Name: name, Source: c.Source, Severity: monitor.Severity(strings.ToUpper(c.Severity)), Confidence: &c.Confidence, ValidFor: c.ValidFor,
		Subdomains: !c.Exact, Tags: c.Tag, Columns: c.Column, Revive: c.Revive,
	}, file)
	fmt.Printf("%d indicators: %d added, %d updated, %d unchanged, %d revoked; %d could not be read\n",
		report.Read, report.Added, report.Updated, report.Unchanged, report.Revoked, report.Refused)
	const few = 5
	for i, p := range report.Problems {
		if i == few && !c.Verbose {
			fmt.Printf("  ... and %d more (-v lists the first %d)\n", report.Refused-few, monitor.MaxIndicatorProblems)
			break
		}
		where := p.ObjectID
		if where == "" {
			where = fmt.Sprintf("line %d", p.Position)
		}
		fmt.Printf("  %s: %s\n", where, p.Message)
	}
	if err = errors.Join(err, closeAll()); err == nil && report.Refused > 0 {
		return partial{fmt.Errorf("%d of the list could not be read; the others are stored", report.Refused)}
	}
	return err
}
