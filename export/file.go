package export

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/security-monitor/secmon/audit"
	"github.com/security-monitor/secmon/monitor"
)

// file is written row by row and ends with end.
type file interface {
	row(values []any) error
	flush() error
	end(done Result) error
}

func newFile(w io.Writer, format monitor.ExportFormat, columns []string) file {
	if format == monitor.ExportCSV {
		return &csvFile{out: csv.NewWriter(w), header: columns, line: make([]string, len(columns))}
	}
	f := &ndjsonFile{out: bufio.NewWriterSize(w, 64<<10), names: make([][]byte, len(columns))}
	for i, name := range columns {
		f.names[i] = fmt.Appendf(nil, "%q:", name)
	}
	return f
}

// ndjsonFile writes an object a line, its fields in the order of the columns, and
// at the end {"end":true,"rows":n,"more":false}: a file without that was cut.
type ndjsonFile struct {
	out   *bufio.Writer
	names [][]byte
	line  bytes.Buffer
}

func (f *ndjsonFile) row(values []any) error {
	f.line.Reset()
	separator := byte('{')
	for i, v := range values {
		f.line.WriteByte(separator)
		separator = ','
		f.line.Write(f.names[i])
		if err := f.value(v); err != nil {
			return err
		}
	}
	f.line.WriteString("}\n")
	_, err := f.out.Write(f.line.Bytes())
	return err
}

func (f *ndjsonFile) value(v any) error {
	switch v := v.(type) {
	case monitor.RawJSON:
		return json.Compact(&f.line, v) // as it came, on one line
	case time.Time:
		if v.IsZero() {
			f.line.WriteString("null")
			return nil
		}
		f.line.WriteString(`"` + stamp(v) + `"`)
		return nil
	default:
		encoder := json.NewEncoder(&f.line)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			return err
		}
		f.line.Truncate(f.line.Len() - 1) // the encoder ends the line
		return nil
	}
}

func (f *ndjsonFile) flush() error { return f.out.Flush() }

func (f *ndjsonFile) end(done Result) error {
	if _, err := fmt.Fprintf(f.out, `{"end":true,"rows":%d,"more":%t}`+"\n", done.Rows, done.More); err != nil {
		return err
	}
	return f.flush()
}

// csvFile writes RFC 4180 with a header. Values that a spreadsheet would compute
// are disarmed. It has no mark of its end: the connection tells whether it is whole.
type csvFile struct {
	out    *csv.Writer
	header []string // nil once it is written
	line   []string
}

func (f *csvFile) row(values []any) error {
	if err := f.head(); err != nil {
		return err
	}
	for i, v := range values {
		f.line[i] = cell(v)
	}
	return f.out.Write(f.line)
}

func (f *csvFile) head() error {
	if f.header == nil {
		return nil
	}
	header := f.header
	f.header = nil
	return f.out.Write(header)
}

func (f *csvFile) flush() error {
	f.out.Flush()
	return f.out.Error()
}

func (f *csvFile) end(Result) error {
	if err := f.head(); err != nil {
		return err
	}
	return f.flush()
}

func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return audit.Cell(v)
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return stamp(v)
	case []string:
		return audit.Cell(strings.Join(v, "; "))
	case monitor.RawJSON:
		return audit.Cell(string(v))
	default:
		panic(fmt.Sprintf("export: a cell of %T", v)) // a programming error
	}
}
