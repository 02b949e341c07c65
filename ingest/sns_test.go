package ingest

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // what SNS signs by SignatureVersion 1
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testTopic = "arn:aws:sns:eu-central-1:123456789012:security"
	snsServer = "https://sns.eu-central-1.amazonaws.com"
)

var snsNoon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// amazon is a certificate authority with a server of SNS, both in this process.
type amazon struct {
	root, between *authority
	keys          map[string]*rsa.PrivateKey // of certificates by path
	pages         map[string][]byte          // by host and path
	mu            sync.Mutex
	asked         []string
	client        *http.Client
}

type authority struct {
	cert *x509.Certificate
	key  *rsa.PrivateKey
}

func newKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate; without an authority it signs itself.
func (a *authority) issue(t testing.TB, name string, ca bool, change func(*x509.Certificate)) *authority {
	t.Helper()
	key := newKey(t)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: snsNoon.Add(-time.Hour), NotAfter: snsNoon.Add(24 * time.Hour),
		IsCA: ca, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if ca {
		c.KeyUsage = x509.KeyUsageCertSign
	} else {
		c.DNSNames = []string{name}
	}
	if change != nil {
		change(c)
	}
	parent, by := c, key
	if a != nil {
		parent, by = a.cert, a.key
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// serveCertificate puts a certificate where SNS has its own.
func (a *amazon) serveCertificate(digit string, leaf *authority, chain ...*authority) string {
	path := "/SimpleNotificationService-" + strings.Repeat(digit, 32) + ".pem"
	text := leaf.pem()
	for _, c := range chain {
		text = append(text, c.pem()...)
	}
	a.keys[path] = leaf.key
	a.pages["sns.eu-central-1.amazonaws.com"+path] = text
	return path
}

func newAmazon(t testing.TB) *amazon {
	t.Helper()
	a := &amazon{keys: map[string]*rsa.PrivateKey{}, pages: map[string][]byte{}}
	a.root = (*authority)(nil).issue(t, "root", true, nil)
	a.between = a.root.issue(t, "between", true, nil)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.asked = append(a.asked, r.Host+r.URL.RequestURI())
		if text, ok := a.pages[r.Host+r.URL.Path]; ok {
			_, _ = w.Write(text)
			return
		}
		http.Redirect(w, r, "https://169.254.169.254/latest/meta-data/", http.StatusFound)
	}))
	host := a.root.issue(t, "sns.eu-central-1.amazonaws.com", false, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	})
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{host.cert.Raw}, PrivateKey: host.key}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	plain := httptest.NewServer(server.Config.Handler)
	t.Cleanup(plain.Close)
	a.client = NewSNSClient()
	transport, _ := a.client.Transport.(*http.Transport)
	roots := x509.NewCertPool()
	roots.AddCert(host.cert)
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		to := server.Listener.Addr().String()
		switch address {
		case "sns.eu-central-1.amazonaws.com:443":
		case "crt.r2m01.amazontrust.com:80":
			to = plain.Listener.Addr().String()
		default:
			t.Errorf("%s was asked for", address)
			return nil, net.ErrClosed
		}
		return new(net.Dialer).DialContext(ctx, network, to)
	}
	a.pages["sns.eu-central-1.amazonaws.com/"] = []byte("<ConfirmSubscriptionResponse/>")
	return a
}

func (a *amazon) asks() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.asked)
}

func (a *amazon) handler(t testing.TB) (*SNS, *countingStore) {
	t.Helper()
	in, store := testIntake(t)
	in.Limits = Limits{RecordBytes: 100_000, BodyBytes: 1 << 20, Records: 100, Depth: 16}
	roots := x509.NewCertPool()
	roots.AddCert(a.root.cert)
	return &SNS{Intake: in, Topics: []string{testTopic}, Signatures: &SNSSignatures{
		Client: a.client, Roots: roots, Now: func() time.Time { return snsNoon }, Log: slog.New(slog.DiscardHandler),
	}}, store
}

