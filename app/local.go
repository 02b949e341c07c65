package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/localdb"
	"github.com/security-monitor/secmon/feed/localredis"
)

const databaseName = "secmon"

// whenMissing says what becomes of a data directory without a database. Only
// whoever was asked to begin one may make it: a mistyped --data-dir must not give
// an empty database, in which what was looked for is then missing.
type whenMissing bool

const (
	makeMissing   whenMissing = true
	refuseMissing whenMissing = false
)

func startDatabase(ctx context.Context, cfg Storage, missing whenMissing, lg *slog.Logger) (*localdb.Server, error) {
	server, err := localdb.Start(ctx, localdb.Options{Dir: filepath.Join(cfg.DataDir, "mariadb"), MustExist: missing == refuseMissing, BufferPoolMB: 256, Log: lg})
	if errors.Is(err, localdb.ErrNone) {
		return nil, fmt.Errorf("%w in %s: check --data-dir (SECMON_DATA_DIR), name a database of yours by --database-dsn, or make one there by secmon serve --data-dir %s", err, cfg.DataDir, strconv.Quote(cfg.DataDir))
	}
	if err != nil {
		return nil, fmt.Errorf("private database: %w", err)
	}
	return server, nil
}

func startRedis(ctx context.Context, cfg Config, lg *slog.Logger) (*localredis.Server, error) {
	server, err := localredis.Start(ctx, localredis.Options{Dir: filepath.Join(cfg.DataDir, "redis"), Log: lg})
	if err != nil {
		return nil, fmt.Errorf("private redis: %w", err)
	}
	return server, nil
}

func openStore(ctx context.Context, cfg Storage, dsn string, lg *slog.Logger, meter db.Meter, correlating db.Correlating) (*db.Store, error) {
	n, err := db.Migrate(ctx, dsn)
	if err != nil {
		return nil, err
	}
	if n > 0 {
		lg.Info("database brought up to date", "migrations", n)
	}
	return db.Open(ctx, db.Options{DSN: dsn, MaxConns: cfg.MaxConns, Meter: meter, Correlating: correlating, Judge: judge})
}

// storageDSN gives the DSN of the configured database, which a private server is
// started for where none is named. stop ends what was started.
func storageDSN(ctx context.Context, cfg Storage, missing whenMissing, lg *slog.Logger) (dsn string, stop func() error, err error) {
	if cfg.DatabaseDSN != "" {
		return cfg.DatabaseDSN, func() error { return nil }, nil
	}
	server, err := startDatabase(ctx, cfg, missing, lg)
	if err != nil {
		return "", nil, err
	}
	return server.DSN(databaseName), server.Close, nil
}

// OpenStore opens the configured database alone, for commands that need no
// server; it runs beside a server on the same data directory, and makes no
// database where there is none. Close ends what it started.
func OpenStore(ctx context.Context, cfg Storage, lg *slog.Logger) (store *db.Store, closeAll func() error, err error) {
	return openAlone(ctx, cfg, lg, func(dsn string) (*db.Store, error) { return openStore(ctx, cfg, dsn, lg, nil, db.Correlating{}) })
}

// openUnmigrated is OpenStore for what must leave the schema as it is.
func openUnmigrated(ctx context.Context, cfg Storage, lg *slog.Logger) (*db.Store, func() error, error) {
	return openAlone(ctx, cfg, lg, func(dsn string) (*db.Store, error) {
		return db.Open(ctx, db.Options{DSN: dsn, MaxConns: cfg.MaxConns, Judge: judge})
	})
}

func openAlone(ctx context.Context, cfg Storage, lg *slog.Logger, open func(dsn string) (*db.Store, error)) (*db.Store, func() error, error) {
	dsn, stop, err := storageDSN(ctx, cfg, refuseMissing, lg)
	if err != nil {
		return nil, nil, err
	}
	store, err := open(dsn)
	if err != nil {
		_ = stop()
		return nil, nil, err
	}
	return store, func() error {
		_ = store.Close()
		return stop()
	}, nil
}
