package ingest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"github.com/security-monitor/secmon/monitor"
)

// split runs Split and tells what came out: "line:record" or "line!CODE".
func split(body string, limits Limits) ([]string, error) {
	var got []string
	err := Split(strings.NewReader(body), limits, func(line int, raw []byte, problem *Rejection) error {
		if problem != nil {
			got = append(got, fmt.Sprintf("%d!%s", problem.Line, problem.Code))
			return nil
		}
		got = append(got, fmt.Sprintf("%d:%s", line, raw))
		return nil
	})
	return got, err
}

func TestSplit(t *testing.T) {
	small := Limits{RecordBytes: 60, BodyBytes: 1_000, Records: 4, Depth: 5}
	long := `{"x":"` + strings.Repeat("a", 100) + `"}`
	for _, c := range []struct {
		name, body, want string
		code             monitor.Code
		reason           string
	}{
		{"lines", "{\"a\":1}\n{\"a\":2}", `1:{"a":1} 2:{"a":2}`, "", "no final newline is needed"},
		{"windows lines", "{\"a\":1}\r\n\r\n{\"a\":2}\r\n", `1:{"a":1} 3:{"a":2}`, "", "CRLF and blank lines are no records, but they are lines"},
		{"byte order mark", "\xef\xbb\xbf{\"a\":1}", `1:{"a":1}`, "", "Windows tools write one"},
		{"array", `[ {"a":1} , {"a":"],[\"}"} ]`, `1:{"a":1} 2:{"a":"],[\"}"}`, "", "brackets in strings are no brackets"},
		{"empty array", `[]`, ``, "", "no records is no error"},
		{"empty", " \n ", ``, "", "no records is no error"},
		{"long line", "{\"a\":1}\n" + long + "\n{\"a\":2}", `1:{"a":1} 2!RECORD_TOO_LARGE 3:{"a":2}`, "", "neighbours of a long line are kept"},
		{"long element", `[{"a":1},` + long + `,{"a":2}]`, `1:{"a":1} 2!RECORD_TOO_LARGE 3:{"a":2}`, "", "neighbours of a long element are kept"},
		{"bad line", "{\"a\":1}\n{\n{\"a\":2}", `1:{"a":1} 2!MALFORMED_JSON 3:{"a":2}`, "", "neighbours of a bad line are kept"},
		{"bad element", `[{"a":1},{"x":},{"a":2}]`, `1:{"a":1} 2!MALFORMED_JSON`, "", "behind a bad element nothing is sure"},
		{"unclosed array", `[{"a":1}`, `1!MALFORMED_JSON`, "", "the element may be cut"},
		{"unclosed array behind a comma", `[{"a":1},`, `1:{"a":1} 2!MALFORMED_JSON`, "", "the element before is whole"},
		{"trailing comma", `[{"a":1},]`, `1:{"a":1} 2!MALFORMED_JSON`, "", "JSON has no such thing"},
		{"no comma", `[{"a":1} {"a":2}]`, `1!MALFORMED_JSON`, "", "JSON has no such thing"},
		{"more behind the array", `[{"a":1}] {"a":2}`, `1:{"a":1} 2!MALFORMED_JSON`, "", "what is not read is said"},
		{"arrays in a row", "[{\"a\":1}]\n[{\"a\":2}]\n", `1:{"a":1} 2:{"a":2}`, "", "some shippers write one array a flush"},
		{"two in a line", "{\"a\":1} {\"a\":2}\n{\"a\":3}", `1!MALFORMED_JSON 2:{"a":3}`, "", "two records in a line are no NDJSON"},
		{"deep", "[[[[[[[[1]]]]]]]]", `1!TOO_DEEP`, "", "an element that is an array is too deep before it is no object"},
		{"scalars", "1\n\"x\"\nnull", `1!NOT_AN_OBJECT 2!NOT_AN_OBJECT 3!NOT_AN_OBJECT`, "", "events are objects"},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", `1!INVALID_UTF8`, "", "JSON is UTF-8"},
		{"too many", strings.Repeat("{}\n", 5), `1:{} 2:{} 3:{} 4:{}`, CodeTooManyRecords, "the request as a whole is refused"},
		{"too large", strings.Repeat(" ", 2_000), ``, CodeBodyTooLarge, "the request as a whole is refused"},
		{"cloudtrail document", `{"Records":[{"a":1},{"a":2}]}`, `1:{"a":1} 2:{"a":2}`, "", "CloudTrail files are one document"},
		{"indented document", "{\n  \"Records\": [\n    {\"a\":1}\n  ]\n}\n", `1:{"a":1}`, "", "jq writes it so"},
		{"documents in a row", "{\"Records\":[{\"a\":1}]}\n{\"Records\":[]}\n{\"Records\":[{\"a\":2},3]}", `1:{"a":1} 2:{"a":2} 3!NOT_AN_OBJECT`, "", "files put one behind the other"},
		{
			"document longer than a record", `{"Records":[{"a":1111111111},{"a":2222222222},{"a":3333333333},{"a":4444444444}]}`,
			`1:{"a":1111111111} 2:{"a":2222222222} 3:{"a":3333333333} 4:{"a":4444444444}`, "", "the bound is for each of its records",
		},
		{"document among lines", "{\"a\":1}\n{\"Records\":[{\"a\":2},{\"a\":3}]}\n{\"a\":4}", `1:{"a":1} 2:{"a":2} 2:{"a":3} 3:{"a":4}`, "", "its line is the document's"},
		{"document that goes on", `{"Records":[{"a":1}],"next":1}`, `1:{"a":1} 2!MALFORMED_JSON`, "", "what is not read is said"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := split(c.body, small)
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("got %s\nwant %s\nbecause %s", text, c.want, c.reason)
			}
			if c.code == "" && err != nil || c.code != "" && monitor.CodeOf(err) != c.code {
				t.Errorf("error %v, want code %q because %s", err, c.code, c.reason)
			}
		})
	}
}

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		"{}", "[{}]", "{\"a\":1}\n{", "[{\"a\":\"\\\"]\"},", "{\"Records\":[{}]}", "\xef\xbb\xbf[]", `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{}]}`,
		"#separator \\x09\n#path\ta\n#fields\tx\ty\n#types\tcount\tset[string]\n1\ta,b\n", strings.Repeat("[", 100),
	} {
		f.Add(seed)
	}
	limits := Limits{RecordBytes: 1_000, BodyBytes: 10_000, Records: 100, Depth: 20}
	f.Fuzz(func(t *testing.T, body string) {
		_ = Split(strings.NewReader(body), limits, func(_ int, raw []byte, problem *Rejection) error {
			if problem == nil && (!json.Valid(raw) || raw[0] != '{' || len(raw) > limits.RecordBytes) {
				t.Errorf("yielded %q", raw)
			}
			return nil
		})
	})
}

