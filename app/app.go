// Package app wires the program: it opens the database, the feed, the detection
// engine, ingest, the GraphQL server and the dashboard, runs them, and closes
// them in order. It is the one place that knows all packages; end-to-end tests
// start the real program through it.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/security-monitor/secmon/archive"
	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/intel"
	"github.com/security-monitor/secmon/limit"
	"github.com/security-monitor/secmon/metrics"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/notify"
	"github.com/security-monitor/secmon/trace"
	live "github.com/security-monitor/secmon/transport"
)

// App is one running server.
type App struct {
	cfg     Config
	name    string // among the replicas
	started time.Time

	lg         *slog.Logger
	Auth       *auth.Auth
	Store      *db.Store
	tail       *feed.Tail
	hub        *feed.Hub
	live       *live.Server
	bus        *feed.RedisBus
	redis      feed.RedisOptions // of the Redis that the replicas share
	rate       *limit.Rate
	alarms     chan *monitor.FeedConsumer // consumers that fall behind; bounded by maxAlarms
	engine     *detect.Engine
	indicators intel.Matcher // in force
	pipe       *ingest.Pipeline
	in         *ingest.Intake
	syslog     *ingest.Syslog
	notifying  *notify.Dispatcher
	ledger     *ingest.Ledger
	normaliser *ingest.Normaliser
	inbound    atomic.Pointer[inboundHooks]
	web        *http.Server

	archive archive.Place

	metrics    *metrics.Set
	tracer     *trace.Tracer // nil: nothing is traced
	metricsURL string
	socket     net.Listener

	syslogSockets []listener

	// FirstPassword is the generated password of the user admin, set only by the
	// run that made that user.
	FirstPassword string

	closers    []func() error // in the order of opening; closed from the last
	background sync.WaitGroup
	running    context.Context    // of the background
	stop       context.CancelFunc // ends it
	setup      atomic.Pointer[monitor.Setup]

	inForce      rulesInForce
	placeholders atomic.Pointer[monitor.PlaceholderSet] // that the rules in force read; set by loadRules

	certificatesSeen time.Time       // by watchHealth alone
	jobs             chan struct{}   // one place for each running job
	exports          chan struct{}   // one place for each file that is written
	draining         context.Context // done when the server begins to stop
	drain            context.CancelFunc
}

// New opens everything and listens, but serves nothing yet. What was opened is
// closed again when it fails.
func New(ctx context.Context, cfg Config, lg *slog.Logger) (_ *App, err error) {
	lg = slog.New(trace.Correlate(lg.Handler()))
	a := &App{cfg: cfg, name: replicaName(), started: time.Now().UTC().Truncate(time.Microsecond), lg: lg, metrics: metrics.New(Version), engine: &detect.Engine{}, normaliser: ingest.NewNormaliser(), alarms: make(chan *monitor.FeedConsumer, maxAlarms)}
	a.draining, a.drain = context.WithCancel(context.Background())
	background, stop := context.WithCancel(context.Background())
	a.running, a.stop = background, stop
	a.jobs, a.exports = make(chan struct{}, maxJobs), make(chan struct{}, maxExports)
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	// Before anything is made: where the address is taken nothing has happened yet, and
	// the first password is not lost.
	if a.socket, err = new(net.ListenConfig).Listen(ctx, "tcp", cfg.Listen); err != nil {
		return nil, notListening(err, "--listen")
	}
	a.closers = append(a.closers, a.stopListening)
	if err := a.openTraces(ctx); err != nil {
		return nil, err
	}
	if err := a.openStore(ctx); err != nil {
		return nil, err
	}
	if a.archive, err = cfg.place(ctx); err != nil {
		return nil, err
	}
	if err := a.openFeed(ctx); err != nil {
		return nil, err
	}
	if err := a.openAuth(ctx); err != nil {
		return nil, err
	}
	a.openLive()
	if err := a.importStarterRules(ctx); err != nil {
		return nil, err
	}
	changes, err := a.watch(ctx)
	if err != nil {
		return nil, err
	}
	a.pipe = ingest.NewPipeline(a.Store, lg, a.metrics.Ingest)
	a.closers = append(a.closers, func() error { a.pipe.Close(); return nil })
	a.ledger = ingest.NewLedger(a.Store, lg)
	a.in = a.intake()
	if err := a.openSyslog(ctx); err != nil {
		return nil, err
	}
	a.closers = append(a.closers, func() error { // Run has done it, unless it has failed
		ctx, cancel := context.WithTimeout(context.Background(), cfg.Grace)
		defer cancel()
		a.stopSyslog(ctx)
		return nil
	})
	handler, err := a.routes()
	if err != nil {
		return nil, err
	}
	a.web = &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(lg.Handler(), slog.LevelDebug),
	}
	if err := a.openMetrics(background); err != nil {
		return nil, err
	}
	a.background.Go(func() { a.tail.Run(background) })
	a.background.Go(func() { a.hub.Run(background) })
	a.background.Go(func() { a.raiseAlarms(background) })
	a.background.Go(func() { a.follow(background, changes) })
	partitioned := make(chan struct{})
	a.background.Go(func() { a.maintain(background, sync.OnceFunc(func() { close(partitioned) })) })
	a.background.Go(func() { a.retire(background, partitioned) })
	a.background.Go(func() { a.watchSilence(background) })
	a.background.Go(func() { a.watchExpiry(background) })
	a.background.Go(func() { a.ledger.Run(background) })
	a.background.Go(func() { a.watchSources(background) })
	a.background.Go(func() { a.watchHealth(background) })
	a.background.Go(func() { a.notifying.Run(background) })
	return a, nil
}

