package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/doug-martin/goqu/v9"
	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrate brings the schema of the database in dsn to the newest version,
// creating the database where it is missing. Several processes may call it at
// once: one works, the others wait (GET_LOCK). With nothing to do it waits for
// nobody, not even for a backup. It gives how many migrations ran.
func Migrate(ctx context.Context, dsn string) (int, error) {
	if err := createDatabase(ctx, dsn); err != nil {
		return 0, err
	}
	handle, _, err := openDSN(dsn)
	if err != nil {
		return 0, err
	}
	defer handle.Close() //nolint:errcheck // nothing is buffered
	current, err := isCurrent(ctx, handle)
	if err != nil || current {
		return 0, err
	}
	conn, err := handle.Conn(ctx)
	if err != nil {
		return 0, fmt.Errorf("connect to database: %w", err)
	}
	defer endSession(conn)
	if err := lockShape(ctx, conn, shapeWait); err != nil {
		return 0, err
	}
	return migrateTo(ctx, handle, math.MaxInt64)
}

// migrateTo runs the migrations up to a version. The caller holds the lock.
func migrateTo(ctx context.Context, handle *sql.DB, version int64) (int, error) {
	provider, err := migrations(handle)
	if err != nil {
		return 0, err
	}
	results, err := provider.UpTo(ctx, version)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	return len(results), nil
}

func migrations(handle *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(goose.DialectMySQL, handle, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}

// isCurrent tells that there is nothing to migrate, without changing anything.
func isCurrent(ctx context.Context, handle *sql.DB) (bool, error) {
	begun, err := hasTable(ctx, handle, versionTable)
	if err != nil || !begun {
		return false, err
	}
	provider, err := migrations(handle)
	if err != nil {
		return false, err
	}
	pending, err := provider.HasPending(ctx)
	if err != nil {
		return false, fmt.Errorf("read version of the schema: %w", err)
	}
	return !pending, nil
}

// versionTable is where goose keeps which migrations have run.
const versionTable = "goose_db_version"

func hasTable(ctx context.Context, r runner, name string) (bool, error) {
	st := dialect.From(goqu.S("information_schema").Table("TABLES")).Select(goqu.COUNT("*")).
		Where(goqu.C("TABLE_SCHEMA").Eq(goqu.L("DATABASE()")), goqu.C("TABLE_NAME").Eq(name))
	n, _, err := one(ctx, r, st, scanInt)
	return n > 0, err
}

// NewestSchema is the number of the newest migration that this program has.
func NewestSchema() int64 {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		panic("no migrations are built in")
	}
	number, _, _ := strings.Cut(path.Base(files[len(files)-1]), "_") // Glob sorts
	version, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		panic(err)
	}
	return version
}

func createDatabase(ctx context.Context, dsn string) error {
	cfg, err := parseDSN(dsn)
	if err != nil {
		return err
	}
	if cfg.DBName == "" {
		return errors.New("database DSN: names no database")
	}
	name := cfg.DBName
	cfg.DBName = ""
	handle, _, err := openDSN(cfg.FormatDSN())
	if err != nil {
		return err
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

// shapeWait is how long a migration waits for another one, or for a backup.
const shapeWait = time.Minute

// errShapeLocked says that somebody else holds the lock.
var errShapeLocked = errors.New("a migration, a backup or a restore of this database is under way")

const shapeLock = "LEFT(CONCAT('secmon.migrate.', DATABASE()), 64)"

// lockShape takes the server-wide lock of whoever changes the shape of tables, and
// of a backup, under which the shape must not change. endSession gives it back.
func lockShape(ctx context.Context, conn *sql.Conn, wait time.Duration) error {
	var got sql.NullInt64
	err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+shapeLock+", ?)", int(wait.Seconds())).Scan(&got)
	if err != nil {
		return fmt.Errorf("lock the schema: %w", err)
	}
	if got.Int64 != 1 {
		return errShapeLocked
	}
	return nil
}

// endSession gives back what a connection holds, the lock and a transaction, and ends
// it. By itself a server notices that a session is over only after a while.
func endSession(conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err == nil {
		_, _ = conn.ExecContext(ctx, "DO RELEASE_LOCK("+shapeLock+")") // otherwise the end of the session does it
	}
	_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // its settings must not come back to the pool
	_ = conn.Close()
}

// ErrPostponed is upkeep that gave way to a backup, a migration or a long reader. It
// is to be tried again soon: left out for days the disk fills.
var ErrPostponed = errors.New("upkeep of events is postponed: somebody reads them or copies the database")

// reshape runs upkeep that alters a table, when nobody has the lock; otherwise it
// gives ErrPostponed. It waits seconds for readers to let go of the table: whoever
// comes after waits behind it.
func (s *Store) reshape(ctx context.Context, f func(conn *sql.Conn) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return away(err)
	}
	defer endSession(conn)
	if err := lockShape(ctx, conn, 0); errors.Is(err, errShapeLocked) {
		return ErrPostponed
	} else if err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "SET SESSION lock_wait_timeout = 3"); err != nil {
		return err
	}
	if err := f(conn); !isLockConflict(err) {
		return err
	}
	return ErrPostponed
}

