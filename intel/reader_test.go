package intel_test

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/intel"
	"github.com/security-monitor/secmon/monitor"
)

type taken struct {
	list    []*monitor.Indicator
	refused []intel.Problem
}

func (t *taken) Take(i *monitor.Indicator) error { t.list = append(t.list, i); return nil }
func (t *taken) Refuse(p intel.Problem)          { t.refused = append(t.refused, p) }

func (t *taken) lines() []string {
	out := []string{}
	for _, i := range t.list {
		out = append(out, fmt.Sprintf("%s %s %s", i.Kind, i.Value, i.Source))
	}
	for _, p := range t.refused {
		out = append(out, fmt.Sprintf("%d%s: %s", p.Position, p.ID, p.Message))
	}
	return out
}

func TestListsAreRead(t *testing.T) {
	const hash = "d41d8cd98f00b204e9800998ecf8427e"
	tests := []struct {
		reason string
		format intel.Format
		text   string
		change func(*intel.Options)
		want   []string
		err    string
	}{
		{reason: "names in the first line", format: intel.CSV, text: "type,indicator,source\nipv4,203.0.113.7,abuse.ch\nip:port,203.0.113.8:443,\n", want: []string{"ADDRESS 203.0.113.7 abuse.ch", "ADDRESS 203.0.113.8 s"}},
		{reason: "semicolons, a mark, other names", format: intel.CSV, text: "\ufeffioc_value;ioc_type\n\"evil[.]example\";domain\n" + hash + ";md5_hash\n", want: []string{"DOMAIN evil.example s", "MD5 " + hash + " s"}},
		{reason: "names in a comment", format: intel.CSV, text: "# a list\n# \"first_seen_utc\",\"dst_ip\"\n2026-05-01 10:00:00,203.0.113.7\n# end\n", want: []string{"ADDRESS 203.0.113.7 s"}},
		{reason: "a plain list", format: intel.CSV, text: "203.0.113.0/24\n\n*.evil.example\nhxxps://evil.example/x\nbad@evil.example\n", want: []string{"NETWORK 203.0.113.0/24 s", "DOMAIN evil.example s", "URL https://evil.example/x s", "EMAIL bad@evil.example s"}},
		{reason: "columns that somebody names", format: intel.CSV, text: "a,b\nx,203.0.113.7\n", change: func(o *intel.Options) { o.Columns = map[string]string{"value": "B"} }, want: []string{"ADDRESS 203.0.113.7 s"}},
		{
			reason: "what is none has its line", format: intel.CSV, text: "value,confidence,valid_until\n203.0.113.7,200,\nnonsense,,\n127.0.0.1,,\n203.0.113.8,,never\n1.0.0.0/2,,\n", change: func(o *intel.Options) { o.First = 101 },
			want: []string{"102: confidence is 0 to 100, not 200", `103: "nonsense" is no address, network, name, URL, hash or address of e-mail`, "104: 127.0.0.1/32 names no other machine", `105: validUntil is a time such as 2026-05-04T09:30:00Z, not "never"`, "106: 0.0.0.0/2 is too wide: at least /8"},
		},
		{reason: "no column of values", format: intel.CSV, text: "a,b\n1,2\n", err: "CSV: the first line names no column"},
		{
			reason: "a bundle", format: intel.STIX,
			text: `{"type":"bundle","spec":{"x":[1]},"objects":[{"type":"identity","name":"x"},{"type":"indicator","id":"indicator--1","name":"C2","pattern":"[ipv4-addr:value = '203.0.113.7' OR domain-name:value = 'evil.example']","valid_from":"2026-05-01T00:00:00Z","confidence":80,"labels":["c2"]},{"type":"indicator","id":"indicator--2","pattern":"[ipv4-addr:value ISSUBSET '203.0.113.0/24'] OR [file:hashes.'SHA-256' = '` + strings.Repeat("ab", 32) + `']"}]}`,
			want: []string{"ADDRESS 203.0.113.7 s", "DOMAIN evil.example s", "NETWORK 203.0.113.0/24 s", "SHA256 " + strings.Repeat("ab", 32) + " s"},
		},
		{
			reason: "patterns that are more than a value", format: intel.STIX,
			text: `{"objects":[{"type":"indicator","id":"i1","pattern":"[url:value = 'http://a.example/' AND file:size > 3]"},{"type":"indicator","id":"i2","pattern":"[url:value LIKE '%x']"},{"type":"indicator","id":"i3","pattern_type":"yara","pattern":"rule x {}"},{"type":"indicator","id":"i4","pattern":"[process:pid = '4']"},{"type":"indicator","id":"i5","pattern":7}]}`,
			want: []string{"1i1: pattern: AND is not read: only values of which any one is a match", `2i2: pattern: the comparison "LIKE" is not read`, `3i3: patterns of type "yara" are not read`, `4i4: pattern: it compares "process:pid", which events are not looked through for`, "5i5: no STIX object: json: cannot unmarshal number into Go struct field object.pattern of type string"},
		},
		{reason: "a bundle that ends", format: intel.STIX, text: `{"objects":[{"type":"indicator","pattern":"[url:value = 'http://a.example/']"},`, want: []string{"URL http://a.example/ s"}, err: "no STIX bundle: it ends in the middle"},
		{reason: "a bundle whose list has no end", format: intel.STIX, text: `{"objects":[{"type":"indicator","pattern":"[url:value = 'http://a.example/']"}`, want: []string{"URL http://a.example/ s"}, err: "no STIX bundle: it ends in the middle"},
		{reason: "no bundle", format: intel.STIX, text: `"text"`, err: "no STIX bundle: it is no object"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			o := intel.Options{Source: "s", Now: noon}
			if test.change != nil {
				test.change(&o)
			}
			got := &taken{}
			err := intel.Read(test.format, strings.NewReader(test.text), o, got)
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("error %v, want %q", err, test.err)
			}
			if test.want == nil {
				test.want = []string{}
			}
			if !slices.Equal(got.lines(), test.want) {
				t.Errorf("got  %q\nwant %q", got.lines(), test.want)
			}
			if format := intel.FormatOf(bufio.NewReader(strings.NewReader(test.text))); err == nil && format != test.format {
				t.Errorf("taken for %s", format)
			}
		})
	}
}

