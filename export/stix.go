package export

import (
	"bufio"
	"io"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/stix"
)

// checkSTIX refuses what STIX has no form for.
func checkSTIX(e *monitor.Export) error {
	if e.Noun != monitor.LineIndicators {
		return monitor.InputErrorf("format", "of all lists that of indicators alone is written as STIX")
	}
	if len(e.Columns) > 0 {
		return monitor.InputErrorf("columns", "STIX has no columns")
	}
	e.Columns = []string{}
	return nil
}

// stixFile writes indicators as a bundle, with who warns of them.
type stixFile struct {
	out    *bufio.Writer
	bundle *stix.Bundle
}

func newSTIXFile(w io.Writer, e *monitor.Export) *stixFile {
	out := bufio.NewWriterSize(w, 64<<10)
	return &stixFile{out: out, bundle: stix.NewBundle(out, e.ID)}
}

func (f *stixFile) add(i *monitor.Indicator) error {
	return f.bundle.Add(stix.Author(), stix.Extension(), stix.Source(i.Source), stix.Indicator(i))
}

func (f *stixFile) flush() error { return f.out.Flush() }

func (f *stixFile) end(Result) error {
	if err := f.bundle.End(); err != nil {
		return err
	}
	return f.flush()
}
