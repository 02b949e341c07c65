package contract

import (
	"cmp"
	"container/heap"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/localdb"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/rulepack"
)

const (
	databaseName = "secmon"
	bufferPoolMB = 512 // of the server that is measured
)

// dataset is a directory with a database of a plan.
type dataset struct {
	dir      string
	plan     plan
	server   *localdb.Server
	database string // databaseName where empty
}

// open starts the database of a directory and fills it, unless it holds what the
// plan says already.
func open(ctx context.Context, dir string, want plan) (_ *dataset, err error) {
	d := &dataset{dir: dir}
	if d.server, err = localdb.Start(ctx, localdb.Options{Dir: filepath.Join(dir, "mariadb"), BufferPoolMB: bufferPoolMB}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.server.Close())
		}
	}()
	if d.server.Attached() {
		return nil, fmt.Errorf("another process uses %s", dir)
	}
	have, err := d.readPlan()
	if err != nil {
		return nil, err
	}
	if want.Rows = rowsVersion; have.Seed == want.Seed && have.Events == want.Events && have.Alerts == want.Alerts && have.Rows == want.Rows {
		d.plan = have
		_, err := db.Migrate(ctx, d.dsn()) // a newer version may have more indexes
		return d, err
	}
	d.plan = want
	if err := d.load(ctx); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return d, d.writePlan()
}

func (d *dataset) dsn() string { return d.server.DSN(cmp.Or(d.database, databaseName)) }

// readPlan gives what the directory holds; the zero plan when that is nothing or
// a load did not come to its end.
func (d *dataset) readPlan() (p plan, err error) {
	text, err := os.ReadFile(d.planFile())
	if errors.Is(err, os.ErrNotExist) {
		return plan{}, nil
	}
	if err != nil {
		return plan{}, err
	}
	return p, json.Unmarshal(text, &p)
}

func (d *dataset) writePlan() error {
	text, err := json.Marshal(d.plan)
	if err != nil {
		return err
	}
	return os.WriteFile(d.planFile(), text, 0o600)
}

func (d *dataset) planFile() string { return filepath.Join(d.dir, "plan.json") }

// load makes the database anew.
func (d *dataset) load(ctx context.Context) error {
	if err := os.Remove(d.planFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// For the load alone: the server is started again before it is measured.
	if err := d.admin(ctx, "DROP DATABASE IF EXISTS "+databaseName, "SET GLOBAL innodb_flush_log_at_trx_commit = 0",
		"SET GLOBAL innodb_log_file_size = 2147483648"); err != nil {
		return err
	}
	// A MariaDB that was started with a bound (10.11.12 and later) refuses, and loads slower.
	_ = d.admin(ctx, "SET GLOBAL innodb_buffer_pool_size = 2147483648")
	if _, err := db.Migrate(ctx, d.dsn()); err != nil {
		return err
	}
	store, err := db.Open(ctx, db.Options{DSN: d.dsn()})
	if err != nil {
		return err
	}
	err = d.prepare(ctx, store)
	if err == nil {
		l := &loader{plan: &d.plan, store: store, done: make(chan finished, 4)}
		err = l.run(ctx)
	}
	if err = errors.Join(err, store.Close()); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "statistics of the tables")
	use := databaseName + "."
	if err := d.admin(ctx, "ANALYZE TABLE "+use+"events, "+use+"alerts, "+use+"alert_events, "+use+"comments, "+use+"incidents, "+use+"incident_timeline, "+use+"journal, "+use+"journal_refs",
		"SET GLOBAL innodb_log_file_size = 100663296"); err != nil {
		return err
	}
	if err := d.server.Close(); err != nil {
		return err
	}
	d.server, err = localdb.Start(ctx, localdb.Options{Dir: filepath.Join(d.dir, "mariadb"), BufferPoolMB: bufferPoolMB})
	return err
}

