package archive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/security-monitor/secmon/archive"
	"github.com/security-monitor/secmon/backup"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const day = 24 * time.Hour

// world is a database whose clock the test sets, and an archive in an S3 server.
type world struct {
	t     *testing.T
	store *db.Store
	dsn   string
	place archive.Place
	now   time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dsn: dbtest.DSN(t), now: time.Now().UTC().Truncate(day).Add(10 * time.Hour)}
	store, err := db.Open(t.Context(), db.Options{DSN: w.dsn, Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w.store = store
	w.place.Shelf = fakeS3(t)
	w.must(store.EnsurePartitions(t.Context(), 3))
	return w
}

// fakeS3 is an S3 server in this process.
func fakeS3(t *testing.T) backup.Shelf {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("archive"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	shelf, _, err := backup.Find(t.Context(), "s3://archive/events/", backup.S3Options{Endpoint: server.URL, Region: "eu-central-1", PartMB: 5})
	if err != nil {
		t.Fatal(err)
	}
	return shelf
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// pass lets days go by.
func (w *world) pass(days int) {
	w.t.Helper()
	for range days {
		w.now = w.now.Add(day)
		w.must(w.store.EnsurePartitions(w.t.Context(), 3))
	}
}

// takeIn stores events of a format, each on a host of its own; those in alerting raise
// an alert.
func (w *world) takeIn(format string, n int, alerting ...int) []*monitor.Event {
	w.t.Helper()
	batch := &monitor.Batch{}
	for i := range n {
		batch.Events = append(batch.Events, &monitor.Event{
			Format: format, Host: fmt.Sprintf("%s-%d", format, i), OccurredAt: w.now, Class: monitor.ClassBase, Outcome: monitor.OutcomeSuccess,
			Severity: monitor.SeverityHigh, SrcIP: netip.MustParseAddr("192.0.2.7"), DstPort: 443, LogSource: monitor.LogSource{Product: "aws", Service: format},
			Raw: monitor.RawJSON(fmt.Sprintf(`{"b": %d,  "a":"<ü&>\u2028"}`, i)),
		})
	}
	for _, i := range alerting {
		rule := &monitor.Rule{ID: monitor.ID{byte(i + 1)}, Title: fmt.Sprint(format, i), Level: monitor.SeverityHigh}
		batch.Findings = append(batch.Findings, monitor.Finding{Event: i, Rule: rule})
	}
	_, err := w.store.StoreBatch(w.t.Context(), batch)
	w.must(err)
	return batch.Events
}

func (w *world) sweeper() *archive.Sweeper {
	return &archive.Sweeper{Events: w.store, Records: w.store, Place: w.place, Program: "test", Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)}
}

func (w *world) sweep(keeping *monitor.EventKeeping) error {
	due, err := w.sweeper().Due(w.t.Context(), keeping)
	for _, d := range due {
		if err == nil {
			_, err = w.sweeper().Do(w.t.Context(), d)
		}
	}
	return err
}

func (w *world) events() []*monitor.Event {
	w.t.Helper()
	found, err := w.store.Events(w.t.Context(), nil, monitor.EventsByReceived, page.Args{First: 500})
	w.must(err)
	return found.Nodes()
}

func (w *world) hosts() []string {
	w.t.Helper()
	var hosts []string
	for _, e := range w.events() {
		hosts = append(hosts, e.Host)
	}
	slices.Sort(hosts)
	return hosts
}

func (w *world) want(what string, hosts ...string) {
	w.t.Helper()
	slices.Sort(hosts)
	if got := w.hosts(); !slices.Equal(got, hosts) {
		w.t.Errorf("%s: there are %v, not %v", what, got, hosts)
	}
}

func (w *world) archives() []*monitor.EventArchive {
	w.t.Helper()
	var all []*monitor.EventArchive
	for args := (page.Args{First: 100}); ; {
		found, err := w.store.EventArchives(w.t.Context(), args)
		w.must(err)
		if all = append(all, found.Nodes()...); !found.PageInfo.HasNextPage {
			return all
		}
		args.After = *found.PageInfo.EndCursor
	}
}

func archived(all []*monitor.EventArchive) (events int) {
	for _, a := range all {
		events += a.Events
	}
	return events
}

// restore restores the last hundred days for a week.
func (w *world) restore(query string) (*monitor.EventRestore, error) {
	w.t.Helper()
	r := &monitor.EventRestore{From: w.now.Add(-100 * day), To: w.now, Query: query, Until: w.now.Add(7 * day)}
	w.must(w.store.CreateRestore(w.t.Context(), monitor.SystemActor, r))
	return r, w.place.Restore(w.t.Context(), r, w.store, w.now, func(int, int) error { return nil })
}

func (w *world) settle() {
	w.t.Helper()
	w.must(w.store.ReturnKept(w.t.Context()))
	w.must(w.store.ExpireRestores(w.t.Context()))
	w.must(w.store.ReleaseHolds(w.t.Context()))
}

var byFormat = &monitor.EventKeeping{Default: 30 * day, Rules: []monitor.RetentionRule{
	{Name: "flows", Format: "vpcflow", Keep: 7 * day},
	{Name: "of a service", Product: "aws", Service: "auth", Keep: 60 * day},
}}

// Each source goes at its own time, and each into the archive; what is archived comes
// back as it was.
func TestSourcesGoAtTheirTimeAndComeBack(t *testing.T) {
	w := newWorld(t)
	w.takeIn("vpcflow", 2)
	w.takeIn("auth", 1)
	w.takeIn("other", 1)
	before := w.events()
	w.pass(7)
	w.must(w.sweep(byFormat))
	w.want("after 7 days", "vpcflow-0", "vpcflow-1", "auth-0", "other-0")
	w.pass(1)
	w.must(w.sweep(byFormat))
	w.must(w.sweep(byFormat))
	w.want("after 8 days", "auth-0", "other-0")
	w.pass(23)
	w.must(w.sweep(byFormat))
	w.want("after 31 days", "auth-0")
	w.pass(30)
	w.must(w.sweep(byFormat))
	w.want("after 61 days")
	days, err := w.store.EventDays(t.Context())
	w.must(err)
	if oldest := days[0].Day; !oldest.After(before[0].ID.Day()) {
		t.Errorf("the partition of %s is still there", oldest)
	}
	r, err := w.restore("")
	if err != nil || r.Restored != 4 || r.Objects != 3 {
		t.Fatalf("restored %d of %d objects: %v", r.Restored, r.Objects, err)
	}
	after := w.events()
	for i, e := range before {
		was, is := fmt.Sprintf("%+v %s", *e, e.Raw), fmt.Sprintf("%+v %s", *after[i], after[i].Raw)
		if was != is {
			t.Errorf("it was\n%s\nand is\n%s", was, is)
		}
	}
	held, err := w.store.HeldEvents(t.Context(), []monitor.EventID{before[0].ID})
	if err != nil || !held[before[0].ID] {
		t.Errorf("a restored event is not marked: %v %v", held, err)
	}
	w.must(w.sweep(byFormat)) // a restored event is not due again
	w.want("restored", "vpcflow-0", "vpcflow-1", "auth-0", "other-0")
	w.pass(3) // days are dropped below which they stand
	w.must(w.sweep(&monitor.EventKeeping{Default: 2 * day}))
	w.want("restored, later", "vpcflow-0", "vpcflow-1", "auth-0", "other-0")
	w.pass(5)
	w.settle()
	w.want("their time is over")
}

func TestRestoreTakesWhatAQueryFits(t *testing.T) {
	w := newWorld(t)
	w.takeIn("a", 3)
	w.pass(3)
	w.must(w.sweep(&monitor.EventKeeping{Default: day}))
	w.want("swept")
	if _, err := w.restore("host:a-1"); err != nil {
		t.Fatal(err)
	}
	w.want("restored", "a-1")
	if _, err := w.restore(""); err != nil {
		t.Fatal(err)
	}
	w.want("restored twice", "a-0", "a-1", "a-2")
	alerts, err := w.store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 10})
	if err != nil || len(alerts.Edges) != 0 {
		t.Errorf("a restore raised %d alerts, %v", len(alerts.Edges), err)
	}
}

