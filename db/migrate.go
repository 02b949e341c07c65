package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/doug-martin/goqu/v9"
	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrate brings the schema of the database in dsn to the newest version,
// creating the database where it is missing. Several processes may call it at
// once: one works, the others wait (GET_LOCK). It gives how many migrations ran.
func Migrate(ctx context.Context, dsn string) (int, error) {
	if err := createDatabase(ctx, dsn); err != nil {
		return 0, err
	}
	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		return 0, fmt.Errorf("open database: %w", err)
	}
	defer handle.Close() //nolint:errcheck // nothing is buffered
	unlock, err := lockMigrations(ctx, handle)
	if err != nil {
		return 0, err
	}
	defer unlock()
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return 0, err
	}
	provider, err := goose.NewProvider(goose.DialectMySQL, handle, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	return len(results), nil
}

func createDatabase(ctx context.Context, dsn string) error {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		return fmt.Errorf("database DSN: %w", err)
	}
	if cfg.DBName == "" {
		return errors.New("database DSN: names no database")
	}
	name := cfg.DBName
	cfg.DBName = ""
	handle, err := sql.Open("mysql", cfg.FormatDSN())
	if err != nil {
		return fmt.Errorf("open database server: %w", err)
	}
	defer handle.Close() //nolint:errcheck // nothing is buffered
	// The name is the operator's own configuration; it cannot be a parameter here.
	_, err = handle.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS `"+name+"` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
	var refused *mysql.MySQLError
	if errors.As(err, &refused) && (refused.Number == 1044 || refused.Number == 1142) {
		return nil // may not create databases: then it has to exist, and the next step tells
	}
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// lockMigrations takes the server-wide lock on a connection of its own.
func lockMigrations(ctx context.Context, handle *sql.DB) (unlock func(), err error) {
	conn, err := handle.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to database: %w", err)
	}
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(CONCAT('secmon.migrate.', DATABASE()), 60)").Scan(&got); err != nil || got.Int64 != 1 {
		_ = conn.Close()
		return nil, fmt.Errorf("another process migrates for more than a minute: %w", err)
	}
	return func() { _ = conn.Close() }, nil // closing the session gives the lock back
}

// EnsurePartitions makes one partition of events for each day up to ahead days
// from now, so that retention can drop whole days. Safe to call at any time and
// from several replicas.
func (s *Store) EnsurePartitions(ctx context.Context, ahead int) error {
	names, err := s.partitions(ctx)
	if err != nil {
		return err
	}
	today := s.now().UTC().Truncate(24 * time.Hour)
	for i := range ahead + 1 {
		day := today.AddDate(0, 0, i)
		name := day.Format(partitionName)
		if slices.Contains(names, name) {
			continue
		}
		// DDL takes no parameters; both values are dates that stand here.
		split := fmt.Sprintf("ALTER TABLE events REORGANIZE PARTITION pmax INTO (PARTITION %s VALUES LESS THAN ('%s'), PARTITION pmax VALUES LESS THAN (MAXVALUE))", //nolint:gosec // see above
			name, day.AddDate(0, 0, 1).Format(time.DateOnly))
		var refused *mysql.MySQLError
		if _, err := s.db.ExecContext(ctx, split); errors.As(err, &refused) && (refused.Number == 1517 || refused.Number == 1493) {
			continue // another replica was faster
		} else if err != nil {
			return fmt.Errorf("create partition %s: %w", name, err)
		}
	}
	return nil
}

// partitionName is how the partition of a day of events is called.
const partitionName = "p20060102"

// partitions names the partitions of events, the oldest first.
func (s *Store) partitions(ctx context.Context) ([]string, error) {
	st := dialect.From(goqu.S("information_schema").Table("PARTITIONS")).Select("PARTITION_NAME").
		Where(goqu.C("TABLE_SCHEMA").Eq(goqu.L("DATABASE()")), goqu.C("TABLE_NAME").Eq("events"), goqu.C("PARTITION_NAME").IsNotNull()).
		Order(goqu.C("PARTITION_ORDINAL_POSITION").Asc())
	names, err := query(ctx, s.db, st, func(r scanner) (name string, err error) { return name, r.Scan(&name) })
	if err != nil {
		return nil, fmt.Errorf("list partitions: %w", err)
	}
	return names, nil
}

// DropEvents deletes the events that came in longer ago, whole days at a time, and
// gives those days. 0 keeps all. Safe to call from several replicas.
func (s *Store) DropEvents(ctx context.Context, olderThan time.Duration) (days []string, err error) {
	if olderThan <= 0 {
		return nil, nil
	}
	names, err := s.partitions(ctx)
	if err != nil {
		return nil, err
	}
	first := s.now().Add(-olderThan).Truncate(24 * time.Hour) // of the days that stay
	for _, name := range names {
		day, notADay := time.Parse(partitionName, name)
		if notADay != nil || !day.Before(first) {
			break // the partition of what is to come, or all that follow stay
		}
		var refused *mysql.MySQLError
		// DDL takes no parameters; the name is a date.
		if _, err := s.db.ExecContext(ctx, "ALTER TABLE events DROP PARTITION "+name); errors.As(err, &refused) && (refused.Number == 1507 || refused.Number == 1508) { //nolint:gosec // see above
			continue // another replica was faster
		} else if err != nil {
			return days, fmt.Errorf("drop partition %s: %w", name, err)
		}
		days = append(days, day.Format(time.DateOnly))
	}
	return days, nil //nolint:nilerr // a name that is no day is the end
}
