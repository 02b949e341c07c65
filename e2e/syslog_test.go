package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/child"
	"github.com/security-monitor/secmon/db/dbtest"
)

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string // PEM
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{file: filepath.Join(t.TempDir(), "ca.pem")}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.certificate, a.key = template, newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, a.file, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign writes a certificate of a name and its key, and gives their files.
func (a *authority) sign(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	own, dir := newKey(t), t.TempDir()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.certificate, own.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeFile(t, certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	writeFile(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return certificate, key
}

// syslogConfig listens by TLS, with certificates asked for, and by plain TCP.
func syslogConfig(t *testing.T, a *authority) app.Config {
	t.Helper()
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.Grace = 5 * time.Second
	cfg.Syslog = app.Syslog{
		Listen: "127.0.0.1:0", Networks: []string{"127.0.0.0/8"}, MaxConnections: 16, MaxLineKB: 64,
		TLSListen: "127.0.0.1:0", TLSClientCAFile: a.file, TLSClientNames: []string{"*.hosts.example"},
	}
	cfg.Syslog.TLSCertFile, cfg.Syslog.TLSKeyFile = a.sign(t, "secmon.example")
	return cfg
}

// Who has a certificate of the right name may send by TLS, nobody else; and a renewed
// certificate of the server counts without a restart.
func TestSyslogOverTLSAsksForCertificates(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	cfg := syslogConfig(t, ours)
	r := startReplica(t, cfg)
	address, plain := r.SyslogAddresses()[0], r.SyslogAddresses()[1]
	trusted := x509.NewCertPool()
	trusted.AddCert(readCertificate(t, ours.file))
	send := func(line string, signer *authority, name string, versions ...uint16) error {
		client := &tls.Config{RootCAs: trusted, ServerName: "secmon.example", MaxVersion: tls.VersionTLS13} //nolint:gosec // old versions are what is tried
		if len(versions) > 0 {
			client.MinVersion, client.MaxVersion = versions[0], versions[0]
		}
		if signer != nil {
			pair, err := tls.LoadX509KeyPair(signer.sign(t, name))
			if err != nil {
				t.Fatal(err)
			}
			client.Certificates = []tls.Certificate{pair}
		}
		conn, err := (&tls.Dialer{Config: client}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			return err
		}
		defer conn.Close() //nolint:errcheck // a test
		if _, err := fmt.Fprintf(conn, "%d %s", len(line), line); err != nil {
			return err
		}
		_ = conn.(*tls.Conn).CloseWrite()
		_, err = io.Copy(io.Discard, conn) // in TLS 1.3 a refusal comes behind the handshake
		return err
	}
	line := "<38>1 2026-05-04T09:30:00Z web-1 sshd 812 - - Failed password for root from 203.0.113.7 port 4711 ssh2"
	if err := send(line, ours, "a.hosts.example"); err != nil {
		t.Errorf("a good certificate: %v", err)
	}
	eventually(t, "the line", func() bool { return len(storedEvents(t, r)) == 1 })
	e := storedEvents(t, r)[0]
	if e.Host != "web-1" || e.User != "root" || e.SrcIP.String() != "203.0.113.7" || e.LogSource.Service != "sshd" || !strings.Contains(string(e.Raw), `"tls.client.subject":"CN=a.hosts.example"`) {
		t.Errorf("%+v %s", e, e.Raw)
	}
	for reason, err := range map[string]error{
		"no certificate":     send(line, nil, ""),
		"another authority":  send(line, theirs, "a.hosts.example"),
		"another name":       send(line, ours, "a.b.hosts.example"),
		"TLS 1.1":            send(line, ours, "a.hosts.example", tls.VersionTLS11),
		"the name in a part": send(line, ours, "hosts.example"),
	} {
		if err == nil {
			t.Errorf("%s may send", reason)
		}
	}
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // a test
	fmt.Fprintf(conn, "%d %s", len(line), line)
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadAll(conn); err != nil && os.IsTimeout(err) {
		t.Error("plain text is taken where TLS is spoken")
	}
	other, err := new(net.Dialer).DialContext(t.Context(), "tcp", plain)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(other, "<38>May  4 09:30:00 db-1 cron[7]: (root) CMD (/bin/true)")
	_ = other.Close()
	eventually(t, "the plain line", func() bool { return len(storedEvents(t, r)) == 2 })

	renewed, key := ours.sign(t, "renewed.example")
	copyFile(t, renewed, cfg.Syslog.TLSCertFile)
	copyFile(t, key, cfg.Syslog.TLSKeyFile)
	if err := send(line, ours, "a.hosts.example"); err == nil || !strings.Contains(err.Error(), "renewed.example") {
		t.Errorf("the renewed certificate is not shown: %v", err)
	}
	if n := len(storedEvents(t, r)); n != 2 {
		t.Errorf("%d are stored, want 2", n)
	}
}

func readCertificate(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(file) //nolint:gosec // a test's own
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from) //nolint:gosec // a test's own
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, string(text))
}

