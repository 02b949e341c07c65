package images

import (
	"crypto/tls"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

type service struct {
	Image       string
	ReadOnly    bool `yaml:"read_only"`
	Environment map[string]string
	Secrets     []string
	CapDrop     []string `yaml:"cap_drop"`
	Healthcheck *struct{ Test []string }
	Ports       []string
	Volumes     []string
	Networks    []string
	Profiles    []string
}

type composition struct {
	Services map[string]service
	Secrets  map[string]struct{ File string }
}

func compose(t *testing.T) composition {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("compose", "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var c composition
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestComposeKeepsSecretsInFiles(t *testing.T) {
	c := compose(t)
	used := map[string]bool{}
	secret := regexp.MustCompile(`(?i)password|secret|keys?$|dsn`)
	for name, s := range c.Services {
		for variable, value := range s.Environment {
			if secret.MatchString(variable) && !strings.HasPrefix(value, "/run/secrets/") {
				t.Errorf("%s: %s stands in the environment", name, variable)
			}
			if file, ok := strings.CutPrefix(value, "/run/secrets/"); ok && !slices.Contains(s.Secrets, file) {
				t.Errorf("%s: %s names a secret that it does not get", name, variable)
			}
		}
		for _, file := range s.Secrets {
			used[file] = true
		}
		if s.Healthcheck == nil && name != "frontend" { // which has no program that could ask
			t.Errorf("%s has no health check", name)
		}
		if !regexp.MustCompile(`:(\d+\.\d+(-[a-z]+)?|\$\{VERSION:-dev\})$`).MatchString(s.Image) {
			t.Errorf("%s: the image %s has no version", name, s.Image)
		}
		if name != "mysql" && (!s.ReadOnly || !slices.Contains(s.CapDrop, "ALL")) {
			t.Errorf("%s may write or has capabilities: %+v", name, s)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s is open to the network at %s", name, port)
			}
		}
	}
	for name, s := range c.Secrets {
		if !used[name] || s.File != "./secrets/"+name {
			t.Errorf("secret %s (%s) is used by nobody, or of another file", name, s.File)
		}
		delete(used, name)
	}
	for name := range used {
		t.Errorf("secret %s is nowhere", name)
	}
}

// The script makes every secret that the file names, and none anew.
func TestComposeSecretsAreMadeOnce(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip(err)
	}
	dir := filepath.Join(t.TempDir(), "secrets")
	read := func() map[string]string {
		if out, err := exec.CommandContext(t.Context(), filepath.Join("compose", "secrets.sh"), dir).CombinedOutput(); err != nil { //nolint:gosec // our own script
			t.Fatalf("%v: %s", err, out)
		}
		all := map[string]string{}
		for name := range compose(t).Secrets {
			text, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // our own directory
			if err != nil || len(text) < 32 {
				t.Errorf("%s: %q, %v", name, text, err)
			}
			all[name] = string(text)
		}
		return all
	}
	first, second := read(), read()
	for name := range first {
		if first[name] != second[name] {
			t.Errorf("%s was made anew", name)
		}
	}
	var config map[string]string
	if err := yaml.Unmarshal([]byte(first["secmon.yaml"]), &config); err != nil {
		t.Fatal(err)
	}
	if password := strings.TrimSpace(first["mysql-password"]); config["database-dsn"] != "secmon:"+password+"@tcp(mysql:3306)/secmon" || len(config["admin-password"]) < 20 {
		t.Errorf("secmon.yaml does not fit the other secrets: %v", len(config))
	}
	if !strings.HasPrefix(first["redis.conf"], "requirepass "+strings.TrimSpace(first["redis-password"])+"\n") {
		t.Error("redis.conf has another password")
	}
	data := filepath.Join(filepath.Dir(dir), "data")
	for _, path := range []string{dir, data} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("others may enter %s: %v %v", path, info, err)
		}
	}
	if info, err := os.Stat(filepath.Join(data, "archive")); err != nil || info.Mode() != os.ModeDir|os.ModeSticky|0o777 {
		t.Errorf("the backend cannot write its archive: %v %v", info, err)
	}
	if _, err := tls.X509KeyPair([]byte(first["syslog.crt"]), []byte(first["syslog.key"])); err != nil {
		t.Errorf("the certificate for syslog: %v", err)
	}
}

// Who takes syslog says who may send it, and is asked for by name. It is a backend like the others.
func TestComposeTakesSyslogWhereItIsAskedFor(t *testing.T) {
	services := compose(t).Services
	syslog, backend := services["syslog"], services["backend"]
	if !slices.Equal(syslog.Profiles, []string{"syslog"}) {
		t.Errorf("it runs without being asked for: %v", syslog.Profiles)
	}
	if syslog.Environment["SECMON_SYSLOG_NETWORKS"] == "" {
		t.Error("nothing says who may send")
	}
	for name, value := range backend.Environment {
		if syslog.Environment[name] != value {
			t.Errorf("%s differs from the other backends'", name)
		}
	}
	for _, port := range []string{"SECMON_SYSLOG_TLS_LISTEN", "SECMON_SYSLOG_LISTEN"} {
		listen := syslog.Environment[port]
		if !slices.Contains(syslog.Ports, "127.0.0.1"+listen+listen) {
			t.Errorf("%s %q is not reached: %v", port, listen, syslog.Ports)
		}
	}
	// A network without a way out publishes no port.
	if !slices.Contains(syslog.Networks, "outside") || slices.Contains(backend.Networks, "outside") {
		t.Errorf("networks: %v, %v", syslog.Networks, backend.Networks)
	}
}

// Each backend writes its archive to one place: another replica goes on with it.
func TestComposeArchivesToOnePlace(t *testing.T) {
	for name, s := range compose(t).Services {
		if s.Environment["SECMON_CONFIG"] == "" {
			continue
		}
		if !slices.Contains(s.Volumes, "./data/archive:/archive") || s.Environment["SECMON_ARCHIVE"] != "${ARCHIVE-/archive/}" {
			t.Errorf("%s: %v, %q", name, s.Volumes, s.Environment["SECMON_ARCHIVE"])
		}
	}
}
