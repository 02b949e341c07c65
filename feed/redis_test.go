package feed_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/security-monitor/secmon/feed"
)

// A password that breaks a URL unless it is encoded, and its encoded form.
const (
	password    = "p@ss/w:rd?#%1"
	passwordURL = "p%40ss%2Fw%3Ard%3F%23%251"
)

// user is the server's option for the user secmon.
func user(rules ...string) []string { return append([]string{"--user", "secmon", "on"}, rules...) }

func passwordFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPublishedArrivesAtTheOthers(t *testing.T) {
	ca, tlsServer, tlsClient := certificates(t)
	withPassword := []string{"--requirepass", password}
	acl := func(rights ...string) []string {
		return append(user(append([]string{"resetchannels", "&" + channel, ">" + password, "-@all"}, rights...)...), withPassword...)
	}
	both := redis.Options{Password: password}
	for name, c := range map[string]struct {
		admin   redis.Options
		server  []string
		options func(addr string) feed.RedisOptions
	}{
		"no password": {redis.Options{}, nil, func(addr string) feed.RedisOptions {
			return feed.RedisOptions{URL: "redis://" + addr}
		}},
		"password in the URL": {both, withPassword, func(addr string) feed.RedisOptions {
			return feed.RedisOptions{URL: "redis://:" + passwordURL + "@" + addr}
		}},
		"password in a file": {both, withPassword, func(addr string) feed.RedisOptions {
			return feed.RedisOptions{URL: "redis://" + addr, PasswordFile: passwordFile(t, password+"\n")}
		}},
		"a user with no more rights than the documentation says": {both, acl("+@connection", "+publish", "+subscribe"), func(addr string) feed.RedisOptions {
			return feed.RedisOptions{URL: "redis://secmon@" + addr, PasswordFile: passwordFile(t, password)}
		}},
		"TLS": {redis.Options{TLSConfig: tlsClient}, tlsServer, func(addr string) feed.RedisOptions {
			return feed.RedisOptions{URL: "rediss://" + addr, CAFile: ca}
		}},
		"TLS and a user": {redis.Options{Password: password, TLSConfig: tlsClient}, append(acl("+@connection", "+publish", "+subscribe"), tlsServer...), func(addr string) feed.RedisOptions {
			return feed.RedisOptions{URL: "rediss://secmon:" + passwordURL + "@" + addr, CAFile: ca}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, c.admin, c.server...)
			e := listen(t, c.options(s.addr()))
			e.wantUp(true)
			e.checkHears(openBus(t, c.options(s.addr())))
			s.kill()
			e.wantUp(false)
			s.start()
			e.wantUp(true)
			e.checkHears(openBus(t, c.options(s.addr())))
		})
	}
}

func TestPublishedArrivesInACluster(t *testing.T) {
	ca, tlsServer, tlsClient := certificates(t)
	for name, c := range map[string]struct {
		admin   redis.Options
		server  []string
		options func(addr string) feed.RedisOptions
	}{
		"plain": {redis.Options{}, nil, func(addr string) feed.RedisOptions {
			return feed.RedisOptions{URL: "redis://" + addr, Cluster: true}
		}},
		"TLS and a user with no more rights than the documentation says": {
			redis.Options{Password: password, TLSConfig: tlsClient},
			slices.Concat(
				[]string{"--tls-cluster", "yes", "--tls-replication", "yes", "--requirepass", password, "--masterauth", password},
				user("resetchannels", "&"+channel, ">"+password, "-@all", "+@connection", "+spublish", "+ssubscribe", "+cluster", "+command"), tlsServer,
			), func(addr string) feed.RedisOptions {
				return feed.RedisOptions{URL: "rediss://secmon@" + addr, CAFile: ca, Cluster: true, PasswordFile: passwordFile(t, password)}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			nodes := startCluster(t, 0, c.admin, c.server...)
			e := listen(t, c.options(nodes[0].addr()))
			e.wantUp(true)
			for _, n := range nodes {
				e.checkHears(openBus(t, c.options(n.addr())))
			}
		})
	}
}

// The server ends the subscription by itself when the slot goes to another node;
// a listener that waited for messages there would hear nothing for ever.
func TestListenerFollowsAMovedSlot(t *testing.T) {
	nodes := startCluster(t, 0, redis.Options{})
	o := feed.RedisOptions{URL: "redis://" + nodes[0].addr(), Cluster: true}
	e, speaker := listen(t, o), openBus(t, o)
	e.wantUp(true)
	e.checkHears(speaker)

	from := ownerOf(nodes)
	to := nodes[0]
	if to == from {
		to = nodes[1]
	}
	slot, id := from.do("CLUSTER", "KEYSLOT", channel), to.do("CLUSTER", "MYID")
	to.do("CLUSTER", "SETSLOT", slot, "IMPORTING", from.do("CLUSTER", "MYID"))
	from.do("CLUSTER", "SETSLOT", slot, "MIGRATING", id)
	for _, n := range []*redisServer{to, from} {
		n.do("CLUSTER", "SETSLOT", slot, "NODE", id)
	}
	e.wantUp(false)
	e.wantUp(true)
	e.checkHears(speaker)
	e.checkHears(openBus(t, o))
}

