package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/limit"
	"github.com/security-monitor/secmon/monitor"
)

// openMetrics listens where Prometheus asks, apart from the port that the
// ingress knows.
func (a *App) openMetrics(ctx context.Context) error {
	if a.cfg.MetricsListen == "" {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", a.cfg.MetricsListen)
	if err != nil {
		return notListening(err, "--metrics-listen")
	}
	a.measure()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.metrics.Handler())
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

// measure shows the figures that others keep; docs/metrics.md describes all.
func (a *App) measure() {
	h, s, t := &a.hub.Stats, &a.live.Stats, &a.tail.Stats
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
		{"secmon_feed_published_total", "Journal entries told to the other replicas.", true, t.Published.Load},
		{"secmon_feed_unpublished_total", "Journal entries that could not be told; the replicas find them by polling.", true, t.Unpublished.Load},
		{"secmon_feed_journal_unreadable_total", "Times that the journal could not be read.", true, t.Unreadable.Load},
		{"secmon_feed_listening", "1 while messages of other replicas can arrive over Redis, 0 while the journal is polled.", false, func() int64 { return one(a.tail.BusUp()) }},
		{"secmon_live_connections", "Live connections: WebSockets and event streams.", false, s.Connections.Load},
		{"secmon_live_opened_total", "Live connections opened.", true, s.Opened.Load},
		{"secmon_live_messages_total", "Messages from clients.", true, s.Messages.Load},
		{"secmon_live_slow_closed_total", "Connections ended because the client did not read.", true, s.Slow.Load},
		{"secmon_live_revoked_closed_total", "Connections ended because a right was withdrawn or ran out.", true, s.Revoked.Load},
		{"secmon_live_refused_total", "Connections and operations refused by a limit of their user.", true, s.Refused.Load},
		{"secmon_ingest_waiting", "Requests that wait for a transaction.", false, func() int64 { return int64(a.pipe.Waiting()) }},
		{"secmon_detect_rules", "Rules in force.", false, func() int64 { return int64(a.engine.Ruleset().Len()) }},
	} {
		if m.counter {
			a.metrics.Counter(m.name, m.help, m.value)
			continue
		}
		a.metrics.Gauge(m.name, m.help, func() float64 { return float64(m.value()) })
	}
	a.metrics.Gauge("secmon_feed_behind", "Subscriptions that are behind the head.", func() float64 { n, _ := a.behind(); return float64(n) })
	a.metrics.Gauge("secmon_feed_lag_seconds", "For how long the subscription that is behind longest has been.", func() float64 { _, d := a.behind(); return d.Seconds() })
	a.metrics.Ingest.Know(ingest.Formats())
	a.measurePool()
	a.measureCorrelations()
	a.measureIndicators()
	a.measureLogins()
	a.measureDisk()
}

