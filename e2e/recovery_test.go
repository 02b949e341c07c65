package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/security-monitor/secmon/client"
)

// command runs the program; its output and what it says of an error.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // a server that should not have come up
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(t), args...) //nolint:gosec // our own program
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("secmon %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), err
}

// piped is command with a file as standard input.
func piped(t *testing.T, file string, args ...string) error {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()                                            //nolint:errcheck // it was only read
	cmd := exec.CommandContext(t.Context(), binary(t), args...) //nolint:gosec // our own program
	cmd.Stdin = in
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return err
}

func mustCommand(t *testing.T, args ...string) string {
	t.Helper()
	out, err := command(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// drill is a server under load, and what those around it know.
type drill struct {
	t      *testing.T
	server *process
	ingest string // tokens
	reader string

	mu    sync.Mutex
	acked map[string]time.Time // when each record was acknowledged
}

// send sends records as fast as they are taken, until ctx ends.
func (d *drill) send(ctx context.Context, n int) {
	for i := 0; ctx.Err() == nil; i++ {
		var body bytes.Buffer
		var markers []string
		for k := range 20 {
			marker := fmt.Sprintf("m%d.%d.%d", n, i, k)
			markers = append(markers, marker)
			if k == 0 {
				body.WriteString(chaosRecord(fmt.Sprintf("h%d-%d", n, i%50), marker) + "\n")
			} else {
				fmt.Fprintf(&body, `{"host":"load","marker":%q,"pad":"%s"}`+"\n", marker, strings.Repeat("x", 300))
			}
		}
		status, ok := trySend(ctx, d.server.base, d.ingest, &body)
		if !ok {
			return // the server is gone
		}
		if status != http.StatusOK {
			continue
		}
		at := time.Now()
		d.mu.Lock()
		for _, m := range markers {
			d.acked[m] = at
		}
		d.mu.Unlock()
	}
}

func (d *drill) records() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.acked)
}

// awaitRecords waits until so many are acknowledged: a busy machine takes longer.
func (d *drill) awaitRecords(n int) {
	d.t.Helper()
	eventually(d.t, fmt.Sprintf("%d acknowledged records", n), func() bool { return d.records() >= n })
}

func (d *drill) follower(query string) *client.Feed {
	return &client.Feed{
		URL: d.server.base + "/api/graphql", Query: query,
		Token: func(context.Context) (string, error) { return d.reader, nil },
	}
}

// killEverything ends the server and its database as a power cut does, and deletes
// the database's files.
func (d *drill) killEverything() {
	d.t.Helper()
	files := filepath.Join(d.server.dir, "mariadb")
	text, err := os.ReadFile(filepath.Join(files, "data.pid"))
	if err != nil {
		d.t.Fatal(err)
	}
	database, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		d.t.Fatal(err)
	}
	_ = syscall.Kill(database, syscall.SIGKILL)
	d.server.end(syscall.SIGKILL)
	eventually(d.t, "the database to be gone", func() bool { return exited(database) })
	if err := os.RemoveAll(files); err != nil {
		d.t.Fatal(err)
	}
}

