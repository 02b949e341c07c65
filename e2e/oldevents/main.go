// Oldevents fills a new data directory with events that came in days ago, for stories
// about retention: a running server takes none but today's. The server that is started
// on the directory afterwards finds its database migrated.
//
//	go run ./e2e/oldevents DIRECTORY 12:web-1 11:web-1,web-2
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/localdb"
	"github.com/security-monitor/secmon/monitor"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "oldevents:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) < 2 {
		return errors.New("it takes a data directory, and days as AGO:HOST,HOST, the oldest first")
	}
	server, err := localdb.Start(ctx, localdb.Options{Dir: filepath.Join(args[0], "mariadb"), BufferPoolMB: 64})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	dsn := server.DSN("secmon")
	if _, err := db.Migrate(ctx, dsn); err != nil {
		return err
	}
	for _, arg := range args[1:] {
		days, hosts, _ := strings.Cut(arg, ":")
		ago, err := strconv.Atoi(days)
		if err != nil {
			return fmt.Errorf("day %q: %w", arg, err)
		}
		if err := store(ctx, dsn, time.Now().UTC().AddDate(0, 0, -ago), strings.Split(hosts, ",")); err != nil {
			return err
		}
	}
	return nil
}

// store keeps an event of each host as one that came in at that time.
func store(ctx context.Context, dsn string, at time.Time, hosts []string) (err error) {
	store, err := db.Open(ctx, db.Options{DSN: dsn, Now: func() time.Time { return at }})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := store.EnsurePartitions(ctx, 0); err != nil {
		return err
	}
	batch := &monitor.Batch{}
	for _, host := range hosts {
		batch.Events = append(batch.Events, &monitor.Event{
			OccurredAt: at.Truncate(time.Microsecond), Class: monitor.ClassBase, Outcome: monitor.OutcomeUnknown,
			Severity: monitor.SeverityLow, Format: "json", Host: host, Raw: monitor.RawJSON(`{"host":` + strconv.Quote(host) + `}`),
		})
	}
	_, err = store.StoreBatch(ctx, batch)
	return err
}