func one(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// behind gives how many subscriptions are behind, and for how long at most.
func (a *App) behind() (n int, longest time.Duration) {
	for _, c := range a.live.Consumers(monitor.ID{}) {
		if c.BehindFor > 0 {
			n++
			longest = max(longest, c.BehindFor)
		}
	}
	return n, longest
}

func (a *App) measurePool() {
	for state, value := range map[string]func(db.PoolStats) int{
		"in_use": func(s db.PoolStats) int { return s.InUse }, "idle": func(s db.PoolStats) int { return s.Idle },
	} {
		a.metrics.Gauge("secmon_db_connections", "Connections to the database.", func() float64 { return float64(value(a.Store.Pool())) }, "state", state)
	}
	a.metrics.Gauge("secmon_db_connections_max", "Connections that there may be (--max-conns).", func() float64 { return float64(a.Store.Pool().Most) })
	a.metrics.Counter("secmon_db_connection_waits_total", "Times that somebody waited for a connection, because all were in use.", func() int64 { return a.Store.Pool().Waited })
	a.metrics.Seconds("secmon_db_connection_wait_seconds_total", "How long they waited altogether.", func() time.Duration { return a.Store.Pool().WaitedFor })
}

func (a *App) measureCorrelations() {
	c := a.Store.Correlations()
	a.metrics.Counter("secmon_correlation_events_total", "Events counted by correlation rules, once for each.", c.Counted.Load)
	a.metrics.Counter("secmon_correlation_fired_total", "Times that a correlation rule fired.", c.Fired.Load)
	const lost = "What correlation rules did not count or forgot: events that came too late, events and groups beyond the bounds of what is kept, states that could not be read."
	for reason, value := range map[string]func() int64{
		"late": c.Late.Load, "events": c.EvictedEvents.Load, "groups": c.EvictedGroups.Load, "unreadable": c.Unreadable.Load,
	} {
		a.metrics.Counter("secmon_correlation_evicted_total", lost, value, "reason", reason)
	}
}

// countPeriod is for how long a count of indicators holds: it looks at each of them.
const countPeriod = 10 * time.Second

// measureIndicators shows what events are looked through for, and since when that is so.
func (a *App) measureIndicators() {
	var mu sync.Mutex
	var counted time.Time
	var counts map[monitor.IndicatorKind]int
	for _, kind := range monitor.IndicatorKinds {
		a.metrics.Gauge("secmon_indicators", "Indicators that are in force on this replica.", func() float64 {
			mu.Lock()
			defer mu.Unlock()
			if time.Since(counted) > countPeriod {
				counts, counted = a.indicators.InForce(), time.Now()
			}
			return float64(counts[kind])
		}, "kind", strings.ToLower(string(kind)))
	}
	a.metrics.Gauge("secmon_indicators_age_seconds", "Time since this replica loaded its indicators or took in a change of them.", func() float64 {
		at := a.indicators.ChangedAt()
		if at.IsZero() {
			return 0
		}
		return time.Since(at).Seconds()
	})
}

func (a *App) measureLogins() {
	s := a.Auth.Logins()
	a.metrics.Counter("secmon_logins_total", "Logins that succeeded.", s.Succeeded.Load)
	for reason, value := range map[string]func() int64{
		"password": s.BadPassword.Load, "second_factor": s.BadCode.Load, "throttled": s.Throttled.Load, "provider": s.Provider.Load,
	} {
		a.metrics.Counter("secmon_login_failures_total", "Logins that failed.", value, "reason", reason)
	}
}

// measureLimits shows what budgets refuse, and how often Redis did not keep them.
func (a *App) measureLimits(rate *limit.Rate, redis *limit.Redis) {
	a.metrics.Counter("secmon_rate_limit_refused_total", "Operations refused because a budget was used up.", rate.RefusedViewer.Load, "budget", "viewer")
	a.metrics.Counter("secmon_rate_limit_refused_total", "Operations refused because a budget was used up.", rate.RefusedAddress.Load, "budget", "address")
	a.metrics.Counter("secmon_rate_limit_local_total", "Charges that this replica decided alone, because Redis was away.", rate.Local.Load)
	a.metrics.Counter("secmon_redis_errors_total", "Calls that Redis did not answer in time, or refused.", redis.Failures.Load, "use", "limits")
	a.metrics.Counter("secmon_redis_errors_total", "Calls that Redis did not answer in time, or refused.", a.bus.Failures, "use", "feed")
}

// measureDisk shows the room in the data directory: the private servers live there.
func (a *App) measureDisk() {
	now := func() disk {
		d, _ := diskOf(a.cfg.DataDir) // nothing free of nothing where it is not there
		return d
	}
	a.metrics.Gauge("secmon_disk_free_bytes", "Bytes that are free on the disk of the data directory.", func() float64 { return float64(now().free) })
	a.metrics.Gauge("secmon_disk_size_bytes", "Size of that disk in bytes.", func() float64 { return float64(now().size) })
}

// MetricsURL is where Prometheus asks, "" where nothing listens.
func (a *App) MetricsURL() string { return a.metricsURL }