// What an open alert points to stays when its day or its class goes, and goes with the
// alert's end.
func TestEvidenceOfOpenAlertsStays(t *testing.T) {
	for name, keeping := range map[string]*monitor.EventKeeping{
		"a whole day": {Default: day},
		"a class":     {Default: 90 * day, Rules: []monitor.RetentionRule{{Format: "x", Keep: day}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.takeIn("x", 3, 1)
			w.pass(3)
			w.must(w.sweep(keeping))
			w.want("swept", "x-1")
			if a := w.archives(); archived(a) != 3 {
				t.Errorf("the archive has it, too: %+v", a)
			}
			w.pass(2)
			w.must(w.sweep(keeping))
			w.settle()
			w.want("later", "x-1")
			dbtest.Exec(t, w.dsn, "UPDATE alerts SET status = 'CLOSED'")
			w.settle()
			w.want("the alert is closed")
		})
	}
}

// failing is a shelf that is away, or lies.
type failing struct {
	backup.Shelf

	puts int // that work; -1: all
	lie  bool
}

var errAway = errors.New("the store is away")

func (f *failing) Put(ctx context.Context, name string, write func(io.Writer) error) error {
	if f.puts == 0 {
		return errAway
	}
	f.puts--
	if f.lie {
		return f.Shelf.Put(ctx, name, func(w io.Writer) error { return write(&altered{w}) })
	}
	return f.Shelf.Put(ctx, name, write)
}

