package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// ElasticPath is where Elastic answers.
const ElasticPath = "/api/elastic"

// Elastic is what shippers need of Elasticsearch's interface: _bulk and single
// documents, which go the way of all events, and the questions that they ask before
// (elasticapi.go). Documents are records as in /api/ingest; the name of the index
// decides nothing. A document with an _id is stored once (docs/ingest.md).
//
// https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
type Elastic struct{ *Intake }

// ServeHTTP answers one request.
func (h *Elastic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Elastic-Product", "Elasticsearch") // clients refuse a server without it
	if err := h.Authorise(r.Context()); err != nil {
		h.fail(w, r, err)
		return
	}
	parts := pathOf(r.URL.Path, ElasticPath)
	switch {
	case len(parts) == 1 && parts[0] == "_bulk":
		h.bulk(w, r, "")
	case len(parts) >= 2 && len(parts) <= 3 && parts[len(parts)-1] == "_bulk" && !reserved(parts[0]): // with a type between
		h.bulk(w, r, parts[0])
	case len(parts) >= 2 && len(parts) <= 3 && !reserved(parts[0]) && (parts[1] == "_doc" || parts[1] == "_create") && (r.Method == http.MethodPost || r.Method == http.MethodPut):
		id := ""
		if len(parts) == 3 {
			id = parts[2]
		}
		h.document(w, r, parts[0], id, parts[1] == "_create" || r.URL.Query().Get("op_type") == opCreate)
	default:
		h.answerAPI(w, r, parts)
	}
}

// pathOf gives the segments of a path behind the base; empty ones are left out.
func pathOf(path, base string) []string {
	return strings.FieldsFunc(strings.TrimPrefix(path, base), func(r rune) bool { return r == '/' })
}

// reserved tells whether a segment is no index.
func reserved(segment string) bool { return strings.HasPrefix(segment, "_") }

const (
	opIndex  = "index"
	opCreate = "create"
)

// bulkItem is one document of a request, and what is said of it.
type bulkItem struct {
	op, index, id string
	problem       *Rejection
	part          *monitor.Part
	event         int    // index in the batch
	later         string // why it is to be sent again
}

// bulk takes a request of documents. What is to be sent again is refused whole, but to
// who has no User-Agent document by document, as Elasticsearch does it too: that is
// rsyslog, which otherwise forgets the whole request. Others forget documents
// (Vector without request_retry_partial).
func (h *Elastic) bulk(w http.ResponseWriter, r *http.Request, index string) {
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		h.methodNotAllowed(w, r, "POST, PUT")
		return
	}
	begun := time.Now()
	c := h.begin(w, r, protocolElastic)
	defer c.release()
	perItem := r.UserAgent() == ""
	var items []*bulkItem
	err := c.read(func(body io.Reader) error {
		return SplitBulk(body, h.Limits, func(a BulkAction, raw []byte, problem *Rejection) error {
			item := &bulkItem{op: a.Op, index: a.Index, id: a.ID, problem: problem}
			if item.index == "" {
				item.index = index
			}
			if items = append(items, item); problem == nil && !c.full {
				h.add(c, item, len(items), raw)
			}
			c.rejectItem(item)
			if perItem && c.full {
				return r.Context().Err() // the others are counted, and not held
			}
			return c.err()
		})
	})
	if err == nil && len(items) == 0 {
		err = monitor.Errorf(monitor.CodeBadInput, "request body is required")
	}
	switch {
	case err != nil:
	case perItem && c.full:
		err = errSaturated // who sends document by document again makes other requests of them
	default:
		err = c.err()
	}
	if err == nil {
		_, _, err = c.submit()
	}
	outcome := outcomeOf(statusOfItems(items))
	if err != nil {
		known := h.explain(r, err)
		if status := statusOf(known.Code); !perItem || len(items) == 0 || status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
			h.failAs(w, known)
			return
		}
		w.Header().Set("Retry-After", retryAfter)
		outcome = outcomeOf(statusOf(known.Code))
		for _, i := range items {
			i.later = known.Message
		}
	}
	h.meter().Request(protocolElastic, outcome)
	lean := strings.Contains(r.URL.Query().Get("filter_path"), "items")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	if err := writeBulk(w, time.Since(begun), items, c.batch, lean); err != nil {
		h.Log.Debug("ingest: sender left before the answer", "error", err)
	}
}

