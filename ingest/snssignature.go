package ingest

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // what SNS signs by SignatureVersion 1
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// SNSSignatures verifies messages of SNS. It fetches the certificates that sign them,
// from SNS alone, and keeps them for an hour. Safe for concurrent use.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
type SNSSignatures struct {
	Client *http.Client   // NewSNSClient's
	Roots  *x509.CertPool // the system's where nil
	Now    func() time.Time
	Log    *slog.Logger

	mu      sync.Mutex // held while a certificate is fetched: one at a time
	known   map[string]*snsCertificate
	fetched []time.Time // the fetches of the last minute
}

// snsCertificate is what came of a fetch.
type snsCertificate struct {
	key   *rsa.PublicKey
	err   error
	until time.Time // when it is fetched again
}

const (
	snsFetchTime    = 10 * time.Second
	snsKeep         = time.Hour
	snsKeepError    = time.Minute
	snsFetches      = 10 // a minute, whatever is asked
	maxCertificates = 32 // that are kept
	maxCertBytes    = 64 << 10
)

// NewSNSClient makes a client that goes where it is sent and no further.
func NewSNSClient() *http.Client {
	transport, _ := http.DefaultTransport.(*http.Transport)
	transport = transport.Clone()
	transport.MaxIdleConns = 2
	return &http.Client{
		Timeout: snsFetchTime, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (s *SNSSignatures) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

var (
	snsTopic       = regexp.MustCompile(`^arn:aws(-cn|-us-gov)?:sns:([a-z]{2}(?:-[a-z]+)+-\d):\d{12}:[A-Za-z0-9_.-]{1,256}$`)
	snsCertPath    = regexp.MustCompile(`^/SimpleNotificationService-[0-9a-f]{1,64}\.pem$`)
	snsIssuerHost  = regexp.MustCompile(`^crt\.[a-z0-9-]{1,32}\.amazontrust\.com$`)
	errSNSForged   = monitor.Errorf(monitor.CodeForbidden, "the message is not signed by Amazon SNS")
	errSNSAddress  = monitor.Errorf(monitor.CodeForbidden, "the message names an address that is none of Amazon SNS in the topic's region")
	errSNSCertAway = monitor.Errorf(monitor.CodeUnavailable, "the certificate of Amazon SNS cannot be fetched now; send the message again")
)

// CheckSNSTopic gives an error for what is no topic's ARN.
func CheckSNSTopic(arn string) error {
	if !snsTopic.MatchString(arn) {
		return fmt.Errorf("sns-topics: %q is no ARN of a topic, such as arn:aws:sns:eu-central-1:123456789012:security", arn)
	}
	return nil
}

// snsHost gives the host of SNS in a topic's region, which alone is asked for anything,
// and the names that its signing certificate may have.
func snsHost(topic string) (host string, names []string) {
	m := snsTopic.FindStringSubmatch(topic)
	if m == nil {
		return "", nil
	}
	domain := ".amazonaws.com"
	if m[1] == "-cn" {
		domain += ".cn"
	}
	host = "sns." + m[2] + domain
	return host, []string{"sns.amazonaws.com", host, "sns-" + m[2] + domain}
}

// snsURL gives an address that a message names, if it is one of SNS in its region.
func snsURL(m *snsMessage, text string) (*url.URL, error) {
	host, _ := snsHost(m.TopicARN)
	u, err := url.Parse(text)
	if err != nil || host == "" || u.Scheme != "https" || u.Host != host || u.User != nil || u.Opaque != "" || u.Fragment != "" {
		return nil, errSNSAddress
	}
	return u, nil
}

// Verify gives an error unless SNS has signed the message.
func (s *SNSSignatures) Verify(ctx context.Context, m *snsMessage) error {
	u, err := snsURL(m, m.SigningCertURL)
	if err != nil {
		return err
	}
	if !snsCertPath.MatchString(u.Path) || u.RawQuery != "" {
		return errSNSAddress
	}
	signature, err := base64.StdEncoding.DecodeString(m.Signature)
	if err != nil {
		return errSNSForged
	}
	var hash crypto.Hash
	var sum []byte
	switch text := []byte(m.signed()); m.SignatureVersion {
	case "1":
		old := sha1.Sum(text) //nolint:gosec // as above
		hash, sum = crypto.SHA1, old[:]
	case "2":
		now := sha256.Sum256(text)
		hash, sum = crypto.SHA256, now[:]
	default:
		return monitor.Errorf(monitor.CodeBadInput, "signatures of SNS are of version 1 or 2")
	}
	key, err := s.keyOf(ctx, u, m.TopicARN)
	if err != nil {
		return err
	}
	if rsa.VerifyPKCS1v15(key, hash, sum, signature) != nil {
		return errSNSForged
	}
	return nil
}

// signed is the text that is signed: names and values by name, a line each.
func (m *snsMessage) signed() string {
	var b strings.Builder
	add := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	add("Message", m.Message)
	add("MessageId", m.MessageID)
	if m.Type == snsNotification {
		if m.Subject != nil {
			add("Subject", *m.Subject)
		}
		add("Timestamp", m.Timestamp)
	} else {
		add("SubscribeURL", m.SubscribeURL)
		add("Timestamp", m.Timestamp)
		add("Token", m.Token)
	}
	add("TopicArn", m.TopicARN)
	add("Type", m.Type)
	return b.String()
}

// keyOf gives the key that a certificate has. Faults are kept for a while too, so that
// a stranger's messages have the server fetch no more than a little.
func (s *SNSSignatures) keyOf(ctx context.Context, u *url.URL, topic string) (*rsa.PublicKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if c := s.known[u.String()]; c != nil && now.Before(c.until) {
		return c.key, c.err
	}
	for len(s.fetched) > 0 && now.Sub(s.fetched[0]) > time.Minute {
		s.fetched = s.fetched[1:]
	}
	if len(s.fetched) >= snsFetches || ctx.Err() != nil {
		return nil, errSNSCertAway
	}
	s.fetched = append(s.fetched, now)
	if s.known == nil || len(s.known) >= maxCertificates {
		s.known = map[string]*snsCertificate{}
	}
	c := &snsCertificate{until: now.Add(snsKeep)}
	if c.key, c.err = s.fetch(ctx, u, topic); c.err != nil {
		s.Log.Warn("sns: certificate refused", "url", u.String(), "error", c.err)
		if c.until = now.Add(snsKeepError); monitor.CodeOf(c.err) != monitor.CodeForbidden {
			c.err = errSNSCertAway
		}
	}
	s.known[u.String()] = c
	return c.key, c.err
}

// fetch fetches a certificate and verifies it, up to a root that is trusted.
func (s *SNSSignatures) fetch(ctx context.Context, u *url.URL, topic string) (*rsa.PublicKey, error) {
	// Others wait for it: it goes on when this sender leaves.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), snsFetchTime)
	defer cancel()
	text, err := s.get(ctx, u.String())
	if err != nil {
		return nil, err
	}
	leaf, between, err := certificatesOf(text)
	if err != nil {
		return nil, err
	}
	if err := s.trust(ctx, leaf, between); err != nil {
		return nil, err
	}
	_, names := snsHost(topic)
	for _, name := range names {
		if key, ok := leaf.PublicKey.(*rsa.PublicKey); ok && leaf.VerifyHostname(name) == nil {
			return key, nil
		}
	}
	return nil, monitor.Errorf(monitor.CodeForbidden, "the certificate is another's")
}

// certificatesOf reads PEM: the certificate, and those between it and a root.
func certificatesOf(text []byte) (leaf *x509.Certificate, between *x509.CertPool, err error) {
	between = x509.NewCertPool()
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, nil, monitor.Errorf(monitor.CodeForbidden, "the certificate cannot be read")
		}
		if leaf == nil {
			leaf = c
			continue
		}
		between.AddCert(c)
	}
	if leaf == nil {
		return nil, nil, monitor.Errorf(monitor.CodeForbidden, "there is no certificate")
	}
	return leaf, between, nil
}

