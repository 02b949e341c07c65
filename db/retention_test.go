package db_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// journalStore is a store with a clock, and its database beside it.
type journalStore struct {
	*db.Store
	t   *testing.T
	dsn string
	raw *sql.DB
	now atomic.Int64 // Unix seconds
}

func newJournal(t *testing.T) *journalStore {
	t.Helper()
	j := &journalStore{t: t, dsn: dbtest.DSN(t)}
	j.now.Store(1_800_000_000)
	j.Store = j.replica()
	var err error
	if j.raw, err = sql.Open("mysql", j.dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.raw.Close() })
	return j
}

// replica gives another store on the same database.
func (j *journalStore) replica() *db.Store {
	j.t.Helper()
	store, err := db.Open(j.t.Context(), db.Options{DSN: j.dsn, Now: func() time.Time { return time.Unix(j.now.Load(), 0) }})
	if err != nil {
		j.t.Fatal(err)
	}
	j.t.Cleanup(func() { _ = store.Close() })
	return store
}

// write makes n entries, one a minute, each of which raises or repeats an alert.
func (j *journalStore) write(n int) {
	j.t.Helper()
	for range n {
		if _, err := j.StoreBatch(j.t.Context(), &monitor.Batch{
			Events: []*monitor.Event{testEvent(1)}, Findings: []monitor.Finding{{Event: 0, Rule: testRule(1)}},
		}); err != nil {
			j.t.Fatal(err)
		}
		j.now.Add(60)
	}
}

func (j *journalStore) trim(olderThan time.Duration, maxBytes int64) db.Trimmed {
	j.t.Helper()
	done, err := j.TrimJournal(j.t.Context(), olderThan, maxBytes)
	if err != nil {
		j.t.Fatal(err)
	}
	return done
}

func (j *journalStore) extent() monitor.JournalExtent {
	j.t.Helper()
	is, err := j.JournalExtent(j.t.Context())
	if err != nil {
		j.t.Fatal(err)
	}
	return is
}

func (j *journalStore) count(query string) (n int64) {
	j.t.Helper()
	if err := j.raw.QueryRowContext(j.t.Context(), query).Scan(&n); err != nil {
		j.t.Fatal(err)
	}
	return n
}

func (j *journalStore) tail() *feed.Tail {
	j.t.Helper()
	tail := feed.NewTail(j.Store, nil, slog.New(slog.DiscardHandler))
	if err := tail.Start(j.t.Context()); err != nil {
		j.t.Fatal(err)
	}
	return tail
}

// checkChain reads the journal as it stands at one instant, and says whether it
// is dense and its hashes continue the last entry that was trimmed.
func (j *journalStore) checkChain(ctx context.Context) error {
	snapshot, err := j.raw.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer snapshot.Rollback()
	var seq, head uint64
	var hash, newest []byte
	if err := snapshot.QueryRowContext(ctx, "SELECT t.seq, t.hash, f.seq, f.hash FROM journal_trimmed t, feed_state f").Scan(&seq, &hash, &head, &newest); err != nil {
		return err
	}
	rows, err := snapshot.QueryContext(ctx, "SELECT seq, body, hash FROM journal ORDER BY seq")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var next uint64
		var body, is []byte
		if err := rows.Scan(&next, &body, &is); err != nil {
			return err
		}
		if want := monitor.ChainHash([32]byte(hash), seq+1, body); next != seq+1 || want != [32]byte(is) {
			return errors.New("the chain is broken")
		}
		seq, hash = next, is
	}
	if seq != head || [32]byte(hash) != [32]byte(newest) {
		return errors.New("the chain does not end at the head")
	}
	return rows.Err()
}