type altered struct{ io.Writer }

func (a *altered) Write(p []byte) (int, error) {
	q := slices.Clone(p)
	q[len(q)/2] ^= 1
	return a.Writer.Write(q)
}

// Nothing is deleted that is not archived: when the store is away, when it keeps
// something else, and when it goes away between the objects and the manifest. When it is
// back the sweep goes on where it was.
func TestNothingIsDeletedUnarchived(t *testing.T) {
	for _, c := range []struct {
		name  string
		shelf failing
		state monitor.ArchiveState
	}{
		{"away", failing{puts: 0}, monitor.ArchiveWriting},
		{"away before the manifest", failing{puts: 1}, monitor.ArchiveWriting},
		{"lying", failing{puts: -1, lie: true}, monitor.ArchiveWriting},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.takeIn("a", 2)
			w.pass(3)
			whole := w.place.Shelf
			c.shelf.Shelf = whole
			w.place.Shelf = &c.shelf
			if err := w.sweep(&monitor.EventKeeping{Default: day}); err == nil {
				t.Error("no error")
			}
			w.want("not archived", "a-0", "a-1")
			failed, err := w.store.FailedArchive(t.Context())
			if err != nil || failed == nil || failed.State != c.state {
				t.Errorf("what failed: %+v, %v", failed, err)
			}
			w.place.Shelf = whole
			w.must(w.sweep(&monitor.EventKeeping{Default: day}))
			w.want("archived")
			if failed, err := w.store.FailedArchive(t.Context()); err != nil || failed != nil {
				t.Errorf("it still failed: %+v, %v", failed, err)
			}
			if r, err := w.restore(""); err != nil || r.Restored != 2 {
				t.Errorf("restored %d, %v", r.Restored, err)
			}
		})
	}
}

// An event that comes for a day when it is archived and not yet removed is archived, too.
func TestLateEventsAreArchivedToo(t *testing.T) {
	w := newWorld(t)
	early := w.now
	w.takeIn("a", 1)
	w.pass(3)
	keeping := &monitor.EventKeeping{Default: day}
	late := &lateEvents{Store: w.store, come: func() {
		now := w.now
		w.now = early.Add(time.Hour) // a replica whose clock is wrong
		w.takeIn("late", 1)
		w.now = now
	}}
	sweeper := w.sweeper()
	sweeper.Events = late
	due, err := sweeper.Due(t.Context(), keeping)
	w.must(err)
	for _, d := range due {
		_, err := sweeper.Do(t.Context(), d)
		w.must(err)
	}
	w.want("swept")
	if r, err := w.restore(""); err != nil || r.Restored != 2 {
		t.Errorf("restored %d, %v", r.Restored, err)
	}
	w.settle()
	// One that comes when the day is gone stands in the oldest partition, and goes with it.
	w.now = early.Add(2 * time.Hour)
	w.takeIn("later", 1)
	w.now = early.Add(3 * day)
	w.pass(3)
	w.must(w.sweep(keeping))
	found := false
	for _, a := range w.archives() {
		found = found || a.Events == 1 && a.State == monitor.ArchiveRemoved
	}
	if !found || slices.Contains(w.hosts(), "later-0") {
		t.Errorf("the event that came later is not archived: %v", w.hosts())
	}
}

type lateEvents struct {
	*db.Store

	once sync.Once
	come func()
}

func (l *lateEvents) CountDueEvents(ctx context.Context, d time.Time, due monitor.DueClasses) (int, error) {
	l.once.Do(l.come)
	return l.Store.CountDueEvents(ctx, d, due)
}