// add takes in a document. One with an _id, and each of a request with an
// Idempotency-Key, is a part of its own; the others are not repeated knowingly.
func (h *Elastic) add(c *collection, item *bulkItem, number int, raw []byte) {
	item.event = len(c.batch.Events)
	if item.problem = rejectionOf(number, raw, c.add(raw)); item.problem != nil || c.full {
		return
	}
	item.part = &monitor.Part{Events: 1}
	switch content := monitor.HashPart(string(raw)); {
	case item.id != "" && item.op == opCreate:
		// Only the first is created, whatever the others say: that is what create means.
		item.part.Key = monitor.HashPart("document", c.sender, item.index, item.id)
	case item.id != "":
		// What has changed is no repetition. Events are not overwritten: it is one more.
		item.part.Key = monitor.HashPart("document", c.sender, item.index, item.id, string(content[:]))
	case c.key != "":
		item.part.Key, item.part.Content = monitor.HashPart("item", c.sender, c.key, strconv.Itoa(number)), content
	}
	c.batch.Parts = append(c.batch.Parts, item.part)
}

// rejectItem notes a document that is no good, by its name where it has one.
func (c *collection) rejectItem(item *bulkItem) {
	if item.problem == nil {
		return
	}
	if item.id != "" {
		item.problem.name = item.index + "\x00" + item.id
	}
	c.reject(item.problem)
}