func TestTrimKeepsWithinAgeAndSize(t *testing.T) {
	const entries = 60
	for name, c := range map[string]struct {
		olderThan time.Duration
		maxBytes  int64 // in entries of average size
		kept      int
		reason    string
	}{
		"no bounds":          {0, 0, entries, "0 is no bound"},
		"all within":         {2 * time.Hour, 2 * entries, entries, "nothing is too old or too much"},
		"by age":             {10*time.Minute + time.Second, 0, 10, "the newest entry is a minute old"},
		"by size":            {0, 20, 20, "the size is that of 20 entries"},
		"both, age is less":  {5*time.Minute + time.Second, 20, 5, "both bounds hold"},
		"both, size is less": {time.Hour, 5, 5, "both bounds hold"},
		"everything is old":  {time.Second, 0, 1, "the newest entry always stays"},
		"one byte":           {0, -1, 1, "the newest entry always stays"},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJournal(t)
			j.write(entries)
			size := j.count("SELECT SUM(LENGTH(body)) FROM journal")
			if is := j.extent(); is.Entries != entries || is.Bytes != size || is.Earliest.Seq != 0 || is.Earliest.Tag != 0 {
				t.Errorf("before: %+v, want %d entries of %d bytes", is, entries, size)
			}
			newest := j.count("SELECT LENGTH(body) FROM journal WHERE seq = 60")
			maxBytes := max(c.maxBytes*newest+newest/2, min(-c.maxBytes, 1)) // all repeats are of about the same size
			if c.maxBytes == 0 {
				maxBytes = 0
			}
			done := j.trim(c.olderThan, maxBytes)
			is := j.extent()
			if is.Entries != c.kept || done.Entries != entries-c.kept {
				t.Fatalf("%d entries stay, %d went, want %d to stay: %s", is.Entries, done.Entries, c.kept, c.reason)
			}
			if n := j.count("SELECT COUNT(*) FROM journal"); n != int64(c.kept) {
				t.Errorf("%d rows, want %d", n, c.kept)
			}
			if n := j.count("SELECT COUNT(*) FROM journal_refs WHERE seq NOT IN (SELECT seq FROM journal)"); n != 0 {
				t.Errorf("%d references to entries that are gone", n)
			}
			if n := j.count("SELECT SUM(LENGTH(body)) FROM journal"); n != is.Bytes || size-n != done.Bytes {
				t.Errorf("%d bytes are left, but it says %d", n, is.Bytes)
			}
			if want := time.Unix(1_800_000_000+60*int64(entries-c.kept), 0).UTC(); !is.Oldest.Equal(want) {
				t.Errorf("the oldest is of %s, want %s", is.Oldest, want)
			}
			if err := j.checkChain(t.Context()); err != nil {
				t.Error(err)
			}
			if again := j.trim(c.olderThan, maxBytes); again.Entries != 0 {
				t.Errorf("%d more entries went the second time", again.Entries)
			}
		})
	}
}

func TestHistoryOfAnAlertEndsAtRetention(t *testing.T) {
	j := newJournal(t)
	j.write(30)
	j.trim(10*time.Minute+time.Second, 0)
	alerts, err := j.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 1})
	if err != nil {
		t.Fatal(err)
	}
	history, err := j.JournalOf(t.Context(), monitor.KindAlert, alerts.Edges[0].Node.ID, page.Args{First: 20})
	if err != nil || len(history.Edges) != 10 || history.PageInfo.HasNextPage {
		t.Errorf("%d entries, more %t, %v, want the 10 that are kept", len(history.Edges), history.PageInfo.HasNextPage, err)
	}
}

func TestOneReplicaTrimsAtATime(t *testing.T) {
	j := newJournal(t)
	j.write(5)
	other, err := j.raw.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var got int
	if err := other.QueryRowContext(t.Context(), "SELECT GET_LOCK(CONCAT('secmon.trim.', DATABASE()), 0)").Scan(&got); err != nil || got != 1 {
		t.Fatalf("lock: %d, %v", got, err)
	}
	if done := j.trim(time.Second, 0); done.Entries != 0 {
		t.Errorf("%d entries went while another replica trims", done.Entries)
	}
	if _, err := other.ExecContext(t.Context(), "DO RELEASE_LOCK(CONCAT('secmon.trim.', DATABASE()))"); err != nil {
		t.Fatal(err)
	}
	for i := range 3 { // its own lock is given back each time
		j.write(1)
		if done := j.trim(time.Second, 0); done.Entries == 0 {
			t.Errorf("run %d: nothing went", i)
		}
	}
}

// wantTrimmed checks the error of a reader that fell behind, and gives from where
// it can go on.
func wantTrimmed(t *testing.T, err error) monitor.Position {
	t.Helper()
	var expired *monitor.Error
	if !errors.As(err, &expired) || expired.Code != monitor.CodeCursorExpired || expired.Details["reason"] != "trimmed" {
		t.Fatalf("got %v, want CURSOR_EXPIRED because it was trimmed", err)
	}
	cursor, _ := expired.Details["earliest"].(string)
	earliest, err := monitor.ParseCursor(cursor)
	if err != nil {
		t.Fatal(err)
	}
	return earliest
}

