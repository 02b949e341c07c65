package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/security-monitor/secmon/demo"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// PlayDemo plays attack stories through the server's own ingest endpoint until
// ctx ends; stop waits for that. Each run makes a token of its own, which ends
// after a week.
func (a *App) PlayDemo(ctx context.Context, lg *slog.Logger) (stop func(), err error) {
	token, err := a.IngestToken(ctx, "demo", time.Now().Add(7*24*time.Hour))
	if err != nil {
		return nil, err
	}
	stored, err := a.Store.Events(ctx, nil, monitor.EventsByReceived, page.Args{First: 1})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		player := demo.New(time.Now().UnixNano(), time.Now)
		var err error
		if len(stored.Edges) == 0 { // the day before is told once
			err = demo.Past(ctx, a.URL(), token, lg, player)
		}
		if err == nil {
			err = demo.Run(ctx, a.URL(), token, lg, player)
		}
		if !errors.Is(err, context.Canceled) {
			lg.Error("demo ended", "error", err)
		}
	}()
	return func() { cancel(); <-done }, nil
}
