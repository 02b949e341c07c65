package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/security-monitor/secmon/app"
)

type agentCommand struct {
	app.AgentConfig `embed:""`

	LogLevel slog.Level `name:"log-level" help:"debug, info, warn or error." default:"info"`
	LogJSON  bool       `name:"log-json" help:"Log in JSON."`
}

// Run reports about this machine until it is interrupted.
func (c *agentCommand) Run(ctx context.Context) error {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	var handler slog.Handler = slog.NewTextHandler(os.Stderr, options)
	if c.LogJSON {
		handler = slog.NewJSONHandler(os.Stderr, options)
	}
	return app.RunAgent(ctx, c.AgentConfig, slog.New(handler))
}
