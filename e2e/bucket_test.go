package e2e

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Backups go to a bucket, are listed and verified there, old ones go, and the newest
// comes back from there.
func TestBackupGoesToABucketAndComesBack(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("backups"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	defer server.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "bucket-user")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "bucket-secret")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("SECMON_S3_ENDPOINT", server.URL)
	dir := t.TempDir()
	p := startProcess(t, filepath.Join(dir, "a"))
	key := filepath.Join(dir, "key")
	public := mustCommand(t, "backup", "keygen", key)
	const prefix = "s3://backups/prod/"
	p.run("backup", "--to", prefix+"before-the-upgrade.backup", "--recipient", public)
	p.run("backup", "--to", prefix, "--recipient", public)
	eventually(t, "the next second, which names the next backup", func() bool { return time.Now().Nanosecond() < 100_000_000 })
	p.run("token", "create", "--name", "newest", "--scope", "read")
	p.run("backup", "--to", prefix, "--recipient", public, "--keep", "1")
	var ours []string
	for line := range strings.Lines(mustCommand(t, "backup", "list", prefix)) {
		if name := strings.Fields(line)[2]; strings.HasPrefix(name, "secmon-") {
			ours = append(ours, name)
		} else if name != "before-the-upgrade.backup" {
			t.Errorf("%s is on the shelf", name)
		}
	}
	if len(ours) != 1 {
		t.Fatalf("on the shelf: %v", ours)
	}
	if said := mustCommand(t, "backup", "verify", "--identity-file", key, prefix+ours[0]); !strings.HasPrefix(said, "whole") {
		t.Error(said)
	}
	other := filepath.Join(dir, "b")
	mustCommand(t, "restore", "--new", "--data-dir", other, "--identity-file", key, prefix+ours[0])
	if tokens := mustCommand(t, "token", "list", "--data-dir", other); !strings.Contains(tokens, "newest") {
		t.Errorf("the tokens are %q", tokens)
	}
	if out, err := command(t, "backup", "verify", "--identity-file", key, prefix+"nothing.backup"); err == nil || strings.Contains(err.Error(), "bucket-secret") {
		t.Errorf("a backup that is not there: %s %v", out, err)
	}
}
