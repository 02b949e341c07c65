package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// Zeek's own format: lines of values with a tab between them, below a head that names
// log, fields and types. A body that begins with such a head is read as one, also
// several logs one behind the other.
// https://docs.zeek.org/en/master/log-formats.html#zeek-tsv-format-logs

// maxZeekFields bounds the fields of a log; Zeek's own have at most some fifty.
const maxZeekFields = 500

// zeekHead is what the lines with # say.
type zeekHead struct {
	separator, list, empty, unset, path string
	fields, types                       []string
}

func newZeekHead() zeekHead {
	return zeekHead{separator: "\t", list: ",", empty: "(empty)", unset: "-"}
}

// read takes a line of the head. It gives false where the line cannot be meant.
func (h *zeekHead) read(line string) bool {
	if value, ok := strings.CutPrefix(line, "#separator "); ok {
		*h = newZeekHead()
		h.separator = zeekEscape(value)
		return h.separator != ""
	}
	words := strings.Split(strings.TrimPrefix(line, "#"), h.separator)
	if len(words) < 2 {
		return true // an empty list of fields is told by the first record
	}
	switch words[0] {
	case "set_separator":
		h.list = words[1]
	case "empty_field":
		h.empty = words[1]
	case "unset_field":
		h.unset = words[1]
	case "path":
		h.path = words[1]
	case "fields":
		h.fields = words[1:]
		return len(h.fields) <= maxZeekFields
	case "types":
		h.types = words[1:]
	}
	return true
}

// zeekEscape reads "\x09".
func zeekEscape(s string) string {
	digits, ok := strings.CutPrefix(s, `\x`)
	if !ok {
		return s
	}
	n, err := strconv.ParseUint(digits, 16, 8)
	if err != nil {
		return ""
	}
	return string(rune(n))
}

// record makes JSON of a line of values, as Zeek's JSON writer would.
func (h *zeekHead) record(line string) (raw []byte, problem string) {
	if len(h.fields) == 0 || len(h.types) != len(h.fields) {
		return nil, "there is no #fields with its #types before this line"
	}
	values := strings.Split(line, h.separator)
	if len(values) != len(h.fields) {
		return nil, "the line has " + strconv.Itoa(len(values)) + " values, #fields names " + strconv.Itoa(len(h.fields))
	}
	b := append(make([]byte, 0, 2*len(line)+64), `{"_path":`...)
	b = appendJSON(b, h.path)
	for i, value := range values {
		if value == h.unset {
			continue
		}
		b = append(b, ',')
		b = appendJSON(b, h.fields[i])
		b = append(b, ':')
		b = h.appendValue(b, h.types[i], value)
	}
	return append(b, '}'), ""
}

func (h *zeekHead) appendValue(b []byte, kind, value string) []byte {
	element, ok := strings.CutPrefix(kind, "set[")
	if !ok {
		element, ok = strings.CutPrefix(kind, "vector[")
	}
	if !ok {
		if value == h.empty {
			value = ""
		}
		return appendTyped(b, kind, value)
	}
	b = append(b, '[')
	if value != h.empty {
		for i, item := range strings.Split(value, h.list) {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendTyped(b, strings.TrimSuffix(element, "]"), item)
		}
	}
	return append(b, ']')
}

// appendTyped writes a value of one of Zeek's types; what is not as its type says
// stays a text.
func appendTyped(b []byte, kind, value string) []byte {
	switch kind {
	case "time", "interval", "double", "count", "int", "port":
		if json.Valid([]byte(value)) && strings.Trim(value, "0123456789.-+eE") == "" {
			return append(b, value...)
		}
	case "bool":
		switch value {
		case "T":
			return append(b, "true"...)
		case "F":
			return append(b, "false"...)
		}
	}
	return appendJSON(b, value)
}

func appendJSON(b []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // strings can always be written
	return append(b, quoted...)
}

// isZeekTSV tells whether the body begins with a head of Zeek's.
func (s *splitter) isZeekTSV() bool {
	head, _ := s.in.Peek(len("#separator ")) // fewer at the end of the body
	return string(head) == "#separator "
}

// zeek reads a body in Zeek's format.
func (s *splitter) zeek() error {
	head := newZeekHead()
	for {
		line, long, err := s.readLine()
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return err
		}
		s.line++
		line = bytes.TrimRight(line, "\r\n")
		if err := s.zeekLine(&head, line, long); err != nil {
			return err
		}
		if last {
			return nil
		}
	}
}

func (s *splitter) zeekLine(head *zeekHead, line []byte, long bool) error {
	switch {
	case len(line) == 0 && !long:
		return nil
	case !long && line[0] == '#':
		if head.read(string(line)) {
			return nil
		}
		return s.reject(line, CodeMalformed, "the head of the log cannot be read")
	case long:
		_, err := s.record(line, true, "")
		return err
	}
	raw, problem := head.record(string(line))
	if problem != "" {
		if s.records++; s.records > s.limits.Records {
			return s.tooMany()
		}
		return s.reject(line, CodeMalformed, problem)
	}
	_, err := s.record(raw, false, "")
	return err
}