// dying ends a process at the point of its n-th call.
type dying struct {
	*db.Store

	calls int
}

var errDead = errors.New("the process was killed")

func (d *dying) die() error {
	if d.calls--; d.calls < 0 {
		return errDead
	}
	return nil
}

func (d *dying) SaveArchive(ctx context.Context, a *monitor.EventArchive) error {
	if err := d.die(); err != nil {
		return err
	}
	return d.Store.SaveArchive(ctx, a)
}

func (d *dying) RemoveDueEvents(ctx context.Context, day time.Time, due monitor.DueClasses) error {
	if err := d.die(); err != nil {
		return err
	}
	return d.Store.RemoveDueEvents(ctx, day, due)
}

func (d *dying) SaveRestore(ctx context.Context, r *monitor.EventRestore) error {
	if err := d.die(); err != nil {
		return err
	}
	return d.Store.SaveRestore(ctx, r)
}

func (d *dying) InsertRestored(ctx context.Context, id monitor.ID, events []*monitor.Event) (int, error) {
	if err := d.die(); err != nil {
		return 0, err
	}
	return d.Store.InsertRestored(ctx, id, events)
}

// Wherever a sweep and a restore are killed, all events are in the database or in the
// archive, and the next run ends what was begun.
func TestKilledAnywhereNothingIsLost(t *testing.T) {
	for calls := range 6 {
		t.Run(fmt.Sprint(calls), func(t *testing.T) {
			w := newWorld(t)
			w.takeIn("a", 3, 0)
			w.pass(3)
			keeping := &monitor.EventKeeping{Default: day}
			killed := w.sweeper()
			d := &dying{w.store, calls}
			killed.Events, killed.Records = d, d
			due, err := killed.Due(t.Context(), keeping)
			w.must(err)
			for _, one := range due {
				if _, err = killed.Do(t.Context(), one); err != nil {
					break
				}
			}
			w.must(w.sweep(keeping))
			w.settle()
			w.want("swept", "a-0")
			for _, a := range w.archives() {
				if a.State != monitor.ArchiveRemoved || a.Error != "" {
					t.Errorf("left behind: %+v", a)
				}
			}
			r := &monitor.EventRestore{From: w.now.Add(-10 * day), To: w.now, Until: w.now.Add(day)}
			w.must(w.store.CreateRestore(t.Context(), monitor.SystemActor, r))
			_ = w.place.Restore(t.Context(), r, &dying{w.store, calls}, w.now, func(int, int) error { return nil })
			r, err = w.store.RestoreByID(t.Context(), r.ID)
			w.must(err)
			w.must(w.place.Restore(t.Context(), r, w.store, w.now, func(int, int) error { return nil }))
			w.want("restored", "a-0", "a-1", "a-2")
		})
	}
}

// A crash between the drop of a partition and the return of what was put aside loses
// nothing.
func TestWhatWasPutAsideComesBack(t *testing.T) {
	w := newWorld(t)
	w.takeIn("a", 2, 0)
	w.must(w.store.ReturnKept(t.Context()))
	dbtest.Exec(t, w.dsn, "INSERT INTO kept_events SELECT * FROM events WHERE host = 'a-0'")
	dbtest.Exec(t, w.dsn, "DELETE FROM events WHERE host = 'a-0'")
	w.want("crashed", "a-1")
	w.settle()
	w.want("back", "a-0", "a-1")
}

func TestDamageIsFound(t *testing.T) {
	w := newWorld(t)
	w.takeIn("a", 2)
	w.pass(3)
	w.must(w.sweep(&monitor.EventKeeping{Default: day}))
	is := w.archives()
	manifest, object := "", ""
	for _, a := range is {
		if a.Events > 0 {
			manifest, object = a.Manifest, a.Objects[0].Name
		}
	}
	if _, err := w.place.Verify(t.Context(), manifest); err != nil {
		t.Fatal(err)
	}
	w.must(w.place.Shelf.Put(t.Context(), object, func(w io.Writer) error { _, err := io.WriteString(w, "something else"); return err }))
	damage := archive.Damage{}
	if _, err := w.place.Verify(t.Context(), manifest); !errors.As(err, &damage) {
		t.Errorf("verified: %v", err)
	}
	if _, err := w.restore(""); !errors.As(err, &damage) {
		t.Errorf("restored: %v", err)
	}
	w.want("nothing of a damaged object comes back")
}

