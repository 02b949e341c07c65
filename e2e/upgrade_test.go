package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/localdb"
)

// formerBinary builds the program as it was before the newest migration, or as it
// was at the revision UPGRADE_FROM. Without the history of git it is skipped.
func formerBinary(t *testing.T) string {
	t.Helper()
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "git", args...) //nolint:gosec // our own arguments
		cmd.Dir = ".."
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	}
	from := os.Getenv("UPGRADE_FROM")
	if from == "" {
		names, err := filepath.Glob("../db/migrations/*.sql")
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		newest := strings.TrimPrefix(names[len(names)-1], "../")
		added, err := git("log", "--diff-filter=A", "--format=%H", "-1", "--", newest)
		if err != nil || added == "" {
			t.Skipf("NOT RUN: the upgrade is not tested here, because git does not know when %s was added (%v). A whole clone has it, or set UPGRADE_FROM", newest, err)
		}
		from = added + "^"
	}
	revision, err := git("rev-parse", "--verify", from+"^{commit}")
	if err != nil {
		t.Skipf("NOT RUN: the upgrade is not tested here, because git has no revision %s (a shallow clone?)", from)
	}
	source := t.TempDir()
	archive := exec.CommandContext(t.Context(), "sh", "-c", `git -C .. archive "$1" | tar -x -C "$2"`, "sh", revision, source) //nolint:gosec // our own revision
	if out, err := archive.CombinedOutput(); err != nil {
		t.Fatalf("git archive: %v: %s", err, out)
	}
	path := filepath.Join(t.TempDir(), "secmon-former")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", path, "./cmd/secmon") //nolint:gosec // our own program
	build.Dir = source
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the former program: %v: %s", err, out)
	}
	t.Logf("the former program is that of %.12s", revision)
	return path
}

// fleet is replicas of two versions on one database, behind a load balancer that
// takes one out before it is stopped, as Kubernetes does with a Service.
type fleet struct {
	t        *testing.T
	dsn      string
	redisURL string
	programs map[string]string

	mu    sync.Mutex
	serve []*fleetReplica
	turn  int
}

type fleetReplica struct {
	version, address string
	cmd              *exec.Cmd
	out              *bytes.Buffer
	uses             sync.WaitGroup // requests under way
}

func (f *fleet) start(version string) {
	f.t.Helper()
	r := &fleetReplica{version: version, address: freeAddress(f.t), out: &bytes.Buffer{}}
	r.cmd = exec.Command(f.programs[version], "serve", "--database-dsn", f.dsn, "--redis-url", f.redisURL, //nolint:gosec // our own program
		"--listen", r.address, "--data-dir", f.t.TempDir(), "--jwt-keys", testKey, "--sealing-keys", testKey, "--admin-password", testPassword, "--grace", "3s")
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.out
	if err := r.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = r.cmd.Process.Kill(); _ = r.cmd.Wait() })
	eventually(f.t, "the "+version+" program to be ready", func() bool {
		if exited(r.cmd.Process.Pid) {
			f.t.Fatalf("the %s program ended:\n%s", version, r.out)
		}
		response, err := http.Get("http://" + r.address + "/api/readyz") //nolint:noctx // a probe
		if err == nil {
			_ = response.Body.Close()
		}
		return err == nil && response.StatusCode == http.StatusOK
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.serve = append(f.serve, r)
}

// stop takes the oldest replica of a version out, waits for its requests, and ends it.
func (f *fleet) stop(version string) {
	f.t.Helper()
	f.mu.Lock()
	i := slices.IndexFunc(f.serve, func(r *fleetReplica) bool { return r.version == version })
	r := f.serve[i]
	f.serve = slices.Delete(slices.Clone(f.serve), i, i+1)
	f.mu.Unlock()
	r.uses.Wait()
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	if err := r.cmd.Wait(); err != nil {
		f.t.Errorf("the %s program ended with %v:\n%s", version, err, r.out)
	}
}

// use gives the address of the next replica; done says that it is not used any more.
func (f *fleet) use() (base string, done func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turn++
	r := f.serve[f.turn%len(f.serve)]
	r.uses.Add(1)
	return "http://" + r.address, r.uses.Done
}

// traffic is what must not notice anything.
type traffic struct {
	f       *fleet
	ingest  string
	reader  string
	bearer  string
	acked   sync.Map
	records atomic.Int64
	queries atomic.Int64
	mu      sync.Mutex
	errors  []string
}

func (x *traffic) fail(format string, args ...any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.errors = append(x.errors, fmt.Sprintf(format, args...))
}

func (x *traffic) send(ctx context.Context, n int) {
	for i := 0; ctx.Err() == nil; i++ {
		var body bytes.Buffer
		var markers []string
		for k := range 3 {
			marker := fmt.Sprintf("u%d.%d.%d", n, i, k)
			markers = append(markers, marker)
			body.WriteString(chaosRecord(fmt.Sprintf("h%d-%d", n, (i+k)%25), marker) + "\n")
		}
		base, done := x.f.use()
		status, ok := trySend(context.WithoutCancel(ctx), base, x.ingest, &body)
		done()
		if !ok || status != http.StatusOK {
			x.fail("ingest at %s: %d", base, status)
			continue
		}
		x.records.Add(int64(len(markers)))
		for _, m := range markers {
			x.acked.Store(m, true)
		}
		time.Sleep(20 * time.Millisecond) // pace of the load, nothing waits for it
	}
}

func (x *traffic) query(ctx context.Context) {
	const document = `{ alerts(first: 20) { nodes { id title status severity rule { title } } } events(first: 20) { nodes { id host class } } incidents(first: 5) { nodes { id } } viewer { role } }`
	body, err := json.Marshal(map[string]any{"query": document})
	if err != nil {
		panic(err)
	}
	for ctx.Err() == nil {
		base, done := x.f.use()
		err := func() error {
			request, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, base+"/api/graphql", bytes.NewReader(body))
			if err != nil {
				return err
			}
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Authorization", "Bearer "+x.bearer)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return err
			}
			defer response.Body.Close() //nolint:errcheck // read only
			var a answer
			if err := json.NewDecoder(response.Body).Decode(&a); err != nil || len(a.Errors) > 0 {
				return fmt.Errorf("%s %+v %w", response.Status, a.Errors, err)
			}
			return nil
		}()
		done()
		if err != nil {
			x.fail("query at %s: %v", base, err)
		}
		x.queries.Add(1)
		time.Sleep(15 * time.Millisecond) // pace of the load, nothing waits for it
	}
}

