package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/security-monitor/secmon/child"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/localdb"
	"github.com/security-monitor/secmon/monitor"
)

// cable is a TCP proxy between a replica and Redis that can be cut or stalled.
type cable struct {
	listener net.Listener
	target   string
	cut      atomic.Bool
	stalled  atomic.Bool
	mu       sync.Mutex
	open     map[net.Conn]struct{}
	copying  sync.WaitGroup
}

func newCable(t *testing.T, target string) *cable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed with the test
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: listener, target: target, open: map[net.Conn]struct{}{}}
	c.copying.Go(c.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		c.breakAll()
		c.copying.Wait()
	})
	return c
}

func (c *cable) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		upstream, err := net.Dial("tcp", c.target) //nolint:noctx // loopback
		if c.cut.Load() || err != nil {
			_ = conn.Close()
			if err == nil {
				_ = upstream.Close()
			}
			continue
		}
		c.mu.Lock()
		c.open[conn], c.open[upstream] = struct{}{}, struct{}{}
		c.mu.Unlock()
		c.copying.Go(func() { c.pass(conn, upstream) })
		c.copying.Go(func() { c.pass(upstream, conn) })
	}
}

// pass copies until one side ends; what comes while it is stalled waits.
func (c *cable) pass(from, to net.Conn) {
	defer func() {
		_, _ = from.Close(), to.Close()
		c.mu.Lock()
		delete(c.open, from)
		c.mu.Unlock()
	}()
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		for c.stalled.Load() {
			time.Sleep(10 * time.Millisecond) // the stall
		}
		if _, writeErr := to.Write(b[:n]); err != nil || writeErr != nil {
			return
		}
	}
}

func (c *cable) breakAll() {
	c.stalled.Store(false)
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		_ = conn.Close()
	}
}

// chaosReplica is one server process on an address that stays.
type chaosReplica struct {
	name, address string
	cable         *cable
	mu            sync.Mutex
	cmd           *exec.Cmd
	out           *bytes.Buffer
}

func (r *chaosReplica) base() string { return "http://" + r.address }

// chaos is three replicas with their database and Redis.
type chaos struct {
	t        *testing.T
	database *localdb.Server
	dsn      string
	redis    string // its address
	redisDir string
	redisMu  sync.Mutex
	process  *child.Process
	replicas []*chaosReplica
	flags    []string // of every replica
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only its number is wanted
	return l.Addr().String()
}

func startChaos(t *testing.T, flags ...string) *chaos {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("redis-server is not installed: run scripts/install-deps.sh servers")
	}
	c := &chaos{t: t, redis: freeAddress(t), redisDir: t.TempDir(), flags: append([]string{"--grace", "2s"}, flags...)}
	database, err := localdb.Start(t.Context(), localdb.Options{Dir: t.TempDir(), BufferPoolMB: 64, Log: slog.New(slog.DiscardHandler)})
	if errors.Is(err, localdb.ErrNotInstalled) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	c.database, c.dsn = database, database.DSN("chaos")
	if _, err := db.Migrate(t.Context(), c.dsn); err != nil {
		t.Fatal(err)
	}
	c.startRedis()
	t.Cleanup(c.killRedis)
	for i := range 3 {
		r := c.replica(fmt.Sprintf("replica %d", i))
		c.replicas = append(c.replicas, r)
		c.start(r)
		c.await(r)
	}
	return c
}

// replica prepares one, which start starts.
func (c *chaos) replica(name string) *chaosReplica {
	r := &chaosReplica{name: name, address: freeAddress(c.t), cable: newCable(c.t, c.redis)}
	c.t.Cleanup(func() { c.stop(r, syscall.SIGTERM) })
	return r
}

func (c *chaos) startRedis() {
	c.redisMu.Lock()
	defer c.redisMu.Unlock()
	_, port, _ := net.SplitHostPort(c.redis)
	server, err := child.Start(filepath.Join(c.redisDir, "log"), "redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", c.redisDir)
	if err != nil {
		c.t.Error(err)
		return
	}
	c.process = server
}

func (c *chaos) killRedis() {
	c.redisMu.Lock()
	defer c.redisMu.Unlock()
	_ = syscall.Kill(c.process.PID(), syscall.SIGCONT)
	_ = syscall.Kill(c.process.PID(), syscall.SIGKILL)
	<-c.process.Done()
}