// The restore drill. A backup is made under load; later everything is lost; the
// state of the backup comes back, and everybody is told the truth about it.
// DRILL=30s makes the load last longer than the second that is enough to say something.
func TestDrillOfRestore(t *testing.T) {
	load := time.Second
	if d, err := time.ParseDuration(os.Getenv("DRILL")); err == nil {
		load = d
	}
	dir := t.TempDir()
	shelf := filepath.Join(t.TempDir(), "backups") + "/"
	key := filepath.Join(t.TempDir(), "backup.key")
	public := mustCommand(t, "backup", "keygen", key)

	d := &drill{t: t, server: startProcess(t, filepath.Join(dir, "first")), acked: map[string]time.Time{}}
	d.ingest = d.server.run("token", "create", "--name", "load", "--scope", "ingest")
	d.reader = d.server.run("token", "create", "--name", "reader", "--scope", "read")
	bearer := login(t, d.server.base, "admin", testPassword)

	sending, stopSending := context.WithCancel(t.Context())
	defer stopSending()
	following, stopFollowing := context.WithCancel(t.Context())
	defer stopFollowing()
	var senders, followers sync.WaitGroup
	feeds := []*client.Feed{
		d.follower(`subscription($after: Cursor) { alertFeed(after: $after) { cursor entries { change alert { id version } } } }`),
		d.follower(`subscription($after: Cursor) { eventFeed(after: $after) { cursor events { id } } }`),
	}
	for _, f := range feeds {
		followers.Go(func() { _ = f.Run(following, func(client.Message) error { return nil }) })
	}
	for n := range 4 {
		senders.Go(func() { d.send(sending, n) })
	}
	time.Sleep(load) // load before the backup
	d.awaitRecords(600)
	begun := time.Now()
	d.server.run("backup", "--to", shelf, "--recipient", public)
	made := time.Since(begun)
	listed := strings.Fields(mustCommand(t, "backup", "list", shelf))
	if len(listed) != 3 {
		t.Fatalf("backup list: %q", listed)
	}
	file := shelf + listed[2]
	already := d.records()
	time.Sleep(load) // what comes now is lost
	d.awaitRecords(already + 600)
	d.killEverything()
	dead := time.Now()
	stopSending()
	senders.Wait()
	stopFollowing()
	followers.Wait()

	said := mustCommand(t, "backup", "verify", "--identity-file", key, file)
	_, rest, _ := strings.Cut(said, "as of ")
	text, _, _ := strings.Cut(rest, ",")
	snapshot, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || !strings.HasPrefix(said, "whole") {
		t.Fatalf("backup verify: %s (%v)", said, err)
	}

	second := filepath.Join(dir, "second")
	repair := time.Now()
	restored := mustCommand(t, "restore", "--new", "--data-dir", second, "--identity-file", key, file)
	restoring := time.Since(repair)
	d.server = startProcess(t, second)
	rto := time.Since(repair)

	// Every record that was acknowledged before the backup began is there, and none twice.
	stored := markersOf(t, d.server.base)
	kept, lost, missing := 0, 0, 0
	for m, at := range d.acked {
		switch {
		case stored[m] == 1:
			kept++
		case stored[m] > 1:
			t.Errorf("%s is stored %d times", m, stored[m])
		case at.Before(begun):
			missing++
		default:
			lost++
		}
	}
	if missing > 0 {
		t.Errorf("%d records that were acknowledged before the backup are not there", missing)
	}
	if kept < 500 || lost < 500 {
		t.Errorf("%d records kept and %d lost: the drill says little", kept, lost)
	}

	d.subscribersAreTold(feeds)
	if out := d.server.run("journal", "verify"); !strings.Contains(out, "nothing was changed") {
		t.Errorf("journal verify: %s", out)
	}
	d.everythingWorks(bearer)

	t.Logf("%s", restored)
	t.Logf("RTO %s: restore %s, start %s (local MariaDB, %d records). RPO: %s of writes, %d records acknowledged after the snapshot were lost; %d before it are all there, once. The backup took %s, %s bytes",
		rto.Round(time.Millisecond), restoring.Round(time.Millisecond), (rto - restoring).Round(time.Millisecond), len(stored),
		dead.Sub(snapshot).Round(time.Millisecond), lost, kept, made.Round(time.Millisecond), listed[0])
}

// subscribersAreTold checks that a cursor of before the restore is refused with the
// reason, and that the feed goes on from the position that the server names.
func (d *drill) subscribersAreTold(feeds []*client.Feed) {
	d.t.Helper()
	for _, f := range feeds {
		if f.After == "" {
			d.t.Fatal("a subscriber got nothing before the disaster: the drill says little")
		}
		ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
		again := d.follower(f.Query)
		again.After = f.After
		err := again.Run(ctx, func(m client.Message) error {
			if m.Errors != nil {
				return m.Errors
			}
			return nil
		})
		earliest, expired := client.Expired(err)
		var refused client.Errors
		if !expired || earliest == "" || !errors.As(err, &refused) || refused[0].Extensions["reason"] != "epoch" {
			d.t.Errorf("a subscriber with an old cursor is told: %v", err)
			cancel()
			continue
		}
		again.After = earliest
		done := errors.New("enough")
		if err := again.Run(ctx, func(m client.Message) error {
			var data map[string]struct{ Entries, Events []json.RawMessage }
			if err := json.Unmarshal(m.Data, &data); err != nil {
				return err
			}
			for _, feed := range data {
				if len(feed.Entries)+len(feed.Events) > 0 {
					return done
				}
			}
			return nil
		}); !errors.Is(err, done) {
			d.t.Errorf("from the earliest position: %v", err)
		}
		cancel()
	}
}