// follow keeps a feed over whatever replica is there. A connection that a stopping
// server ends with 1012, or a stream that it ends in good order, is no error: the
// client comes back and misses nothing.
func (x *traffic) follow(ctx context.Context, s *chaosClient) {
	for ctx.Err() == nil {
		base, done := x.f.use()
		done() // a live connection does not hold a replica back
		err := s.follow(ctx, base)
		if ctx.Err() != nil {
			return
		}
		s.resets++
		moved := strings.Contains(err.Error(), "1012") || s.stream && errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNREFUSED)
		if !moved {
			x.fail("%s at %s: %v", s.name, base, err)
			time.Sleep(50 * time.Millisecond) // a client's pause
		}
	}
}

// Two versions of the schema and of the program, side by side and back again, under
// traffic: no client sees an error, no feed misses an entry.
func TestUpgradeAndRollbackUnderTraffic(t *testing.T) {
	former := formerBinary(t)
	phase := 2 * time.Second
	if d, err := time.ParseDuration(os.Getenv("UPGRADE_PHASE")); err == nil {
		phase = d
	}
	redis := startRedis(t)
	database, err := localdb.Start(t.Context(), localdb.Options{Dir: t.TempDir(), BufferPoolMB: 64, Log: slog.New(slog.DiscardHandler)})
	if errors.Is(err, localdb.ErrNotInstalled) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	f := &fleet{t: t, dsn: database.DSN("upgrade"), redisURL: redis.URL(), programs: map[string]string{"former": former, "new": binary(t)}}
	f.start("former")
	f.start("former")
	run := func(program string, args ...string) string {
		out, err := exec.CommandContext(t.Context(), f.programs[program], append(args, "--database-dsn", f.dsn)...).Output() //nolint:gosec // our own program
		if err != nil {
			t.Fatalf("%s secmon %v: %v", program, args, err)
		}
		return strings.TrimSpace(string(out))
	}
	x := &traffic{f: f, ingest: run("former", "token", "create", "--name", "load", "--scope", "ingest"), reader: run("former", "token", "create", "--name", "reader", "--scope", "read")}
	base, done := f.use()
	x.bearer = login(t, base, "admin", testPassword)
	done()
	store, err := db.Open(t.Context(), db.Options{DSN: f.dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // a test
	head, err := store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	by := func() (string, error) { return x.reader, nil }
	const alerts = `subscription($filter: AlertFilter, $after: Cursor) { alertFeed(filter: $filter, after: $after) { cursor entries { change cursor action alert { id version host } } } }`
	const events = `subscription($after: Cursor) { eventFeed(after: $after) { cursor events { id } } }`
	feeds := []*chaosClient{
		{name: "alerts", query: alerts, bearer: by, keys: alertKeys},
		{name: "alerts too", query: alerts, bearer: by, keys: alertKeys},
		{name: "events", query: events, bearer: by, keys: eventKeys},
		{name: "stream", bearer: by, keys: alertKeys, stream: true},
	}
	feeds[3].query = `subscription($filter: AlertFilter) { alertFeed(filter: $filter) { cursor entries { change cursor action alert { id version host } } } }`
	following, stopFollowing := context.WithCancel(t.Context())
	defer stopFollowing()
	working, stopWorking := context.WithCancel(t.Context())
	defer stopWorking()
	var followers, workers sync.WaitGroup
	for _, s := range feeds {
		s.cursor, s.seen = head.Cursor(), map[string]bool{}
		followers.Go(func() { x.follow(following, s) })
	}
	for n := range 3 {
		workers.Go(func() { x.send(working, n) })
	}
	workers.Go(func() { x.query(working) })
	pass := func(what string) {
		before := x.records.Load()
		time.Sleep(phase) // traffic in this state of things
		t.Logf("%s: %d records acknowledged", what, x.records.Load()-before)
	}
	schema := func() int64 {
		snapshot, err := store.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer snapshot.Close()
		return snapshot.Schema
	}

	pass("former program, former schema")
	was := schema()
	run("new", "migrate")
	if now := schema(); now <= was || now != db.NewestSchema() {
		t.Fatalf("the schema was %d and is %d: this is no upgrade", was, now)
	}
	pass("former program, new schema")
	f.start("new")
	pass("both programs")
	f.stop("former")
	f.start("new")
	f.stop("former")
	pass("new program")
	f.start("former") // the rollback: of the program, not of the schema
	f.stop("new")
	pass("both programs, on the way back")
	f.start("former")
	f.stop("new")
	pass("former program on the new schema, after the rollback")
	stopWorking()
	workers.Wait()

	x.judge(store, head.Seq, feeds, stopFollowing, &followers)
	if out := run("new", "journal", "verify"); !strings.Contains(out, "nothing was changed") {
		t.Errorf("journal verify: %s", out)
	}
}

// judge compares what clients have with what the journal says.
func (x *traffic) judge(store *db.Store, from uint64, feeds []*chaosClient, stop func(), followers *sync.WaitGroup) {
	t := x.f.t
	t.Helper()
	says := (&chaos{t: t}).journal(t, store, from)
	want := map[string][]string{"alerts": says.alerts, "alerts too": says.alerts, "stream": says.alerts, "events": says.events}
	for _, s := range feeds {
		eventually(t, s.name+" to have all", func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.got) >= len(want[s.name])
		})
	}
	stop()
	followers.Wait()
	deliveries, moves := 0, 0
	for _, s := range feeds {
		deliveries, moves = deliveries+len(s.got), moves+s.resets
		if diff := firstDifference(want[s.name], s.got); diff != "" {
			t.Errorf("%s got %d, the journal has %d: %s", s.name, len(s.got), len(want[s.name]), diff)
		}
		if s.resets == 0 {
			t.Errorf("%s never had to move: the test says little", s.name)
		}
	}
	base, done := x.f.use()
	stored := markersOf(t, base)
	done()
	x.acked.Range(func(m, _ any) bool {
		if stored[m.(string)] != 1 { //nolint:forcetypeassert // stored above
			x.fail("%s was acknowledged and is stored %d times", m, stored[m.(string)]) //nolint:forcetypeassert // stored above
		}
		return true
	})
	for i, e := range x.errors {
		if i < 10 {
			t.Error(e)
		}
	}
	t.Logf("%d records and %d queries, %d errors; %d journal entries, %d deliveries in order to %d feeds that moved %d times, 0 missed",
		x.records.Load(), x.queries.Load(), len(x.errors), says.entries, deliveries, len(feeds), moves)
	if x.records.Load() < 100 || x.queries.Load() < 50 {
		t.Error("there was too little traffic to say something")
	}
}
