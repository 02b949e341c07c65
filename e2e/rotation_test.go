package e2e

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/pquerna/otp/totp"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/child"
	"github.com/security-monitor/secmon/client"
	"github.com/security-monitor/secmon/db/dbtest"
)

// twins are two replicas whose configuration is changed one after the other, as a
// rolling update does.
type twins struct {
	t    *testing.T
	cfgs [2]app.Config
	is   [2]*replica
}

func startTwins(t *testing.T, cfg app.Config) *twins {
	t.Helper()
	w := &twins{t: t, cfgs: [2]app.Config{cfg, cfg}}
	for i := range w.is {
		w.is[i] = startReplica(t, cfg)
	}
	return w
}

// roll changes one replica after the other and calls check between and behind.
func (w *twins) roll(change func(*app.Config), check func(when string)) {
	w.t.Helper()
	for i := range w.is {
		change(&w.cfgs[i])
		fresh := startReplica(w.t, w.cfgs[i]) // maxSurge 1, maxUnavailable 0
		w.is[i].Stop()
		w.is[i] = fresh
		check(fmt.Sprintf("replica %d of 2", i+1))
	}
}

func keyList(keys ...string) string { return strings.Join(keys, ",") }

// Keys of access tokens are rotated in three steps while two replicas serve: no
// login is lost on the way, whichever replica signs and whichever checks.
func TestAccessKeysAreRotatedWithSessionsAlive(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	old, fresh := app.NewKey(), app.NewKey()
	cfg.JWTKeys = old
	w := startTwins(t, cfg)
	first := login(t, w.is[0].URL(), "admin", testPassword)
	bearers := []string{first}
	works := func(step string) func(string) {
		return func(when string) {
			for _, r := range w.is {
				bearers = append(bearers, login(t, r.URL(), "admin", testPassword))
			}
			for _, bearer := range bearers {
				for i, r := range w.is {
					if a := post(t, r.URL(), bearer, `{ viewer { role } }`, nil, nil); a.code() != "" {
						t.Errorf("%s, %s: replica %d refuses an access token: %s", step, when, i, a.code())
					}
				}
			}
		}
	}
	w.roll(func(c *app.Config) { c.JWTKeys = keyList(old, fresh) }, works("the new key behind the old"))
	w.roll(func(c *app.Config) { c.JWTKeys = keyList(fresh, old) }, works("the new key in front"))
	bearers = nil // those of the old key end within 15 minutes; clients refresh before
	w.roll(func(c *app.Config) { c.JWTKeys = fresh }, works("the old key gone"))
	if a := post(t, w.is[0].URL(), first, `{ viewer { role } }`, nil, nil); a.code() != "UNAUTHENTICATED" {
		t.Errorf("a token of a key that is gone: %+v", a)
	}
	// What the first step is for: a key that one replica signs with and the other does not know.
	next := w.cfgs[0]
	next.JWTKeys = keyList(app.NewKey(), fresh)
	hasty := startReplica(t, next)
	bearer := login(t, hasty.URL(), "admin", testPassword)
	if a := post(t, w.is[1].URL(), bearer, `{ viewer { role } }`, nil, nil); a.code() != "UNAUTHENTICATED" {
		t.Errorf("a replica takes a token of a key that it does not have: %+v", a)
	}
}

