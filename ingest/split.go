package ingest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"

	"github.com/security-monitor/secmon/monitor"
)

// Split reads the records of a body: lines of JSON objects (NDJSON), or JSON
// arrays of objects; the first character tells. A CloudTrail document
// {"Records": [...]} at the beginning is read like an array, however long it is;
// as a line among others it counts as its records. So do the lists in which the API
// server of Kubernetes sends its audit events. A body that begins with #separator is a
// log of Zeek's, whose lines become records. Split calls yield for every
// record with its line, and either the record (valid JSON, a slice of its own)
// or what is wrong with it.
//
// Nothing is left out in silence: where an array breaks off, the rejection says
// that what follows was not read.
//
// An error is about the request as a whole: a bound of limits, damaged
// compression, a broken connection, or what yield returned.
func Split(r io.Reader, limits Limits, yield func(line int, raw []byte, problem *Rejection) error) error {
	s := &splitter{limits: limits, yield: yield, in: newBodyReader(r, limits)}
	first, err := s.skipSpace()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	if first == '#' && s.isZeekTSV() {
		return s.zeek()
	}
	if first == '[' || s.documentHead() > 0 {
		s.line = 0
		return s.lists()
	}
	return s.lines()
}

// OpensList tells whether a body that begins with raw is not read line by line.
func OpensList(raw []byte) bool {
	return len(raw) > 0 && (raw[0] == '[' || raw[0] == '#') || documentStart.Match(raw)
}

type splitter struct {
	limits  Limits
	yield   func(int, []byte, *Rejection) error
	in      *bufio.Reader
	line    int // number of the last line or element begun
	records int
}

// newBodyReader reads a body up to its bound, without a byte order mark.
func newBodyReader(r io.Reader, limits Limits) *bufio.Reader {
	in := bufio.NewReaderSize(&boundedReader{r: r, left: limits.BodyBytes}, 64<<10)
	if head, err := in.Peek(3); err == nil && bytes.Equal(head, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3) // it was peeked
	}
	return in
}

// boundedReader fails when more than its bytes are read.
type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, monitor.Errorf(CodeBodyTooLarge, "the body is larger than allowed; send it in several requests")
	}
	return n, err
}

// skipSpace gives the next character that is no white space, and leaves it there.
func (s *splitter) skipSpace() (byte, error) {
	for {
		c, err := s.in.ReadByte()
		if err != nil {
			return 0, err
		}
		switch c {
		case '\n':
			s.line++
		case ' ', '\t', '\r':
		default:
			return c, s.in.UnreadByte()
		}
	}
}

func (s *splitter) lines() error {
	for {
		line, long, err := s.readLine()
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return err
		}
		s.line++
		if trimmed := bytes.TrimSpace(line); long || len(trimmed) > 0 {
			if _, err := s.record(trimmed, long, ""); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
	}
}

// readLine gives the next line; of one that is too long only that it is. The
// slice is the caller's own.
func (s *splitter) readLine() (line []byte, long bool, err error) {
	for {
		part, err := s.in.ReadSlice('\n')
		if !long {
			line = append(line, part...)
			if len(line) > s.limits.RecordBytes+2 { // CR and LF
				line, long = beginning(line), true
			}
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, long, err
		}
	}
}

// record checks one record and hands it on, or its records where it is a
// CloudTrail document. It tells whether the record's end is sure, which that of
// damaged JSON in an array is not; then lost is added to the rejection.
func (s *splitter) record(raw []byte, long bool, lost string) (sure bool, err error) {
	if s.records++; s.records > s.limits.Records {
		return true, s.tooMany()
	}
	if long || len(raw) > s.limits.RecordBytes {
		return true, s.reject(raw, CodeRecordTooLarge, fmt.Sprintf("the record is larger than %d bytes", s.limits.RecordBytes))
	}
	if code, message := s.check(raw); code != "" {
		if sure = json.Valid(raw); !sure {
			message += lost
		}
		return sure, s.reject(raw, code, message)
	}
	if documentStart.Match(raw) || auditList.Match(raw) {
		var document struct{ Records, Items []json.RawMessage }
		if json.Unmarshal(raw, &document) == nil && len(document.Records)+len(document.Items) > 0 {
			s.records--
			return true, s.document(append(document.Records, document.Items...))
		}
	}
	return true, s.yield(s.line, raw, nil)
}

func (s *splitter) tooMany() error {
	return monitor.Errorf(CodeTooManyRecords, "more than %d records; send them in several requests", s.limits.Records)
}

func (s *splitter) document(records []json.RawMessage) error {
	for _, raw := range records {
		if s.records++; s.records > s.limits.Records {
			return s.tooMany()
		}
		if raw = bytes.TrimSpace(raw); raw[0] != '{' {
			if err := s.reject(raw, CodeNotAnObject, "an element of the list is no JSON object"); err != nil {
				return err
			}
			continue
		}
		if err := s.yield(s.line, raw, nil); err != nil {
			return err
		}
	}
	return nil
}

func (s *splitter) reject(raw []byte, code, message string) error {
	return s.yield(s.line, nil, &Rejection{Line: s.line, Code: code, Message: message, raw: raw})
}

