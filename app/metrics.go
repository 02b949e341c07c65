package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// openMetrics listens where Prometheus asks, apart from the port that the
// ingress knows.
func (a *App) openMetrics(ctx context.Context) error {
	if a.cfg.MetricsListen == "" {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", a.cfg.MetricsListen)
	if err != nil {
		return fmt.Errorf("listen for metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.registry(), promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	a.metricsURL = "http://" + listener.Addr().String() + "/metrics"
	a.background.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.lg.Error("metrics", "error", err)
		}
	})
	// Not one of the closers: they run when the background is over.
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return nil
}

// registry holds the figures that docs/metrics.md describes.
func (a *App) registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	h, s := &a.hub.Stats, &a.live.Stats
	for _, m := range []struct {
		name, help string
		counter    bool
		value      func() int64
	}{
		{"secmon_feed_members", "Subscriptions that run.", false, h.Members.Load},
		{"secmon_feed_groups", "Operations that run, each for all subscriptions that want the same.", false, h.Groups.Load},
		{"secmon_feed_executions_total", "Messages made, each by one execution of an operation.", true, h.Executions.Load},
		{"secmon_feed_deliveries_total", "Messages handed to subscriptions.", true, h.Deliveries.Load},
		{"secmon_feed_replayed_pages_total", "Pages of the journal rendered for subscriptions that were behind.", true, h.Replayed.Load},
		{"secmon_feed_cached_pages_total", "Pages that subscriptions which were behind got without rendering.", true, h.CacheHits.Load},
		{"secmon_feed_lagged_total", "Times that a subscription fell behind because its client read too slowly.", true, h.Lagged.Load},
		{"secmon_feed_refused_total", "Subscriptions refused because too many groups or replays ran.", true, h.Refused.Load},
		{"secmon_feed_head_seq", "Number of the newest journal entry that this replica has seen.", false, func() int64 { return int64(a.hub.Head().Seq) }}, //nolint:gosec // below 2^63
		{"secmon_live_connections", "Live connections: WebSockets and event streams.", false, s.Connections.Load},
		{"secmon_live_opened_total", "Live connections opened.", true, s.Opened.Load},
		{"secmon_live_messages_total", "Messages from clients.", true, s.Messages.Load},
		{"secmon_live_slow_closed_total", "Connections ended because the client did not read.", true, s.Slow.Load},
		{"secmon_live_revoked_closed_total", "Connections ended because a right was withdrawn or ran out.", true, s.Revoked.Load},
		{"secmon_live_refused_total", "Connections and operations refused by a limit of their user.", true, s.Refused.Load},
	} {
		value := func() float64 { return float64(m.value()) }
		if m.counter {
			r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: m.name, Help: m.help}, value))
			continue
		}
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: m.name, Help: m.help}, value))
	}
	return r
}

// MetricsURL is where Prometheus asks, "" where nothing listens.
func (a *App) MetricsURL() string { return a.metricsURL }