func (c *chaos) start(r *chaosReplica) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out = &bytes.Buffer{}
	r.cmd = exec.Command(binary(c.t), append([]string{ //nolint:gosec // our own program
		"serve", "--database-dsn", c.dsn, "--redis-url", "redis://" + r.cable.listener.Addr().String(),
		"--listen", r.address, "--data-dir", c.t.TempDir(), "--jwt-keys", testKey, "--admin-password", testPassword,
	}, c.flags...)...)
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.out
	if err := r.cmd.Start(); err != nil {
		c.t.Error(err)
	}
}

func (c *chaos) stop(r *chaosReplica, signal syscall.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Signal(signal)
	_ = r.cmd.Wait()
	r.cmd = nil
}

// await waits until a replica answers; one that could not start (its database was
// away) is started again, as Kubernetes does.
func (c *chaos) await(r *chaosReplica) {
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); {
		response, err := http.Get(r.base() + "/api/readyz") //nolint:noctx // a probe
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		r.mu.Lock()
		gone := r.cmd.Process.Signal(syscall.Signal(0)) != nil || exited(r.cmd.Process.Pid)
		r.mu.Unlock()
		if gone {
			c.stop(r, syscall.SIGKILL)
			c.start(r)
		}
		time.Sleep(20 * time.Millisecond) // polls for readiness
	}
	c.stop(r, syscall.SIGQUIT) // it writes where each goroutine stands
	c.t.Fatalf("%s is not ready after a minute:\n%s", r.name, r.out)
}

// exited tells a process that has ended and was not waited for.
func exited(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || bytes.Contains(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(" Z "))
}

// run runs a command of the program on the database.
func (c *chaos) run(args ...string) string {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), binary(c.t), append(args, "--database-dsn", c.dsn)...) //nolint:gosec // our own program
	cmd.Stdin = strings.NewReader(testPassword + "\n")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("secmon %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// faults are what goes wrong, one each cycle.
func (c *chaos) faults(r *rand.Rand) []struct {
	name string
	do   func()
} {
	one := func() *chaosReplica { return c.replicas[r.IntN(len(c.replicas))] }
	moment := func(ms int) { time.Sleep(time.Duration(ms/2+r.IntN(ms)) * time.Millisecond) } // lets the fault meet some traffic
	type fault = struct {
		name string
		do   func()
	}
	return []fault{
		{"a replica is killed", func() { x := one(); c.stop(x, syscall.SIGKILL); moment(100); c.start(x); c.await(x) }},
		{"a replica is stopped", func() { x := one(); c.stop(x, syscall.SIGTERM); c.start(x); c.await(x) }},
		{"redis is killed", func() { c.killRedis(); moment(600); c.startRedis() }},
		{"redis is paused", func() {
			_ = syscall.Kill(c.process.PID(), syscall.SIGSTOP)
			moment(1500)
			_ = syscall.Kill(c.process.PID(), syscall.SIGCONT)
		}},
		{"a replica is cut off from redis", func() { x := one().cable; x.cut.Store(true); x.breakAll(); moment(1000); x.cut.Store(false) }},
		{"a replica's way to redis hangs", func() { x := one().cable; x.stalled.Store(true); moment(1000); x.stalled.Store(false) }},
		{"the database is restarted", func() { _ = syscall.Kill(c.database.PID(), syscall.SIGTERM); moment(300) }},
		{"the database is killed", func() { _ = syscall.Kill(c.database.PID(), syscall.SIGKILL); moment(300) }},
		{"nothing", func() { moment(200) }},
	}
}

// chaosClient follows one feed from replica to replica.
type chaosClient struct {
	name, query string
	variables   map[string]any
	bearer      func() (string, error)
	stream      bool // by server-sent events
	roams       bool
	keys        func(data json.RawMessage) (keys []string, seqs []uint64)

	mu     sync.Mutex
	cursor string
	got    []string
	seen   map[string]bool
	newest uint64 // the highest number of an entry that it was given
	again  int
	resets int
	denied string // why it was turned away for good
}

func (s *chaosClient) take(payload json.RawMessage) error {
	var p struct {
		Data       json.RawMessage
		Errors     json.RawMessage
		Extensions struct{ Cursor string }
	}
	if err := json.Unmarshal(payload, &p); err != nil {
		return err
	}
	if p.Errors != nil {
		return fmt.Errorf("%s: %s", s.name, p.Errors)
	}
	keys, seqs := s.keys(p.Data)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, key := range keys {
		s.newest = max(s.newest, seqs[i])
		if s.seen[key] {
			s.again++
			continue
		}
		s.seen[key] = true
		s.got = append(s.got, key)
	}
	s.cursor = p.Extensions.Cursor
	return nil
}

func (s *chaosClient) after() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor
}