// What would take syslog from anybody does not start.
func TestSyslogNeedsToKnowWhoMaySend(t *testing.T) {
	ca := newAuthority(t)
	good := syslogConfig(t, ca)
	for reason, change := range map[string]func(*app.Syslog){
		"no networks for plain TCP": func(s *app.Syslog) { s.Networks = nil },
		"neither":                   func(s *app.Syslog) { s.Listen, s.Networks, s.TLSClientCAFile = "", nil, "" },
		"no network":                func(s *app.Syslog) { s.Networks = []string{"10.0.0.0"} },
		"no certificate":            func(s *app.Syslog) { s.TLSCertFile = "" },
		"no CA":                     func(s *app.Syslog) { s.TLSClientCAFile = s.TLSKeyFile },
		"no connections":            func(s *app.Syslog) { s.MaxConnections = 0 },
		"longer than a record":      func(s *app.Syslog) { s.MaxLineKB = 2 << 10 },
		"no address":                func(s *app.Syslog) { s.Listen = "nowhere" },
	} {
		cfg := good
		change(&cfg.Syslog)
		if a, err := app.New(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: it starts", reason)
			_ = a.Close()
		}
	}
}

// The real rsyslog sends as docs/ingest.md sets it up, while the server is replaced in
// the middle.
func TestRsyslogSendsSyslog(t *testing.T) {
	for name, c := range map[string]struct {
		heading, module string
		address         int // of SyslogAddresses
		port            string
		hears           bool // the goodbye, before it writes again
	}{
		"TLS":   {"rsyslog (syslog over TLS)", "/usr/lib/*/rsyslog/lmnsd_ossl.so", 0, "6514", false},
		"plain": {"rsyslog (syslog over plain TCP)", "/usr/lib/*/rsyslog/lmnet.so", 1, "514", true},
	} {
		t.Run(name, func(t *testing.T) {
			program := installed(t, "rsyslogd", c.module)
			ca := newAuthority(t)
			cfg := syslogConfig(t, ca)
			r := startReplica(t, cfg)
			dir := t.TempDir()
			log := filepath.Join(dir, "in.log")
			text := fmt.Sprintf("global(workDirectory=%q)\nmodule(load=\"imfile\" mode=\"polling\" pollingInterval=\"1\")\ninput(type=\"imfile\" file=%q tag=\"app:\")\n", dir, log) +
				hereInPlaceOf(t, configurationOf(t, c.heading), ca, r.SyslogAddresses()[c.address], c.port)
			conf := filepath.Join(dir, "rsyslog.conf")
			writeFile(t, conf, text)
			writeFile(t, log, "")
			if out, err := exec.CommandContext(t.Context(), program, "-N1", "-f", conf).CombinedOutput(); err != nil { //nolint:gosec // a test
				t.Fatalf("the configuration is refused: %v\n%s", err, out)
			}
			sendsThroughARestart(t, r, cfg, c.hears, log, program, "-n", "-f", conf, "-i", filepath.Join(dir, "pid"))
		})
	}
}

// hereInPlaceOf makes a configuration of the documentation one for this machine.
func hereInPlaceOf(t *testing.T, text string, ca *authority, address, port string) string {
	t.Helper()
	certificate, key := ca.sign(t, "a.hosts.example")
	host, here, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(
		`target="secmon.example"`, fmt.Sprintf("target=%q", host), `port="`+port+`"`, fmt.Sprintf("port=%q", here), `Interval="5"`, `Interval="1"`,
		`syslog("secmon.example"`, fmt.Sprintf("syslog(%q", host), "port("+port+")", "port("+here+")", "time-reopen(5)", "time-reopen(1)",
		"/etc/ssl/secmon/ca.pem", ca.file, "/etc/ssl/secmon/shipper.pem", certificate, "/etc/ssl/secmon/shipper.key", key,
	).Replace(text)
}