// EnsurePartitions makes one partition of events for each day up to ahead days
// from now, so that retention can drop whole days. Safe to call at any time and
// from several replicas.
func (s *Store) EnsurePartitions(ctx context.Context, ahead int) error {
	names, err := partitions(ctx, s.db)
	if err != nil {
		return err
	}
	today := s.now().UTC().Truncate(24 * time.Hour)
	var missing []time.Time
	for i := range ahead + 1 {
		if day := today.AddDate(0, 0, i); !slices.Contains(names, day.Format(partitionName)) {
			missing = append(missing, day)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return s.reshape(ctx, func(conn *sql.Conn) error {
		for _, day := range missing {
			if err := addPartition(ctx, conn, day); err != nil {
				return err
			}
		}
		return nil
	})
}

// addPartition makes the partition of a day that is later than all there are; one
// that is there already is no error.
func addPartition(ctx context.Context, r runner, day time.Time) error {
	// DDL takes no parameters; both values are dates that stand here.
	split := fmt.Sprintf("ALTER TABLE events REORGANIZE PARTITION pmax INTO (PARTITION %s VALUES LESS THAN ('%s'), PARTITION pmax VALUES LESS THAN (MAXVALUE))", //nolint:gosec // see above
		day.Format(partitionName), day.AddDate(0, 0, 1).Format(time.DateOnly))
	if _, err := r.ExecContext(ctx, split); err != nil && !hasNumber(err, 1517) && !hasNumber(err, 1493) { // another replica was faster
		return fmt.Errorf("create partition of %s: %w", day.Format(time.DateOnly), err)
	}
	return nil
}

// partitionName is how the partition of a day of events is called.
const partitionName = "p20060102"

// partitions names the partitions of events, the oldest first.
func partitions(ctx context.Context, r runner) ([]string, error) {
	st := dialect.From(goqu.S("information_schema").Table("PARTITIONS")).Select("PARTITION_NAME").
		Where(goqu.C("TABLE_SCHEMA").Eq(goqu.L("DATABASE()")), goqu.C("TABLE_NAME").Eq("events"), goqu.C("PARTITION_NAME").IsNotNull()).
		Order(goqu.C("PARTITION_ORDINAL_POSITION").Asc())
	names, err := query(ctx, r, st, func(r scanner) (name string, err error) { return name, r.Scan(&name) })
	if err != nil {
		return nil, fmt.Errorf("list partitions: %w", err)
	}
	return names, nil
}

// dropPartition deletes the events of a day at once. One that is gone is no error.
func (s *Store) dropPartition(ctx context.Context, day time.Time) error {
	name := day.Format(partitionName)
	return s.reshape(ctx, func(conn *sql.Conn) error {
		// DDL takes no parameters; the name is a date.
		_, err := conn.ExecContext(ctx, "ALTER TABLE events DROP PARTITION "+name)
		if hasNumber(err, 1507) || hasNumber(err, 1508) {
			return nil // another replica was faster
		}
		if err != nil {
			return fmt.Errorf("drop partition %s: %w", name, err)
		}
		return nil
	})
}
