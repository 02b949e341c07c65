package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// SplunkPath is where Splunk answers, before /services/collector.
const SplunkPath = "/api/splunk"

// Splunk is the HTTP Event Collector: event, raw, health and ack. What comes by it
// goes the way of all events.
//
// https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data
type Splunk struct {
	*Intake
	Acks *Acks
}

// hecStatus is a collector's word on a request.
type hecStatus struct {
	status int
	code   int
	text   string
}

// The collector's words; those that Splunk has.
var (
	hecSuccess       = hecStatus{http.StatusOK, 0, "Success"}
	hecNoToken       = hecStatus{http.StatusUnauthorized, 2, "Token is required"}
	hecNoScheme      = hecStatus{http.StatusUnauthorized, 3, "Invalid authorization"}
	hecBadToken      = hecStatus{http.StatusForbidden, 4, "Invalid token"}
	hecNoData        = hecStatus{http.StatusBadRequest, 5, "No data"}
	hecBadData       = hecStatus{http.StatusBadRequest, 6, "Invalid data format"}
	hecBusy          = hecStatus{http.StatusServiceUnavailable, 9, "Server is busy"}
	hecNoChannel     = hecStatus{http.StatusBadRequest, 10, "Data channel is missing"}
	hecBadChannel    = hecStatus{http.StatusBadRequest, 11, "Invalid data channel"}
	hecNoEvent       = hecStatus{http.StatusBadRequest, 12, "Event field is required"}
	hecBlankEvent    = hecStatus{http.StatusBadRequest, 13, "Event field cannot be blank"}
	hecBadFields     = hecStatus{http.StatusBadRequest, 15, "Error in handling indexed fields"}
	hecQueryToken    = hecStatus{http.StatusBadRequest, 16, "Query string authorization is not enabled"}
	hecHealthy       = hecStatus{http.StatusOK, 17, "HEC is healthy"}
	hecFull          = hecStatus{http.StatusServiceUnavailable, 18, "HEC is unhealthy, queues are full"}
	hecStopping      = hecStatus{http.StatusServiceUnavailable, 23, "Server is shutting down"}
	hecTooLarge      = hecStatus{http.StatusRequestEntityTooLarge, 27, "Request entity too large"}
	hecKeyReused     = hecStatus{http.StatusConflict, 6, "Invalid data format"}
	hecWrongMethod   = hecStatus{http.StatusMethodNotAllowed, 404, "The method is not allowed"}
	hecNothingAtPath = hecStatus{http.StatusNotFound, 404, "The requested URL was not found on this server."}
)

// hecAnswer is the body of every answer but that to ack.
type hecAnswer struct {
	Text     string      `json:"text"`
	Code     int         `json:"code"`
	Invalid  *int        `json:"invalid-event-number,omitempty"` // from 0
	AckID    *uint64     `json:"ackId,omitempty"`
	Rejected int         `json:"rejected,omitempty"` // of a request that is stored but for these
	Errors   []Rejection `json:"errors,omitempty"`
	Message  string      `json:"message,omitempty"`
	Request  string      `json:"requestId,omitempty"`
}

// ServeHTTP answers one request.
func (h *Splunk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := pathOf(r.URL.Path, SplunkPath)
	if len(parts) < 2 || parts[0] != "services" || parts[1] != "collector" {
		h.say(w, r, hecNothingAtPath, hecAnswer{})
		return
	}
	if parts = parts[2:]; len(parts) > 0 && parts[len(parts)-1] == "1.0" {
		parts = parts[:len(parts)-1]
	}
	switch what := strings.Join(parts, "/"); {
	case what == "health":
		h.health(w, r)
	case what != "" && what != "event" && what != "raw" && what != "ack":
		h.say(w, r, hecNothingAtPath, hecAnswer{})
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		h.say(w, r, hecWrongMethod, hecAnswer{})
	case !h.authorised(w, r):
	case what == "ack":
		h.ack(w, r)
	default:
		h.take(w, r, what == "raw")
	}
}

// health needs no token, as Splunk's; it tells no more than /api/readyz.
func (h *Splunk) health(w http.ResponseWriter, r *http.Request) {
	if h.Full() {
		h.say(w, r, hecFull, hecAnswer{})
		return
	}
	h.say(w, r, hecHealthy, hecAnswer{})
}

