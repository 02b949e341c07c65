package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// SNS takes what topics of Amazon SNS send by HTTPS. The signature is the
// credential: a message counts when it is signed by Amazon SNS and its topic is one of
// Topics. Subscriptions of these topics are confirmed, others are refused.
//
// A message is stored once: its MessageId is the name of the request.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
type SNS struct {
	*Intake

	Topics     []string // ARNs
	Signatures *SNSSignatures

	reading atomic.Int64
}

const (
	// maxSNSBytes bounds a request. A message has at most 256 KiB, which may be more than
	// twice as many in JSON.
	maxSNSBytes = 1 << 20
	// maxSNSReading and snsReadTime bound what strangers can hold of this server: a
	// message is read before it can be verified.
	maxSNSReading = 32
	snsReadTime   = 10 * time.Second
	// snsAge is how old a message may be: SNS tries for some hours at most, and names
	// are remembered for a day, so that no message is taken twice.
	snsAge   = 12 * time.Hour
	snsAhead = 15 * time.Minute // of clocks
)

// snsMessage is a request of SNS.
type snsMessage struct {
	Type             string
	MessageID        string `json:"MessageId"`
	TopicARN         string `json:"TopicArn"`
	Subject          *string
	Message          string
	Timestamp        string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
	SubscribeURL     string
	Token            string
}

// The types of messages.
const (
	snsNotification = "Notification"
	snsSubscribe    = "SubscriptionConfirmation"
	snsUnsubscribe  = "UnsubscribeConfirmation"
)

// ServeHTTP takes one message.
func (h *SNS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.refuse(w, r, protocolAWS, http.StatusMethodNotAllowed, monitor.Errorf(monitor.CodeBadInput, "SNS sends with POST"))
		return
	}
	if h.reading.Add(1) > maxSNSReading {
		h.reading.Add(-1)
		h.refuse(w, r, protocolAWS, 0, errSaturated)
		return
	}
	defer h.reading.Add(-1)
	m, err := h.read(w, r)
	if err == nil {
		err = h.check(r.Context(), m)
	}
	if err != nil {
		h.refuse(w, r, protocolAWS, 0, err)
		return
	}
	switch m.Type {
	case snsSubscribe:
		err = h.confirm(r.Context(), m)
	case snsUnsubscribe:
		h.Log.WarnContext(r.Context(), "sns: a subscription has ended", "topic", m.TopicARN, "request", monitor.RequestID(r.Context()))
	default:
		h.take(w, r, m)
		return
	}
	if err != nil {
		h.refuse(w, r, protocolAWS, 0, err)
		return
	}
	h.answer(w, r, protocolAWS, http.StatusOK, answer{})
}

// read reads the message, no further than a message can be.
func (h *SNS) read(w http.ResponseWriter, r *http.Request) (*snsMessage, error) {
	if len(h.Topics) == 0 {
		return nil, monitor.Errorf(monitor.CodeForbidden, "this server takes no topics of SNS: --sns-topics names them")
	}
	if strings.EqualFold(r.Header.Get("X-Amz-Sns-Rawdelivery"), "true") {
		return nil, monitor.Errorf(monitor.CodeBadInput, "raw messages have no signature: turn raw message delivery off for this subscription")
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(snsReadTime)) // not every test's writer has deadlines
	body, err := io.ReadAll(&boundedReader{r: r.Body, left: min(maxSNSBytes, h.Limits.BodyBytes)})
	if err != nil {
		return nil, err
	}
	m := &snsMessage{}
	if err := json.Unmarshal(body, m); err != nil {
		return nil, monitor.Errorf(monitor.CodeBadInput, "no message of SNS: %v", err)
	}
	return m, nil
}

// check holds a message against the topics, the clock and its signature.
func (h *SNS) check(ctx context.Context, m *snsMessage) error {
	switch {
	case m.Type != snsNotification && m.Type != snsSubscribe && m.Type != snsUnsubscribe:
		return monitor.Errorf(monitor.CodeBadInput, "no message of SNS: it is of no type that is known")
	case m.MessageID == "" || len(m.MessageID) > maxKeyBytes:
		return monitor.Errorf(monitor.CodeBadInput, "no message of SNS: it has no MessageId")
	case !slices.Contains(h.Topics, m.TopicARN):
		return monitor.Errorf(monitor.CodeForbidden, "this server takes other topics of SNS: --sns-topics names them")
	}
	at, err := time.Parse(time.RFC3339Nano, m.Timestamp)
	now := h.Signatures.now()
	switch {
	case err != nil:
		return monitor.Errorf(monitor.CodeBadInput, "no message of SNS: its Timestamp is no time")
	case at.Before(now.Add(-snsAge)):
		return monitor.Errorf(monitor.CodeForbidden, "the message is older than %s", snsAge)
	case at.After(now.Add(snsAhead)):
		return monitor.Errorf(monitor.CodeForbidden, "the message is of the future; is this server's clock right?")
	}
	return h.Signatures.Verify(ctx, m)
}

// confirm says yes to a subscription.
func (h *SNS) confirm(ctx context.Context, m *snsMessage) error {
	if err := h.Signatures.confirm(ctx, m); err != nil {
		return err
	}
	h.Log.InfoContext(ctx, "sns: subscribed", "topic", m.TopicARN, "request", monitor.RequestID(ctx))
	return nil
}

// take stores what a notification tells.
func (h *SNS) take(w http.ResponseWriter, r *http.Request, m *snsMessage) {
	c := h.begin(w, r, protocolAWS)
	defer c.release()
	c.key, c.sender, c.sum = m.MessageID, "sns "+m.TopicARN, sha256.New()
	_, _ = io.WriteString(c.sum, m.Message) // never fails
	var rejected []Rejection
	if problem := rejectionOf(1, []byte(m.Message), c.addMessage(m)); problem != nil {
		c.reject(problem)
		rejected = []Rejection{*problem}
	}
	if err := c.err(); err != nil {
		h.refuse(w, r, protocolAWS, 0, err)
		return
	}
	h.store(w, r, c, rejected)
}

// addMessage adds a message that is an object as that, any other as a text.
func (c *collection) addMessage(m *snsMessage) error {
	s := &splitter{limits: c.Limits}
	if object := bytes.TrimSpace([]byte(m.Message)); len(object) > 0 && object[0] == '{' {
		code, why := s.check(object)
		switch {
		case len(object) > c.Limits.RecordBytes:
			return &recordError{CodeRecordTooLarge, fmt.Sprintf("the message is longer than %d bytes", c.Limits.RecordBytes)}
		case code == "":
			return c.addAWS(object)
		case code != CodeMalformed:
			return &recordError{code, why}
		}
	}
	text := map[string]any{"message": m.Message, "time": m.Timestamp, "sns": map[string]string{"topic": m.TopicARN, "id": m.MessageID}}
	if m.Subject != nil {
		text["subject"] = *m.Subject
	}
	record, err := json.Marshal(text)
	if err != nil {
		return err
	}
	if len(record) > c.Limits.RecordBytes {
		return &recordError{CodeRecordTooLarge, fmt.Sprintf("the message is longer than %d bytes", c.Limits.RecordBytes)}
	}
	return c.add(record)
}
