package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"

	"github.com/security-monitor/secmon/app"
)

type serveCommand struct {
	app.Config `embed:""`
}

// Run serves until it is interrupted.
func (c *serveCommand) Run(ctx context.Context) error {
	lg := logger(c.Config)
	a, err := app.New(ctx, c.Config, lg)
	if err != nil {
		return err
	}
	stopDemo, err := startDemo(ctx, a, c.Config, lg)
	if err != nil {
		return errors.Join(err, a.Close())
	}
	stopAgent, err := startAgent(ctx, a, c.Config, lg)
	if err != nil {
		stopDemo()
		return errors.Join(err, a.Close())
	}
	fmt.Printf("\n  Security Monitor is running: %s\n", a.URL())
	if a.FirstPassword != "" {
		fmt.Printf("  Log in as admin with the password %s (it is shown only this once)\n", a.FirstPassword)
	} else {
		fmt.Printf("  Log in as admin with your password; a new one: %s\n", newPassword(os.Args[0], c.Config))
	}
	if a.OffersPlayground() {
		fmt.Printf("  GraphQL playground: %s/playground\n", a.URL())
	}
	fmt.Println()
	err = a.Run(ctx)
	stopDemo()
	stopAgent()
	return errors.Join(err, a.Close())
}

// newPassword is the command for one, with the program as it was called: make run's is on
// no path.
func newPassword(program string, cfg app.Config) string {
	return program + " user password admin" + elsewhere(cfg)
}

// elsewhere is what a command needs to find the same data directory.
func elsewhere(cfg app.Config) string {
	if cfg.DatabaseDSN != "" || cfg.DataDir == defaultDataDir() {
		return ""
	}
	return " --data-dir " + strconv.Quote(cfg.DataDir)
}

func startDemo(ctx context.Context, a *app.App, cfg app.Config, lg *slog.Logger) (stop func(), err error) {
	if !cfg.Demo {
		return func() {}, nil
	}
	return a.PlayDemo(ctx, lg)
}

func startAgent(ctx context.Context, a *app.App, cfg app.Config, lg *slog.Logger) (stop func(), err error) {
	if !cfg.ReportHost {
		return func() {}, nil
	}
	return a.ReportHost(ctx, lg)
}

func logger(c app.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogJSON {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

type migrateCommand struct {
	app.Storage `embed:""`
}

// Run migrates the database.
func (c *migrateCommand) Run(ctx context.Context) error {
	_, closeAll, err := app.OpenStore(ctx, c.Storage, quiet())
	if err != nil {
		return err
	}
	fmt.Println("The database is at the newest version.")
	return closeAll()
}