func TestListenerFollowsAFailover(t *testing.T) {
	nodes := startCluster(t, 1, redis.Options{})
	owner := ownerOf(nodes)
	url := "redis://" + nodes[3].addr() + "?addr=" + nodes[0].addr() + "&addr=" + nodes[1].addr() // the seeds outlive the owner
	o := feed.RedisOptions{URL: url, Cluster: true}
	e, speaker := listen(t, o), openBus(t, o)
	e.wantUp(true)
	e.checkHears(speaker)

	owner.kill()
	e.wantUp(false)
	e.wantUp(true)
	e.checkHears(openBus(t, o))
	eventually(t, "the old publisher to find the new owner", func() bool { return speaker.Publish(t.Context(), 1, someEntries()) == nil })
	e.checkHears(speaker)
}

func TestClusterNodeKilledAndStarted(t *testing.T) {
	nodes := startCluster(t, 0, redis.Options{})
	owner := ownerOf(nodes)
	o := feed.RedisOptions{URL: "redis://" + nodes[0].addr(), Cluster: true}
	e := listen(t, o)
	e.wantUp(true)
	owner.kill()
	e.wantUp(false)
	owner.start()
	e.wantUp(true)
	for _, n := range nodes {
		eventually(t, "the cluster to be whole", func() bool { return strings.Contains(n.do("CLUSTER", "INFO"), "cluster_state:ok") })
	}
	e.checkHears(openBus(t, o))
}

// A server that hangs keeps its connections open: only the missing answers tell.
func TestHangingServerIsDown(t *testing.T) {
	for name, hang := range map[string]func(*redisServer) (goOn func()){
		"it serves no command": func(s *redisServer) func() {
			s.do("CLIENT", "PAUSE", 6_000, "ALL")
			return func() {} // by itself
		},
		"the process is stopped": func(s *redisServer) func() {
			_ = syscall.Kill(s.process.PID(), syscall.SIGSTOP)
			return func() { _ = syscall.Kill(s.process.PID(), syscall.SIGCONT) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t, redis.Options{})
			o := feed.RedisOptions{URL: "redis://" + s.addr()}
			e, speaker := listen(t, o), openBus(t, o)
			e.wantUp(true)
			goOn := hang(s)
			e.wantUp(false)
			if err := speaker.Ping(t.Context()); err == nil {
				t.Error("a server that hangs answers")
			}
			goOn()
			e.wantUp(true)
			e.checkHears(speaker)
		})
	}
}