// stopListening closes the socket that nobody has served; the server has closed its own.
func (a *App) stopListening() error {
	if err := a.socket.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func (a *App) openStore(ctx context.Context) error {
	dsn, stop, err := storageDSN(ctx, a.cfg.Storage, makeMissing, a.lg)
	if err != nil {
		return err
	}
	a.closers = append(a.closers, stop)
	store, err := openStore(ctx, a.cfg.Storage, dsn, a.lg, a.metrics.Store, a.cfg.correlating())
	if err != nil {
		return err
	}
	a.Store = store
	a.closers = append(a.closers, store.Close)
	return nil
}

func (a *App) openFeed(ctx context.Context) error {
	options := feed.RedisOptions{
		URL: a.cfg.RedisURL, Channel: a.cfg.RedisChannel, Cluster: a.cfg.RedisCluster,
		CAFile: a.cfg.RedisCAFile, PasswordFile: a.cfg.RedisPasswordFile, Log: a.lg,
	}
	if a.cfg.RedisURL == "" {
		server, err := startRedis(ctx, a.cfg, a.lg)
		if err != nil {
			return err
		}
		a.closers = append(a.closers, server.Close)
		options = feed.RedisOptions{URL: server.URL(), Channel: a.cfg.RedisChannel, Log: a.lg}
	}
	a.redis = options
	bus, err := feed.NewRedisBus(options)
	if err != nil {
		return err
	}
	a.bus = bus
	bus.Answer(a.answer)
	a.closers = append(a.closers, bus.Close)
	a.tail = feed.NewTail(a.Store, bus, a.lg)
	a.Store.OnCommit(a.tail.Committed)
	return a.tail.Start(ctx)
}

func (a *App) openAuth(ctx context.Context) error {
	keys, err := a.keys()
	if err != nil {
		return err
	}
	sealing, err := a.sealingKeys()
	if err != nil {
		return err
	}
	a.Auth = auth.New(a.Store, keys, nil)
	a.Auth.SealWith(sealing)
	a.Auth.TrustProxy, a.Auth.NoPasswords = a.cfg.TrustProxy, a.cfg.NoPasswordLogin
	n, err := a.Store.CountUsers(ctx)
	if err != nil || n > 0 {
		return err
	}
	password := a.cfg.AdminPassword
	if password == "" {
		password = auth.NewPassword()
		a.FirstPassword = password
	}
	admin := monitor.User{Name: "admin", DisplayName: "Administrator", Role: monitor.RoleAdmin}
	_, err = a.Auth.CreateUser(ctx, monitor.SystemActor, admin, password)
	if monitor.CodeOf(err) == monitor.CodeConflict {
		a.FirstPassword = "" // another replica was faster
		return nil
	}
	return err
}

func (a *App) keys() (*auth.Keys, error) {
	return a.keysOf(a.cfg.JWTKeys, a.cfg.JWTKeysFile, "jwt.key")
}

func (a *App) sealingKeys() (*auth.Keys, error) {
	return a.keysOf(a.cfg.SealingKeys, a.cfg.SealingKeysFile, "sealing.key")
}

// keysOf reads keys from the configuration, or from a file that is made where it
// is missing.
func (a *App) keysOf(text, file, made string) (*auth.Keys, error) {
	switch {
	case text != "":
		return auth.ParseKeys(text)
	case file != "":
		return auth.KeysFromFile(file)
	default:
		return auth.KeysFromFile(filepath.Join(a.cfg.DataDir, made))
	}
}

// URL is where the server listens.
func (a *App) URL() string { return "http://" + a.socket.Addr().String() }

// Run serves until ctx ends, then stops. For DrainDelay it serves on while
// /api/readyz says that it stops. Then it takes no new requests, ends live
// connections with 1012, and waits up to Grace for requests under way and for
// clients to hang up.
func (a *App) Run(ctx context.Context) error {
	return withBallast(func() error { return a.serve(ctx) })
}

func (a *App) serve(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- a.web.Serve(a.socket) }()
	a.serveSyslog()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	a.drain()
	a.lg.Info("stopping", "connections", a.live.Stats.Connections.Load(), "delay", a.cfg.DrainDelay)
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-time.After(a.cfg.DrainDelay):
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.Grace)
	defer cancel()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		if open := a.live.Drain(grace, a.drainTime()); open > 0 {
			a.lg.Warn("live connections were cut off", "connections", open)
		}
	}()
	defer func() { <-drained }()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		a.stopSyslog(grace)
	}()
	defer func() { <-stopped }()
	if err := a.web.Shutdown(grace); err != nil {
		a.lg.Warn("requests were cut off", "error", err)
		return a.web.Close()
	}
	return nil
}