// authorised tells whether the request may send, and answers where not.
func (h *Splunk) authorised(w http.ResponseWriter, r *http.Request) bool {
	err := h.Authorise(r.Context())
	if err == nil {
		return true
	}
	known := h.explain(r, err)
	said := hecBadToken
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case known.Code != monitor.CodeUnauthenticated && known.Code != monitor.CodeForbidden:
		said = hecBusy
	case scheme == "" && r.URL.Query().Has("token"):
		said = hecQueryToken
	case scheme == "":
		said = hecNoToken
	case !strings.EqualFold(scheme, "Bearer"): // what auth.Shippers has not understood
		said = hecNoScheme
	}
	h.refuse(w, r, said, known, nil)
	return false
}

// channelOf gives the sender's channel, "" without one.
func channelOf(r *http.Request) string {
	if channel := r.Header.Get("X-Splunk-Request-Channel"); channel != "" {
		return strings.ToLower(channel)
	}
	return strings.ToLower(r.URL.Query().Get("channel"))
}

// isChannel tells whether a channel is a GUID, as it has to be.
func isChannel(channel string) bool {
	bare := strings.ReplaceAll(channel, "-", "")
	return len(bare) == 32 && len(channel) <= 36 && strings.Trim(bare, "0123456789abcdef") == ""
}

func (h *Splunk) take(w http.ResponseWriter, r *http.Request, raw bool) {
	channel := channelOf(r)
	if channel != "" && !isChannel(channel) {
		h.refuse(w, r, hecBadChannel, nil, nil)
		return
	}
	c := h.begin(w, r, protocolSplunk)
	defer c.release()
	var rejected []Rejection
	first, seen := hecSuccess, 0 // what is wrong with the first that is rejected
	note := func(said hecStatus, problem *Rejection) {
		if len(rejected) == 0 {
			first = said
		}
		c.reject(problem)
		rejected = append(rejected, *problem)
	}
	take := func(n int, record []byte, said hecStatus, problem *Rejection) error {
		if seen = n; problem == nil {
			if problem = rejectionOf(n, record, c.add(record)); problem != nil {
				said = hecBadData
			}
		}
		if problem != nil {
			note(said, problem)
		}
		return c.err()
	}
	err := c.read(func(body io.Reader) error {
		if raw {
			return splitRaw(body, h.Limits, rawEnvelope(r.URL.Query()), take)
		}
		return SplitObjects(body, h.Limits, func(n int, object []byte, problem *Rejection) error {
			if problem != nil {
				return take(n, nil, hecBadData, problem)
			}
			record, said, message := unwrapHEC(object, h.Limits)
			if record == nil {
				problem = &Rejection{Line: n, Code: CodeMalformed, Message: message, raw: object}
			}
			return take(n, record, said, problem)
		})
	})
	var broken *brokenError
	switch {
	case errors.As(err, &broken):
		n := broken.object - 1
		h.refuse(w, r, hecBadData, &monitor.Error{Code: monitor.CodeBadInput, Message: broken.Error()}, &n)
		return
	case err != nil:
		h.fail(w, r, err)
		return
	case seen == 0:
		h.refuse(w, r, hecNoData, nil, nil)
		return
	}
	if _, _, err := c.submit(); err != nil {
		h.fail(w, r, err)
		return
	}
	if len(c.batch.Events) == 0 {
		n := rejected[0].Line - 1
		h.meter().Request(protocolSplunk, "rejected")
		h.say(w, r, first, hecAnswer{Invalid: &n, Rejected: len(rejected), Message: rejected[0].Message})
		return
	}
	answer := hecAnswer{Rejected: len(rejected), Errors: rejected[:min(len(rejected), maxShownErrors)]}
	if channel != "" {
		id := h.Acks.Next(c.sender, channel)
		answer.AckID = &id
	}
	h.meter().Request(protocolSplunk, "stored")
	h.say(w, r, hecSuccess, answer)
}

// ack says which of the ids are of requests that are stored. An id is given with an
// answer, and an answer after the commit: so all are that were given.
func (h *Splunk) ack(w http.ResponseWriter, r *http.Request) {
	channel := channelOf(r)
	switch {
	case channel == "":
		h.refuse(w, r, hecNoChannel, nil, nil)
		return
	case !isChannel(channel):
		h.refuse(w, r, hecBadChannel, nil, nil)
		return
	}
	boundReading(w)
	var ask struct{ Acks []uint64 }
	body, err := io.ReadAll(&boundedReader{r: r.Body, left: maxAckBytes})
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if json.Unmarshal(body, &ask) != nil || ask.Acks == nil {
		h.refuse(w, r, hecBadData, nil, nil)
		return
	}
	sender := senderOf(r)
	said := map[string]bool{}
	for _, id := range ask.Acks {
		said[strconv.FormatUint(id, 10)] = h.Acks.Given(sender, channel, id)
	}
	writeHEC(w, http.StatusOK, map[string]any{"acks": said})
}

