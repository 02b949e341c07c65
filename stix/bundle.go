package stix

import (
	"encoding/json"
	"io"

	"github.com/security-monitor/secmon/monitor"
)

// maxKnown bounds the identities that a bundle is remembered to have. One that is
// forgotten may stand in it twice, which readers take as one.
const maxKnown = 10_000

// Bundle writes objects as one document: {"type":"bundle", ..., "objects":[...]}. A
// file that was cut is no JSON.
type Bundle struct {
	out   io.Writer
	id    string
	begun bool
	known map[string]bool
}

// NewBundle begins a bundle. Its identifier follows from what it is the bundle of.
func NewBundle(out io.Writer, of monitor.ID) *Bundle {
	return &Bundle{out: out, id: id("bundle", of[:]), known: map[string]bool{}}
}

// Add writes objects, each once.
func (b *Bundle) Add(objects ...Object) error {
	for _, o := range objects {
		if b.known[o.ID] {
			continue
		}
		if o.Type == "identity" || o.Type == "extension-definition" {
			if len(b.known) == maxKnown {
				clear(b.known)
			}
			b.known[o.ID] = true
		}
		text, err := json.Marshal(o)
		if err != nil {
			return err
		}
		if err := b.separate(); err != nil {
			return err
		}
		if _, err := b.out.Write(text); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bundle) separate() error {
	text := ",\n"
	if !b.begun {
		b.begun = true
		text = b.head()
	}
	_, err := io.WriteString(b.out, text)
	return err
}

func (b *Bundle) head() string { return `{"type":"bundle","id":"` + b.id + `","objects":[` + "\n" }

// End completes the document. A bundle of nothing has no list of objects.
func (b *Bundle) End() error {
	text := "]}\n"
	if !b.begun {
		text = `{"type":"bundle","id":"` + b.id + `"}` + "\n"
	}
	_, err := io.WriteString(b.out, text)
	return err
}