func TestArchivesAreEncryptedForTheirKey(t *testing.T) {
	w := newWorld(t)
	file := t.TempDir() + "/key"
	public, err := backup.NewIdentity(file)
	w.must(err)
	w.place.Recipients, err = backup.ParseRecipients([]string{public}, nil, "")
	w.must(err)
	w.takeIn("a", 2)
	w.pass(3)
	w.must(w.sweep(&monitor.EventKeeping{Default: day}))
	w.want("swept without the private key")
	if _, err := w.restore(""); !errors.Is(err, backup.ErrNoKey) {
		t.Errorf("without a key: %v", err)
	}
	for _, a := range w.archives() {
		for _, o := range a.Objects {
			if !strings.HasSuffix(o.Name, ".age") {
				t.Errorf("%s is not encrypted", o.Name)
			}
		}
	}
	w.place.Identities, err = backup.ParseIdentities([]string{file}, "")
	w.must(err)
	if r, err := w.restore(""); err != nil || r.Restored != 2 {
		t.Errorf("restored %d, %v", r.Restored, err)
	}
}

// Two replicas at once: one works, the other leaves it alone.
func TestOneReplicaAtATime(t *testing.T) {
	w := newWorld(t)
	other, err := db.Open(t.Context(), db.Options{DSN: w.dsn})
	w.must(err)
	t.Cleanup(func() { _ = other.Close() })
	ran, err := w.store.ArchiveAlone(t.Context(), func() error {
		ran, err := other.ArchiveAlone(t.Context(), func() error { return errors.New("both") })
		if ran || err != nil {
			t.Errorf("the other ran: %t, %v", ran, err)
		}
		return nil
	})
	if !ran || err != nil {
		t.Errorf("ran %t, %v", ran, err)
	}
	if ran, err := other.ArchiveAlone(t.Context(), func() error { return nil }); !ran || err != nil {
		t.Errorf("afterwards the other one: %t, %v", ran, err)
	}
}

// The sweeps of two replicas at once, over days with events of several sources, again
// and again as days go by: each event is in the archive once, and comes back once.
func TestTwoReplicasSweepAtOnce(t *testing.T) {
	w := newWorld(t)
	other, err := db.Open(t.Context(), db.Options{DSN: w.dsn, Now: func() time.Time { return w.now }})
	w.must(err)
	t.Cleanup(func() { _ = other.Close() })
	want, ran := 0, [2]int{}
	for d := range 4 {
		w.takeIn("vpcflow", 20+d)
		w.takeIn("other", 10)
		want += 30 + d
		w.pass(9)
		var both sync.WaitGroup
		for i, store := range []*db.Store{w.store, other} {
			both.Go(func() {
				sweeper := w.sweeper()
				sweeper.Events, sweeper.Records = store, store
				for range 3 {
					did, err := store.ArchiveAlone(t.Context(), func() error {
						due, err := sweeper.Due(t.Context(), byFormat)
						for _, d := range due {
							if err == nil {
								_, err = sweeper.Do(t.Context(), d)
							}
						}
						return err
					})
					if err != nil {
						t.Errorf("replica %d: %v", i, err)
					}
					if did {
						ran[i]++
					}
				}
			})
		}
		both.Wait()
	}
	w.pass(40)
	w.must(w.sweep(byFormat))
	if got := archived(w.archives()); got != want || len(w.events()) != 0 {
		t.Errorf("%d events are archived and %d are left, want %d and none; the replicas ran %v times", got, len(w.events()), want, ran)
	}
	if ran[0]+ran[1] < 4 {
		t.Errorf("the replicas ran %v times", ran)
	}
	if r, err := w.restore(""); err != nil || r.Restored != want || len(w.events()) != want {
		t.Errorf("%d of %d came back, %d are there: %v", r.Restored, want, len(w.events()), err)
	}
}

// A day without events is dropped, and nothing is written for it.
func TestAnEmptyDayNeedsNoArchive(t *testing.T) {
	w := newWorld(t)
	w.pass(3)
	w.place.Shelf = &failing{Shelf: w.place.Shelf}
	w.must(w.sweep(&monitor.EventKeeping{Default: day}))
	for _, a := range w.archives() {
		if a.State != monitor.ArchiveRemoved || a.Manifest != "" {
			t.Errorf("%+v", a)
		}
	}
}
