package db_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// otherDatabase is the DSN of a database on the test server that does not exist yet.
func otherDatabase(t *testing.T, dsn, suffix string) string {
	t.Helper()
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg.DBName += suffix
	return cfg.FormatDSN()
}

func nameOf(t *testing.T, dsn string) string {
	t.Helper()
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.DBName
}

// everyRow gives each table's rows as text, hexadecimal where they are bytes.
func everyRow(t *testing.T, p *db.Snapshot) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range p.Tables {
		all[table.Name] = nil
		err := p.Rows(t.Context(), table.Name, func(row [][]byte) error {
			var text strings.Builder
			for i, value := range row {
				switch {
				case value == nil:
					text.WriteString("NULL ")
				case table.Columns[i].Kind == "bytes":
					text.WriteString(hex.EncodeToString(value) + " ")
				case table.Columns[i].Name == "epoch":
				default:
					fmt.Fprintf(&text, "%q ", value)
				}
			}
			all[table.Name] = append(all[table.Name], text.String())
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// copyInto fills another database from a snapshot.
func copyInto(ctx context.Context, p *db.Snapshot, dsn, replace string) (uint64, error) {
	into, err := db.BeginRestore(ctx, dsn, replace)
	if err != nil {
		return 0, err
	}
	defer into.Close()
	if err := into.Prepare(ctx, p.Schema, p.Tables, p.Days); err != nil {
		return 0, err
	}
	for _, table := range p.Tables {
		if err := into.Table(ctx, table.Name); err != nil {
			return 0, err
		}
		if err := p.Rows(ctx, table.Name, func(row [][]byte) error { return into.Row(ctx, row) }); err != nil {
			return 0, err
		}
	}
	return into.Finish(ctx)
}

// fillState makes a database with something in most tables, and values that are
// easily lost: NULL, empty, zero bytes, fractions of seconds, what is not ASCII,
// and rows that do not fit a page of a copy.
func fillState(t *testing.T, dsn string) *db.Store {
	t.Helper()
	store := openStore(t, dsn)
	if err := store.EnsurePartitions(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	ana, err := store.CreateUser(t.Context(), monitor.SystemActor, monitor.User{Name: "ana", DisplayName: "Ana Ñandú 😀", Role: monitor.RoleAdmin}, "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.EnrolSecondFactor(t.Context(), ana.ID, []byte{0, 1, 2, 0xff, '\'', '\\', 0}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		batch := &monitor.Batch{}
		for i := range 90 {
			e := testEvent(i)
			e.Raw = monitor.RawJSON(fmt.Sprintf(`{"n":%d,"text":"ü \\ ' \u0000 😀%s"}`, i, strings.Repeat("x", i*1_500)))
			batch.Events = append(batch.Events, e)
			if i%9 == 0 {
				batch.Findings = append(batch.Findings, monitor.Finding{Event: i, Rule: testRule(byte(i))})
			}
		}
		if _, err := store.StoreBatch(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	alerts, err := store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 10})
	if err != nil || len(alerts.Edges) == 0 {
		t.Fatal(err)
	}
	id := alerts.Edges[0].Node.ID
	if _, err := store.UpdateAlert(t.Context(), monitor.SystemActor, monitor.ActionAlertStart, id, nil, (*monitor.Alert).Start); err != nil {
		t.Fatal(err)
	}
	if _, err := store.CreateIncident(t.Context(), monitor.SystemActor, monitor.Incident{Title: "x", Severity: monitor.SeverityHigh, Status: monitor.IncidentOpen}, []monitor.ID{id}); err != nil {
		t.Fatal(err)
	}
	return store
}

func openStore(t *testing.T, dsn string) *db.Store {
	t.Helper()
	store, err := db.Open(t.Context(), db.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestCopyHasEveryValueOfEveryTable(t *testing.T) {
	dsn := dbtest.DSN(t)
	store := fillState(t, dsn)
	session := monitor.Session{}
	ana, _, _, err := store.Login(t.Context(), "ana")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.CreateSession(t.Context(), ana, [32]byte{1}, time.Hour, session); err != nil {
		t.Fatal(err)
	}
	before, err := store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := store.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	// What is written meanwhile is not in it.
	if _, err := store.StoreBatch(t.Context(), &monitor.Batch{Events: []*monitor.Event{testEvent(200)}}); err != nil {
		t.Fatal(err)
	}
	want := everyRow(t, snapshot)
	if n := len(want["events"]); n != 270 {
		t.Errorf("%d events in the snapshot, want 270: a page was left out, taken twice, or is of later", n)
	}
	if snapshot.Chain.End != before.Seq || snapshot.Chain.Epoch != before.Epoch {
		t.Errorf("the snapshot ends at %+v, the journal was at %+v", snapshot.Chain, before)
	}
	for _, left := range []string{"sessions", "exports", "goose_db_version"} {
		if _, there := want[left]; there {
			t.Errorf("%s is copied", left)
		}
	}
	other := otherDatabase(t, dsn, "_copy")
	epoch, err := copyInto(t.Context(), snapshot, other, "")
	if err != nil {
		t.Fatal(err)
	}
	restored := openStore(t, other)
	again, err := restored.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, everyRow(t, again)); diff != "" {
		t.Errorf("the copy differs:\n%.2000s", diff)
	}
	if !slices.Equal(snapshot.Days, again.Days) || len(again.Days) != 3 {
		t.Errorf("partitions: %v, then %v", snapshot.Days, again.Days)
	}
	again.Close()
	head, err := restored.Head(t.Context())
	if err != nil || head.Epoch != epoch || epoch == before.Epoch || head.Seq != before.Seq || head.Tag != before.Tag {
		t.Errorf("head was %+v, is %+v, %v", before, head, err)
	}
	if n, err := restored.VerifyJournal(t.Context(), func(int, int) error { return nil }); err != nil || n == 0 {
		t.Errorf("the journal's chain: %d %v", n, err)
	}
	// Work goes on: a repeated finding finds its open alert by the computed key.
	repeated := &monitor.Batch{Events: []*monitor.Event{testEvent(0)}, Findings: []monitor.Finding{{Event: 0, Rule: testRule(0)}}}
	if _, err := restored.StoreBatch(t.Context(), repeated); err != nil {
		t.Error(err)
	}
	if err := restored.NoteRestore(t.Context()); err != nil {
		t.Error(err)
	}
	entry, found, err := restored.Entry(t.Context(), before.Seq+2)
	if err != nil || !found || entry.Body.Action != monitor.ActionRestore {
		t.Errorf("the journal tells of the restore: %+v %t %v", entry.Body, found, err)
	}
}

// Between the first row and the end there is no database that a server starts on.
func TestHalfARestoreServesNobody(t *testing.T) {
	dsn := dbtest.DSN(t)
	store := fillState(t, dsn)
	snapshot, err := store.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	other := otherDatabase(t, dsn, "_half")
	into, err := db.BeginRestore(t.Context(), other, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := into.Prepare(t.Context(), snapshot.Schema, snapshot.Tables, snapshot.Days); err != nil {
		t.Fatal(err)
	}
	for _, table := range snapshot.Tables {
		if err := into.Table(t.Context(), table.Name); err != nil {
			t.Fatal(err)
		}
		if err := snapshot.Rows(t.Context(), table.Name, func(row [][]byte) error { return into.Row(t.Context(), row) }); err != nil {
			t.Fatal(err)
		}
	}
	into.Close() // the file proved damaged, or the machine went down
	if _, err := openStore(t, other).Head(t.Context()); err == nil || !strings.Contains(err.Error(), "not whole") {
		t.Errorf("a server would start on half a copy: %v", err)
	}
	// The same again is refused, and works when the operator says what is to go.
	if _, err := copyInto(t.Context(), snapshot, other, ""); monitor.CodeOf(err) != monitor.CodeConflict {
		t.Errorf("into a database that is not empty: %v", err)
	}
}

func TestRestoreIsRefused(t *testing.T) {
	dsn := dbtest.DSN(t)
	store := fillState(t, dsn)
	snapshot, err := store.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	target := otherDatabase(t, dsn, "_target")
	if _, err := copyInto(t.Context(), snapshot, target, ""); err != nil {
		t.Fatal(err)
	}
	refused := func(name, replace string) {
		t.Helper()
		if _, err := copyInto(t.Context(), snapshot, target, replace); monitor.CodeOf(err) != monitor.CodeConflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused("not empty", "")
	refused("another name", "secmon")
	server, err := sql.Open("mysql", target)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused("somebody is connected", nameOf(t, target))
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := copyInto(t.Context(), snapshot, target, nameOf(t, target)); err != nil {
		t.Errorf("its own name: %v", err)
	}
	newer := *snapshot
	newer.Schema = db.NewestSchema() + 1
	if _, err := copyInto(t.Context(), &newer, otherDatabase(t, dsn, "_newer"), ""); monitor.CodeOf(err) != monitor.CodeConflict {
		t.Errorf("a newer schema: %v", err)
	}
	for name, tables := range map[string][]db.CopyTable{
		"a table that is not there":  {{Name: "nothing", Columns: []db.CopyColumn{{Name: "id", Kind: "int"}}}},
		"a column that is not there": {{Name: "users", Columns: []db.CopyColumn{{Name: "id`, `x", Kind: "int"}}}},
	} {
		odd := *snapshot
		odd.Tables = tables
		if _, err := copyInto(t.Context(), &odd, otherDatabase(t, dsn, "_odd"), nameOf(t, otherDatabase(t, dsn, "_odd"))); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A copy of an older version comes back at its version and is brought forward.
func TestOlderCopyIsMigratedForward(t *testing.T) {
	dsn := otherDatabase(t, dbtest.DSN(t), "_old")
	if err := db.MigrateTo(t.Context(), dsn, 16); err != nil {
		t.Fatal(err)
	}
	store := openStore(t, dsn)
	// Of what today's program writes as that version has it: alerts need newer columns.
	if _, err := store.CreateUser(t.Context(), monitor.SystemActor, monitor.User{Name: "ana", DisplayName: "Ana", Role: monitor.RoleAnalyst}, "x"); err != nil {
		t.Fatal(err)
	}
	snapshot, err := store.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	if snapshot.Schema != 16 {
		t.Errorf("schema %d", snapshot.Schema)
	}
	other := otherDatabase(t, dsn, "_new")
	if _, err := copyInto(t.Context(), snapshot, other, ""); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Migrate(t.Context(), other); err != nil || n != 0 {
		t.Errorf("%d migrations were left, %v", n, err)
	}
	if users, err := openStore(t, other).UsersByName(t.Context(), []string{"ana"}); err != nil || len(users) != 1 {
		t.Errorf("%v %v", users, err)
	}
}

// While a snapshot is open ingest goes on, servers start, and what would change a
// table's shape leaves it alone.
func TestSnapshotHoldsUpNobody(t *testing.T) {
	dsn := dbtest.DSN(t)
	now := time.Now()
	store, err := db.Open(t.Context(), db.Options{DSN: dsn, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // a test
	if err := store.EnsurePartitions(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := store.StoreBatch(t.Context(), &monitor.Batch{Events: []*monitor.Event{testEvent(1)}}); err != nil {
		t.Fatal(err)
	}
	snapshot, err := store.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(everyRow(t, snapshot)["events"]); n != 1 {
		t.Errorf("%d events", n)
	}
	begun := time.Now()
	if n, err := db.Migrate(t.Context(), dsn); err != nil || n != 0 {
		t.Errorf("a server that starts: %d %v", n, err)
	}
	now = now.AddDate(0, 0, 5)
	if err := store.EnsurePartitions(t.Context(), 1); !errors.Is(err, db.ErrPostponed) {
		t.Errorf("upkeep beside a copy: %v", err)
	}
	if days, err := dropEvents(t, store, now, 48*time.Hour); !errors.Is(err, db.ErrPostponed) || len(days) != 0 {
		t.Errorf("upkeep dropped %v, %v", days, err)
	}
	if _, err := store.StoreBatch(t.Context(), &monitor.Batch{Events: []*monitor.Event{testEvent(2)}}); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	if n := len(everyRow(t, snapshot)["events"]); n != 1 {
		t.Errorf("%d events in the snapshot later", n)
	}
	snapshot.Close()
	if days, err := dropEvents(t, store, now, 48*time.Hour); err != nil || len(days) != 1 {
		t.Errorf("afterwards upkeep dropped %v, %v", days, err)
	}
}

// Somebody who reads events for long does not make ingest wait behind upkeep.
func TestUpkeepGivesWayToALongReader(t *testing.T) {
	dsn := dbtest.DSN(t)
	now := time.Now()
	store, err := db.Open(t.Context(), db.Options{DSN: dsn, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // a test
	if err := store.EnsurePartitions(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	now = now.AddDate(0, 0, 5)
	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close() //nolint:errcheck // a test
	reader, err := handle.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reader.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM events").Scan(&n); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if days, err := dropEvents(t, store, now, 48*time.Hour); !errors.Is(err, db.ErrPostponed) || len(days) != 0 {
		t.Errorf("upkeep dropped %v under a reader, %v", days, err)
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("upkeep held everybody up for %s", took)
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if days, err := dropEvents(t, store, now, 48*time.Hour); err != nil || len(days) != 1 {
		t.Errorf("afterwards upkeep dropped %v, %v", days, err)
	}
}

func TestNewEpoch(t *testing.T) {
	store := dbtest.New(t)
	before, err := store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old, now, err := store.NewEpoch(t.Context())
	if err != nil || old != before.Epoch || now == old || now == 0 {
		t.Errorf("%d to %d, %v", old, now, err)
	}
	after, err := store.Head(t.Context())
	if err != nil || after.Epoch != now || after.Seq != before.Seq+1 {
		t.Errorf("%+v %v", after, err)
	}
	entry, found, err := store.Entry(t.Context(), after.Seq)
	if err != nil || !found || entry.Body.Action != monitor.ActionFeedEpoch {
		t.Errorf("%+v %t %v", entry, found, err)
	}
	if _, err := store.VerifyJournal(t.Context(), func(int, int) error { return nil }); err != nil {
		t.Error(err)
	}
}

// A key of three columns is walked in order, whatever the sizes of its groups.
func TestCopyWalksEveryKey(t *testing.T) {
	dsn := dbtest.DSN(t)
	store := openStore(t, dsn)
	var values []string
	want := 0
	for kind := range 3 {
		for id := range 40 {
			for seq := range 1 + (id*7+kind*13)%150 {
				values = append(values, fmt.Sprintf("('k%d', UNHEX('%032x'), %d)", kind, id, 1_000_000+seq))
				want++
			}
		}
	}
	dbtest.Exec(t, dsn, "INSERT INTO journal_refs (kind, id, seq) VALUES "+strings.Join(values, ","))
	snapshot, err := store.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	got := 0
	var last []byte
	err = snapshot.Rows(t.Context(), "journal_refs", func(row [][]byte) error {
		at := bytes.Join(row, nil)
		if bytes.Compare(last, at) >= 0 {
			t.Fatalf("%q behind %q", at, last)
		}
		last = at
		got++
		return nil
	})
	if err != nil || got != want {
		t.Errorf("%d rows of %d, %v", got, want, err)
	}
}

// Upkeep of a primary reaches its replica without our lock: a partition that goes
// takes its rows out of a snapshot in silence, so the copy refuses.
func TestCopyRefusesWhenPartitionsGoMeanwhile(t *testing.T) {
	dsn := dbtest.DSN(t)
	store, err := db.Open(t.Context(), db.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // a test
	if err := store.EnsurePartitions(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := store.StoreBatch(t.Context(), &monitor.Batch{Events: []*monitor.Event{testEvent(1)}}); err != nil {
		t.Fatal(err)
	}
	snapshot, err := store.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	dbtest.Exec(t, dsn, "ALTER TABLE events DROP PARTITION "+time.Now().UTC().Format("p20060102"))
	err = snapshot.Rows(t.Context(), "events", func([][]byte) error { return nil })
	if err == nil {
		t.Error("a copy without the events of today is taken for whole")
	}
	t.Log(err)
}