// notListening adds what to do about an error that says itself where and what for.
func notListening(err error, flag string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w: stop what listens there, or name another address by %s", err, flag)
	}
	return err
}

// Close ends everything that New opened, in the reverse order. Run must have
// returned, or never have been called.
func (a *App) Close() error {
	a.drain()
	a.stop()
	a.background.Wait()
	var all []error
	if a.web != nil {
		all = append(all, a.web.Close())
	} else if a.socket != nil {
		all = append(all, a.socket.Close())
	}
	for i := len(a.closers) - 1; i >= 0; i-- {
		all = append(all, a.closers[i]())
	}
	return errors.Join(all...)
}

// How often the upkeep is done.
const (
	partitionPeriod = 6 * time.Hour
	trimPeriod      = 5 * time.Minute
)

// maintain does what has to be done now and then, by every replica. It calls partitioned
// when it has tried to make the partitions of events.
func (a *App) maintain(ctx context.Context, partitioned func()) {
	partitions := time.Now()
	for {
		if now := time.Now(); !now.Before(partitions) {
			partitions = now.Add(partitionPeriod)
			if err := a.Store.EnsurePartitions(ctx, 7); err != nil && ctx.Err() == nil {
				a.upkeepFailed("partitions", "prepare partitions of events", err)
			}
			partitioned()
			if err := a.Store.RecountAlerts(ctx); err != nil && ctx.Err() == nil {
				a.upkeepFailed("alert_counts", "count alerts", err)
			}
		}
		a.trimJournal(ctx)
		if err := a.Store.TrimGroups(ctx); err != nil && ctx.Err() == nil {
			a.upkeepFailed("groups", "trim groups of alerts", err)
		}
		if err := a.Store.TrimCorrelations(ctx); err != nil && ctx.Err() == nil {
			a.upkeepFailed("correlations", "trim groups of correlations", err)
		}
		if err := a.Store.TrimParts(ctx); err != nil && ctx.Err() == nil {
			a.upkeepFailed("parts", "forget names of parts", err)
		}
		if err := a.Store.TrimExports(ctx, exportMemory); err != nil && ctx.Err() == nil {
			a.upkeepFailed("exports", "trim exports", err)
		}
		a.buryJobs(ctx)
		if _, err := a.Store.TrimJobs(ctx); err != nil && ctx.Err() == nil {
			a.upkeepFailed("jobs", "forget old jobs", err)
		}
		a.forgetAssets(ctx)
		a.trimSuppressed(ctx)
		a.trimDeliveries(ctx)
		a.trimSources(ctx)
		a.indicators.Expire()
		select {
		case <-ctx.Done():
			return
		case <-time.After(trimPeriod):
		}
	}
}

// upkeepFailed notes what could not be done now; the next round tries again.
func (a *App) upkeepFailed(task, what string, err error) {
	a.metrics.Jobs.UpkeepFailed(task)
	a.lg.Error(what, "error", err)
}

func (a *App) trimJournal(ctx context.Context) {
	bounds := a.setup.Load().Journal
	done, err := a.Store.TrimJournal(ctx, bounds.MaxAge, bounds.MaxBytes)
	if err != nil && ctx.Err() == nil {
		a.upkeepFailed("journal", "trim journal", err)
	}
	if done.Entries > 0 {
		a.lg.Info("journal trimmed", "entries", done.Entries, "bytes", done.Bytes)
	}
}