// Sealing keys are rotated while somebody logs in with an authenticator app: at each
// step and on each replica the code counts; reseal lets the old key go.
func TestSealingKeysAreRotatedWithSecondFactorsAlive(t *testing.T) {
	dsn := dbtest.DSN(t)
	cfg := config(t, dsn, startRedis(t).URL())
	old, fresh := app.NewKey(), app.NewKey()
	cfg.SealingKeys = old
	w := startTwins(t, cfg)
	bearer := login(t, w.is[0].URL(), "admin", testPassword)
	var enrol struct{ TotpEnrol struct{ Secret string } }
	post(t, w.is[0].URL(), bearer, `mutation($p: String!) { totpEnrol(input: {password: $p}) { secret errors { message } } }`, map[string]any{"p": testPassword}, &enrol)
	code := func() string {
		code, err := totp.GenerateCode(enrol.TotpEnrol.Secret, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	var confirm struct {
		TotpConfirm struct{ RecoveryCodes []string }
	}
	post(t, w.is[0].URL(), bearer, `mutation($c: String!) { totpConfirm(input: {code: $c}) { recoveryCodes errors { message } } }`, map[string]any{"c": code()}, &confirm)
	if len(confirm.TotpConfirm.RecoveryCodes) == 0 {
		t.Fatal("the second factor is not confirmed")
	}
	// Secrets of a webhook, a channel and a mapping are sealed by the same keys.
	if p, codes := mutate(t, w.is[0], bearer, "webhookCreate", "WebhookCreateInput", "secret", map[string]any{"name": "Chat", "url": "https://chat.example.com/hook", "document": alertHook, "enabled": false}); codes != "" {
		t.Fatalf("%+v %s", p, codes)
	}
	if p, codes := mutate(t, w.is[0], bearer, "channelCreate", "ChannelCreateInput", "channel { secretAt }", map[string]any{"name": "SOC", "kind": "PAGERDUTY", "secret": strings.Repeat("a1", 16), "enabled": false}); codes != "" {
		t.Fatalf("%+v %s", p, codes)
	}
	if p, codes := mutate(t, w.is[0], bearer, "mappingCreate", "MappingCreateInput", "mapping { signed }", map[string]any{
		"name": "gate", "rules": map[string]any{"product": "gatekeeper"}, "signatureHeader": "X-Signature", "secret": "a secret of the gate",
	}); codes != "" {
		t.Fatalf("%+v %s", p, codes)
	}
	token := ingestToken(t, w.is[0])
	signed := func(r *replica) int {
		const body = `{"node":"door-1"}`
		mac := hmac.New(sha256.New, []byte("a secret of the gate"))
		_, _ = mac.Write([]byte(body))
		rq, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL()+"/api/ingest/webhook/gate", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		rq.Header.Set("X-Api-Key", token)
		rq.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
		answer, err := http.DefaultClient.Do(rq)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	comesIn := func(r *replica) bool {
		dbtest.Exec(t, dsn, "UPDATE second_factors SET last_step = 0") // a code counts once in 30 s; here time is short
		var in struct{ SessionLogin struct{ AccessToken string } }
		post(t, r.URL(), "", `mutation($p: String!, $c: String!) { sessionLogin(input: {name: "admin", password: $p, code: $c}) { accessToken errors { message } } }`,
			map[string]any{"p": testPassword, "c": code()}, &in)
		return in.SessionLogin.AccessToken != ""
	}
	works := func(step string) func(string) {
		return func(when string) {
			for i, r := range w.is {
				if !comesIn(r) {
					t.Errorf("%s, %s: replica %d refuses a code", step, when, i)
				}
			}
		}
	}
	reseal := func(keys string) string {
		cmd := exec.CommandContext(t.Context(), binary(t), "keys", "reseal", "--database-dsn", dsn) //nolint:gosec // our own program
		cmd.Env = append(os.Environ(), "SECMON_SEALING_KEYS="+keys)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("keys reseal: %v: %s", err, out)
		}
		if bytes.Contains(out, []byte(old)) || bytes.Contains(out, []byte(fresh)) {
			t.Error("keys reseal shows a key")
		}
		return string(out)
	}
	w.roll(func(c *app.Config) { c.SealingKeys = keyList(old, fresh) }, works("the new key behind the old"))
	w.roll(func(c *app.Config) { c.SealingKeys = keyList(fresh, old) }, works("the new key in front"))
	without := w.cfgs[0]
	without.SealingKeys = fresh
	if comesIn(startReplica(t, without)) {
		t.Error("before the resealing the new key alone opens what the old one sealed: the test says nothing")
	}
	if out := reseal(keyList(fresh, old)); !strings.HasPrefix(out, "4 secrets") {
		t.Errorf("keys reseal: %s", out)
	}
	if out := reseal(keyList(fresh, old)); !strings.HasPrefix(out, "0 secrets") {
		t.Errorf("keys reseal again: %s", out)
	}
	works("resealed")("both")
	w.roll(func(c *app.Config) { c.SealingKeys = fresh }, works("the old key gone"))
	if status := signed(w.is[1]); status != http.StatusOK {
		t.Errorf("a request that a mapping's secret signs is answered %d when the old key is gone", status)
	}
}

// The database's password is changed by two users that take turns, while two
// replicas serve.
func TestDatabasePasswordIsRotated(t *testing.T) {
	if os.Getenv("TEST_DSN") != "" {
		t.Skip("makes users of its own on the private database")
	}
	dsn := dbtest.DSN(t)
	parsed, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	as := func(user, password string) string {
		cfg := parsed.Clone()
		cfg.User, cfg.Passwd = user, password
		return cfg.FormatDSN()
	}
	grant := func(user, password string) {
		dbtest.Exec(t, dsn, fmt.Sprintf("CREATE USER %s@localhost IDENTIFIED BY '%s'", user, password))
		dbtest.Exec(t, dsn, fmt.Sprintf("GRANT ALL ON `%s`.* TO %s@localhost", parsed.DBName, user))
	}
	name := func(n int) string { return fmt.Sprintf("app%d_%d", n, time.Now().UnixNano()%1_000_000) }
	one, two := name(1), name(2)
	grant(one, "first-password")
	w := startTwins(t, config(t, as(one, "first-password"), startRedis(t).URL()))
	bearer := login(t, w.is[0].URL(), "admin", testPassword)
	works := func(when string) {
		for i, r := range w.is {
			if a := post(t, r.URL(), bearer, `{ alerts(first: 1) { nodes { id } } }`, nil, nil); a.code() != "" {
				t.Errorf("%s: replica %d: %s", when, i, a.code())
			}
		}
	}
	grant(two, "second-password")
	w.roll(func(c *app.Config) { c.DatabaseDSN = as(two, "second-password") }, works)
	dbtest.Exec(t, dsn, fmt.Sprintf("DROP USER %s@localhost", one))
	works("the first user gone")
	if _, err := app.New(t.Context(), config(t, as(one, "first-password"), w.cfgs[0].RedisURL), slog.New(slog.DiscardHandler)); err == nil || strings.Contains(err.Error(), "first-password") {
		t.Errorf("the old password: %v", err)
	}
	dbtest.Exec(t, dsn, fmt.Sprintf("DROP USER %s@localhost", two))
}

// Redis has two passwords for a while: replicas take the new one from its file at
// their next connection, and no feed loses anything.
func TestRedisPasswordIsRotatedWithoutARestart(t *testing.T) {
	if _, err := exec.LookPath("redis-server"); err != nil && os.Getenv("CI") != "true" {
		t.Skip("redis-server is not installed: run scripts/install-deps.sh servers")
	}
	dir, err := os.MkdirTemp("", "r")
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	server, err := child.Start(filepath.Join(dir, "log"), "redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", dir, "--requirepass", "first-password")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop(context.Background()); _ = os.RemoveAll(dir) })
	redis := func(password string, args ...string) string {
		conn, err := net.Dial("tcp", address) //nolint:noctx // loopback
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() //nolint:errcheck // a test
		fmt.Fprintf(conn, "AUTH %s\r\n%s\r\n", password, strings.Join(args, " "))
		_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
		answer := make([]byte, 4096)
		said := ""
		for strings.Count(said, "\r\n") < 2 {
			n, err := conn.Read(answer)
			said += string(answer[:n])
			if err != nil {
				break
			}
		}
		return said
	}
	eventually(t, "redis to answer", func() bool {
		conn, err := net.Dial("tcp", address) //nolint:noctx // loopback
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	file := filepath.Join(dir, "password")
	put := func(password string) {
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("first-password")
	cfg := config(t, dbtest.DSN(t), "redis://"+address)
	cfg.RedisPasswordFile = file
	w := startTwins(t, cfg)
	token := ingestToken(t, w.is[0])
	bearer := login(t, w.is[1].URL(), "admin", testPassword)
	hosts := make(chan string, 100)
	feed := &client.Feed{
		URL: w.is[1].URL() + "/api/graphql", Query: `subscription($after: Cursor) { eventFeed(after: $after) { cursor events { host } } }`,
		Token: func(context.Context) (string, error) { return bearer, nil },
	}
	begun := make(chan struct{}, 100)
	go func() {
		_ = feed.Run(t.Context(), func(m client.Message) error {
			begun <- struct{}{}
			var data struct {
				EventFeed struct{ Events []struct{ Host string } }
			}
			err := json.Unmarshal(m.Data, &data)
			for _, e := range data.EventFeed.Events {
				hosts <- e.Host
			}
			return err
		})
	}()
	<-begun
	passes := func(host string) {
		t.Helper()
		if status, answer := sendEvents(t, w.is[0].URL(), token, fmt.Appendf(nil, `{"host":%q}`+"\n", host)); status != http.StatusOK {
			t.Fatal(answer)
		}
		select {
		case got := <-hosts:
			if got != host {
				t.Errorf("got the event of %s, want that of %s", got, host)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("the event of %s does not come", host)
		}
	}
	listeners := func(password string) bool { // both replicas are connected
		return strings.Contains(redis(password, "PUBSUB", "NUMSUB", cfg.RedisChannel), ":2\r\n")
	}
	passes("before")
	eventually(t, "both replicas to listen", func() bool { return listeners("first-password") })
	if said := redis("first-password", "ACL", "SETUSER", "default", ">second-password"); !strings.Contains(said, "+OK\r\n+OK") {
		t.Fatal(said)
	}
	put("second-password")
	passes("two passwords")
	redis("second-password", "ACL", "SETUSER", "default", "<first-password")
	if said := redis("first-password", "PING"); !strings.Contains(said, "WRONGPASS") {
		t.Fatalf("the old password still counts: %s", said)
	}
	redis("second-password", "CLIENT", "KILL", "TYPE", "pubsub")
	redis("second-password", "CLIENT", "KILL", "TYPE", "normal")
	passes("connections cut")
	eventually(t, "both replicas to listen again, with the new password", func() bool { return listeners("second-password") })
	passes("after")
}