func TestRotatedPasswordNeedsNoRestart(t *testing.T) {
	s := startServer(t, redis.Options{}, user("allchannels", "+@all", ">first")...)
	file := passwordFile(t, "first")
	o := feed.RedisOptions{URL: "redis://secmon@" + s.addr(), PasswordFile: file}
	e := listen(t, o)
	e.wantUp(true)
	if err := os.WriteFile(file, []byte("second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.do("ACL", "SETUSER", "secmon", "resetpass", ">second")
	s.do("CLIENT", "KILL", "USER", "secmon")
	e.wantUp(false)
	e.wantUp(true)
	e.checkHears(openBus(t, o))
}

// A server that closes every connection at once must not be asked in a busy loop.
func TestReconnectBacksOff(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	listen(t, feed.RedisOptions{URL: "redis://" + l.Addr().String()})
	var first time.Time
	for i := range 6 {
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		if i == 0 {
			first = time.Now()
		}
	}
	if took, least := time.Since(first), (25+50+100+200+400)*time.Millisecond; took < least {
		t.Errorf("six connections in %s, want at least %s", took, least)
	}
}

func TestNoErrorNamesThePassword(t *testing.T) {
	s := startServer(t, redis.Options{}, user("allchannels", "+@all", ">other")...)
	_, tlsServer, tlsClient := certificates(t)
	otherCA, _, _ := certificates(t)
	secure := startServer(t, redis.Options{TLSConfig: tlsClient}, tlsServer...)
	cut := func(addr string) string { return addr[:strings.LastIndex(addr, ":")] }
	for name, o := range map[string]feed.RedisOptions{
		"wrong password":               {URL: "redis://secmon:" + passwordURL + "@" + s.addr()},
		"wrong password in a file":     {URL: "redis://secmon@" + s.addr(), PasswordFile: passwordFile(t, password)},
		"no such user":                 {URL: "redis://nobody:" + passwordURL + "@" + s.addr()},
		"nobody listens":               {URL: "redis://:" + passwordURL + "@" + cut(s.addr()) + ":1"},
		"nobody listens, cluster":      {URL: "redis://:" + passwordURL + "@" + cut(s.addr()) + ":1", Cluster: true},
		"wrong password of a cluster":  {URL: "redis://secmon:" + passwordURL + "@" + s.addr(), Cluster: true},
		"no such host":                 {URL: "redis://:" + passwordURL + "@no-such-host.invalid:6379"},
		"no TLS there":                 {URL: "rediss://:" + passwordURL + "@" + s.addr()},
		"TLS there":                    {URL: "redis://:" + passwordURL + "@" + secure.addr()},
		"an unknown CA":                {URL: "rediss://:" + passwordURL + "@" + secure.addr(), CAFile: otherCA},
		"a server that quotes us":      {URL: "redis://:" + passwordURL + "@" + quotingServer(t)},
		"a server that quotes, a file": {URL: "redis://" + quotingServer(t), PasswordFile: passwordFile(t, password)},
	} {
		t.Run(name, func(t *testing.T) {
			var log logText
			o.Log = log.logger()
			e := listen(t, o)
			bus := openBus(t, o)
			for what, err := range map[string]error{"ping": bus.Ping(t.Context()), "publish": bus.Publish(t.Context(), 1, someEntries())} {
				if err == nil {
					t.Fatalf("%s: no error", what)
				}
				checkSecret(t, err.Error())
			}
			eventually(t, "the log", func() bool { return strings.Contains(log.String(), "no redis subscription") })
			checkSecret(t, log.String())
			select {
			case up := <-e.ups:
				t.Errorf("up was said to be %t", up)
			default:
			}
		})
	}
}

func TestWrongOptionsAreRefusedWithoutThePassword(t *testing.T) {
	notPEM := passwordFile(t, "no certificate")
	for name, o := range map[string]feed.RedisOptions{
		"not encoded":               {URL: "redis://:" + password + "@127.0.0.1:6379"},
		"a slash in the password":   {URL: "redis://:12/" + password + "@127.0.0.1:6379/0"},
		"no scheme":                 {URL: ":" + passwordURL + "@127.0.0.1:6379"},
		"another scheme":            {URL: "http://:" + passwordURL + "@127.0.0.1:6379"},
		"no number of a database":   {URL: "redis://:" + passwordURL + "@127.0.0.1:6379/" + passwordURL},
		"unknown option":            {URL: "redis://127.0.0.1:6379/?x=" + passwordURL},
		"unknown option, cluster":   {URL: "redis://127.0.0.1:6379/?x=" + passwordURL, Cluster: true},
		"two passwords":             {URL: "redis://:" + passwordURL + "@127.0.0.1:6379", PasswordFile: passwordFile(t, password)},
		"no password file":          {URL: "redis://127.0.0.1:6379", PasswordFile: filepath.Join(t.TempDir(), "none")},
		"empty password file":       {URL: "redis://127.0.0.1:6379", PasswordFile: passwordFile(t, "\n")},
		"no CA file":                {URL: "rediss://127.0.0.1:6379", CAFile: filepath.Join(t.TempDir(), "none")},
		"no certificate in it":      {URL: "rediss://127.0.0.1:6379", CAFile: notPEM},
		"a CA file and no TLS":      {URL: "redis://:" + passwordURL + "@127.0.0.1:6379", CAFile: notPEM},
		"unix socket and a cluster": {URL: "unix:///tmp/" + passwordURL, Cluster: true},
	} {
		t.Run(name, func(t *testing.T) {
			bus, err := feed.NewRedisBus(o)
			if err == nil {
				_ = bus.Close()
				t.Fatal("it was taken")
			}
			checkSecret(t, err.Error())
		})
	}
}

func checkSecret(t *testing.T, text string) {
	t.Helper()
	for _, part := range []string{password, passwordURL, "w:rd", "rd%3F", "p@ss"} {
		if strings.Contains(text, part) {
			t.Errorf("%q tells the password", text)
		}
	}
}

// quotingServer answers every command as old servers and proxies answer unknown
// ones: with its arguments.
func quotingServer(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for buf := make([]byte, 4096); ; {
					n, err := conn.Read(buf)
					if err != nil {
						return
					}
					for range strings.Count(string(buf[:n]), "*") {
						fmt.Fprintf(conn, "-ERR unknown command, with args beginning with: %q\r\n", strings.Fields(string(buf[:n])))
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}
