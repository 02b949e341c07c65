package channel

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/notify"
)

var securities = []monitor.MailSecurity{monitor.MailTLS, monitor.MailSTARTTLS}

// delivery is what stands in a queue.
func delivery(body []byte) *monitor.Delivery {
	return &monitor.Delivery{ID: monitor.NewID(exampleAt), Body: body, CreatedAt: exampleAt}
}

// send sends a notice, and bounds how long that may take.
func send(t *testing.T, s Sender, d *monitor.Delivery) notify.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return s.Send(ctx, d)
}

func mailDelivery(t *testing.T, n *monitor.Notice) *monitor.Delivery {
	return delivery(compose(t, channelOf(monitor.ChannelEmail), n).Body)
}

func TestMailArrivesAsItWasComposed(t *testing.T) {
	for _, security := range securities {
		for _, mechanism := range []string{"", "PLAIN", "LOGIN", "SCRAM-SHA-256"} {
			t.Run(string(security)+" "+mechanism, func(t *testing.T) {
				s := newMailServer(t, security, func(s *mailServer) {
					if mechanism != "" {
						s.mechanisms = []string{mechanism}
					}
				})
				n := one()
				n.Alerts[0].Title = "Grüße <b>\r\nBcc: eve@example.com"
				n.Alerts[0].Host = "web-1"
				d := mailDelivery(t, n)
				r := send(t, s.sender(security), d)
				if r.Error != "" || r.Status != 250 || r.At.IsZero() {
					t.Fatalf("%+v", r)
				}
				got := s.received()
				if len(got) != 1 || got[0].from != "soc@example.com" || !slices.Equal(got[0].to, []string{"ana@example.com", "ben@example.com"}) {
					t.Fatalf("%+v", got)
				}
				checkMail(t, got[0].data, d)
				if mechanism != "" && !slices.Equal(s.used, []string{mechanism}) {
					t.Errorf("used %v", s.used)
				}
			})
		}
	}
}

// checkMail reads a mail by the standard library.
func checkMail(t *testing.T, data []byte, d *monitor.Delivery) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if want := "High: Grüße <b> Bcc: eve@example.com on web-1"; err != nil || subject != want {
		t.Errorf("subject %q, %v, want %q", subject, err, want)
	}
	date, err := m.Header.Date()
	if err != nil || !date.Equal(exampleAt) {
		t.Errorf("date %v, %v", date, err)
	}
	for name, want := range map[string]string{
		"Message-Id": "<" + d.MessageID() + "@example.com>", "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "Bcc": "", "Mime-Version": "1.0",
		"From": `"Security Monitor" <soc@example.com>`, "To": "<ana@example.com>, <ben@example.com>",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%q, %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []struct{ kind, says, never string }{
		{"text/plain", "Grüße <b> Bcc: eve@example.com (https://secmon.example.com/alerts/1)", "&lt;"},
		{"text/html", `<a href="https://secmon.example.com/alerts/1">Grüße &lt;b&gt; Bcc: eve@example.com</a>`, "Grüße <b>"},
	} {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); got != want.kind {
			t.Errorf("part is %q, want %q", got, want.kind)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil || part.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Errorf("%s: %v, %v", want.kind, part.Header, err)
		}
		if got := string(text); !strings.Contains(got, want.says) || strings.Contains(got, want.never) {
			t.Errorf("%s: %s", want.kind, got)
		}
	}
	if _, err := parts.NextRawPart(); err != io.EOF {
		t.Errorf("a third part: %v", err)
	}
}

func TestBestWayToLogInIsTaken(t *testing.T) {
	s := newMailServer(t, monitor.MailSTARTTLS, func(s *mailServer) { s.mechanisms = []string{"LOGIN", "PLAIN", "SCRAM-SHA-256"} })
	if r := send(t, s.sender(monitor.MailSTARTTLS), mailDelivery(t, one())); r.Error != "" {
		t.Fatal(r.Error)
	}
	if !slices.Equal(s.used, []string{"SCRAM-SHA-256"}) {
		t.Errorf("used %v", s.used)
	}
}

