package channel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/textproto"
	"os"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/notify"
)

// Mailer sends mail to servers that others chose: to public ones, and to those that
// the configuration allows. Nothing is sent without TLS and a valid certificate.
type Mailer struct {
	dialer *net.Dialer
	roots  *x509.CertPool
}

// NewMailer prepares one. roots may be nil for the system's.
func NewMailer(allowed notify.Allowed, roots *x509.CertPool) *Mailer {
	return &Mailer{dialer: &net.Dialer{Timeout: 5 * time.Second, Control: allowed.Control}, roots: roots}
}

// maxMailAnswers is what a server may say in all, in bytes.
const maxMailAnswers = 256 << 10

// mailing is the words of a server about a mail that it took.
type mailing struct {
	status  int
	answer  string
	refused []string // recipients that it did not take, and why
}

// send gives back what the server said. It ends by the deadline of ctx.
func (m *Mailer) send(ctx context.Context, s *monitor.ChannelSettings, secret string, d *monitor.Delivery) (mailing, error) {
	message, err := mimeOf(s, d)
	if err != nil {
		return mailing{}, err
	}
	var held holding
	defer held.release()
	dial := func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := m.dialer.DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		held.hold(ctx, conn)
		limited := &limitedConn{Conn: conn, left: maxMailAnswers}
		if s.Security != monitor.MailTLS {
			return limited, nil
		}
		secured := tls.Client(limited, m.config(s))
		return secured, secured.HandshakeContext(dialing)
	}
	client, err := m.client(ctx, s, secret, dial)
	if err != nil {
		return mailing{}, err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return mailing{}, cause(ctx, err)
	}
	said, err := converse(session, message, d.Attempts)
	if err != nil {
		return said, cause(ctx, err)
	}
	session.Quit() //nolint:errcheck,gosec // it has taken the mail
	return said, nil
}

// holding is a connection that is closed in the end, and when ctx does: the deadline
// holds for all that is said, while the library's begins anew now and then.
type holding struct {
	conn net.Conn
	stop func() bool
}

func (h *holding) hold(ctx context.Context, conn net.Conn) {
	h.conn, h.stop = conn, context.AfterFunc(ctx, func() { conn.Close() }) //nolint:errcheck // it is given up
}

func (h *holding) release() {
	if h.conn != nil {
		h.stop()
		h.conn.Close() //nolint:errcheck // all was said
	}
}

func (m *Mailer) config(s *monitor.ChannelSettings) *tls.Config {
	return &tls.Config{ServerName: s.Host, RootCAs: m.roots, MinVersion: tls.VersionTLS12}
}

func (m *Mailer) client(ctx context.Context, s *monitor.ChannelSettings, secret string, dial gomail.DialContextFunc) (*gomail.Client, error) {
	left := 15 * time.Second
	if deadline, ok := ctx.Deadline(); ok {
		left = time.Until(deadline)
	}
	if left <= 0 {
		return nil, context.DeadlineExceeded
	}
	options := []gomail.Option{
		gomail.WithPort(s.Port), gomail.WithTimeout(left), gomail.WithDialContextFunc(dial), gomail.WithTLSConfig(m.config(s)),
		gomail.WithHELO(domain(s.From)), // a server outside need not know what this machine is called
		gomail.WithTLSPolicy(gomail.TLSMandatory),
	}
	if s.Security == monitor.MailTLS {
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS)) // dial has seen to it
	}
	if s.Username != "" {
		options = append(options, gomail.WithSMTPAuthCustom(&mailLogin{user: s.Username, password: secret, host: s.Host}))
	}
	return gomail.NewClient(s.Host, options...)
}

// patience is how many tries a recipient is waited for who is refused for now only,
// such as one whose mailbox is full: after that the others need not wait any more.
const patience = 3

// converse hands over a mail. Recipients that are refused for good do not keep it from
// the others.
func converse(session *smtp.Client, message *gomail.Msg, attempts int) (mailing, error) {
	from, err := message.GetSender(false)
	if err != nil {
		return mailing{}, err
	}
	to, err := message.GetRecipients()
	if err != nil {
		return mailing{}, err
	}
	if err := session.Mail(from); err != nil {
		return mailing{}, err
	}
	var said mailing
	var refusal error
	for _, each := range to {
		err := session.Rcpt(each)
		var answer *textproto.Error
		switch {
		case err == nil:
			continue
		case !errors.As(err, &answer):
			return said, err
		case answer.Code < 500 && attempts < patience:
			return said, fmt.Errorf("%s: %w", each, err)
		}
		refusal = fmt.Errorf("%s: %w", each, err)
		said.refused = append(said.refused, refusal.Error())
	}
	if len(said.refused) == len(to) {
		return said, refusal
	}
	writer, err := session.Data()
	if err != nil {
		return said, err
	}
	if _, err := message.WriteTo(writer); err != nil {
		return said, err // without the last line: it is no mail yet
	}
	if err := writer.Close(); err != nil {
		return said, err
	}
	said.status = 250
	if closer, ok := writer.(*smtp.DataCloser); ok {
		said.answer = closer.ServerResponse()
	}
	return said, nil
}

// mimeOf makes the mail. Its Message-ID and date are the delivery's: who gets it twice
// after a connection that broke in the last moment can tell.
func mimeOf(s *monitor.ChannelSettings, d *monitor.Delivery) (*gomail.Msg, error) {
	var content mail
	if err := json.Unmarshal(d.Body, &content); err != nil {
		return nil, errors.New("the message cannot be read")
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := m.From(s.From); err != nil {
		return nil, errors.New("the sender's address cannot be read")
	}
	if err := m.To(s.To...); err != nil {
		return nil, errors.New("a recipient's address cannot be read")
	}
	m.Subject(line(content.Subject, maxSubject))
	m.SetMessageIDWithValue(d.MessageID() + "@" + domain(s.From))
	m.SetDateWithValue(d.CreatedAt.UTC())
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody answers that they are on holiday
	m.SetGenHeader("X-Auto-Response-Suppress", "All")  // likewise, for Exchange
	m.SetBodyString(gomail.TypeTextPlain, content.Text)
	if content.HTML != "" {
		m.AddAlternativeString(gomail.TypeTextHTML, content.HTML)
	}
	return m, nil
}

// domain is what stands behind the @ of an address.
func domain(address string) string {
	if parsed, err := netmail.ParseAddress(address); err == nil {
		address = parsed.Address
	}
	return address[strings.LastIndexByte(address, '@')+1:]
}

// cause is why an exchange broke: at the deadline the connection is closed, which is
// no fault of the network.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) { // the library knows the time too
		return context.DeadlineExceeded
	}
	return err
}

// limitedConn ends a server that talks without end.
type limitedConn struct {
	net.Conn
	left int
}

func (c *limitedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errors.New("the server says too much")
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// refusal says what a server answered, "" when it was no answer.
func refusal(err error) (status int, text string) {
	var answer *textproto.Error
	if !errors.As(err, &answer) {
		return 0, ""
	}
	meaning := "refused for now"
	if answer.Code >= 500 {
		meaning = "refused for good; it is of no use to send it again before something was changed"
	}
	return answer.Code, fmt.Sprintf("SMTP %d (%s): %s", answer.Code, meaning, notify.Readable([]byte(err.Error())))
}
