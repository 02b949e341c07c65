package ingest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// Signature is what a webhook's requests are signed with.
type Signature struct {
	Header string // has the HMAC-SHA-256 of the body in hexadecimal, with or without "sha256="
	Secret string
}

// Webhooks knows the webhooks that are there.
type Webhooks interface {
	// Signature gives what the requests of a webhook are signed with, nil where they are
	// not; found is false where there is no such webhook, and an error says that its
	// secret cannot be read.
	Signature(name string) (s *Signature, found bool, err error)
}

// Webhook is POST /api/ingest/webhook/NAME: an object, an array of objects or NDJSON,
// read by the mapping of that name. It answers as Handler does. A webhook that has a
// secret takes what is signed with it alone, beside the token that every sender needs.
type Webhook struct {
	*Handler
	Webhooks Webhooks
}

// webhookBytes bounds the body of a webhook: its signature is of the whole.
const webhookBytes = 4 << 20

var (
	errNoWebhook = monitor.Errorf(monitor.CodeNotFound, "there is no webhook of this name, or it is disabled")
	errSignature = monitor.Errorf(monitor.CodeForbidden, "the request is not signed with the webhook's secret; nothing of it is stored")
)

// ServeHTTP takes one request.
func (h *Webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.allowed(w, r, protocolWebhook) {
		return
	}
	name := strings.TrimPrefix(r.URL.Path, monitor.WebhookPath)
	signature, found, err := h.Webhooks.Signature(name)
	if err == nil && !found {
		err = errNoWebhook
	}
	if err != nil {
		h.fail(w, r, protocolWebhook, 0, err)
		return
	}
	boundReading(w)
	body, err := io.ReadAll(&boundedReader{r: r.Body, left: min(webhookBytes, h.Limits.BodyBytes)})
	if err == nil && signature != nil && !signature.of(body, r.Header.Get(signature.Header)) {
		err = errSignature
	}
	if err != nil {
		h.fail(w, r, protocolWebhook, 0, err)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	c := h.begin(w, r, protocolWebhook)
	c.mapping = name
	h.take(w, c)
}

// of tells whether a header signs a body.
func (s *Signature) of(body []byte, header string) bool {
	given, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(header), "sha256="))
	if err != nil {
		return false
	}
	sum := hmac.New(sha256.New, []byte(s.Secret))
	_, _ = sum.Write(body) // a hash takes everything
	return hmac.Equal(given, sum.Sum(nil))
}
