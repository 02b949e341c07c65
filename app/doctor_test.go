package app

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

const goodKey = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQGx5_Lz0pY2c"

// secretFile writes a file with a mode.
func secretFile(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return path
}

// Each check of configuration and secrets is seen to find what it is for.
func TestExamineFindsWhatIsWrongWithSecrets(t *testing.T) {
	external := Storage{DatabaseDSN: "x"}
	for _, c := range []struct {
		name  string
		cfg   Config
		check string
		state monitor.State
	}{
		{"a good key", Config{JWTKeys: goodKey, SealingKeys: goodKey}, "secrets.jwt_keys", monitor.StateOK},
		{"a good file", Config{JWTKeysFile: secretFile(t, goodKey+"\n", 0o440)}, "secrets.jwt_keys", monitor.StateOK},
		{"no key for several replicas", Config{Storage: external}, "secrets.jwt_keys", monitor.StateWarning},
		{"no sealing key for several replicas", Config{Storage: external, JWTKeys: goodKey}, "secrets.sealing_keys", monitor.StateWarning},
		{"a short key", Config{JWTKeys: "c2hvcnQ"}, "secrets.jwt_keys", monitor.StateFailure},
		{"a key of zeros", Config{JWTKeys: strings.Repeat("A", 43)}, "secrets.jwt_keys", monitor.StateFailure},
		{"the key of the examples", Config{JWTKeys: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}, "secrets.jwt_keys", monitor.StateFailure},
		{"a bad second key", Config{SealingKeys: goodKey + "," + strings.Repeat("A", 43)}, "secrets.sealing_keys", monitor.StateFailure},
		{"all may read the key", Config{JWTKeysFile: secretFile(t, goodKey, 0o644)}, "secrets.jwt_keys", monitor.StateFailure},
		{"no such file", Config{JWTKeysFile: "/nowhere/at/all"}, "secrets.jwt_keys", monitor.StateFailure},
		{"a short password", Config{AdminPassword: "hunter2"}, "secrets.admin_password", monitor.StateFailure},
		{"a password of one letter", Config{AdminPassword: strings.Repeat("a", 20)}, "secrets.admin_password", monitor.StateFailure},
		{"all may read the password of Redis", Config{RedisPasswordFile: secretFile(t, "x", 0o604)}, "secrets.file", monitor.StateFailure},
		{"an empty file", Config{RedisPasswordFile: secretFile(t, "", 0o600)}, "secrets.file", monitor.StateFailure},
		{"a file that is well", Config{RedisPasswordFile: secretFile(t, "x", 0o600)}, "secrets.file", monitor.StateOK},
		{"a budget below one operation", Config{RateLimit: 5}, "config.limits", monitor.StateFailure},
		{"no manifest", Config{TrustedOperations: []string{"/nowhere/at/all"}}, "config.trusted_operations", monitor.StateFailure},
		{"no share", Config{OTelSample: 7}, "config.otel", monitor.StateFailure},
		{"the demo in earnest", Config{Storage: external, Demo: true}, "config.demo", monitor.StateWarning},
		{"metrics for all", Config{MetricsListen: ":9090"}, "config.metrics", monitor.StateWarning},
		{"nothing wrong", Config{MetricsListen: "127.0.0.1:9090"}, "config", monitor.StateOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.cfg.DataDir == "" {
				c.cfg.DataDir = t.TempDir()
			}
			all := append(examineConfig(c.cfg), examineSecrets(c.cfg)...)
			for _, d := range all {
				if strings.Contains(d.Message+d.Advice, goodKey) || c.cfg.AdminPassword != "" && strings.Contains(d.Message+d.Advice, c.cfg.AdminPassword) {
					t.Errorf("a secret is in %+v", d)
				}
				if d.Check == c.check && d.State == c.state {
					return
				}
			}
			t.Errorf("%s: not %s: %+v", c.check, c.state, all)
		})
	}
}

func TestExamineLooksAtDiskAndFiles(t *testing.T) {
	const gib = 1 << 30
	for _, c := range []struct {
		name string
		is   monitor.Diagnosis
		want monitor.State
	}{
		{"room", aboutDisk("/", disk{free: 50 * gib, size: 100 * gib}), monitor.StateOK},
		{"little room", aboutDisk("/", disk{free: 10 * gib, size: 100 * gib}), monitor.StateWarning},
		{"no room", aboutDisk("/", disk{free: 2 * gib, size: 100 * gib}), monitor.StateFailure},
		{"half of nothing", aboutDisk("/", disk{free: gib / 2, size: gib}), monitor.StateFailure},
		{"many files", aboutFiles(65_536), monitor.StateOK},
		{"some files", aboutFiles(1_024), monitor.StateWarning},
		{"few files", aboutFiles(256), monitor.StateFailure},
	} {
		if c.is.State != c.want {
			t.Errorf("%s: %+v, want %s", c.name, c.is, c.want)
		}
	}
	if d := examineDisk(Config{Storage: Storage{DataDir: filepath.Join(t.TempDir(), "not", "made", "yet")}}); !strings.Contains(d.Message, "GiB") {
		t.Errorf("a directory that is not there yet: %+v", d)
	}
}

func TestExamineLooksAtPorts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	address := taken.Addr().String()
	stranger := &http.Server{Handler: http.NotFoundHandler()} //nolint:gosec // a test
	go func() { _ = stranger.Serve(taken) }()
	if d := examinePort(t.Context(), "port", address, "--listen"); d.State != monitor.StateFailure || !strings.Contains(d.Message, "another program") {
		t.Errorf("taken by a stranger: %+v", d)
	}
	_ = stranger.Close()
	if d := examinePort(t.Context(), "port", address, "--listen"); d.State != monitor.StateOK {
		t.Errorf("free: %+v", d)
	}
	ours := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	}))
	defer ours.Close()
	if d := examinePort(t.Context(), "port", strings.TrimPrefix(ours.URL, "http://"), "--listen"); d.State != monitor.StateOK {
		t.Errorf("a server of ours: %+v", d)
	}
	if d := examinePort(t.Context(), "port", "198.51.100.1:80", "--listen"); d.State != monitor.StateFailure {
		t.Errorf("an address of another machine: %+v", d)
	}
}

func TestExamineLooksAtTheProvider(t *testing.T) {
	var name string
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"issuer": name})
	}))
	defer provider.Close()
	for _, c := range []struct {
		name, calls, issuer, public string
		want                        monitor.State
	}{
		{"it is there", provider.URL, provider.URL, "https://x", monitor.StateOK},
		{"it has another name", provider.URL + "/other", provider.URL, "https://x", monitor.StateFailure},
		{"nowhere to come back to", provider.URL, provider.URL, "", monitor.StateFailure},
		{"nobody there", "", "http://127.0.0.1:1", "https://x", monitor.StateFailure},
	} {
		name = c.calls
		all := examineProvider(t.Context(), Config{OIDC: OIDC{Issuer: c.issuer}, PublicURL: c.public})
		if len(all) != 1 || all[0].State != c.want {
			t.Errorf("%s: %+v", c.name, all)
		}
	}
	if all := examineProvider(t.Context(), Config{}); len(all) != 0 {
		t.Errorf("without a provider: %+v", all)
	}
}