// everythingWorks: the login of before is over, one can log in, tokens count, a rule
// fires on a new record, and the audit log tells of the restore.
func (d *drill) everythingWorks(oldBearer string) {
	t, base := d.t, d.server.base
	t.Helper()
	if a := post(t, base, oldBearer, `{ viewer { role } }`, nil, nil); a.code() != "UNAUTHENTICATED" {
		t.Errorf("a login of before the restore: %+v", a)
	}
	bearer := login(t, base, "admin", testPassword)
	if status, answer := sendEvents(t, base, d.ingest, []byte(chaosRecord("after-the-restore", "new")+"\n")); status != http.StatusOK {
		t.Errorf("ingest: %d %v", status, answer)
	}
	var alerts struct {
		Alerts struct{ Nodes []struct{ Status string } }
	}
	post(t, base, bearer, `{ alerts(first: 5, filter: {host: {eq: "after-the-restore"}}) { nodes { status } } }`, nil, &alerts)
	if len(alerts.Alerts.Nodes) == 0 {
		t.Error("no rule fired on a new record")
	}
	var journal struct {
		Journal struct{ Nodes []struct{ Action string } }
	}
	post(t, base, bearer, `{ journal(first: 5, filter: {action: {eq: "database.restore"}}) { nodes { action } } }`, nil, &journal)
	if len(journal.Journal.Nodes) != 1 {
		t.Errorf("the audit log tells of %d restores", len(journal.Journal.Nodes))
	}
}

