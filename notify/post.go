package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Bounds of an answer: nothing of it is needed, so that little of it is read.
const (
	maxAnswerHeaders = 16 << 10
	maxAnswerBody    = 16 << 10
)

// Poster posts to addresses that others chose: to public ones, and to those that the
// configuration allows.
type Poster struct {
	allowed    Allowed
	tls, plain *http.Client
	agent      string
}

// NewPoster prepares one. roots may be nil for the system's.
func NewPoster(allowed Allowed, roots *x509.CertPool, agent string) *Poster {
	return &Poster{allowed: allowed, tls: client(allowed, false, roots), plain: client(allowed, true, roots), agent: agent}
}

func client(allowed Allowed, plain bool, roots *x509.CertPool) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: allowed.control(plain)}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:       nil, // a proxy would look names up again, elsewhere
			DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 15 * time.Second, MaxResponseHeaderBytes: maxAnswerHeaders,
			DisableCompression: true, MaxIdleConns: 64, MaxIdleConnsPerHost: 2, MaxConnsPerHost: 32, IdleConnTimeout: 30 * time.Second,
		},
		// A redirect would lead where nobody looked, and with the body.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Check is CheckURL with what the configuration allows.
func (p *Poster) Check(address string) error { return p.allowed.CheckURL(address) }

// Close ends connections that are kept open.
func (p *Poster) Close() {
	p.tls.CloseIdleConnections()
	p.plain.CloseIdleConnections()
}

// Post sends a body. Only an answer of 2xx, read to its end or its bound within the
// deadline of ctx, is an arrival.
func (p *Poster) Post(ctx context.Context, to string, headers http.Header, body []byte) Result {
	r, _ := p.Exchange(ctx, http.MethodPost, to, headers, body, maxAnswerBody)
	return r
}

// Answer is what a receiver said.
type Answer struct {
	Header http.Header
	Body   []byte // at most as much as was asked for
}

// Exchange is Post with any method, and gives up to limit bytes of the answer.
func (p *Poster) Exchange(ctx context.Context, method, to string, headers http.Header, body []byte, limit int64) (Result, Answer) {
	started := time.Now()
	r := Result{DeliveryAttempt: monitor.DeliveryAttempt{At: started.UTC().Truncate(time.Microsecond)}}
	answer := p.exchange(ctx, method, to, headers, body, limit, &r)
	r.Took = int(time.Since(started).Milliseconds())
	return r, answer
}

func (p *Poster) exchange(ctx context.Context, method, to string, headers http.Header, body []byte, limit int64, r *Result) Answer {
	request, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		r.Error = "the address cannot be read"
		return Answer{}
	}
	request.Header = headers.Clone()
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", p.agent)
	sender := p.tls
	if request.URL.Scheme != "https" {
		sender = p.plain
	}
	response, err := sender.Do(request)
	if err != nil {
		r.Error = Told(err)
		return Answer{}
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	r.Status = response.StatusCode
	answer, err := io.ReadAll(io.LimitReader(response.Body, limit))
	r.Response = Readable(answer)
	r.Gone = response.StatusCode == http.StatusGone
	r.RetryAfter = retryAfter(response.Header.Get("Retry-After"), time.Now())
	switch {
	case response.StatusCode/100 == 3:
		r.Error = fmt.Sprintf("HTTP %d: redirects are not followed; enter the address where it leads", response.StatusCode)
	case response.StatusCode/100 != 2:
		r.Error = fmt.Sprintf("HTTP %d", response.StatusCode)
	case err != nil:
		r.Error = "the answer did not end: " + Told(err)
	}
	return Answer{Header: response.Header, Body: answer}
}

// Told says what went wrong, without the address: that may hold a secret, and the
// inner one is nobody's business.
func Told(err error) string {
	var address errAddress
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var op *net.OpError
	var at *url.Error
	switch {
	case errors.As(err, &address):
		return address.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &dns):
		return "the name is not known"
	case errors.As(err, &certificate):
		return "the certificate is not valid: " + certificate.Err.Error()
	case errors.As(err, &op):
		return "the connection failed: " + op.Err.Error()
	case errors.As(err, &at):
		err = at.Err
	}
	return "the exchange failed: " + Readable([]byte(err.Error()))
}

// Readable makes text that may be kept and shown.
func Readable(b []byte) string {
	b = b[:min(len(b), monitor.MaxDeliveryResponse)]
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(b), "\uFFFD"))
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3); 0 for anything else.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, int(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
