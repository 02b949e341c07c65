package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

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
		{"deep", "[[[[[[[[1]]]]]]]]", `1!TOO_DEEP`, "", "an element that is an array is too deep before it is no object"},
		{"scalars", "1\n\"x\"\nnull", `1!NOT_AN_OBJECT 2!NOT_AN_OBJECT 3!NOT_AN_OBJECT`, "", "events are objects"},
		{"invalid UTF-8", "{\"a\":\"\xff\"}", `1!INVALID_UTF8`, "", "JSON is UTF-8"},
		{"too many", strings.Repeat("{}\n", 5), `1:{} 2:{} 3:{} 4:{}`, CodeTooManyRecords, "the request as a whole is refused"},
		{"too large", strings.Repeat(" ", 2_000), ``, CodeBodyTooLarge, "the request as a whole is refused"},
		{"cloudtrail document", `{"Records":[{"a":1},{"a":2}]}`, `1:{"a":1} 1:{"a":2}`, "", "CloudTrail files are one document"},
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
	for _, seed := range []string{"{}", "[{}]", "{\"a\":1}\n{", "[{\"a\":\"\\\"]\"},", "{\"Records\":[{}]}", "\xef\xbb\xbf[]", strings.Repeat("[", 100)} {
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
	if _, err := Decompress(nil, "br"); monitor.CodeOf(err) != CodeBadEncoding {
		t.Errorf("got %v", err)
	}
}