func TestAListSaysMoreThanItsValues(t *testing.T) {
	got := &taken{}
	text := "domain,severity,confidence,valid_until,tags,comment,link,subdomains,revoked\nevil.example,critical,90,2026-06-01,\"c2, bot\",Seen,https://x.example,no,\nold.example,,,,,,,,true\n"
	if err := intel.Read(intel.CSV, strings.NewReader(text), intel.Options{Source: "s", Subdomains: true, ValidFor: time.Hour, Now: noon, Tags: []string{"all"}}, got); err != nil || len(got.list) != 2 {
		t.Fatalf("%v: %q", err, got.lines())
	}
	i := got.list[0]
	if i.Severity != monitor.SeverityCritical || i.Confidence != 90 || !i.ValidUntil.Equal(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)) || i.Description != "Seen" || i.Reference != "https://x.example" || i.Subdomains || !slices.Equal(i.Tags, []string{"all", "c2", "bot"}) {
		t.Errorf("read as %+v", i)
	}
	if old := got.list[1]; old.RevokedAt.IsZero() || !old.Subdomains || !old.ValidUntil.Equal(noon.Add(time.Hour)) || old.Confidence != monitor.DefaultConfidence {
		t.Errorf("read as %+v", old)
	}
}

func TestABundleSaysMoreThanItsPatterns(t *testing.T) {
	got := &taken{}
	text := `[{"type":"indicator","name":"C2","description":"of x","pattern":"[domain-name:value = 'evil.example']","valid_from":"2026-05-01T00:00:00Z","valid_until":"2026-06-01T00:00:00.5Z","confidence":80,"labels":["c2"],"revoked":true,"external_references":[{"url":"https://x.example"}]}]`
	if err := intel.Read(intel.STIX, strings.NewReader(text), intel.Options{Source: "s", Now: noon}, got); err != nil || len(got.list) != 1 {
		t.Fatalf("%v: %q", err, got.lines())
	}
	i := got.list[0]
	if !i.RevokedAt.Equal(noon) || i.Confidence != 80 || i.ValidFrom.Month() != time.May || !i.ValidUntil.Equal(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)) ||
		i.Description != "C2: of x" || i.Reference != "https://x.example" || !slices.Equal(i.Tags, []string{"c2"}) {
		t.Errorf("read as %+v", i)
	}
}

// endless is a line, or an object, that does not end.
type endless struct{ head string }

func (e *endless) Read(b []byte) (int, error) {
	if e.head != "" {
		n := copy(b, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	return copy(b, bytes.Repeat([]byte{'x'}, len(b))), nil
}

func TestOneEndlessLineIsRefused(t *testing.T) {
	for format, head := range map[intel.Format]string{intel.CSV: "value\n", intel.STIX: `{"objects":[{"name":"`} {
		if err := intel.Read(format, &endless{head}, intel.Options{Source: "s"}, &taken{}); err == nil || !strings.Contains(err.Error(), "larger than 4 MiB") {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// Whatever a list has: what is taken is whole, and reading it again from its normal
// form gives the same.
func fuzzRead(f *testing.F, format intel.Format) {
	f.Fuzz(func(t *testing.T, text string) {
		got := &taken{}
		err := intel.Read(format, strings.NewReader(text), intel.Options{Source: "s", Now: noon, Subdomains: true}, got)
		if err != nil && monitor.CodeOf(err) != monitor.CodeBadInput {
			t.Fatalf("error %v has code %s", err, monitor.CodeOf(err))
		}
		for _, i := range got.list {
			again := *i
			if err := again.Check(); err != nil || again.ID != i.ID || again.Value != i.Value || again.Kind != i.Kind {
				t.Fatalf("%+v is not in its normal form: %+v, %v", i, again, err)
			}
		}
	})
}

func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"type,indicator\nipv4,203.0.113.7\n", "# x\n203.0.113.0/24;a\n", "url\n\"hxxp://[::1]:80/%41\n\"\n", "md5|tags\nd41d8cd98f00b204e9800998ecf8427e|a;b\n"} {
		f.Add(seed)
	}
	fuzzRead(f, intel.CSV)
}

func FuzzSTIX(f *testing.F) {
	for _, pattern := range []string{"[ipv4-addr:value = '203.0.113.7']", "([url:value IN ('http://a.example/', 'b.example')]) OR [file:hashes.MD5='d41d8cd98f00b204e9800998ecf8427e']", `[domain-name:value='a\\'`} {
		f.Add(fmt.Sprintf(`{"objects":[{"type":"indicator","pattern":%q}]}`, pattern))
	}
	fuzzRead(f, intel.STIX)
}
