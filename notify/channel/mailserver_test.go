package channel

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/notify"
)

const (
	mailUser     = "soc@example.com"
	mailPassword = "correct horse battery staple"
)

// mailServer is a real SMTP server that keeps what it is given, and fails as it is told.
type mailServer struct {
	t          *testing.T
	port       int
	pool       *x509.CertPool
	mechanisms []string
	iterations int // of SCRAM
	mail       func(from string) error
	rcpt       func(to string) error
	data       func(c *smtp.Conn) error // before anything is read

	mu       sync.Mutex
	got      []received
	commands int // of MAIL, also those without TLS
	used     []string
}

type received struct {
	from string
	to   []string
	data []byte
}

// newMailServer starts one that speaks TLS from the beginning, or offers STARTTLS, or
// neither.
func newMailServer(t *testing.T, security monitor.MailSecurity, change ...func(*mailServer)) *mailServer {
	t.Helper()
	certified := httptest.NewTLSServer(nil) // for its certificate, of 127.0.0.1
	certified.Close()
	s := &mailServer{t: t, pool: x509.NewCertPool()}
	s.pool.AddCert(certified.Certificate())
	for _, f := range change {
		f(s)
	}
	config := &tls.Config{Certificates: certified.TLS.Certificates}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &mailSession{s: s, c: c}, nil }))
	server.Domain, server.ErrorLog = "mail.example.com", log.New(io.Discard, "", 0)
	switch security {
	case monitor.MailTLS:
		listener = tls.NewListener(listener, config)
	case monitor.MailSTARTTLS:
		server.TLSConfig = config
	}
	var serving sync.WaitGroup
	serving.Go(func() { server.Serve(listener) })
	t.Cleanup(func() {
		server.Close()
		listener.Close() // which the server knows only once it serves
		serving.Wait()
	})
	return s
}

// sender sends to it.
func (s *mailServer) sender(security monitor.MailSecurity) Sender {
	allowed, err := notify.ParseAllowed([]string{"127.0.0.0/8"})
	if err != nil {
		s.t.Fatal(err)
	}
	c := channelOf(monitor.ChannelEmail)
	c.Settings.Port, c.Settings.Security = s.port, security
	if len(s.mechanisms) > 0 {
		c.Settings.Username = mailUser
	}
	sender := Sender{Channel: c, Mailer: NewMailer(allowed, s.pool)}
	if c.Settings.Username != "" {
		sender.Secret = mailPassword
	}
	return sender
}

func (s *mailServer) received() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

type mailSession struct {
	s    *mailServer
	c    *smtp.Conn
	mail received
	in   bool
}

func (m *mailSession) Reset()        { m.mail = received{} }
func (m *mailSession) Logout() error { return nil }

func (m *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	m.s.mu.Lock()
	m.s.commands++
	m.s.mu.Unlock()
	if len(m.s.mechanisms) > 0 && !m.in {
		return smtp.ErrAuthRequired
	}
	m.mail.from = from
	if m.s.mail != nil {
		return m.s.mail(from)
	}
	return nil
}

func (m *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if m.s.rcpt != nil {
		if err := m.s.rcpt(to); err != nil {
			return err
		}
	}
	m.mail.to = append(m.mail.to, to)
	return nil
}

func (m *mailSession) Data(r io.Reader) error {
	if m.s.data != nil {
		if err := m.s.data(m.c); err != nil {
			return err
		}
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m.mail.data = data
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.s.got = append(m.s.got, m.mail)
	return nil
}

func (m *mailSession) AuthMechanisms() []string { return m.s.mechanisms }

func (m *mailSession) Auth(mechanism string) (sasl.Server, error) {
	m.s.mu.Lock()
	m.s.used = append(m.s.used, mechanism)
	m.s.mu.Unlock()
	check := func(user, password string) error {
		if user != mailUser || password != mailPassword {
			return smtp.ErrAuthFailed
		}
		m.in = true
		return nil
	}
	switch mechanism {
	case "PLAIN":
		return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
	case "LOGIN":
		return &loginServer{check: check}, nil
	case "SCRAM-SHA-256":
		return &scramServer{iterations: max(m.s.iterations, 4096), done: func() { m.in = true }}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

// loginServer asks for a name, then for a password.
type loginServer struct {
	step  int
	user  string
	check func(user, password string) error
}

func (l *loginServer) Next(response []byte) ([]byte, bool, error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("Password:"), false, nil
	default:
		return nil, true, l.check(l.user, string(response))
	}
}

// scramServer is the server's side of RFC 7677, by RFC 5802.
type scramServer struct {
	step        int
	iterations  int
	first       string // the client's, without its header, and ours
	proofSalted []byte
	done        func()
}

func (s *scramServer) Next(response []byte) ([]byte, bool, error) {
	if len(response) == 0 && s.step == 0 {
		return nil, false, nil // it begins without a word
	}
	s.step++
	switch s.step {
	case 1:
		bare := strings.TrimPrefix(string(response), "n,,")
		nonce := bare[strings.Index(bare, ",r=")+3:] + "server"
		salt := []byte("salt of a test")
		var err error
		if s.proofSalted, err = pbkdf2.Key(sha256.New, mailPassword, salt, 4096, sha256.Size); err != nil {
			return nil, false, err
		}
		challenge := fmt.Sprintf("r=%s,s=%s,i=%d", nonce, base64.StdEncoding.EncodeToString(salt), s.iterations)
		s.first = bare + "," + challenge
		return []byte(challenge), false, nil
	case 2:
		without, proof, _ := strings.Cut(string(response), ",p=")
		text := s.first + "," + without
		client := mac(s.proofSalted, "Client Key")
		stored := sha256.Sum256(client)
		want := mac(stored[:], text)
		for i := range want {
			want[i] ^= client[i]
		}
		given, err := base64.StdEncoding.DecodeString(proof)
		if err != nil || !bytes.Equal(given, want) {
			return nil, false, smtp.ErrAuthFailed
		}
		s.done()
		return []byte("v=" + base64.StdEncoding.EncodeToString(mac(mac(s.proofSalted, "Server Key"), text))), false, nil
	case 3:
		return nil, true, nil
	}
	return nil, false, errors.New("too much was said")
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