// maxAckBytes bounds a question for acknowledgements.
const maxAckBytes = 1 << 20

// fail answers a request of which nothing was stored.
func (h *Splunk) fail(w http.ResponseWriter, r *http.Request, err error) {
	known := h.explain(r, err)
	said := hecBusy
	switch {
	case errors.Is(err, errStopping):
		said = hecStopping
	case known.Code == CodeBodyTooLarge, known.Code == CodeTooManyRecords:
		said = hecTooLarge
	case known.Code == CodeBadEncoding, known.Code == monitor.CodeBadInput:
		said = hecBadData
	case known.Code == CodeKeyReused:
		said = hecKeyReused
	}
	h.refuse(w, r, said, known, nil)
}

// refuse counts a request that nothing was stored of, and answers it.
func (h *Splunk) refuse(w http.ResponseWriter, r *http.Request, said hecStatus, why *monitor.Error, invalid *int) {
	a, outcome := hecAnswer{Invalid: invalid}, outcomeOf(said.status)
	if why != nil {
		a.Message, outcome = why.Message, outcomeOf(statusOf(why.Code))
	}
	h.meter().Request(protocolSplunk, outcome)
	h.say(w, r, said, a)
}

func (h *Splunk) say(w http.ResponseWriter, r *http.Request, said hecStatus, a hecAnswer) {
	a.Text, a.Code = said.text, said.code
	if said.code != hecSuccess.code {
		a.Request = monitor.RequestID(r.Context())
	}
	switch said.status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Splunk")
	}
	writeHEC(w, said.status, a)
}

func writeHEC(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the sender may have left
}

// hecEvent is one object of a request.
type hecEvent struct {
	Time       json.RawMessage `json:"time,omitempty"`
	Host       json.RawMessage `json:"host,omitempty"`
	Source     json.RawMessage `json:"source,omitempty"`
	Sourcetype json.RawMessage `json:"sourcetype,omitempty"`
	Index      json.RawMessage `json:"index,omitempty"`
	Event      json.RawMessage `json:"event,omitempty"`
	Fields     json.RawMessage `json:"fields,omitempty"`
}

// unwrapHEC makes a record of an object of valid JSON: the event, where that is an
// object or a text that is one, else {"message": ...}; and what stands around it
// under "splunk", behind the event's own keys. Without a record it says what is wrong.
func unwrapHEC(object []byte, limits Limits) (record []byte, said hecStatus, message string) {
	var e hecEvent
	if err := json.Unmarshal(object, &e); err != nil {
		return nil, hecBadData, err.Error()
	}
	event := e.Event
	e.Event = nil
	switch {
	case event == nil || string(event) == "null":
		return nil, hecNoEvent, "the key event is missing"
	case string(event) == `""`:
		return nil, hecBlankEvent, "the event is empty"
	case e.Fields != nil && e.Fields[0] != '{' && string(e.Fields) != "null":
		return nil, hecBadFields, "fields is no object"
	}
	around, err := json.Marshal(e)
	if err != nil {
		return nil, hecBadData, err.Error()
	}
	if event[0] == '"' {
		var text string
		if err := json.Unmarshal(event, &text); err != nil {
			return nil, hecBadData, err.Error()
		}
		if strings.TrimSpace(text) == "" {
			return nil, hecBlankEvent, "the event is empty"
		}
		return recordOf(text, around, limits), hecSuccess, ""
	}
	if event[0] != '{' {
		return recordOf(string(event), around, limits), hecSuccess, ""
	}
	return withEnvelope(event, around), hecSuccess, ""
}

// recordOf makes a record of a text.
func recordOf(text string, around []byte, limits Limits) []byte {
	s := &splitter{limits: limits}
	if object := bytes.TrimSpace([]byte(text)); len(object) > 0 && object[0] == '{' {
		if code, _ := s.check(object); code == "" {
			return withEnvelope(object, around)
		}
	}
	record, _ := json.Marshal(struct { // strings can always be written
		Message string `json:"message"`
	}{text})
	return withEnvelope(record, around)
}

// withEnvelope adds what stands around an event behind the event's own keys.
func withEnvelope(event, around []byte) []byte {
	if string(around) == "{}" {
		return bytes.Clone(event)
	}
	open := bytes.TrimRight(bytes.TrimSuffix(event, []byte("}")), " \t\r\n")
	out := make([]byte, 0, len(event)+len(around)+16)
	if out = append(out, open...); len(open) > 1 {
		out = append(out, ',')
	}
	out = append(out, `"splunk":`...)
	out = append(out, around...)
	return append(out, '}')
}

