package detect

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// serial makes a process's command line one that never came before, each time that
// the set is gone through anew: an engine that keeps what it knows of values must
// not end up knowing all of them.
type serial struct {
	event *event
	token []byte // in event.raw; 0 before the first
}

// In the corpora three of four command lines of 400 processes came before (and so
// did 83 % of all values that rules ask for). In the set it is the same.
const newCommandLines = 4

var endOfCommandLine = regexp.MustCompile(`("(?:Process)?CommandLine":"(?:[^"\\]|\\.)*)"`)

// numbered gives the record's command line a number at its end.
func numbered(raw []byte) []byte {
	return endOfCommandLine.ReplaceAll(raw, []byte(`${1} #`+token(0)+`"`))
}

func token(n int) string { return fmt.Sprintf("%08d", n) }

// newSerial finds the number in an event whose record numbered was given.
func newSerial(e *event) *serial {
	at := bytes.Index(e.raw, []byte(" #"+token(0)))
	if at < 0 {
		return nil
	}
	return &serial{event: e, token: e.raw[at+2 : at+2+len(token(0))]}
}

// renew changes the number, in the record as it came and in its fields.
func (s *serial) renew(n int) {
	before, after := string(s.token), token(n)
	copy(s.token, after)
	for _, f := range s.event.rec.Fields {
		for i := range f.Values {
			f.Values[i].Text = strings.Replace(f.Values[i].Text, " #"+before, " #"+after, 1)
		}
	}
}