func TestMailIsNotSentWithoutProtection(t *testing.T) {
	t.Run("no STARTTLS", func(t *testing.T) {
		s := newMailServer(t, "", func(s *mailServer) { s.mechanisms = []string{"PLAIN"} })
		r := send(t, s.sender(monitor.MailSTARTTLS), mailDelivery(t, one()))
		if !strings.Contains(r.Error, "STARTTLS") {
			t.Errorf("%+v", r)
		}
		nothingSaid(t, s)
	})
	for _, security := range securities {
		t.Run("certificate of another, "+string(security), func(t *testing.T) {
			s := newMailServer(t, security, func(s *mailServer) { s.mechanisms = []string{"PLAIN"} })
			sender := s.sender(security)
			sender.Mailer.roots = nil // those of the system know nothing of the test's
			r := send(t, sender, mailDelivery(t, one()))
			if !strings.Contains(r.Error, "certificate is not valid") {
				t.Errorf("%+v", r)
			}
			nothingSaid(t, s)
		})
		t.Run("certificate of another name, "+string(security), func(t *testing.T) {
			s := newMailServer(t, security)
			sender := s.sender(security)
			sender.Channel.Settings.Host = "localhost"
			if r := send(t, sender, mailDelivery(t, one())); !strings.Contains(r.Error, "certificate is not valid") {
				t.Errorf("%+v", r)
			}
			nothingSaid(t, s)
		})
	}
	t.Run("inner address", func(t *testing.T) {
		s := newMailServer(t, monitor.MailTLS)
		sender := s.sender(monitor.MailTLS)
		sender.Mailer = NewMailer(nil, s.pool)
		if r := send(t, sender, mailDelivery(t, one())); !strings.Contains(r.Error, "not public") {
			t.Errorf("%+v", r)
		}
		nothingSaid(t, s)
	})
}

func nothingSaid(t *testing.T, s *mailServer) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.commands != 0 || len(s.used) != 0 || len(s.got) != 0 {
		t.Errorf("it was told: %d MAIL, AUTH %v, %d mails", s.commands, s.used, len(s.got))
	}
}

func TestMailServerRefuses(t *testing.T) {
	refuse := func(code int, text string) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 7, 1}, Message: text}
	}
	for name, c := range map[string]struct {
		change func(*mailServer)
		status int
		says   string
	}{
		"sender":              {func(s *mailServer) { s.mail = func(string) error { return refuse(550, "sender is not yours") } }, 550, "for good"},
		"sender for now":      {func(s *mailServer) { s.mail = func(string) error { return refuse(451, "come back later") } }, 451, "for now"},
		"all recipients":      {func(s *mailServer) { s.rcpt = func(string) error { return refuse(550, "relaying denied") } }, 550, "ben@example.com"},
		"a recipient for now": {func(s *mailServer) { s.rcpt = only1("ana@example.com", refuse(452, "mailbox is full")) }, 452, "mailbox is full"},
		"mail":                {func(s *mailServer) { s.data = func(*smtp.Conn) error { return refuse(554, "looks like spam") } }, 554, "looks like spam"},
		"password":            {func(s *mailServer) { s.mechanisms = []string{"PLAIN"} }, 535, "for good"},
		"echo of password": {func(s *mailServer) {
			s.mechanisms = []string{"PLAIN"}
			s.rcpt = func(string) error {
				return refuse(550, "no "+mailPassword+" "+base64.StdEncoding.EncodeToString([]byte("\x00"+mailUser+"\x00"+mailPassword)))
			}
		}, 550, "no [secret] [secret]"},
		"no way to log in":    {func(s *mailServer) { s.mechanisms = []string{"XOAUTH2", "CRAM-MD5"} }, 0, "no way to log in"},
		"endless computation": {func(s *mailServer) { s.mechanisms, s.iterations = []string{"SCRAM-SHA-256"}, 5_000_000 }, 0, "iterations"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newMailServer(t, monitor.MailTLS, c.change)
			sender := s.sender(monitor.MailTLS)
			if name == "password" {
				sender.Secret = "wrong and long"
			}
			r := send(t, sender, mailDelivery(t, one()))
			if r.Status != c.status || !strings.Contains(r.Error, c.says) || strings.Contains(r.Error, mailPassword) || strings.Contains(r.Error, "wrong and long") {
				t.Errorf("%+v", r)
			}
			if len(s.received()) != 0 {
				t.Error("it has a mail")
			}
		})
	}
}