// document is _bulk for one.
func (h *Elastic) document(w http.ResponseWriter, r *http.Request, index, id string, create bool) {
	c := h.begin(w, r, protocolElastic)
	defer c.release()
	item := &bulkItem{op: opIndex, index: index, id: id}
	if create {
		item.op = opCreate
	}
	err := c.read(func(body io.Reader) error {
		raw, err := io.ReadAll(&boundedReader{r: body, left: int64(h.Limits.RecordBytes)})
		if err != nil {
			return err
		}
		s := &splitter{limits: h.Limits}
		if code, message := s.check(bytes.TrimSpace(raw)); code != "" {
			item.problem = &Rejection{Line: 1, Code: code, Message: message, raw: raw}
			c.rejectItem(item)
			return nil
		}
		h.add(c, item, 1, bytes.TrimSpace(raw))
		c.rejectItem(item)
		return c.err()
	})
	if err == nil {
		_, _, err = c.submit()
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	h.meter().Request(protocolElastic, outcomeOf(statusOfItems([]*bulkItem{item})))
	answer := item.answer(c.batch, false)
	if answer.Error != nil {
		h.writeError(w, answer.Status, answer.Error.Type, answer.Error.Reason)
		return
	}
	writeElastic(w, r, answer.Status, answer)
}

func statusOfItems(items []*bulkItem) int {
	for _, item := range items {
		if item.problem == nil {
			return http.StatusOK
		}
	}
	return http.StatusUnprocessableEntity
}

// itemAnswer is Elasticsearch's word on one document.
type itemAnswer struct {
	Index   string        `json:"_index,omitempty"`
	ID      string        `json:"_id,omitempty"`
	Version int           `json:"_version,omitempty"`
	Result  string        `json:"result,omitempty"`
	Shards  *shards       `json:"_shards,omitempty"`
	SeqNo   *int          `json:"_seq_no,omitempty"`
	Term    int           `json:"_primary_term,omitempty"`
	Status  int           `json:"status"`
	Error   *elasticError `json:"error,omitempty"`
}

type shards struct {
	Total      int `json:"total"`
	Successful int `json:"successful"`
	Failed     int `json:"failed"`
}

type elasticError struct {
	Type   string          `json:"type"`
	Reason string          `json:"reason"`
	Causes []*elasticError `json:"root_cause,omitempty"`
}

var oneShard, noSeq = &shards{1, 1, 0}, new(int)

// answer says what became of a document: lean without what only says that all is well.
func (i *bulkItem) answer(b *monitor.Batch, lean bool) *itemAnswer {
	a := &itemAnswer{Index: i.index, ID: i.id, Version: 1, Result: "created", Shards: oneShard, SeqNo: noSeq, Term: 1, Status: http.StatusCreated}
	switch {
	case i.problem != nil:
		a = &itemAnswer{Index: i.index, ID: i.id, Status: http.StatusBadRequest, Error: &elasticError{Type: errorTypes[i.problem.Code], Reason: i.problem.Message}}
		if a.Error.Type == "" {
			a.Error.Type = "illegal_argument_exception"
		}
	case i.later != "":
		a = &itemAnswer{Index: i.index, ID: i.id, Status: http.StatusTooManyRequests, Error: &elasticError{Type: "es_rejected_execution_exception", Reason: i.later}}
	case i.part.Outcome == monitor.PartConflict && i.id == "":
		a = &itemAnswer{Index: i.index, Status: http.StatusBadRequest, Error: &elasticError{Type: "illegal_argument_exception", Reason: errKeyReused.Message}}
	case i.part.Outcome != monitor.PartStored && i.op == opCreate && i.id != "":
		// Shippers take this for what it is, a repetition.
		a = &itemAnswer{Index: i.index, ID: i.id, Status: http.StatusConflict, Error: &elasticError{Type: "version_conflict_engine_exception", Reason: "[" + i.id + "]: version conflict, document already exists (current version [1])"}}
	case i.part.Outcome != monitor.PartStored:
		a.Result, a.Status = "noop", http.StatusOK
	case a.ID == "":
		a.ID = b.Events[i.event].ID.String()
	}
	if lean {
		a = &itemAnswer{Status: a.Status, Error: a.Error}
	}
	return a
}

// errorTypes are Elasticsearch's names for what is wrong with a document.
var errorTypes = map[string]string{
	CodeMalformed: "document_parsing_exception", CodeNotAnObject: "document_parsing_exception",
	CodeInvalidUTF8: "document_parsing_exception", CodeTooDeep: "document_parsing_exception", CodeRecordTooLarge: "document_parsing_exception",
}

func writeBulk(w io.Writer, took time.Duration, items []*bulkItem, b *monitor.Batch, lean bool) error {
	failed := false
	var list bytes.Buffer
	encode := json.NewEncoder(&list)
	encode.SetEscapeHTML(false)
	for n, i := range items {
		if n > 0 {
			list.WriteByte(',')
		}
		a := i.answer(b, lean)
		failed = failed || a.Error != nil
		fmt.Fprintf(&list, `{%q:`, i.op)
		if err := encode.Encode(a); err != nil {
			return err
		}
		list.WriteByte('}')
	}
	_, err := fmt.Fprintf(w, `{"took":%d,"errors":%t,"items":[%s]}`, took.Milliseconds(), failed, list.Bytes())
	return err
}

// fail answers a request of which nothing was stored, in Elasticsearch's form.
func (h *Elastic) fail(w http.ResponseWriter, r *http.Request, err error) {
	h.failAs(w, h.explain(r, err))
}

func (h *Elastic) failAs(w http.ResponseWriter, known *monitor.Error) {
	status := statusOf(known.Code)
	kind := map[int]string{
		http.StatusUnauthorized: "security_exception", http.StatusForbidden: "security_exception",
		http.StatusTooManyRequests: "es_rejected_execution_exception", http.StatusRequestEntityTooLarge: "content_too_long_exception",
		http.StatusServiceUnavailable: "unavailable_shards_exception",
	}[status]
	if kind == "" {
		kind = "illegal_argument_exception"
	}
	h.meter().Request(protocolElastic, outcomeOf(status))
	h.writeError(w, status, kind, known.Message)
}

func (h *Elastic) methodNotAllowed(w http.ResponseWriter, r *http.Request, allowed string) {
	w.Header().Set("Allow", allowed)
	h.meter().Request(protocolElastic, outcomeOf(http.StatusMethodNotAllowed))
	writeElastic(w, r, http.StatusMethodNotAllowed, map[string]any{
		"error": fmt.Sprintf("Incorrect HTTP method for uri [%s] and method [%s], allowed: [%s]", r.URL.Path, r.Method, allowed), "status": http.StatusMethodNotAllowed,
	})
}

func (h *Elastic) writeError(w http.ResponseWriter, status int, kind, reason string) {
	switch status {
	case http.StatusUnauthorized:
		w.Header().Add("WWW-Authenticate", `Basic realm="security", charset="UTF-8"`)
		w.Header().Add("WWW-Authenticate", `ApiKey`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	}
	writeElastic(w, nil, status, map[string]any{
		"error": elasticError{Type: kind, Reason: reason, Causes: []*elasticError{{Type: kind, Reason: reason}}}, "status": status,
	})
}

// writeElastic answers with JSON; of a HEAD, with the headers alone.
func writeElastic(w http.ResponseWriter, r *http.Request, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if r != nil && r.Method == http.MethodHead {
		return
	}
	_ = json.NewEncoder(w).Encode(body) // the client may have left
}

// BulkAction is what a _bulk request asks to be done with a document.
type BulkAction struct{ Op, Index, ID string }

// SplitBulk reads the documents of a _bulk request: a line that says what to do, and
// but for delete a line with the document. It calls yield for each with its action,
// and either the document (valid JSON, a slice of its own) or what is wrong with it;
// Rejection.Line counts documents.
//
// An error is about the request as a whole, as of Split; also a line that should be
// an action and is none: then what follows cannot be told apart.
func SplitBulk(r io.Reader, limits Limits, yield func(a BulkAction, raw []byte, problem *Rejection) error) error {
	s := &splitter{limits: limits}
	s.in = newBodyReader(r, limits)
	for {
		action, last, err := s.bulkAction()
		if err != nil || action == nil {
			return err
		}
		if s.records++; s.records > limits.Records {
			return s.tooMany()
		}
		var raw []byte
		long := false
		if action.Op != "delete" {
			if last {
				return monitor.Errorf(monitor.CodeBadInput, "the request ends behind the action of document %d", s.records)
			}
			if raw, long, err = s.readLine(); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			last = err != nil
		}
		if err := s.bulkDocument(*action, bytes.TrimSpace(raw), long, yield); err != nil || last {
			return err
		}
	}
}

// bulkAction reads the next action; nil at the end of the body.
func (s *splitter) bulkAction() (a *BulkAction, last bool, err error) {
	for !last {
		line, long, err := s.readLine()
		if last = errors.Is(err, io.EOF); err != nil && !last {
			return nil, false, err
		}
		s.line++
		if line = bytes.TrimSpace(line); len(line) == 0 && !long {
			continue
		}
		var action map[string]*struct {
			Index string          `json:"_index"`
			ID    json.RawMessage `json:"_id"`
		}
		if long || depth(line) > 8 || json.Unmarshal(line, &action) != nil || len(action) != 1 {
			return nil, false, monitor.Errorf(monitor.CodeBadInput, "Malformed action/metadata line [%d], expected {\"create\": {}} or {\"index\": {}}; nothing of the request is stored", s.records*2+1)
		}
		for op, meta := range action {
			a = &BulkAction{Op: op}
			if meta != nil {
				a.Index = meta.Index
				if json.Unmarshal(meta.ID, &a.ID) != nil {
					a.ID = string(meta.ID) // a number, as it is spelt; "" where there is none
				}
			}
		}
		switch a.Op {
		case opIndex, opCreate, "update", "delete":
			return a, last, nil
		}
		return nil, false, monitor.Errorf(monitor.CodeBadInput, "Malformed action/metadata line [%d], found the action %q; nothing of the request is stored", s.records*2+1, clip(a.Op))
	}
	return nil, true, nil
}

const maxDocumentID = 512 // bytes, Elasticsearch's own bound

func (s *splitter) bulkDocument(a BulkAction, raw []byte, long bool, yield func(BulkAction, []byte, *Rejection) error) error {
	reject := func(code, message string) error {
		return yield(a, nil, &Rejection{Line: s.records, Code: code, Message: message, raw: raw})
	}
	switch {
	case a.Op != opIndex && a.Op != opCreate:
		return reject(CodeUnsupported, "events are only added: "+a.Op+" is not supported")
	case len(a.ID) > maxDocumentID:
		long := a.ID
		a.ID = ""
		return reject(CodeUnsupported, fmt.Sprintf("id [%s...] is too long, must be no longer than %d bytes", clip(long), maxDocumentID))
	case long || len(raw) > s.limits.RecordBytes:
		return reject(CodeRecordTooLarge, fmt.Sprintf("the record is larger than %d bytes", s.limits.RecordBytes))
	case len(raw) == 0:
		return reject(CodeMalformed, "the document is missing")
	}
	if code, message := s.check(raw); code != "" {
		return reject(code, message)
	}
	return yield(a, raw, nil)
}

// clip bounds what is shown of a sender's own text.
func clip(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), 64)], "")
}