// trust verifies a certificate. Where the one that issued it did not come with it, it
// is fetched from Amazon Trust Services: what comes from there needs no trust, for it
// is verified in turn.
func (s *SNSSignatures) trust(ctx context.Context, leaf *x509.Certificate, between *x509.CertPool) error {
	o := x509.VerifyOptions{Roots: s.Roots, Intermediates: between, CurrentTime: s.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	_, err := leaf.Verify(o)
	var unknown x509.UnknownAuthorityError
	if err == nil || !errors.As(err, &unknown) {
		return refusedCertificate(err)
	}
	for _, text := range leaf.IssuingCertificateURL {
		u, bad := url.Parse(text)
		if bad != nil || u.Scheme != "http" && u.Scheme != "https" || !snsIssuerHost.MatchString(u.Host) {
			continue
		}
		raw, bad := s.get(ctx, text)
		if bad != nil {
			return bad
		}
		if issuer, bad := x509.ParseCertificate(raw); bad == nil {
			between.AddCert(issuer)
			_, err = leaf.Verify(o)
		}
		break
	}
	return refusedCertificate(err)
}

func refusedCertificate(err error) error {
	if err == nil {
		return nil
	}
	return monitor.Errorf(monitor.CodeForbidden, "the certificate is not trusted: %v", err)
}

// confirm asks for the address that makes a subscription. The message is verified.
func (s *SNSSignatures) confirm(ctx context.Context, m *snsMessage) error {
	u, err := snsURL(m, m.SubscribeURL)
	if err != nil {
		return err
	}
	if q := u.Query(); q.Get("Action") != "ConfirmSubscription" || q.Get("TopicArn") != m.TopicARN {
		return errSNSAddress
	}
	ctx, cancel := context.WithTimeout(ctx, snsFetchTime)
	defer cancel()
	if _, err := s.get(ctx, u.String()); err != nil {
		s.Log.Warn("sns: the subscription cannot be confirmed", "topic", m.TopicARN)
		return monitor.Errorf(monitor.CodeUnavailable, "the subscription cannot be confirmed now; send the message again")
	}
	return nil
}

// get fetches a small document. Its errors do not name the address, which may have a
// token.
func (s *SNSSignatures) get(ctx context.Context, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("no address")
	}
	response, err := s.Client.Do(request)
	if err != nil {
		var fault *url.Error
		if errors.As(err, &fault) {
			err = fault.Err
		}
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered with %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxCertBytes+1))
	if err == nil && len(body) > maxCertBytes {
		err = fmt.Errorf("more than %d bytes", maxCertBytes)
	}
	return body, err
}