func only1(who string, err error) func(string) error {
	return func(to string) error {
		if to == who {
			return err
		}
		return nil
	}
}

func TestOneRecipientWhoIsRefusedDoesNotKeepMailFromOthers(t *testing.T) {
	for name, c := range map[string]struct{ code, attempts int }{"for good": {550, 0}, "for now, again and again": {452, patience}} {
		t.Run(name, func(t *testing.T) {
			s := newMailServer(t, monitor.MailTLS, func(s *mailServer) {
				s.rcpt = only1("ana@example.com", &smtp.SMTPError{Code: c.code, EnhancedCode: smtp.EnhancedCode{c.code / 100, 1, 1}, Message: "no such user"})
			})
			d := mailDelivery(t, one())
			d.Attempts = c.attempts
			r := send(t, s.sender(monitor.MailTLS), d)
			if r.Error != "" || !strings.Contains(r.Response, "ana@example.com") || !strings.Contains(r.Response, "no such user") {
				t.Errorf("%+v", r)
			}
			if got := s.received(); len(got) != 1 || !slices.Equal(got[0].to, []string{"ben@example.com"}) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestMailIsTheSameAtEachTry(t *testing.T) {
	var once sync.Once
	s := newMailServer(t, monitor.MailTLS, func(s *mailServer) {
		s.data = func(c *smtp.Conn) error {
			once.Do(func() { c.Conn().Close() }) // in the middle of the mail
			return nil
		}
	})
	sender, d := s.sender(monitor.MailTLS), mailDelivery(t, one())
	if r := send(t, sender, d); r.Error == "" {
		t.Fatalf("a mail that was not taken has arrived: %+v", r)
	}
	d.Attempts++
	for range 2 {
		if r := send(t, sender, d); r.Error != "" {
			t.Fatal(r.Error)
		}
	}
	var ids, dates []string
	for _, m := range s.received() {
		got, err := netmail.ReadMessage(bytes.NewReader(m.data))
		if err != nil {
			t.Fatal(err)
		}
		ids, dates = append(ids, got.Header.Get("Message-Id")), append(dates, got.Header.Get("Date"))
	}
	if len(ids) != 2 || ids[0] != ids[1] || dates[0] != dates[1] {
		t.Errorf("%v, %v", ids, dates)
	}
}

func TestSlowMailServerEndsAtTheDeadline(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	release := make(chan struct{})
	slow := newMailServer(t, monitor.MailTLS, func(s *mailServer) {
		s.data = func(*smtp.Conn) error { <-release; return nil }
	})
	defer close(release)
	quiet := &mailServer{t: t, port: silent.Addr().(*net.TCPAddr).Port}
	for name, s := range map[string]Sender{
		"no greeting": quiet.sender(monitor.MailSTARTTLS), "no handshake": quiet.sender(monitor.MailTLS), "in the mail": slow.sender(monitor.MailTLS),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			started := time.Now()
			r := s.Send(ctx, mailDelivery(t, one()))
			if took := time.Since(started); r.Error != "no answer in time" || took > 5*time.Second {
				t.Errorf("%+v after %s", r, took)
			}
		})
	}
}

func TestMailServerThatTalksWithoutEndIsLeft(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var talking sync.WaitGroup
	talking.Go(func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for err == nil {
			_, err = conn.Write(bytes.Repeat([]byte("220-hello\r\n"), 100))
		}
	})
	s := &mailServer{t: t, port: listener.Addr().(*net.TCPAddr).Port}
	r := send(t, s.sender(monitor.MailSTARTTLS), mailDelivery(t, one()))
	listener.Close()
	talking.Wait()
	if !strings.Contains(r.Error, "too much") {
		t.Errorf("%+v", r)
	}
}

func TestBodyThatIsNoMailIsNotSent(t *testing.T) {
	s := newMailServer(t, monitor.MailTLS)
	if r := send(t, s.sender(monitor.MailTLS), delivery([]byte("["))); r.Error == "" {
		t.Errorf("%+v", r)
	}
	if got := s.received(); !reflect.DeepEqual(got, []received(nil)) {
		t.Errorf("%+v", got)
	}
}
