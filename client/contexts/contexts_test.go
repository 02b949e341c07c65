package contexts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/security-monitor/secmon/client"
)

func fileOf(t *testing.T, all map[string]*Context) File {
	t.Helper()
	f := File{filepath.Join(t.TempDir(), "secmon", "contexts.json")}
	err := f.Change(t.Context(), func(c *Contexts) error {
		for name, each := range all {
			c.Contexts[name], c.Current = each, name
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A refresh token that is used twice ends the session: of many who need an access
// token at once, one renews it.
func TestBearerIsRenewedOnce(t *testing.T) {
	t.Parallel()
	f := fileOf(t, map[string]*Context{"prod": {Server: "https://a.example", Refresh: "r0", AccessToken: "old", ExpiresAt: time.Now().Add(time.Second)}})
	var mu sync.Mutex
	renewals := 0
	refresh := func(_ context.Context, server, token string) (*client.Session, error) {
		mu.Lock()
		defer mu.Unlock()
		if want := fmt.Sprintf("r%d", renewals); token != want || server != "https://a.example" {
			t.Errorf("refresh with %s at %s, want %s", token, server, want)
		}
		renewals++
		return &client.Session{AccessToken: "new", ExpiresAt: time.Now().Add(time.Hour), Refresh: fmt.Sprintf("r%d", renewals)}, nil
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if bearer, err := f.Bearer(t.Context(), "prod", refresh); err != nil || bearer != "new" {
				t.Errorf("%s %v", bearer, err)
			}
		})
	}
	all.Wait()
	if renewals != 1 {
		t.Errorf("renewed %d times", renewals)
	}
}

func TestBearerThatCannotBeRenewed(t *testing.T) {
	t.Parallel()
	f := fileOf(t, map[string]*Context{"prod": {Server: "https://a.example", Refresh: "r0"}})
	give := func(err error) func(context.Context, string, string) (*client.Session, error) {
		return func(context.Context, string, string) (*client.Session, error) { return nil, err }
	}
	over := client.Errors{{Message: "the session is over", Extensions: map[string]any{"code": "UNAUTHENTICATED"}}}
	if _, err := f.Bearer(t.Context(), "prod", give(over)); !errors.Is(err, ErrOver) || !strings.Contains(err.Error(), "secmon login https://a.example --context prod") {
		t.Errorf("%v", err)
	}
	away := &client.Unreachable{Server: "https://a.example", Err: errors.New("no route")}
	if _, err := f.Bearer(t.Context(), "prod", give(away)); errors.Is(err, ErrOver) || !errors.As(err, &away) {
		t.Errorf("a server that is away is no login that is over: %v", err)
	}
	if _, err := f.Bearer(t.Context(), "none", give(nil)); !errors.Is(err, ErrNone) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	unlock, err := f.lock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	cancel()
	if _, err := f.Bearer(ctx, "prod", give(nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("waits for the lock: %v", err)
	}
}

func TestFileIsForItsOwner(t *testing.T) {
	t.Parallel()
	f := fileOf(t, map[string]*Context{"prod": {Server: "https://a.example", Token: "smt_secret"}})
	for path, want := range map[string]os.FileMode{f.Path: 0o600, filepath.Dir(f.Path): 0o700, f.Path + ".lock": 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	failed := errors.New("no")
	if err := f.Change(t.Context(), func(c *Contexts) error { c.Contexts = nil; return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	if all, err := f.Read(); err != nil || all.Contexts["prod"].Token != "smt_secret" {
		t.Errorf("a change that failed is kept: %v", err)
	}
	for _, text := range []string{`{"current": 7, "contexts": {"prod": {"token": "smt_secret"`, `{"contexts": {"x": {"token": ["smt_secret"]}}}`} {
		if err := os.WriteFile(f.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Read(); err == nil || strings.Contains(err.Error(), "smt_secret") {
			t.Errorf("%v", err)
		}
	}
	if err := os.Chmod(f.Path, 0o640); err != nil { //nolint:gosec // the test is about it
		t.Fatal(err)
	}
	if _, err := f.Read(); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("%v", err)
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{"prod": true, "127.0.0.1:8000": true, "": false, "-x": false, "a b": false, "a\x1b": false, strings.Repeat("a", 101): false} {
		if err := CheckName(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}