func notification(message string) *snsMessage {
	return &snsMessage{
		Type: snsNotification, MessageID: "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", TopicARN: testTopic, Message: message,
		Timestamp: snsNoon.Format("2006-01-02T15:04:05.000Z"), SignatureVersion: "2",
	}
}

// sign signs a message by the certificate at a path.
func (a *amazon) sign(t testing.TB, m *snsMessage, path string) string {
	t.Helper()
	m.SigningCertURL = snsServer + path
	hash, sum := crypto.SHA256, sha256.Sum256([]byte(m.signed()))
	text := sum[:]
	if m.SignatureVersion == "1" {
		old := sha1.Sum([]byte(m.signed())) //nolint:gosec // as above
		hash, text = crypto.SHA1, old[:]
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.keys[path], hash, text)
	if err != nil {
		t.Fatal(err)
	}
	m.Signature = base64.StdEncoding.EncodeToString(signature)
	return written(t, m)
}

func written(t testing.TB, m *snsMessage) string {
	t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const twoFindings = `{"version":"0","id":"1","detail-type":"Security Hub Findings - Imported","source":"aws.securityhub","time":"2026-05-04T09:32:00Z","detail":{"findings":[
{"ProductArn":"p","GeneratorId":"g","AwsAccountId":"1","Severity":{"Label":"HIGH"},"Title":"one"},{"ProductArn":"p","GeneratorId":"g","AwsAccountId":"1","Severity":{"Label":"LOW"},"Title":"two"}]}}`

func TestSNSMessagesAreStoredOnce(t *testing.T) {
	a := newAmazon(t)
	path := a.serveCertificate("a", a.between.issue(t, "sns.amazonaws.com", false, nil), a.between)
	subject := "ALARM"
	for _, c := range []struct {
		reason, message, version string
		subject                  *string
		events                   int
	}{
		{"a text", "Somebody logged in.\nAs root.", "1", &subject, 1},
		{"a finding", `{"version":"0","detail-type":"GuardDuty Finding","source":"aws.guardduty","detail":{"type":"x","service":{"serviceName":"guardduty"}}}`, "2", nil, 1},
		{"an event with two findings", twoFindings, "2", nil, 2},
		{"what begins as JSON", `{"half":`, "1", nil, 1},
		{"nothing", "", "2", nil, 1},
	} {
		t.Run(c.reason, func(t *testing.T) {
			h, store := a.handler(t)
			m := notification(c.message)
			m.Subject, m.SignatureVersion = c.subject, c.version
			body := a.sign(t, m, path)
			before := a.asks()
			for n := range 3 { // as SNS does when it hears no answer
				answer := serve(h, "POST", "/api/aws/sns", body, "Content-Type", "text/plain; charset=UTF-8")
				if answer.Code != 200 || store.events != c.events || strings.Contains(answer.Body.String(), "repeated") != (n > 0) {
					t.Fatalf("%d: %d %s, %d events", n, answer.Code, answer.Body, store.events)
				}
			}
			if got := a.asks() - before; got != 1 {
				t.Errorf("the certificate was fetched %d times", got)
			}
		})
	}
}

func TestForgedSNSMessagesAreRefused(t *testing.T) {
	a := newAmazon(t)
	good := a.serveCertificate("a", a.between.issue(t, "sns.amazonaws.com", false, nil), a.between)
	stranger := (*authority)(nil).issue(t, "root", true, nil)
	self := a.serveCertificate("b", stranger.issue(t, "sns.amazonaws.com", false, nil), stranger)
	expired := a.serveCertificate("c", a.between.issue(t, "sns.amazonaws.com", false, func(c *x509.Certificate) { c.NotAfter = snsNoon.Add(-time.Minute) }), a.between)
	another := a.serveCertificate("d", a.between.issue(t, "www.example.com", false, nil), a.between)
	alone := a.serveCertificate("e", a.between.issue(t, "sns.amazonaws.com", false, nil))
	a.pages["sns.eu-central-1.amazonaws.com/SimpleNotificationService-f.pem"] = []byte("no certificate")
	for _, c := range []struct {
		reason string
		path   string
		before func(*snsMessage) // it is signed
		after  func(*snsMessage)
		status int
		asked  bool // for a certificate
	}{
		{reason: "as it should be", path: good, status: 200, asked: true},
		{reason: "another text", path: good, after: func(m *snsMessage) { m.Message += "!" }, status: 403, asked: true},
		{reason: "a subject that was not signed", path: good, after: func(m *snsMessage) { m.Subject = new(string) }, status: 403, asked: true},
		{reason: "no base64", path: good, after: func(m *snsMessage) { m.Signature = "!" }, status: 403},
		{reason: "a signature of the other version", path: good, after: func(m *snsMessage) { m.SignatureVersion = "1" }, status: 403, asked: true},
		{reason: "no version", path: good, after: func(m *snsMessage) { m.SignatureVersion = "3" }, status: 400},
		{reason: "a certificate of nobody", path: self, status: 403, asked: true},
		{reason: "a certificate that has expired", path: expired, status: 403, asked: true},
		{reason: "another's certificate", path: another, status: 403, asked: true},
		{reason: "a certificate whose issuer is not there", path: alone, status: 403, asked: true},
		{reason: "no certificate", path: good, after: func(m *snsMessage) { m.SigningCertURL = snsServer + "/SimpleNotificationService-f.pem" }, status: 403, asked: true},
		{reason: "a certificate that is elsewhere", path: good, after: func(m *snsMessage) { m.SigningCertURL = snsServer + "/SimpleNotificationService-0.pem" }, status: 503, asked: true},
		{reason: "another host", path: good, after: func(m *snsMessage) { m.SigningCertURL = "https://evil.example" + good }, status: 403},
		{reason: "a host that begins so", path: good, after: func(m *snsMessage) {
			m.SigningCertURL = "https://sns.eu-central-1.amazonaws.com.evil.example" + good
		}, status: 403},
		{reason: "a bucket", path: good, after: func(m *snsMessage) {
			m.SigningCertURL = "https://sns.eu-central-1.s3.amazonaws.com" + good
		}, status: 403},
		{reason: "another region", path: good, after: func(m *snsMessage) { m.SigningCertURL = "https://sns.us-east-1.amazonaws.com" + good }, status: 403},
		{reason: "a name before the host", path: good, after: func(m *snsMessage) {
			m.SigningCertURL = "https://sns.eu-central-1.amazonaws.com@evil.example" + good
		}, status: 403},
		{reason: "another port", path: good, after: func(m *snsMessage) {
			m.SigningCertURL = "https://sns.eu-central-1.amazonaws.com:8443" + good
		}, status: 403},
		{reason: "no TLS", path: good, after: func(m *snsMessage) { m.SigningCertURL = "http://sns.eu-central-1.amazonaws.com" + good }, status: 403},
		{reason: "another page of that host", path: good, after: func(m *snsMessage) { m.SigningCertURL = snsServer + "/?Action=Publish" }, status: 403},
		{reason: "another topic", path: good, before: func(m *snsMessage) { m.TopicARN += "2" }, status: 403},
		{reason: "an old message", path: good, before: func(m *snsMessage) { m.Timestamp = snsNoon.Add(-13 * time.Hour).Format(time.RFC3339) }, status: 403},
		{reason: "a message of tomorrow", path: good, before: func(m *snsMessage) { m.Timestamp = snsNoon.Add(time.Hour).Format(time.RFC3339) }, status: 403},
		{reason: "no time", path: good, before: func(m *snsMessage) { m.Timestamp = "now" }, status: 400},
		{reason: "no name", path: good, before: func(m *snsMessage) { m.MessageID = "" }, status: 400},
		{reason: "no type", path: good, before: func(m *snsMessage) { m.Type = "Other" }, status: 400},
	} {
		t.Run(c.reason, func(t *testing.T) {
			h, store := a.handler(t)
			m := notification("x")
			if c.before != nil {
				c.before(m)
			}
			a.sign(t, m, c.path)
			if c.after != nil {
				c.after(m)
			}
			before := a.asks()
			answer := serve(h, "POST", "/api/aws/sns", written(t, m))
			if answer.Code != c.status || (store.events > 0) != (c.status == 200) || (a.asks() > before) != c.asked {
				t.Errorf("%d %s, %d events, asked %d times", answer.Code, answer.Body, store.events, a.asks()-before)
			}
		})
	}
}

func TestSNSRequestsAreBounded(t *testing.T) {
	a := newAmazon(t)
	path := a.serveCertificate("a", a.between.issue(t, "sns.amazonaws.com", false, nil), a.between)
	h, store := a.handler(t)
	for reason, c := range map[string]struct {
		body   string
		status int
		header []string
	}{
		"too large":              {written(t, notification(strings.Repeat("x", maxSNSBytes))), 413, nil},
		"a message too large":    {a.sign(t, notification(strings.Repeat("x", 100_001)), path), 422, nil},
		"an object too large":    {a.sign(t, notification(`{"a":"`+strings.Repeat("x", 100_001)+`"}`), path), 422, nil},
		"an object too deep":     {a.sign(t, notification(strings.Repeat(`{"a":`, 40)+"1"+strings.Repeat("}", 40)), path), 422, nil},
		"raw":                    {"{}", 400, []string{"X-Amz-Sns-Rawdelivery", "true"}},
		"no JSON":                {"x", 400, nil},
		"JSON of another form":   {`{"Type":7}`, 400, nil},
		"nothing":                {"", 400, nil},
		"a list":                 {"[]", 400, nil},
		"an object with no word": {"{}", 400, nil},
	} {
		if answer := serve(h, "POST", "/api/aws/sns", c.body, c.header...); answer.Code != c.status || store.events > 0 {
			t.Errorf("%s: %d %.300s", reason, answer.Code, answer.Body)
		}
	}
	// However many certificates strangers name, few are asked for.
	before := a.asks()
	for n := range 40 {
		m := notification("x")
		m.SigningCertURL, m.Signature = fmt.Sprintf("%s/SimpleNotificationService-%032x.pem", snsServer, n), "eA=="
		if answer := serve(h, "POST", "/api/aws/sns", written(t, m)); answer.Code != 503 || answer.Header().Get("Retry-After") == "" {
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
	}
	if got := a.asks() - before; got > snsFetches {
		t.Errorf("%d certificates were asked for", got)
	}
	h.reading.Store(maxSNSReading)
	if answer := serve(h, "POST", "/api/aws/sns", "{}"); answer.Code != 429 {
		t.Errorf("one too many: %d", answer.Code)
	}
	h.Topics = nil
	h.reading.Store(0)
	if answer := serve(h, "POST", "/api/aws/sns", a.sign(t, notification("x"), path)); answer.Code != 403 {
		t.Errorf("without topics: %d", answer.Code)
	}
	if answer := serve(h, "GET", "/api/aws/sns", ""); answer.Code != 405 {
		t.Errorf("GET: %d", answer.Code)
	}
}

// The issuer of a certificate that came alone is asked of Amazon Trust Services.
func TestIssuerIsFetched(t *testing.T) {
	a := newAmazon(t)
	path := a.serveCertificate("a", a.between.issue(t, "sns.amazonaws.com", false, func(c *x509.Certificate) {
		c.IssuingCertificateURL = []string{"http://169.254.169.254/", "http://crt.r2m01.amazontrust.com/r2m01.cer"}
	}))
	a.pages["crt.r2m01.amazontrust.com/r2m01.cer"] = a.between.cert.Raw
	h, store := a.handler(t)
	if answer := serve(h, "POST", "/api/aws/sns", a.sign(t, notification("x"), path)); answer.Code != 200 || store.events != 1 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	stranger := (*authority)(nil).issue(t, "stranger", true, nil)
	a.pages["crt.r2m01.amazontrust.com/r2m01.cer"] = stranger.cert.Raw
	h, store = a.handler(t)
	if answer := serve(h, "POST", "/api/aws/sns", a.sign(t, notification("x"), path)); answer.Code != 403 || store.events != 0 {
		t.Errorf("another issuer: %d %s", answer.Code, answer.Body)
	}
}

func TestSubscriptionsAreConfirmed(t *testing.T) {
	a := newAmazon(t)
	path := a.serveCertificate("a", a.between.issue(t, "sns.amazonaws.com", false, nil), a.between)
	link := func(host, action, topic string) string {
		return host + "/?" + url.Values{"Action": {action}, "TopicArn": {topic}, "Token": {"t0"}}.Encode()
	}
	for _, c := range []struct {
		reason, kind, topic, link string
		status                    int
		confirmed                 bool
	}{
		{"of a topic that may", snsSubscribe, testTopic, link(snsServer, "ConfirmSubscription", testTopic), 200, true},
		{"of another topic", snsSubscribe, testTopic + "2", link(snsServer, "ConfirmSubscription", testTopic+"2"), 403, false},
		{"for another topic", snsSubscribe, testTopic, link(snsServer, "ConfirmSubscription", testTopic+"2"), 403, false},
		{"of another action", snsSubscribe, testTopic, link(snsServer, "DeleteTopic", testTopic), 403, false},
		{"elsewhere", snsSubscribe, testTopic, link("https://169.254.169.254", "ConfirmSubscription", testTopic), 403, false},
		{"that does not work", snsSubscribe, testTopic, link(snsServer+"/x", "ConfirmSubscription", testTopic), 503, false},
		{"that ends", snsUnsubscribe, testTopic, link(snsServer, "ConfirmSubscription", testTopic), 200, false},
	} {
		t.Run(c.reason, func(t *testing.T) {
			h, store := a.handler(t)
			m := notification("You have chosen to subscribe.")
			m.Type, m.TopicARN, m.SubscribeURL, m.Token = c.kind, c.topic, c.link, "t0"
			before := a.asks()
			answer := serve(h, "POST", "/api/aws/sns", a.sign(t, m, path))
			confirmed := false
			a.mu.Lock()
			for _, asked := range a.asked[before:] {
				confirmed = confirmed || strings.HasPrefix(asked, "sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription")
			}
			a.mu.Unlock()
			if answer.Code != c.status || confirmed != c.confirmed || store.events != 0 || strings.Contains(answer.Body.String(), "t0") {
				t.Errorf("%d %s, confirmed %t", answer.Code, answer.Body, confirmed)
			}
		})
	}
}

func TestEventBridgeEventsAreStoredOnce(t *testing.T) {
	in, store := testIntake(t)
	in.Limits = Limits{RecordBytes: 10_000, BodyBytes: 100_000, Records: 10, Depth: 16}
	h := &EventBridge{in}
	for _, c := range []struct {
		reason, body string
		status, more int
		headers      []string
	}{
		{"an event", `{"id":"1","detail-type":"x","source":"aws.ec2","detail":{}}`, 200, 1, nil},
		{"again", `{"id":"1","detail-type":"x","source":"aws.ec2","detail":{}}`, 200, 0, nil},
		{"in another form", `{"id":"1","detail-type":"x","source":"aws.ec2","detail":{"a":1}}`, 200, 1, nil},
		{"two findings", twoFindings, 200, 2, nil},
		{"two findings again", twoFindings, 200, 0, nil},
		{"several", `[{"id":"1","detail-type":"x"},{"id":"2"}]`, 200, 2, nil},
		{"several with a name", `[{"id":"1","detail-type":"x"},{"id":"2"}]`, 200, 2, []string{"Idempotency-Key", "k"}},
		{"several with a name again", `[{"id":"1","detail-type":"x"},{"id":"2"}]`, 200, 0, []string{"Idempotency-Key", "k"}},
		{"something else by that name", `{"id":"3"}`, 409, 0, []string{"Idempotency-Key", "k"}},
		{"pretty", "{\n \"a\": 1\n}\n", 200, 1, nil},
		{"nothing", "", 400, 0, nil},
		{"no JSON", "x", 400, 0, nil},
		{"half", `{"id":`, 400, 0, nil},
		{"too deep", strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), 422, 0, nil},
		{"too large", `{"a":"` + strings.Repeat("x", 100_001) + `"}`, 413, 0, nil},
	} {
		before := store.events
		answer := serve(h, "POST", "/api/aws/eventbridge", c.body, c.headers...)
		if answer.Code != c.status || store.events-before != c.more {
			t.Errorf("%s: %d %s, %d events", c.reason, answer.Code, answer.Body, store.events-before)
		}
	}
	if answer := serve(h, "GET", "/api/aws/eventbridge", ""); answer.Code != 405 {
		t.Errorf("GET: %d", answer.Code)
	}
}

// know spares a fuzzer the way over the network.
func (a *amazon) know(h *SNS, path string) {
	h.Signatures.known = map[string]*snsCertificate{snsServer + path: {key: &a.keys[path].PublicKey, until: snsNoon.Add(time.Hour)}}
}

// What is said to be stored is, and nothing else, whatever AWS may send.
func FuzzAWS(f *testing.F) {
	f.Add(twoFindings, false)
	f.Add(`{"detail":{"findings":[7,{"ProductArn":1,"GeneratorId":1,"AwsAccountId":1,"Severity":1},{}]}}`, true)
	f.Add("text \xff", true)
	f.Add(`[{"a":1},{"b":`, false)
	a := newAmazon(f)
	path := a.serveCertificate("a", a.between.issue(f, "sns.amazonaws.com", false, nil), a.between)
	f.Fuzz(func(t *testing.T, text string, sns bool) {
		h, store := a.handler(t)
		a.know(h, path)
		var handler http.Handler = h
		body := text
		if sns {
			// As it is signed: JSON has no bytes that are no UTF-8.
			body = a.sign(t, notification(strings.ToValidUTF8(text, "?")), path)
		} else {
			handler = &EventBridge{h.Intake}
		}
		answer := serve(handler, "POST", "/api/aws/x", body)
		var said struct{ Accepted int }
		if err := json.Unmarshal(answer.Body.Bytes(), &said); err != nil || answer.Code >= 500 {
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
		if said.Accepted != store.events || (said.Accepted > 0) != (answer.Code == 200) {
			t.Errorf("%d, said %d, stored %d", answer.Code, said.Accepted, store.events)
		}
	})
}

// No message is taken for one of SNS that is not signed, and no address is asked that is
// none of its own.
func FuzzSNSMessage(f *testing.F) {
	a := newAmazon(f)
	path := a.serveCertificate("a", a.between.issue(f, "sns.amazonaws.com", false, nil), a.between)
	m := notification("x")
	m.SigningCertURL, m.Signature = snsServer+path, "eA=="
	f.Add(written(f, m))
	f.Add(`{"Type":"SubscriptionConfirmation","SubscribeURL":"https://sns.eu-central-1.amazonaws.com/"}`)
	f.Fuzz(func(t *testing.T, body string) {
		h, store := a.handler(t)
		a.know(h, path)
		if answer := serve(h, "POST", "/api/aws/sns", body); answer.Code == 200 || store.events > 0 {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
	})
}