// follow holds one connection.
func (s *chaosClient) follow(ctx context.Context, base string) error {
	bearer, err := s.bearer()
	if err != nil {
		return err
	}
	variables := map[string]any{}
	for name, value := range s.variables {
		variables[name] = value
	}
	if s.stream {
		return s.followStream(ctx, base, bearer, variables)
	}
	variables["after"] = s.after()
	socket, err := dial(ctx, base, bearer)
	if err != nil {
		return err
	}
	defer socket.close()
	defer context.AfterFunc(ctx, socket.close)()
	if err := socket.subscribe(s.query, variables); err != nil {
		return err
	}
	for {
		_ = socket.conn.SetReadDeadline(time.Now().Add(45 * time.Second)) // the server pings
		m, err := socket.next()
		if err != nil {
			return err
		}
		if m.Type != "next" {
			return fmt.Errorf("%s: %s %s", s.name, m.Type, m.Payload)
		}
		if err := s.take(m.Payload); err != nil {
			return err
		}
	}
}

func (s *chaosClient) followStream(ctx context.Context, base, bearer string, variables map[string]any) error {
	body, err := json.Marshal(map[string]any{"query": s.query, "variables": variables})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "text/event-stream", "Authorization": "Bearer " + bearer, "Last-Event-ID": s.after()} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // read only
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", s.name, response.Status)
	}
	lines := bufio.NewReaderSize(response.Body, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			if err := s.take(json.RawMessage(data)); err != nil {
				return err
			}
		}
	}
}

func (s *chaosClient) run(ctx context.Context, c *chaos, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // reproducible
	at := int(seed)                     //nolint:gosec // small
	for ctx.Err() == nil {
		if s.roams {
			at = r.IntN(3)
		}
		stay, leave := ctx, context.CancelFunc(func() {})
		if s.roams {
			stay, leave = context.WithTimeout(ctx, time.Duration(200+r.IntN(3_000))*time.Millisecond)
		}
		err := s.follow(stay, c.replicas[at%3].base())
		leave()
		if err == nil || ctx.Err() != nil {
			continue
		}
		if strings.Contains(err.Error(), "CURSOR_EXPIRED") {
			c.t.Errorf("%s: %v", s.name, err)
			return
		}
		s.mu.Lock()
		s.resets++
		s.denied = err.Error()
		s.mu.Unlock()
		time.Sleep(time.Duration(10+r.IntN(40)) * time.Millisecond) // a client's pause before it connects again
	}
}

// alertKeys and eventKeys name what came, with the numbers of its entries.
func alertKeys(data json.RawMessage) (keys []string, seqs []uint64) {
	var d struct{ AlertFeed feedBatch }
	_ = json.Unmarshal(data, &d)
	for _, e := range d.AlertFeed.Entries {
		at, _ := monitor.ParseCursor(e.Cursor)
		keys, seqs = append(keys, e.Alert.ID+"/"+strconv.Itoa(e.Alert.Version)), append(seqs, at.Seq)
	}
	return keys, seqs
}

func eventKeys(data json.RawMessage) (keys []string, seqs []uint64) {
	var d struct {
		EventFeed struct {
			Cursor string
			Events []struct{ ID string }
		}
	}
	_ = json.Unmarshal(data, &d)
	at, _ := monitor.ParseCursor(d.EventFeed.Cursor)
	for _, e := range d.EventFeed.Events {
		keys, seqs = append(keys, e.ID), append(seqs, at.Seq)
	}
	return keys, seqs
}

// chaosRecord fires a starter rule.
func chaosRecord(host, marker string) string {
	return fmt.Sprintf(`{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":%q},`+
		`"EventData":{"Image":"C:\\Windows\\System32\\net.exe","OriginalFileName":"net.exe","CommandLine":"net localgroup administrators eve /add","User":"CORP\\ana"}},"marker":%q}`, host, marker)
}

// sender sends records to changing replicas; some requests are cut off in the
// middle. Nothing is sent twice.
func (c *chaos) sender(ctx context.Context, n int, token string, acknowledged *sync.Map, stored *atomic.Int64) {
	r := rand.New(rand.NewPCG(uint64(n), 3)) //nolint:gosec // reproducible
	for i := 0; ctx.Err() == nil; i++ {
		var body bytes.Buffer
		var markers []string
		for k := range 1 + r.IntN(3) {
			marker := fmt.Sprintf("m%d.%d.%d", n, i, k)
			markers = append(markers, marker)
			body.WriteString(chaosRecord(fmt.Sprintf("h%d-%d", n, r.IntN(20)), marker) + "\n")
		}
		sendCtx, cancel := context.WithTimeout(ctx, 15*time.Second)
		if r.IntN(12) == 0 {
			cancel()
			sendCtx, cancel = context.WithTimeout(ctx, time.Duration(r.IntN(12_000))*time.Microsecond)
		}
		status, ok := trySend(sendCtx, c.replicas[r.IntN(3)].base(), token, &body)
		cancel()
		if ok && status == http.StatusOK {
			stored.Add(int64(len(markers)))
			for _, m := range markers {
				acknowledged.Store(m, true)
			}
		}
		time.Sleep(time.Duration(20+r.IntN(60)) * time.Millisecond) // pace of the load, nothing waits for it
	}
}

