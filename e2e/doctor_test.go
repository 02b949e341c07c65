package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// doctor runs the command and gives its findings by check, its exit code, and all
// that it printed.
func doctor(t *testing.T, env []string, args ...string) (map[string]monitor.Diagnosis, int, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), append([]string{"doctor", "-o", "json", "--listen", "127.0.0.1:0"}, args...)...) //nolint:gosec // our own program
	cmd.Env = append(os.Environ(), env...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := cmd.Run()
	var left *exec.ExitError
	if err != nil && !errors.As(err, &left) {
		t.Fatal(err)
	}
	var all []monitor.Diagnosis
	if err := json.Unmarshal(out.Bytes(), &all); err != nil {
		t.Fatalf("not JSON: %v\n%s%s", err, out.String(), complaints.String())
	}
	found := map[string]monitor.Diagnosis{}
	for _, d := range all {
		if d.State != monitor.StateOK || found[d.Check].Check == "" {
			found[d.Check] = d
		}
	}
	return found, cmd.ProcessState.ExitCode(), out.String() + complaints.String()
}

// The doctor finds nothing where all is well, and says what is wrong where
// something is, with an exit code and without a secret.
func TestDoctor(t *testing.T) {
	dsn, redis := dbtest.DSN(t), startRedis(t)
	const key = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQGx5_Lz0pY2c"
	good := []string{"SECMON_DATABASE_DSN=" + dsn, "SECMON_REDIS_URL=" + redis.URL(), "SECMON_JWT_KEYS=" + key, "SECMON_SEALING_KEYS=" + key, "SECMON_DATA_DIR=" + t.TempDir()}
	found, code, _ := doctor(t, good)
	for _, check := range []string{"config", "secrets.jwt_keys", "secrets.sealing_keys", "database.reach", "database.version", "database.sql_mode", "database.time_zone", "database.isolation", "database.max_connections", "database.writable", "database.privileges", "database.latency", "database.correlations", "clock", "migrations", "redis.reach", "redis.version", "redis.rights", "redis.pubsub", "port"} {
		if found[check].State != monitor.StateOK && check != "database.latency" {
			t.Errorf("%s: %+v", check, found[check])
		}
	}
	for _, check := range []string{"disk", "open_files", "database.max_allowed_packet", "database.latency"} { // the machine's own matter
		if found[check].Check == "" {
			t.Errorf("%s was not looked at", check)
		}
	}
	failures := 0
	for _, d := range found {
		if d.State == monitor.StateFailure {
			failures++
		}
	}
	if (code != 0) != (failures > 0) {
		t.Errorf("the exit code is %d, with %d failures", code, failures)
	}

	file := filepath.Join(t.TempDir(), "secmon.yaml")
	const secret = "planted-password-25"
	if err := os.WriteFile(file, []byte("querry-timeout: 5s\nadmin-password: "+secret+"\n"), 0o644); err != nil { //nolint:gosec // that is what is to be found
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o644); err != nil { //nolint:gosec // the same
		t.Fatal(err)
	}
	redis.kill()
	bad := append(good, "SECMON_JWT_KEYS=c2hvcnQ", "SECMON_DATABASE_DSN=root:"+secret+"@tcp(127.0.0.1:1)/x?parseTime=true")
	found, code, text := doctor(t, bad, "--config", file)
	if code != 1 {
		t.Errorf("the exit code is %d", code)
	}
	for _, check := range []string{"config.file", "secrets.jwt_keys", "database.reach", "redis.reach"} {
		if d := found[check]; d.State != monitor.StateFailure || d.Advice == "" {
			t.Errorf("%s: %+v", check, d)
		}
	}
	if !strings.Contains(text, "querry-timeout") {
		t.Error("the unknown key is not named")
	}
	if strings.Contains(text, secret) {
		t.Errorf("a secret was printed: %s", text)
	}
	serve := exec.CommandContext(t.Context(), binary(t), "serve", "--config", file) //nolint:gosec // our own program
	if out, err := serve.CombinedOutput(); err == nil || !strings.Contains(string(out), "unknown keys: querry-timeout") {
		t.Errorf("serve took the file: %s", out)
	}
}
