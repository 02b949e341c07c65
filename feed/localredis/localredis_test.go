package localredis_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/security-monitor/secmon/feed/localredis"
)

// A test that kills a parent needs a parent: this test binary, run again with
// the directory in parentDir. It starts the server, prints its URL, and waits.
const parentDir = "SECMON_TEST_PARENT_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentDir); dir != "" {
		server, err := localredis.Start(context.Background(), localredis.Options{Dir: dir})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(server.URL())
		select {}
	}
	os.Exit(m.Run())
}

func start(t *testing.T, dir string) *localredis.Server {
	t.Helper()
	server, err := localredis.Start(t.Context(), localredis.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func needServer(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is not installed")
		}
		t.Skip("redis-server is not installed: run scripts/install-deps.sh servers")
	}
}

func connect(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// checkWorks says whether a subscriber gets what another client publishes.
func checkWorks(t *testing.T, url string) {
	t.Helper()
	client := connect(t, url)
	sub := client.Subscribe(t.Context(), "c")
	defer sub.Close() //nolint:errcheck // a test
	if _, err := sub.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := client.Publish(t.Context(), "c", "hello").Err(); err != nil {
		t.Fatal(err)
	}
	message, err := sub.ReceiveMessage(t.Context())
	if err != nil || message.Payload != "hello" {
		t.Errorf("got %v, %v", message, err)
	}
}

func TestChildListensOnItsSocketAlone(t *testing.T) {
	needServer(t)
	server := start(t, t.TempDir())
	checkWorks(t, server.URL())
	settings, err := connect(t, server.URL()).ConfigGet(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ key, want, reason string }{
		{"port", "0", "it has no password: nobody may reach it over TCP"},
		{"save", "", "nothing in it has to last"},
		{"appendonly", "no", "nothing in it has to last"},
	} {
		if settings[c.key] != c.want {
			t.Errorf("%s = %q, want %q: %s", c.key, settings[c.key], c.want, c.reason)
		}
	}
}

func TestOddDirectories(t *testing.T) {
	needServer(t)
	for _, path := range []string{strings.Repeat("deep/", 25), "a b/me@example/100%[x]?#y"} {
		checkWorks(t, start(t, filepath.Join(t.TempDir(), path)).URL())
	}
}

func TestKilledChildComesBack(t *testing.T) {
	needServer(t)
	server := start(t, t.TempDir())
	pid := server.PID()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	client := connect(t, server.URL())
	eventually(t, "the child to come back", func() bool {
		return server.PID() != pid && client.Ping(t.Context()).Err() == nil
	})
	checkWorks(t, server.URL())
}

func TestWhatAKilledParentLeftIsRemoved(t *testing.T) {
	needServer(t)
	dir := t.TempDir()
	beside := start(t, dir) // a living process's Redis must stay as it is
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentDir+"="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	checkWorks(t, strings.TrimSpace(line))
	_ = parent.Process.Kill()
	_ = parent.Wait()

	checkWorks(t, start(t, dir).URL())
	checkWorks(t, beside.URL())
	left, err := filepath.Glob(filepath.Join(dir, "secmon-redis-*"))
	if err != nil || len(left) != 2 {
		t.Errorf("%v, %v: want the directories of the two that live", left, err)
	}
}

func TestRedisInProcess(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // no redis-server there
	server := start(t, t.TempDir())
	if server.PID() != 0 {
		t.Fatal("it runs as a child")
	}
	checkWorks(t, server.URL())
	client := connect(t, server.URL())
	if err := client.Set(t.Context(), "k", "v", 300*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the key to age", func() bool { return client.Exists(t.Context(), "k").Val() == 0 })
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}

// eventually polls what nobody tells of.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