// rawEnvelope is what stands around each line of a request to raw.
func rawEnvelope(query url.Values) []byte {
	around := map[string]string{}
	for _, name := range []string{"time", "host", "source", "sourcetype", "index"} {
		if value := query.Get(name); value != "" {
			around[name] = strings.ToValidUTF8(value, "\uFFFD")
		}
	}
	out, _ := json.Marshal(around) // strings can always be written
	return out
}

// splitRaw makes a record of each line that is not blank. What is no UTF-8 is
// written as \xNN.
func splitRaw(r io.Reader, limits Limits, around []byte, yield func(n int, record []byte, said hecStatus, problem *Rejection) error) error {
	s := &splitter{limits: limits, in: newBodyReader(r, limits)}
	for {
		line, long, err := s.readLine()
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return err
		}
		if line = bytes.TrimRight(line, "\r\n"); long || len(bytes.TrimSpace(line)) > 0 {
			if s.records++; s.records > limits.Records {
				return s.tooMany()
			}
			var problem *Rejection
			var record []byte
			if long || len(line) > limits.RecordBytes {
				problem = &Rejection{Line: s.records, Code: CodeRecordTooLarge, Message: fmt.Sprintf("the line is longer than %d bytes", limits.RecordBytes), raw: line}
			} else {
				record = recordOf(printable(line), around, limits)
			}
			if err := yield(s.records, record, hecBadData, problem); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
	}
}

// brokenError says that an object of a request is no JSON, so that the next one
// cannot be found.
type brokenError struct {
	object int // from 1
	why    string
}

func (e *brokenError) Error() string {
	return fmt.Sprintf("object %d: %s; nothing of the request is stored", e.object, e.why)
}

// SplitObjects reads JSON objects that stand one behind the other, with or without
// white space between them, or in an array. It calls yield for each with its number
// from 1, and either the object (valid JSON, a slice of its own) or what is wrong
// with it.
//
// An error is about the request as a whole, as of Split; also JSON that is damaged.
func SplitObjects(r io.Reader, limits Limits, yield func(n int, object []byte, problem *Rejection) error) error {
	s := &splitter{limits: limits, in: newBodyReader(r, limits)}
	s.yield = func(_ int, raw []byte, problem *Rejection) error {
		if problem != nil {
			problem.Line = s.records
		}
		return yield(s.records, raw, problem)
	}
	array := false
	for {
		c, err := s.skipSpace()
		switch {
		case errors.Is(err, io.EOF) && !array:
			return nil
		case errors.Is(err, io.EOF):
			return &brokenError{s.records + 1, "the array has no end"}
		case err != nil:
			return err
		case c == '[' && s.records == 0 && !array:
			array = true
		case c == ',' && array && s.records > 0, c == '{':
		case c == ']' && array:
			_, _ = s.in.ReadByte() // it was peeked
			if _, err := s.skipSpace(); !errors.Is(err, io.EOF) {
				return errors.Join(err, &brokenError{s.records + 1, "more follows behind the array"})
			}
			return nil
		default:
			return &brokenError{s.records + 1, "it is no object"}
		}
		if c != '{' {
			_, _ = s.in.ReadByte() // it was peeked
			continue
		}
		if err := s.object(); err != nil {
			return err
		}
	}
}

// object reads one object and hands it on.
func (s *splitter) object() error {
	raw, long, err := s.balanced()
	if s.records++; err != nil {
		if errors.Is(err, io.EOF) {
			return &brokenError{s.records, "it has no end"}
		}
		return err
	}
	switch {
	case s.records > s.limits.Records:
		return s.tooMany()
	case long:
		return s.reject(raw, CodeRecordTooLarge, fmt.Sprintf("the record is larger than %d bytes", s.limits.RecordBytes))
	}
	switch code, message := s.check(raw); code {
	case "":
		return s.yield(0, raw, nil)
	case CodeMalformed:
		return &brokenError{s.records, message}
	default:
		return s.reject(raw, code, message)
	}
}

// balanced reads up to the bracket that closes the one that comes next.
func (s *splitter) balanced() (raw []byte, long bool, err error) {
	var at nesting
	for {
		c, err := s.in.ReadByte()
		if err != nil {
			return nil, false, err
		}
		at.step(c)
		if !long {
			if raw = append(raw, c); len(raw) > s.limits.RecordBytes {
				raw, long = beginning(raw), true
			}
		}
		if at.level == 0 {
			return raw, long, nil
		}
	}
}