// admin runs statements as the server's administrator.
func (d *dataset) admin(ctx context.Context, statements ...string) error {
	handle, err := sql.Open("mysql", d.server.DSN(""))
	if err != nil {
		return err
	}
	defer handle.Close() //nolint:errcheck // nothing is buffered
	for _, s := range statements {
		if _, err := handle.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// prepare makes partitions for the days of the events, rules and people.
func (d *dataset) prepare(ctx context.Context, store *db.Store) error {
	begin := d.plan.End.Add(-span)
	past, err := db.Open(ctx, db.Options{DSN: d.dsn(), Now: func() time.Time { return begin }})
	if err != nil {
		return err
	}
	defer past.Close() //nolint:errcheck // see there
	if err := past.EnsurePartitions(ctx, int(span.Hours()/24)); err != nil {
		return err
	}
	if _, err := app.ImportRules(ctx, store, rulepack.Rules, monitor.SystemActor, true); err != nil {
		return err
	}
	if d.plan.rules, err = store.EnabledRules(ctx); err != nil {
		return err
	}
	for n := range 12 {
		u, err := store.CreateUser(ctx, monitor.SystemActor, monitor.User{Name: userName(n), DisplayName: userName(n), Role: monitor.RoleAnalyst}, "!")
		if err != nil {
			return err
		}
		d.plan.users = append(d.plan.users, u)
	}
	return nil
}

// loader writes the batches of a plan with two connections, and the journal with
// a third, in the order of time.
type loader struct {
	plan  *plan
	store *db.Store
	next  atomic.Int64
	done  chan finished

	alerts []*monitor.Alert // in the order of their making
	begun  time.Time
	said   time.Time
}

// finished is a batch that is stored; its journal is not.
type finished struct {
	number  int
	journal []monitor.EntryBody
	alerts  []*monitor.Alert
}

func (l *loader) run(ctx context.Context) error {
	l.begun, l.said = time.Now(), time.Now()
	group, groupCtx := errgroup.WithContext(ctx)
	var workers sync.WaitGroup
	for range 2 {
		workers.Add(1)
		group.Go(func() error {
			defer workers.Done()
			return l.batches(groupCtx)
		})
	}
	group.Go(func() error {
		workers.Wait()
		close(l.done)
		return nil
	})
	group.Go(func() error { return l.journal(groupCtx) })
	if err := group.Wait(); err != nil {
		return err
	}
	return l.rest(ctx)
}

func (l *loader) batches(ctx context.Context) error {
	for {
		i := int(l.next.Add(1)) - 1
		if i >= l.plan.batches() {
			return nil
		}
		f := l.plan.batch(i)
		journal := f.Journal
		f.Journal = nil
		if err := l.store.Fill(ctx, f); err != nil {
			return err
		}
		select {
		case l.done <- finished{i, journal, f.Alerts}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// journal writes entries when nothing earlier can come any more.
func (l *loader) journal(ctx context.Context) error {
	early := map[int]finished{} // bounded by how far one worker is ahead of the other
	var waiting later
	for number := 0; number < l.plan.batches(); {
		f, ok := early[number]
		if !ok {
			got, open := <-l.done
			if !open {
				return ctx.Err()
			}
			early[got.number] = got
			continue
		}
		delete(early, number)
		number++
		l.alerts = append(l.alerts, f.alerts...)
		for _, body := range f.journal {
			heap.Push(&waiting, body)
		}
		if number%20 == 0 || number == l.plan.batches() {
			if err := l.flush(ctx, &waiting, l.plan.at(number-1), number == l.plan.batches()); err != nil {
				return err
			}
			l.say(number)
		}
	}
	return nil
}

func (l *loader) flush(ctx context.Context, waiting *later, until time.Time, all bool) error {
	f := &db.Filling{}
	for waiting.Len() > 0 && (all || !(*waiting)[0].At.After(until)) {
		f.Journal = append(f.Journal, heap.Pop(waiting).(monitor.EntryBody)) //nolint:forcetypeassert // of this type
	}
	return l.store.Fill(ctx, f)
}

func (l *loader) say(number int) {
	if time.Since(l.said) < 5*time.Second && number < l.plan.batches() {
		return
	}
	l.said = time.Now()
	took := time.Since(l.begun)
	left := time.Duration(float64(took) * float64(l.plan.batches()-number) / float64(number))
	fmt.Fprintf(os.Stderr, "%d of %d events, %d alerts; %s to go\n", number*batchEvents, l.plan.Events, len(l.alerts), left.Round(time.Second))
}

// rest makes what goes over many batches: incidents and the loud alert.
func (l *loader) rest(ctx context.Context) error {
	share := l.plan.share()
	slices.SortStableFunc(l.alerts, func(a, b *monitor.Alert) int { return cmp.Compare(a.CreatedAt.UnixMicro(), b.CreatedAt.UnixMicro()) })
	large := l.plan.largeSize()
	all := l.plan.incident(0, l.alerts[:large])
	n := 1
	for rest := l.alerts[large:]; len(rest) >= alertsPerGroup && n <= len(l.alerts)/8; rest = rest[alertsPerGroup:] {
		f := l.plan.incident(n, rest[:alertsPerGroup])
		all.Incidents = append(all.Incidents, f.Incidents...)
		maps.Copy(all.Members, f.Members)
		n++
	}
	if err := l.store.Fill(ctx, all); err != nil {
		return err
	}
	return l.store.Fill(ctx, l.plan.loud(share))
}

// later is a heap of entries by time.
type later []monitor.EntryBody

func (h later) Len() int           { return len(h) }
func (h later) Less(i, j int) bool { return h[i].At.Before(h[j].At) }
func (h later) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push and Pop are container/heap's.
func (h *later) Push(x any) { *h = append(*h, x.(monitor.EntryBody)) } //nolint:forcetypeassert // of this type

// Pop takes the last.
func (h *later) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
