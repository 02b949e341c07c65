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
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// terminal is a person at a shell, with logins of their own.
type terminal struct {
	t    *testing.T
	home string
	env  []string
}

func newTerminal(t *testing.T, env ...string) *terminal {
	t.Helper()
	home := t.TempDir()
	return &terminal{t, home, append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + filepath.Join(home, "config")}, env...)}
}

func (p *terminal) credentials() string {
	return filepath.Join(p.home, "config", "secmon", "contexts.json")
}

// ran is what a command left.
type ran struct {
	code     int
	out, err string
}

func (p *terminal) run(stdin string, args ...string) ran {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), binary(p.t), args...) //nolint:gosec // our own program
	cmd.Env, cmd.Dir = p.env, p.home
	cmd.Stdin = strings.NewReader(stdin)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return ran{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// does runs a command that has to work, and gives what it prints.
func (p *terminal) does(stdin string, args ...string) string {
	p.t.Helper()
	got := p.run(stdin, args...)
	if got.code != 0 {
		p.t.Fatalf("secmon %s: leaves with %d\n%s%s", strings.Join(args, " "), got.code, got.out, got.err)
	}
	return got.out
}

// fails runs a command that has to leave with a code and say something.
func (p *terminal) fails(code int, says, stdin string, args ...string) {
	p.t.Helper()
	got := p.run(stdin, args...)
	if got.code != code || !strings.Contains(got.err, says) {
		p.t.Errorf("secmon %s: leaves with %d, want %d and %q\n%s%s", strings.Join(args, " "), got.code, code, says, got.out, got.err)
	}
}

// lines reads NDJSON.
func lines(t *testing.T, text string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(text) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		all = append(all, one)
	}
	return all
}

func TestAnalystWorksFromTheShell(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	p := newTerminal(t)
	p.fails(3, "secmon login", "", "whoami")
	p.fails(3, "UNAUTHENTICATED: the name or the password is wrong", "wrong\n", "login", r.URL(), "--user", "admin")
	p.fails(64, "give --user", testPassword, "login", r.URL())
	p.fails(64, "without TLS", testPassword, "login", "http://monitor.example.com", "--user", "admin")
	p.does(testPassword+"\n", "login", r.URL(), "--user", "admin", "--context", "here")
	if info, err := os.Stat(p.credentials()); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	if text, _ := os.ReadFile(p.credentials()); strings.Contains(string(text), testPassword) {
		t.Error("the password is kept")
	}
	if who := lines(t, p.does("", "whoami", "-o", "json"))[0]; who["user"] != "admin" || who["role"] != "ADMIN" || who["context"] != "here" {
		t.Errorf("%v", who)
	}

	hosts := []string{"web-1", "web-2", "evil\x1b]0;owned\a\u202e"}
	raise(t, r, hosts...)
	alerts := lines(t, p.does("", "alerts", "list", "-o", "json"))
	if len(alerts) != 3 {
		t.Fatalf("%v", alerts)
	}
	for _, format := range []string{"json", "table"} {
		if out := p.does("", "alerts", "list", "-o", format); strings.ContainsAny(out, "\x1b\a\u202e") || !strings.Contains(out, "owned") {
			t.Errorf("a host's name commands the terminal: %q", out)
		}
	}
	if got := p.run("", "alerts", "list", "host:web-*", "-n", "1", "-o", "json"); len(lines(t, got.out)) != 1 || !strings.Contains(got.err, "there are more: --all") {
		t.Errorf("%+v", got)
	}
	if got := lines(t, p.does("", "alerts", "list", "host:web-*", "--all", "-o", "json")); len(got) != 2 {
		t.Errorf("%v", got)
	}
	p.fails(1, "BAD_INPUT", "", "alerts", "list", "nofield:1")
	web, _ := alerts[1]["id"].(string)
	other, _ := alerts[2]["id"].(string)
	p.does("", "alerts", "ack", web)
	p.does("", "alerts", "close", web, other, "--as", "false-positive", "--reason", "a scan of ours")
	p.does("", "alerts", "assign", web, "--to", "ADMIN")
	p.fails(5, "nobody of the name", "", "alerts", "assign", web, "--to", "nemo")
	p.fails(64, "to whom", "", "alerts", "assign", web)
	p.fails(2, "NOT_FOUND", "", "alerts", "close", other, monitor.GlobalID(monitor.KindAlert, monitor.NewID(time.Now()).String()), "--as", "benign", "--reason", "x")
	shown := p.does("", "alerts", "show", web)
	for _, want := range []string{"FALSE_POSITIVE", "a scan of ours", "assignee     admin"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in\n%s", want, shown)
		}
	}
	p.fails(5, "NOT_FOUND", "", "incidents", "show", monitor.GlobalID(monitor.KindIncident, monitor.NewID(time.Now()).String()))
	if got := lines(t, p.does("", "events", "search", "host:web-1", "--raw", "-o", "json")); len(got) != 1 || got[0]["host"] != "web-1" || got[0]["raw"] == nil {
		t.Errorf("%v", got)
	}
	p.does("", "logout")
	p.fails(3, "no login", "", "alerts", "list")
}

