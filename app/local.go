package app

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/localdb"
	"github.com/security-monitor/secmon/feed/localredis"
)

const databaseName = "secmon"

func startDatabase(ctx context.Context, cfg Storage, lg *slog.Logger) (*localdb.Server, error) {
	server, err := localdb.Start(ctx, localdb.Options{Dir: filepath.Join(cfg.DataDir, "mariadb"), BufferPoolMB: 256, Log: lg})
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

func openStore(ctx context.Context, cfg Storage, dsn string, lg *slog.Logger, meter db.Meter) (*db.Store, error) {
	n, err := db.Migrate(ctx, dsn)
	if err != nil {
		return nil, err
	}
	if n > 0 {
		lg.Info("database brought up to date", "migrations", n)
	}
	return db.Open(ctx, db.Options{DSN: dsn, MaxConns: cfg.MaxConns, Meter: meter})
}

// OpenStore opens the configured database alone, for commands that need no
// server; it runs beside a server on the same data directory. Close ends what it
// started.
func OpenStore(ctx context.Context, cfg Storage, lg *slog.Logger) (store *db.Store, closeAll func() error, err error) {
	dsn, stop := cfg.DatabaseDSN, func() error { return nil }
	if dsn == "" {
		server, err := startDatabase(ctx, cfg, lg)
		if err != nil {
			return nil, nil, err
		}
		dsn, stop = server.DSN(databaseName), server.Close
	}
	store, err = openStore(ctx, cfg, dsn, lg, nil)
	if err != nil {
		_ = stop()
		return nil, nil, err
	}
	return store, func() error {
		_ = store.Close()
		return stop()
	}, nil
}