func TestCursorPastRetentionGoesOnFromEarliest(t *testing.T) {
	j := newJournal(t)
	j.write(40)
	twentieth, _, err := j.Entry(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	fifth, _, err := j.Entry(t.Context(), 5)
	if err != nil {
		t.Fatal(err)
	}
	tail := j.tail()
	old := tail.PositionOf(fifth)
	slow, _, err := tail.Subscribe(t.Context(), &old)
	if err != nil {
		t.Fatal(err)
	}
	j.trim(20*time.Minute+time.Second, 0)

	_, err = slow.Next(t.Context(), 10)
	earliest := wantTrimmed(t, err)
	if want := tail.PositionOf(twentieth); earliest != want || earliest != j.extent().Earliest {
		t.Errorf("earliest is %+v, want %+v, the last that was trimmed with its tag; settings say %+v", earliest, want, j.extent().Earliest)
	}
	_, _, err = tail.Subscribe(t.Context(), &old)
	if again := wantTrimmed(t, err); again != earliest {
		t.Errorf("subscribing gives earliest %+v, reading gave %+v", again, earliest)
	}
	on, _, err := tail.Subscribe(t.Context(), &earliest)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := on.Next(t.Context(), 100)
	if err != nil || len(entries) != 20 || entries[0].Seq != 21 || entries[19].Seq != 40 {
		t.Errorf("from earliest: %d entries, %v, want 21 to 40", len(entries), err)
	}
	forged := earliest
	forged.Tag++
	var expired *monitor.Error
	if _, _, err := tail.Subscribe(t.Context(), &forged); !errors.As(err, &expired) || expired.Details["reason"] != "mismatch" {
		t.Errorf("another tag at earliest gives %v, want mismatch", err)
	}
}

// Four writers, two replicas that trim as hard as they can, and readers of every
// kind: what a reader gets is contiguous, or it is told from where it can go on.
func TestNoReaderSeesAHoleWhileTheJournalIsTrimmed(t *testing.T) {
	j := newJournal(t)
	j.write(50)
	live := j.tail()
	j.OnCommit(live.Committed)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var running, writing sync.WaitGroup
	running.Go(func() { live.Run(ctx) })

	const each = 150
	for range 4 {
		writing.Go(func() {
			for range each {
				_, err := j.StoreBatch(ctx, &monitor.Batch{Events: []*monitor.Event{testEvent(1)}, Findings: []monitor.Finding{{Event: 0, Rule: testRule(1)}}})
				if err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { writing.Wait(); close(written) }()
	until := func(name string, step func() error) {
		running.Go(func() {
			for ctx.Err() == nil {
				if err := step(); err != nil && ctx.Err() == nil {
					t.Errorf("%s: %v", name, err)
					return
				}
			}
		})
	}
	var trimmed atomic.Int64
	for range 2 {
		replica := j.replica()
		until("trim", func() error {
			done, err := replica.TrimJournal(ctx, 0, 20_000)
			trimmed.Add(int64(done.Entries))
			return err
		})
	}
	until("chain", func() error { return j.checkChain(ctx) })
	var expired atomic.Int64
	for range 2 {
		until("replay", func() error { // a fresh replica: everything comes from the database
			tail := feed.NewTail(j.Store, nil, slog.New(slog.DiscardHandler))
			if err := tail.Start(ctx); err != nil {
				return err
			}
			_, err := readOn(ctx, tail, monitor.Position{Epoch: tail.Position().Epoch}, tail.Position().Seq, &expired)
			return err
		})
	}
	readers := make(chan error, 3)
	for range 3 {
		go func() {
			_, err := readOn(ctx, live, live.Position(), 50+4*each, &expired)
			readers <- err
		}()
	}
	for range 3 {
		if err := <-readers; err != nil {
			t.Errorf("live: %v", err)
		}
	}
	<-written
	cancel()
	running.Wait()
	if trimmed.Load() < 100 || expired.Load() == 0 {
		t.Errorf("%d entries were trimmed and %d readers fell behind: the test tests nothing", trimmed.Load(), expired.Load())
	}
}

// readOn reads from a position up to an entry, in small pages; where it falls
// behind it goes on from earliest. A hole is an error.
func readOn(ctx context.Context, tail *feed.Tail, from monitor.Position, to uint64, fell *atomic.Int64) (uint64, error) {
	var sub *feed.Subscription
	for from.Seq < to {
		var err error
		if sub == nil {
			sub, _, err = tail.Subscribe(ctx, &from)
		}
		var entries []monitor.Entry
		if err == nil {
			entries, err = sub.Next(ctx, 7)
		}
		var expired *monitor.Error
		if errors.As(err, &expired) && expired.Details["reason"] == "trimmed" {
			earliest, parseErr := monitor.ParseCursor(expired.Details["earliest"].(string))
			if parseErr != nil || earliest.Seq <= from.Seq {
				return from.Seq, errors.Join(parseErr, errors.New("earliest is not ahead of what was trimmed"))
			}
			fell.Add(1)
			from, sub = earliest, nil
			continue
		}
		if err != nil {
			return from.Seq, err
		}
		for _, e := range entries {
			if e.Seq != from.Seq+1 {
				return from.Seq, errors.New("there is a hole")
			}
			from = tail.PositionOf(e)
		}
	}
	return from.Seq, nil
}