func TestShellRunsAnyOperation(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	p := newTerminal(t)
	p.does(testPassword+"\n", "login", r.URL(), "--user", "admin")
	raise(t, r, "web-1", "web-2")
	const query = `query($n: Int!, $host: String) { alerts(first: $n, filter: {host: {eq: $host}}) { nodes { host } } }`
	file, vars := filepath.Join(p.home, "q.graphql"), filepath.Join(p.home, "v.json")
	for path, text := range map[string]string{file: query, vars: `{"n": 1, "host": "web-1"}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const want = `{"alerts":{"nodes":[{"host":"web-2"}]}}` + "\n"
	for _, args := range [][]string{
		{query, "--var", "n=5", "--var", "host=web-2"},
		{"-", "--var", "n=5", "--var", "host=web-2"},
		{file, "--vars", vars, "--var", "host=web-2"},
	} {
		if got := p.does(query, append([]string{"query"}, args...)...); got != want {
			t.Errorf("%v: %s", args, got)
		}
	}
	p.does("", "query", `mutation($d: String!) { savedOperationCreate(input: {name: "Alerts of a host", kind: SNIPPET, document: $d, variables: "{\"n\": 5, \"host\": \"web-2\"}"}) { errors { code message } } }`, "--var", "d="+query)
	if got := p.does("", "query", "alerts of a host"); got != want {
		t.Errorf("saved: %s", got)
	}
	if got := strings.Fields(p.does("", "query", "-o", "table", query, "--var", "n=5", "--var", "host=web-2")); strings.Join(got, " ") != "host web-2" {
		t.Errorf("as a table: %q", got)
	}
	p.fails(5, "no saved operation", "", "query", "nothing")
	p.fails(64, "operation:1:", "", "query", "{ alerts(")
	p.fails(64, "--name one of: A, B", "", "query", "query A { viewer { role } } query B { viewer { role } }")
	p.fails(1, "Cannot query field", "", "query", "{ nothing }")
	p.fails(5, "NOT_FOUND", "", "query", `mutation($id: ID!) { tokenRevoke(input: {id: $id}) { errors { code message } } }`, "--var", "id="+monitor.GlobalID(monitor.KindAPIToken, monitor.NewID(time.Now()).String()))
	head, err := r.Store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	raise(t, r, "web-3")
	got := p.does("", "query", `subscription($after: Cursor) { alertFeed(after: $after) { entries { alert { host } } } }`, "--var", "after="+head.Cursor(), "--count", "1")
	if !strings.Contains(got, `"host":"web-3"`) {
		t.Errorf("%s", got)
	}
}

func TestShellSendsAndFollowsWithItsLogin(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	r := startReplica(t, cfg)
	p := newTerminal(t)
	p.does(testPassword+"\n", "login", r.URL(), "--user", "admin")
	head, err := r.Store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.does(`{"product":"shop","host":"shop-1","event":"login"}`+"\n", "ingest", "-q", "-")
	if got := lines(t, p.does("", "tail", "events", "--after", head.Cursor(), "--count", "1", "-o", "json")); got[0]["host"] != "shop-1" {
		t.Errorf("%v", got)
	}
	// What cannot be read is left out, told, and kept by the server.
	if got := p.run("{\"host\":\"shop-2\"}\n{broken mimikatz\n[1]\n", "ingest", "-q", "-"); got.code != 2 || !strings.Contains(got.err, "-:2: MALFORMED_JSON") || !strings.Contains(got.err, "1 record stored, 2 rejected") {
		t.Errorf("%+v", got)
	}
	eventually(t, "the dead letters", func() bool {
		kept := p.does("", "query", `{ deadLetters(first: 10) { nodes { raw line } } }`)
		return strings.Contains(kept, `"{broken mimikatz"`) && strings.Contains(kept, `"[1]"`)
	})
	if got := p.run("203.0.113.7\nno indicator\n", "indicators", "import", "--database-dsn", cfg.DatabaseDSN, "-"); got.code != 2 || !strings.Contains(got.out, "1 added") || !strings.Contains(got.err, "1 of the list could not be read") {
		t.Errorf("%+v", got)
	}
	if got := p.does("", "tokens", "list", "-o", "json"); got != "" {
		t.Errorf("the token for sending goes on: %s", got)
	}
	for _, noun := range []string{"alerts", "events", "incidents", "indicators"} {
		for _, format := range []string{"csv", "ndjson"} {
			file := filepath.Join(p.home, noun+"."+format)
			p.does("", "export", noun, "-o", file, "--format", format)
			text, err := os.ReadFile(file)
			if err != nil || format == "ndjson" && !strings.Contains(string(text), `"end":true`) || format == "csv" && !strings.HasPrefix(string(text), "id,") {
				t.Errorf("%s: %v\n%s", file, err, text)
			}
		}
	}
	if got := p.run("", "export", "events", "host:shop-1", "-o", "-", "--columns", "host"); got.code != 0 || !strings.HasPrefix(got.out, `{"host":"shop-1"}`+"\n") || !strings.Contains(got.err, "1 rows, to the end") {
		t.Errorf("%+v", got)
	}
	p.fails(1, "BAD_INPUT", "", "export", "events", "-o", filepath.Join(p.home, "x"), "--columns", "nothing")
	if left, _ := filepath.Glob(filepath.Join(p.home, ".secmon-export-*")); len(left) > 0 {
		t.Errorf("parts stay: %v", left)
	}
}

func TestCredentialsThatEnd(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	r := startReplica(t, cfg)
	p := newTerminal(t)
	p.does(testPassword+"\n", "login", r.URL(), "--user", "admin", "--context", "me")
	secret := strings.TrimSpace(p.does("", "tokens", "create", "--name", "reader", "--scope", "read"))
	p.does(secret+"\n", "login", r.URL(), "--with-token", "--context", "token")
	if got := p.does("", "context", "list"); !strings.Contains(got, "*  token") || strings.Contains(got, secret) {
		t.Errorf("%s", got)
	}
	p.fails(4, "FORBIDDEN", "", "alerts", "ack", monitor.GlobalID(monitor.KindAlert, monitor.NewID(time.Now()).String()))
	p.fails(64, "which one", "", "whoami", "--context", "me", "--token", secret)
	p.fails(3, "no login for https://elsewhere.example", "", "whoami", "--server", "https://elsewhere.example")
	id, _ := lines(t, p.does("", "tokens", "list", "-o", "json", "--context", "me"))[0]["id"].(string)
	p.does("", "tokens", "revoke", id, "--context", "me")
	p.fails(3, "UNAUTHENTICATED", "", "whoami")
	p.fails(3, "Forbidden", "", "tail", "alerts")
	p.fails(3, "UNAUTHENTICATED", "smt_wrong\n", "login", r.URL(), "--with-token")

	p.does("", "context", "use", "me")
	// The access token is over: the next command takes another by itself, and
	// commands at one time do not end the session for each other.
	expire(t, p)
	done := make(chan ran)
	for range 4 {
		go func() { done <- p.run("", "whoami") }()
	}
	for range 4 {
		if got := <-done; got.code != 0 {
			t.Errorf("%+v", got)
		}
	}
	expire(t, p)
	p.does("", "whoami")
	bearer := login(t, r.URL(), "admin", testPassword)
	var data struct {
		Viewer struct{ User struct{ ID string } }
	}
	post(t, r.URL(), bearer, `{ viewer { user { id } } }`, nil, &data)
	post(t, r.URL(), bearer, `mutation($id: ID!) { sessionRevokeAll(input: {user: $id}) { errors { message } } }`, map[string]any{"id": data.Viewer.User.ID}, nil)
	p.fails(3, "UNAUTHENTICATED", "", "whoami")
	expire(t, p)
	p.fails(3, "the login is over: secmon login "+r.URL()+" --context me", "", "whoami")

	if err := os.Chmod(p.credentials(), 0o644); err != nil { //nolint:gosec // the test is about it
		t.Fatal(err)
	}
	p.fails(1, "others can read", "", "whoami")
	if err := os.Chmod(p.credentials(), 0o600); err != nil {
		t.Fatal(err)
	}
	r.Stop()
	p.fails(7, "cannot be reached", "", "whoami", "--token", secret, "--server", r.URL())
	p.fails(7, "cannot be reached", testPassword+"\n", "login", r.URL(), "--user", "admin")
}

// expire makes the access token in the file one that is over.
func expire(t *testing.T, p *terminal) {
	t.Helper()
	text, err := os.ReadFile(p.credentials())
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	me := all["contexts"].(map[string]any)["me"].(map[string]any) //nolint:forcetypeassert,errcheck // a test
	me["expiresAt"] = time.Now().Add(-time.Minute)
	if text, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.credentials(), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLoginWithASecondFactor(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	bearer := login(t, r.URL(), "admin", testPassword)
	var enrol struct{ TotpEnrol struct{ Secret string } }
	post(t, r.URL(), bearer, `mutation($p: String!) { totpEnrol(input: {password: $p}) { secret } }`, map[string]any{"p": testPassword}, &enrol)
	code, err := totp.GenerateCode(enrol.TotpEnrol.Secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var confirm struct {
		TotpConfirm struct{ RecoveryCodes []string }
	}
	post(t, r.URL(), bearer, `mutation($c: String!) { totpConfirm(input: {code: $c}) { recoveryCodes } }`, map[string]any{"c": code}, &confirm)
	p := newTerminal(t)
	p.fails(3, "TOTP_REQUIRED", testPassword+"\n", "login", r.URL(), "--user", "admin")
	p.fails(1, "the code is wrong", testPassword+"\n000000\n", "login", r.URL(), "--user", "admin")
	p.does(testPassword+"\n"+confirm.TotpConfirm.RecoveryCodes[0]+"\n", "login", r.URL(), "--user", "admin")
	p.does(testPassword+"\n", "login", r.URL(), "--user", "admin", "--code", confirm.TotpConfirm.RecoveryCodes[1])
	p.does("", "whoami")
}

func TestShellKeepsRulesOfAServer(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	p := newTerminal(t)
	p.does(testPassword+"\n", "login", r.URL(), "--user", "admin")
	dir := filepath.Join(p.home, "rules")
	const id = "6f0b7a1e-52f3-4c0e-9a3e-1f7d2c6b8a90"
	const rule = "title: Shop Login Refused\nid: " + id + "\nlogsource: {product: shop}\ndetection: {s: {event: login}, condition: s}\nlevel: medium\n"
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"shop.yml": rule, "wrong.yml": "title: no rule\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.run("", "rules", "import", "--login", dir); got.code != 2 || !strings.Contains(got.out, "2 files: 1 added") || !strings.Contains(got.out, "refused: wrong.yml") {
		t.Errorf("%+v", got)
	}
	if got := lines(t, p.does("", "rules", "list", "product:shop", "-o", "json")); len(got) != 1 || got[0]["enabled"] != true {
		t.Errorf("%v", got)
	}
	p.does("", "rules", "disable", id)
	if got := p.does("", "rules", "show", id); !strings.Contains(got, "enabled  no") || !strings.Contains(got, "logsource: {product: shop}") {
		t.Errorf("%s", got)
	}
	p.does("", "rules", "enable", id)
	p.fails(5, "NOT_FOUND", "", "rules", "enable", "00000000-52f3-4c0e-9a3e-1f7d2c6b8a90")
	if got := p.does("", "__complete", "--", "rules", "disable", "6f0b"); got != id+"\tShop Login Refused\n" {
		t.Errorf("%q", got)
	}
}