// The real syslog-ng, likewise.
func TestSyslogNGSendsSyslog(t *testing.T) {
	for name, c := range map[string]struct {
		heading string
		address int // of SyslogAddresses
		port    string
		hears   bool // the goodbye, before it writes again
	}{
		"TLS":   {"syslog-ng (syslog over TLS)", 0, "6514", false},
		"plain": {"syslog-ng (syslog over plain TCP)", 1, "514", true},
	} {
		t.Run(name, func(t *testing.T) {
			program := installed(t, "syslog-ng")
			ca := newAuthority(t)
			cfg := syslogConfig(t, ca)
			r := startReplica(t, cfg)
			dir := t.TempDir()
			log := filepath.Join(dir, "in.log")
			text := strings.ReplaceAll(hereInPlaceOf(t, configurationOf(t, c.heading), ca, r.SyslogAddresses()[c.address], c.port), "reliable(yes)", fmt.Sprintf("reliable(yes) dir(%q)", dir))
			text = fmt.Sprintf("@version: 3.35\nsource s_src { file(%q follow-freq(0.2) flags(no-parse) program-override(\"app\")); };\n", log) + text
			conf := filepath.Join(dir, "syslog-ng.conf")
			writeFile(t, conf, text)
			writeFile(t, log, "")
			sendsThroughARestart(t, r, cfg, c.hears, log, program, "-F", "-e", "-f", conf, "-R", filepath.Join(dir, "persist"), "-p", filepath.Join(dir, "pid"), "-c", filepath.Join(dir, "ctl"), "--no-caps")
		})
	}
}

// sendsThroughARestart starts a shipper that follows a log, and replaces its server in
// the middle. Every line is there, once: the server that stops has taken what was sent,
// and the shipper has heard its goodbye before it sends more. One that does not hear it
// loses what it writes next, and only that.
func sendsThroughARestart(t *testing.T, r *replica, cfg app.Config, hears bool, log, program string, args ...string) {
	t.Helper()
	said := filepath.Join(t.TempDir(), "said")
	shipper, err := child.Start(said, program, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = syscall.Kill(shipper.PID(), syscall.SIGKILL)
		<-shipper.Done()
		if t.Failed() {
			text, _ := os.ReadFile(said) //nolint:gosec // a test's own
			t.Logf("%s: %s", program, text)
		}
	}()
	const lines = 300
	stored := func(r *replica) map[string]int {
		out := map[string]int{}
		for _, e := range storedEvents(t, r) {
			if e.LogSource.Service != "app" || e.Host == "" || e.Format != "syslog" {
				t.Errorf("%s: want its host and program: %+v", e.Raw, e)
			}
			out[strings.TrimSpace(e.Message)]++
		}
		return out
	}
	writeLines(t, log, 0, lines/2)
	eventually(t, "the first lines", func() bool { return len(stored(r)) == lines/2 })
	cfg.Syslog.TLSListen, cfg.Syslog.Listen = r.SyslogAddresses()[0], r.SyslogAddresses()[1]
	r.Stop()
	if hears {
		writeLines(t, log, lines/2, lines)
	}
	r = startReplica(t, cfg)
	extra := 0
	if !hears {
		probe := lines
		eventually(t, "a line over the new connection", func() bool {
			writeLines(t, log, probe, probe+1)
			probe++
			time.Sleep(time.Second)
			return len(stored(r)) > lines/2
		})
		time.Sleep(2 * time.Second) // the last that were written to try it
		extra = len(stored(r)) - lines/2
		writeLines(t, log, lines/2, lines)
	}
	eventually(t, "all lines", func() bool { return len(stored(r)) == lines+extra })
	for line, n := range stored(r) {
		if n != 1 || !strings.Contains(line, `"quoted" \ end`) {
			t.Errorf("%q is there %d times", line, n)
		}
	}
}