// Whatever is wrong with a backup or with where it should go, no server comes up on
// the result, and the message says what to do.
func TestRestoreThatMayNotBe(t *testing.T) {
	dir := t.TempDir()
	p := startProcess(t, filepath.Join(dir, "a"))
	key, file := filepath.Join(dir, "key"), filepath.Join(dir, "x.backup")
	public := mustCommand(t, "backup", "keygen", key)
	ingest := p.run("token", "create", "--name", "load", "--scope", "ingest")
	noise := make([]byte, 300_000) // does not compress: the file has several pieces that are encrypted each for itself
	_, _ = rand.Read(noise)
	if status, answer := sendEvents(t, p.base, ingest, fmt.Appendf(nil, `{"host":"a","noise":"%x"}`+"\n", noise)); status != http.StatusOK {
		t.Fatal(answer)
	}
	p.run("backup", "--to", file, "--recipient", public)
	refused := func(want string, args ...string) {
		t.Helper()
		out, err := command(t, args...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %s %v, want %q", args, out, err, want)
		}
		if secret, _ := os.ReadFile(key); err != nil && strings.Contains(err.Error(), strings.Fields(string(secret))[len(strings.Fields(string(secret)))-1]) {
			t.Errorf("%v shows the private key", args)
		}
	}
	refused("stop every server", "restore", "--data-dir", p.dir, "--identity-file", key, file)
	refused("encrypted", "restore", "--data-dir", p.dir, file)
	refused("encrypted", "backup", "--data-dir", p.dir, "--to", file)
	p.end(syscall.SIGTERM)
	refused("not empty", "restore", "--data-dir", p.dir, "--identity-file", key, file)
	refused("to be replaced", "restore", "--data-dir", p.dir, "--identity-file", key, "--replace", "other", file)

	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.backup")
	if err := os.WriteFile(cut, whole[:len(whole)*9/10], 0o600); err != nil {
		t.Fatal(err)
	}
	refused("damaged", "backup", "verify", "--identity-file", key, cut)
	_, digest, _ := strings.Cut(mustCommand(t, "backup", "verify", "--identity-file", key, file), "digest ")
	mustCommand(t, "backup", "verify", "--identity-file", key, "--digest", digest, file)
	none := strings.Repeat("0", 64)
	refused("another one", "backup", "verify", "--identity-file", key, "--digest", none, file)
	half := filepath.Join(dir, "half")
	refused("another one", "restore", "--new", "--data-dir", half, "--identity-file", key, "--digest", none, file)
	refused("not whole", "serve", "--data-dir", half, "--listen", "127.0.0.1:0")
	half = filepath.Join(dir, "half too")
	refused("damaged", "restore", "--new", "--data-dir", half, "--identity-file", key, cut)
	refused("not whole", "serve", "--data-dir", half, "--listen", "127.0.0.1:0")
	mustCommand(t, "restore", "--data-dir", half, "--identity-file", key, "--replace", "secmon", file)
	if n := startProcess(t, half).run("journal", "verify"); !strings.Contains(n, "nothing was changed") {
		t.Error(n)
	}
	// What is to be replaced stays as it is until the backup has proved to be the one that was meant.
	mustCommand(t, "token", "create", "--data-dir", p.dir, "--name", "after the backup", "--scope", "read")
	refused("another one", "restore", "--data-dir", p.dir, "--identity-file", key, "--replace", "secmon", "--digest", none, file)
	refused("damaged", "restore", "--data-dir", p.dir, "--identity-file", key, "--replace", "secmon", cut)
	if left := mustCommand(t, "token", "list", "--data-dir", p.dir); !strings.Contains(left, "after the backup") {
		t.Errorf("a refused restore has destroyed what was there; tokens: %q", left)
	}
	if said, err := command(t, "journal", "verify", "--data-dir", p.dir); err != nil || !strings.Contains(said, "nothing was changed") {
		t.Errorf("after a refused restore: %s %v", said, err)
	}
	if err := piped(t, file, "restore", "--data-dir", p.dir, "--identity-file", key, "--replace", "secmon", "-"); err == nil || !strings.Contains(err.Error(), "not by a pipe") {
		t.Errorf("a backup that can be read once only: %v", err)
	}
	// The same database again: its tokens are ended, as after a break-in.
	mustCommand(t, "token", "create", "--data-dir", p.dir, "--name", "stolen", "--scope", "read")
	mustCommand(t, "backup", "--data-dir", p.dir, "--to", file, "--recipient", public)
	mustCommand(t, "restore", "--data-dir", p.dir, "--identity-file", key, "--replace", "secmon", "--revoke-tokens", file)
	if left := mustCommand(t, "token", "list", "--data-dir", p.dir); strings.Contains(left, "stolen") || strings.Contains(left, "load") {
		t.Errorf("tokens are left: %s", left)
	}
}

// A database that was put back by other means: epoch new, while servers run or not,
// tells every subscriber.
func TestNewEpochIsToldToSubscribers(t *testing.T) {
	p := startProcess(t, t.TempDir())
	d := &drill{t: t, server: p, acked: map[string]time.Time{}}
	d.ingest = p.run("token", "create", "--name", "load", "--scope", "ingest")
	d.reader = p.run("token", "create", "--name", "reader", "--scope", "read")
	ended := make(chan error, 1)
	got := make(chan struct{}, 1000)
	open := d.follower(`subscription($after: Cursor) { eventFeed(after: $after) { cursor events { id } } }`)
	go func() {
		ended <- open.Run(t.Context(), func(m client.Message) error {
			if m.Errors != nil {
				return m.Errors
			}
			got <- struct{}{}
			return nil
		})
	}()
	<-got // the first message, which tells the position
	if status, answer := sendEvents(t, p.base, d.ingest, []byte(`{"host":"a"}`+"\n")); status != http.StatusOK {
		t.Fatal(answer)
	}
	<-got
	if out := p.run("epoch", "new"); !strings.Contains(out, "CURSOR_EXPIRED") {
		t.Error(out)
	}
	select {
	case err := <-ended:
		if _, expired := client.Expired(err); !expired {
			t.Errorf("an open subscription is told: %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("an open subscription is told nothing")
	}
	d.subscribersAreTold([]*client.Feed{open})
}