func TestDecompressRefusesDamage(t *testing.T) {
	if _, err := Decompress(bytes.NewReader([]byte("this is not gzip at all")), "gzip"); monitor.CodeOf(err) != CodeBadEncoding {
		t.Errorf("got %v", err)
	}
	for encoding, body := range map[string][]byte{"gzip": packed(t, gzipWriter), "zstd": packed(t, zstdWriter)} {
		for n := range body {
			r, err := Decompress(bytes.NewReader(body[:n]), encoding)
			if err == nil {
				err = Split(r, DefaultLimits, func(int, []byte, *Rejection) error { return nil })
			}
			if encoding == "zstd" && n == 0 && err == nil {
				continue // no frame is an empty body
			}
			if monitor.CodeOf(err) != CodeBadEncoding {
				t.Errorf("%s cut after %d of %d bytes: %v", encoding, n, len(body), err)
			}
		}
		broken := errors.New("connection reset")
		r, err := Decompress(io.MultiReader(bytes.NewReader(body[:len(body)/2]), iotest.ErrReader(broken)), encoding)
		if err == nil {
			err = Split(r, DefaultLimits, func(int, []byte, *Rejection) error { return nil })
		}
		if !errors.Is(err, broken) {
			t.Errorf("%s over a broken connection: %v", encoding, err)
		}
	}
	if _, err := Decompress(nil, "br"); monitor.CodeOf(err) != CodeBadEncoding {
		t.Errorf("got %v", err)
	}
}

func gzipWriter(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }

func zstdWriter(w io.Writer) io.WriteCloser {
	z, err := zstd.NewWriter(w)
	if err != nil {
		panic(err)
	}
	return z
}

// packed gives a small compressed body.
func packed(t *testing.T, encode func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var b bytes.Buffer
	w := encode(&b)
	for i := range 200 {
		fmt.Fprintf(w, "{\"n\":%d}\n", i*i)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Both compressions give back what went in, also in several frames.
func TestDecompress(t *testing.T) {
	for encoding, writer := range map[string]func(io.Writer) io.WriteCloser{"gzip": gzipWriter, "X-GZIP": gzipWriter, "zstd": zstdWriter} {
		body := append(packed(t, writer), packed(t, writer)...)
		r, err := Decompress(bytes.NewReader(body), encoding)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if err := Split(r, DefaultLimits, func(_ int, _ []byte, problem *Rejection) error {
			if problem == nil {
				n++
			}
			return nil
		}); err != nil || n != 400 {
			t.Errorf("%s: %d records, %v", encoding, n, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A body without end costs no more memory than the bound of a record, however
// it is laid out.
func TestLongBodiesNeedLittleMemory(t *testing.T) {
	for name, head := range map[string]string{"one line": `{"x":"`, "one element": `[{"x":"`, "brackets": strings.Repeat("[", 100)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := Split(&endless{head}, DefaultLimits, func(int, []byte, *Rejection) error { return nil })
		runtime.ReadMemStats(&after)
		if monitor.CodeOf(err) != CodeBodyTooLarge {
			t.Errorf("%s: %v", name, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
			t.Errorf("%s: %d MiB allocated", name, used>>20)
		}
	}
}

// endless gives its head and then a's for ever.
type endless struct{ head string }

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.head)
	e.head = e.head[n:]
	for i := n; i < len(b); i++ {
		b[i] = 'a'
	}
	return len(b), nil
}

func BenchmarkSplit(b *testing.B) {
	line := `{"host":"web-1","message":"` + strings.Repeat("x", 400) + `","n":1}`
	for name, body := range map[string]string{
		"lines": strings.Repeat(line+"\n", 1_000), "array": "[" + strings.Repeat(line+",", 999) + line + "]",
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := Split(strings.NewReader(body), DefaultLimits, func(int, []byte, *Rejection) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
