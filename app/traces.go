package app

import (
	"context"

	"github.com/security-monitor/secmon/trace"
)

// openTraces prepares to send traces, where something says where to.
func (a *App) openTraces(ctx context.Context) error {
	tracer, err := trace.Open(ctx, trace.Options{
		Endpoint: a.cfg.OTelEndpoint, Ratio: a.cfg.OTelSample, Version: Version, Replica: a.name, Log: a.lg,
	})
	if err != nil {
		return err
	}
	a.tracer = tracer
	a.closers = append(a.closers, tracer.Close)
	return nil
}