// beginning is what is kept of a record that is too large.
func beginning(raw []byte) []byte { return bytes.Clone(raw[:min(len(raw), beginningKept)]) }

// check gives what is wrong with a record, cheapest first; depth before anything
// that recurses.
func (s *splitter) check(raw []byte) (code, message string) {
	switch {
	case !utf8.Valid(raw):
		return CodeInvalidUTF8, "the record is not UTF-8"
	case len(raw) > 0 && raw[0] == '{' && validJSON(raw, s.limits.Depth):
		return "", ""
	case depth(raw) > s.limits.Depth:
		return CodeTooDeep, fmt.Sprintf("the record is nested deeper than %d", s.limits.Depth)
	case !json.Valid(raw):
		return CodeMalformed, syntaxError(raw)
	default:
		return CodeNotAnObject, "the record is no JSON object"
	}
}

// syntaxError says where JSON breaks off.
func syntaxError(raw []byte) string {
	var ignored json.RawMessage
	err := json.Unmarshal(raw, &ignored)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("%v at character %d", err, syntax.Offset)
	}
	return "the record is no JSON"
}

// depth counts the deepest nesting of brackets outside of strings.
func depth(raw []byte) int {
	deepest, now, inString := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inString:
			switch c {
			case '\\':
				i++
			case '"':
				inString = false
			}
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

// documentStart is how a CloudTrail file begins.
var documentStart = regexp.MustCompile(`^\{\s*"Records"\s*:\s*\[`)

// auditList is how the lists of Kubernetes' audit webhook begin.
var auditList = regexp.MustCompile(`^\{\s*"kind"\s*:\s*"EventList"\s*,\s*"apiVersion"\s*:\s*"audit\.k8s\.io/`)

// documentHead gives the length of a document's beginning, 0 where none begins.
func (s *splitter) documentHead() int {
	head, _ := s.in.Peek(64) // fewer at the end of the body
	return len(documentStart.Find(head))
}

// lists reads arrays and documents up to the end of the body.
func (s *splitter) lists() error {
	for {
		head := 1 // a bracket
		document := s.documentHead()
		if document > 0 {
			head = document
		}
		_, _ = s.in.Discard(head) // it was peeked
		closed, err := s.elements()
		if !closed || err != nil {
			return err
		}
		c, err := s.skipElementSpace()
		if document > 0 {
			if err != nil || c != '}' {
				return s.brokenOff(err, "the document goes on behind its Records; the rest was not read")
			}
			_, _ = s.in.ReadByte() // it was peeked
			c, err = s.skipElementSpace()
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil || c != '[' && s.documentHead() == 0:
			return s.brokenOff(err, "more follows behind the end of the array; it was not read")
		}
	}
}

// elements reads up to the closing bracket. An element that is no JSON ends it
// with closed false: where the next one would begin cannot be known.
func (s *splitter) elements() (closed bool, err error) {
	for first := true; ; first = false {
		c, err := s.skipElementSpace()
		if err != nil {
			return false, s.brokenOff(err, "")
		}
		if c == ']' && first {
			_, _ = s.in.ReadByte() // it was peeked
			return true, nil
		}
		raw, long, err := s.element()
		if err != nil {
			return false, s.brokenOff(err, "")
		}
		s.line++
		sure, err := s.record(bytes.TrimSpace(raw), long, "; the elements behind it were not read")
		if !sure || err != nil {
			return false, err
		}
		if c, err = s.in.ReadByte(); err != nil || c == ']' { // element stopped there, or at a comma
			return err == nil, err
		}
	}
}

// skipElementSpace is skipSpace without counting lines: elements count here.
func (s *splitter) skipElementSpace() (byte, error) {
	line := s.line
	c, err := s.skipSpace()
	s.line = line
	return c, err
}

// brokenOff reports what follows the last good element; that one and those
// before it count.
func (s *splitter) brokenOff(err error, message string) error {
	switch {
	case errors.Is(err, io.EOF):
		message = "the array ends without its closing bracket"
	case err != nil:
		return err
	}
	s.line++
	return s.reject(nil, CodeMalformed, message)
}

// nesting is where a byte of JSON stands.
type nesting struct {
	level             int
	inString, escaped bool
}

// step goes on behind a byte.
func (n *nesting) step(c byte) {
	switch {
	case n.escaped:
		n.escaped = false
	case n.inString:
		n.escaped = c == '\\'
		n.inString = c != '"'
	case c == '"':
		n.inString = true
	case c == '{' || c == '[':
		n.level++
	case c == '}' || c == ']':
		n.level--
	}
}

// element reads up to the comma or bracket that ends an element of the array.
func (s *splitter) element() (raw []byte, long bool, err error) {
	var at nesting
	for {
		c, err := s.in.ReadByte()
		if err != nil {
			return nil, false, err
		}
		if (c == ',' || c == ']') && at == (nesting{}) {
			return raw, long, s.in.UnreadByte()
		}
		at.step(c)
		if !long {
			if raw = append(raw, c); len(raw) > s.limits.RecordBytes {
				raw, long = beginning(raw), true
			}
		}
	}
}