// Three replicas as processes, sixteen senders, and everything that dies, hangs
// or is cut off. Whatever a feed's subscriber was to get it has, once and in
// order; whatever was acknowledged is stored once; who lost a right got nothing
// that came later.
func TestChaosOfProcesses(t *testing.T) {
	cycles := 18
	if n, err := strconv.Atoi(os.Getenv("CHAOS_CYCLES")); err == nil {
		cycles = n
	}
	c := startChaos(t)
	ingest := c.run("token", "create", "--name", "load", "--scope", "ingest")
	reader := c.run("token", "create", "--name", "reader", "--scope", "read")
	doomed := c.run("token", "create", "--name", "doomed", "--scope", "read")
	doomedID := ""
	for line := range strings.Lines(c.run("token", "list")) {
		if strings.HasSuffix(strings.TrimSpace(line), "\tdoomed") {
			doomedID, _, _ = strings.Cut(line, "\t")
		}
	}
	c.run("user", "create", "vera", "--role", "VIEWER")
	store, err := db.Open(t.Context(), db.Options{DSN: c.dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // a test
	head, err := store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by := func(token string) func() (string, error) { return func() (string, error) { return token, nil } }
	vera := login(t, c.replicas[0].base(), "vera", testPassword)
	const alerts = `subscription($filter: AlertFilter, $after: Cursor) { alertFeed(filter: $filter, after: $after) { cursor entries { change cursor action alert { id version host } } } }`
	const events = `subscription($after: Cursor) { eventFeed(after: $after) { cursor events { id } } }`
	some := map[string]any{"filter": map[string]any{"host": map[string]any{"startsWith": "h1"}}}
	clients := []*chaosClient{
		{name: "sits", query: alerts, bearer: by(reader), keys: alertKeys},
		{name: "roams", query: alerts, bearer: by(reader), keys: alertKeys, roams: true},
		{name: "filtered", query: alerts, bearer: by(reader), keys: alertKeys, variables: some, roams: true},
		{name: "events", query: events, bearer: by(reader), keys: eventKeys},
		{name: "stream", query: strings.Replace(alerts, "$after: Cursor", "", 1), bearer: by(reader), keys: alertKeys, stream: true, roams: true},
		{name: "vera", query: alerts, bearer: by(vera), keys: alertKeys, roams: true},
		{name: "doomed", query: alerts, bearer: by(doomed), keys: alertKeys},
		{name: "doomed stream", query: events, bearer: by(doomed), keys: eventKeys, stream: true},
	}
	clients[4].query = `subscription($filter: AlertFilter) { alertFeed(filter: $filter) { cursor entries { change cursor action alert { id version host } } } }`
	clients[7].query = `subscription { eventFeed { cursor events { id } } }`
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var following, writing sync.WaitGroup
	for i, s := range clients {
		s.cursor, s.seen = head.Cursor(), map[string]bool{}
		following.Go(func() { s.run(ctx, c, uint64(i)) }) //nolint:gosec // small
	}
	sendCtx, stopSending := context.WithCancel(ctx)
	var acknowledged sync.Map
	var stored atomic.Int64
	for n := range 16 {
		writing.Go(func() { c.sender(sendCtx, n, ingest, &acknowledged, &stored) })
	}

	r := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // reproducible
	faults := c.faults(r)
	counts := map[string]int{}
	begun, told := time.Now(), time.Now()
	for cycle := range cycles {
		if cycle == min(cycles/2, 60) {
			c.shutOut("user", "update", "vera", "--disable")
			c.shutOut("token", "revoke", doomedID)
		}
		fault := faults[cycle%len(faults)]
		if cycle >= len(faults) {
			fault = faults[r.IntN(len(faults))]
		}
		counts[fault.name]++
		fault.do()
		if time.Since(told) > time.Minute {
			told = time.Now()
			t.Logf("%s: cycle %d, %d records acknowledged", time.Since(begun).Round(time.Second), cycle, stored.Load())
		}
	}
	stopSending()
	writing.Wait()
	for _, x := range c.replicas {
		c.await(x)
	}

	wanted := c.journal(t, store, head.Seq)
	want := map[string][]string{
		"sits": wanted.alerts, "roams": wanted.alerts, "stream": wanted.alerts, "events": wanted.events,
		"filtered": wanted.some,
	}
	deadline := time.Now().Add(60 * time.Second)
	deliveries, resets := 0, 0
	for _, s := range clients {
		expected, whole := want[s.name]
		for whole && time.Now().Before(deadline) {
			s.mu.Lock()
			n := len(s.got)
			s.mu.Unlock()
			if n >= len(expected) {
				break
			}
			time.Sleep(10 * time.Millisecond) // polls for the end of the feed
		}
	}
	cancel()
	following.Wait()
	for _, s := range clients {
		deliveries += len(s.got) + s.again
		resets += s.resets
		if expected, whole := want[s.name]; whole {
			if diff := firstDifference(expected, s.got); diff != "" {
				t.Errorf("%s got %d, the journal has %d: %s (last error: %s)", s.name, len(s.got), len(expected), diff, s.denied)
			}
			continue
		}
		end := wanted.revoked
		all := wanted.alerts
		if s.name == "vera" {
			end = wanted.disabled
		}
		if strings.HasPrefix(s.name, "doomed s") {
			all = wanted.events
		}
		if s.newest > end || end == 0 {
			t.Errorf("%s lost the right with entry %d and got entry %d", s.name, end, s.newest)
		}
		if diff := firstDifference(all[:min(len(s.got), len(all))], s.got); diff != "" || len(s.got) == 0 {
			t.Errorf("%s got %d before that: %s", s.name, len(s.got), diff)
		}
	}
	missing := 0
	markers := markersOf(t, c.replicas[0].base())
	acknowledged.Range(func(m, _ any) bool {
		if markers[m.(string)] != 1 { //nolint:forcetypeassert // stored above
			missing++
		}
		return true
	})
	if missing > 0 {
		t.Errorf("%d acknowledged records are not there exactly once", missing)
	}
	t.Logf("%d cycles in %s (%v); %d records acknowledged, %d journal entries, %d deliveries in order to %d subscribers, %d connections lost, 0 missing",
		cycles, time.Since(begun).Round(time.Second), counts, stored.Load(), wanted.entries, deliveries, len(clients), resets)
	if len(wanted.alerts) < 5*cycles {
		t.Errorf("only %d changes in %d cycles: the test says little", len(wanted.alerts), cycles)
	}
}

// shutOut takes a right away, again until the database is there to do it.
func (c *chaos) shutOut(args ...string) {
	for range 20 {
		cmd := exec.CommandContext(c.t.Context(), binary(c.t), append(args, "--database-dsn", c.dsn)...) //nolint:gosec // our own program
		out, err := cmd.CombinedOutput()
		if err == nil {
			return
		}
		c.t.Logf("secmon %s: %s", args[0], out)
		time.Sleep(200 * time.Millisecond) // the database comes back
	}
	c.t.Errorf("secmon %v does not succeed", args)
}

// journalSays is what subscribers must have got.
type journalSays struct {
	alerts, some, events []string
	disabled, revoked    uint64 // numbers of these entries
	entries              int
}

func (c *chaos) journal(t *testing.T, store *db.Store, from uint64) journalSays {
	t.Helper()
	var says journalSays
	for seq := from; ; {
		entries, err := store.Entries(t.Context(), seq, 200)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			return says
		}
		for _, e := range entries {
			if e.Seq != seq+1 {
				t.Fatalf("the journal jumps from %d to %d", seq, e.Seq)
			}
			seq = e.Seq
			says.entries++
			if !e.Body.Batch.IsZero() {
				stored, err := store.EventsOfBatch(t.Context(), e.Body.Batch)
				if err != nil {
					t.Fatal(err)
				}
				for _, event := range stored {
					says.events = append(says.events, event.GlobalID())
				}
			}
			switch e.Body.Action {
			case monitor.ActionUserUpdate:
				says.disabled = e.Seq
			case monitor.ActionTokenRevoke:
				says.revoked = e.Seq
			}
			for _, change := range e.Body.Changes {
				if change.Kind != monitor.KindAlert {
					continue
				}
				after, _, err := monitor.States[monitor.Alert](change)
				if err != nil {
					t.Fatal(err)
				}
				key := after.GlobalID() + "/" + strconv.Itoa(after.Version)
				says.alerts = append(says.alerts, key)
				if strings.HasPrefix(after.Host, "h1") {
					says.some = append(says.some, key)
				}
			}
		}
	}
}
