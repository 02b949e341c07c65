package feed_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/security-monitor/secmon/child"
	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// redisServer is a real redis-server on a loopback port, which a test may kill
// and start again.
type redisServer struct {
	t       *testing.T
	dir     string
	port    int
	args    []string
	admin   *redis.Client // with all rights
	process *child.Process
}

// startServer starts one on a free port; args are its further options, ending
// with the admin's part: how to connect with all rights.
func startServer(t *testing.T, admin redis.Options, args ...string) *redisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is not installed")
		}
		t.Skip("redis-server is not installed: run scripts/install-deps.sh servers")
	}
	s := &redisServer{t: t, dir: t.TempDir(), port: freePort(t)}
	port := []string{"--port", fmt.Sprint(s.port)}
	if admin.TLSConfig != nil {
		port = []string{"--port", "0", "--tls-port", fmt.Sprint(s.port)}
	}
	s.args = append(append(port, "--bind", "127.0.0.1", "--save", "", "--dir", s.dir), args...)
	admin.Addr, admin.MaxRetries, admin.DialerRetries = s.addr(), -1, 1
	s.admin = redis.NewClient(&admin)
	s.start()
	t.Cleanup(func() { _ = s.admin.Close(); s.kill() })
	return s
}

func (s *redisServer) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

func (s *redisServer) start() {
	s.t.Helper()
	var err error
	if s.process, err = child.Start(filepath.Join(s.dir, "log"), "redis-server", s.args...); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "redis-server to answer", func() bool {
		select {
		case <-s.process.Done():
			why := s.process.LastLines(4)
			if strings.Contains(why, "tls-port") && strings.Contains(why, "Bad directive") {
				s.t.Skip("this redis-server was built without TLS")
			}
			s.t.Fatalf("redis-server ended: %s", why)
		default:
		}
		return s.admin.Ping(context.Background()).Err() == nil
	})
}

func (s *redisServer) kill() {
	_ = syscall.Kill(s.process.PID(), syscall.SIGKILL)
	<-s.process.Done()
}

func (s *redisServer) do(args ...any) string {
	s.t.Helper()
	got, err := s.admin.Do(s.t.Context(), args...).Result()
	if err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
	return fmt.Sprint(got)
}

// startCluster starts masters that share all slots, and the given number of
// replicas of the channel's owner.
func startCluster(t *testing.T, replicas int, admin redis.Options, args ...string) []*redisServer {
	t.Helper()
	const masters = 3
	nodes := make([]*redisServer, masters+replicas)
	for i := range nodes {
		nodes[i] = startServer(t, admin, append([]string{
			"--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", fmt.Sprint(freePort(t)), "--cluster-announce-ip", "127.0.0.1", "--repl-diskless-sync-delay", "0",
		}, args...)...)
	}
	for i, n := range nodes {
		if i < masters {
			n.do("CLUSTER", "ADDSLOTSRANGE", i*16384/masters, (i+1)*16384/masters-1)
			n.do("CLUSTER", "SET-CONFIG-EPOCH", i+1)
		}
		if i > 0 {
			n.do("CLUSTER", "MEET", "127.0.0.1", nodes[0].port, busPort(nodes[0]))
		}
	}
	knows := func(n *redisServer, count int) bool {
		return strings.Count(strings.TrimSpace(n.do("CLUSTER", "NODES")), "\n") == count-1 && !strings.Contains(n.do("CLUSTER", "NODES"), "handshake")
	}
	for _, n := range nodes {
		eventually(t, "the nodes to know each other", func() bool { return knows(n, len(nodes)) })
	}
	for _, n := range nodes[masters:] {
		n.do("CLUSTER", "REPLICATE", ownerOf(nodes[:masters]).do("CLUSTER", "MYID"))
	}
	for _, n := range nodes {
		eventually(t, "the cluster to be whole", func() bool {
			return strings.Contains(n.do("CLUSTER", "INFO"), "cluster_state:ok") && strings.Count(n.do("CLUSTER", "NODES"), "slave") == replicas
		})
	}
	for _, n := range nodes[masters:] {
		eventually(t, "the replica to follow", func() bool { return strings.Contains(n.do("INFO", "replication"), "master_link_status:up") })
	}
	return nodes
}

