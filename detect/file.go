package detect

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/security-monitor/secmon/monitor"
)

// What a file of several documents may ask of us.
const (
	MaxFile      = 32 << 20 // bytes; each document is bounded by itself
	maxDocuments = 20_000
)

// File is what ParseAll reads in a file.
type File struct {
	Rules    []*FileRule    // in the order of the documents
	Problems []*SyntaxError // of documents that are no rule, at most one each; positions are the file's
}

// FileRule is a rule out of a file.
type FileRule struct {
	*monitor.Rule
	Line      int    // where its document begins, counted from 1
	Converted string // what it was in Sigma 1 and is now, for people; empty for all others
}

// ParseAll reads all documents of a file. Each becomes a rule of its own, whose
// Source is cut out of the file as it was written; a single document's is the
// whole file. Two kinds of Sigma 1 give rules whose Source is made here:
// collections (`action: global` and the like), and aggregations, each of which
// becomes rules and the correlation that counts them. A document that is wrong
// does not keep the others out.
func ParseAll(source []byte, options ...Options) *File {
	f := &file{options: optionsOf(options)}
	switch pieces := cutDocuments(source); {
	case len(source) > MaxFile:
		f.refuse(0, &SyntaxError{1, 1, fmt.Sprintf("the file has %d bytes, more than %d", len(source), MaxFile)})
	case len(pieces) > maxDocuments:
		f.refuse(0, &SyntaxError{1, 1, fmt.Sprintf("the file has %d documents, more than %d", len(pieces), maxDocuments)})
	case len(pieces) < 2:
		f.read(piece{source, 0})
	default:
		for _, p := range pieces {
			f.read(p)
		}
	}
	if len(f.Rules)+len(f.Problems) == 0 {
		f.refuse(0, &SyntaxError{1, 1, "the file has no rule"})
	}
	return &f.File
}

// piece is one document of a file.
type piece struct {
	source []byte
	before int // lines of the file
}

// cutDocuments cuts a file at YAML's markers. A line that begins with --- or ...
// is a marker wherever it stands, also in the middle of a text
// (https://yaml.org/spec/1.2.2/, c-forbidden). Pieces without content are left out.
func cutDocuments(source []byte) []piece {
	var pieces []piece
	start, before, line := 0, 0, 0
	end := func(at int) {
		if hasContent(source[start:at]) {
			pieces = append(pieces, piece{source[start:at], before})
		}
	}
	for at := 0; at < len(source) && len(pieces) <= maxDocuments; {
		next := len(source)
		if n := bytes.IndexByte(source[at:], '\n'); n >= 0 {
			next = at + n + 1
		}
		if rest, is := isMarker(source[at:next]); is {
			end(at)
			start, before = next, line+1
			if hasContent(rest) {
				start, before = at, line // the document begins behind its marker
			}
		}
		at = next
		line++
	}
	end(len(source))
	return pieces
}

// isMarker gives what stands behind a document's marker.
func isMarker(line []byte) (rest []byte, is bool) {
	for _, marker := range []string{"---", "..."} {
		if rest, ok := bytes.CutPrefix(line, []byte(marker)); ok && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0) {
			return rest, true
		}
	}
	return nil, false
}

// hasContent tells whether there is more than comments, directives and room.
func hasContent(piece []byte) bool {
	for line := range bytes.Lines(piece) {
		line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\ufeff")))
		if len(line) > 0 && line[0] != '#' && line[0] != '%' {
			return true
		}
	}
	return false
}

// file is a file under reading.
type file struct {
	File
	options    Options
	collection collection
}

// read takes one document.
func (f *file) read(p piece) {
	doc, err := readDocument(p.source)
	if err != nil {
		f.refuse(p.before, err)
		return
	}
	doc.options = f.options
	action, err := doc.action()
	if err != nil {
		f.refuse(p.before, err)
		return
	}
	if action == "" && !f.collection.open() {
		rule, err := doc.readRule(p.source)
		f.add(p.before, doc, rule, err)
		shift(doc.root, p.before)
		f.collection.note(doc.root)
		return
	}
	shift(doc.root, p.before) // what is merged comes from several documents
	merged, err := f.collection.take(doc, action)
	if err != nil || merged == nil {
		f.refuse(0, err)
		return
	}
	source, err := write(merged.root)
	if err != nil {
		f.refuse(p.before, err)
		return
	}
	merged.options = f.options
	rule, err := merged.readRule(source)
	if err == nil {
		if _, wrong := parseRule(source, f.options); wrong != nil {
			err = &SyntaxError{p.before + 1, 1, fmt.Sprintf("the rule that the documents make together is wrong: %v", wrong)}
		}
	}
	f.addMerged(p.before, merged, rule, err)
}

// add keeps a rule, or what became of it.
func (f *file) add(before int, doc *document, rule *parsedRule, err error) {
	if err != nil {
		f.refuse(before, err)
		return
	}
	f.keep(before, doc, rule)
}

// addMerged does so for a rule whose errors have the file's positions already.
func (f *file) addMerged(before int, doc *document, rule *parsedRule, err error) {
	if err != nil {
		f.refuse(0, err)
		return
	}
	f.keep(before, doc, rule)
}

func (f *file) keep(before int, doc *document, rule *parsedRule) {
	if rule.legacy == nil {
		f.Rules = append(f.Rules, &FileRule{Rule: rule.about, Line: before + 1})
		return
	}
	converted, err := convert(doc, rule, f.options)
	if err != nil {
		rule.about.StateReason = err.Error()
		converted = []*FileRule{{Rule: rule.about}}
	}
	for _, r := range converted {
		r.Line = before + 1
		f.Rules = append(f.Rules, r)
	}
}

// refuse notes an error in a document behind so many lines.
func (f *file) refuse(before int, err error) {
	var syntax *SyntaxError
	switch {
	case err == nil:
	case errors.As(err, &syntax):
		f.Problems = append(f.Problems, &SyntaxError{syntax.Line + before, syntax.Column, syntax.Message})
	default:
		f.Problems = append(f.Problems, &SyntaxError{before + 1, 1, err.Error()})
	}
}
