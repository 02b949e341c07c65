package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/security-monitor/secmon/demo"
)

// PlayDemo plays attack stories through the server's own ingest endpoint until
// ctx ends; stop waits for that. Each run makes a token of its own, which ends
// after a week.
func (a *App) PlayDemo(ctx context.Context, lg *slog.Logger) (stop func(), err error) {
	token, err := a.IngestToken(ctx, "demo")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		player := demo.New(time.Now().UnixNano(), time.Now)
		if err := demo.Run(ctx, a.URL(), token, lg, player); !errors.Is(err, context.Canceled) {
			lg.Error("demo ended", "error", err)
		}
	}()
	return func() { cancel(); <-done }, nil
}