func busPort(s *redisServer) string {
	for i, a := range s.args {
		if a == "--cluster-port" {
			return s.args[i+1]
		}
	}
	return ""
}

const channel = "test.feed"

// ownerOf gives the node that has the channel's slot.
func ownerOf(nodes []*redisServer) *redisServer {
	n := nodes[0]
	n.t.Helper()
	slot, err := n.admin.ClusterKeySlot(n.t.Context(), channel).Result()
	if err != nil {
		n.t.Fatal(err)
	}
	return nodes[int(slot)*3/16384]
}

// freePort gives a port that is free together with the one 10,000 above it, which
// a node of a cluster takes too. Both are below those that the system hands out
// (32,768 and up on Linux), so that no connection takes one in the meantime.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 12_000 + mathrand.IntN(10_000) //nolint:gosec // any will do
		if isFree(port) && isFree(port+10_000) {
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func isFree(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		_ = l.Close()
	}
	return err == nil
}

// eventually polls what nobody tells of.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// certificates makes a CA and a server certificate for 127.0.0.1. ca is the file
// to trust, options are the server's, config is a client's.
func certificates(t *testing.T) (ca string, options []string, config *tls.Config) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "redis"}, NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	ca = write("ca.pem", "CERTIFICATE", rootDER)
	options = []string{
		"--tls-cert-file", write("cert.pem", "CERTIFICATE", leafDER), "--tls-key-file", write("key.pem", "EC PRIVATE KEY", keyDER),
		"--tls-ca-cert-file", ca, "--tls-auth-clients", "no",
	}
	parsed, err := x509.ParseCertificate(rootDER)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return ca, options, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
}

// logText is a log that can be read while it is written.
type logText struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logText) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func openBus(t *testing.T, o feed.RedisOptions) *feed.RedisBus {
	t.Helper()
	o.Channel = channel
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	bus, err := feed.NewRedisBus(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bus.Close() })
	return bus
}

// ear is a listening bus: what came, and each change of whether something can.
type ear struct {
	t        *testing.T
	messages chan feed.Message
	ups      chan bool
}

func listen(t *testing.T, o feed.RedisOptions) *ear {
	t.Helper()
	e := &ear{t: t, messages: make(chan feed.Message, 1_000), ups: make(chan bool, 1_000)}
	bus := openBus(t, o)
	ctx, cancel := context.WithCancel(context.Background())
	var listening sync.WaitGroup
	listening.Go(func() { bus.Listen(ctx, func(m feed.Message) { e.messages <- m }, func(up bool) { e.ups <- up }) })
	t.Cleanup(func() { cancel(); listening.Wait() })
	return e
}

// wantUp waits for the next change.
func (e *ear) wantUp(want bool) {
	e.t.Helper()
	select {
	case got := <-e.ups:
		if got != want {
			e.t.Fatalf("up is %t, want %t", got, want)
		}
	case <-time.After(30 * time.Second):
		e.t.Fatalf("up did not become %t", want)
	}
}

// checkHears says whether one message that from publishes comes through, whole.
func (e *ear) checkHears(from *feed.RedisBus) {
	e.t.Helper()
	seq := uint64(time.Now().UnixNano())
	entry := monitor.Entry{Seq: seq, Hash: [32]byte{1, 2, 3}, Body: monitor.EntryBody{Action: "test"}}
	if err := from.Publish(e.t.Context(), 7, []monitor.Entry{entry}); err != nil {
		e.t.Fatalf("publish: %v", err)
	}
	for {
		select {
		case m := <-e.messages:
			if m.Seq != seq {
				continue
			}
			if m.Epoch != 7 || len(m.Entries) != 1 || m.Entries[0].Hash != entry.Hash || m.Entries[0].Body.Action != "test" {
				e.t.Errorf("got %+v", m)
			}
			return
		case <-time.After(10 * time.Second):
			e.t.Fatal("what was published did not arrive")
		}
	}
}

func someEntries() []monitor.Entry { return []monitor.Entry{{Seq: 1}} }
