package ingest

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/security-monitor/secmon/monitor"
)

var update = flag.Bool("update", false, "write want.json anew")

var received = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// shown is what a golden case compares.
type shown struct {
	OccurredAt  time.Time
	Class       monitor.EventClass
	Action      string
	Outcome     monitor.Outcome
	Severity    monitor.Severity
	LogSource   monitor.LogSource
	Format      string
	Host        string
	User        string
	Source      string
	Destination string
	Process     string `json:",omitempty"`
	Command     string `json:",omitempty"`
	FileHash    string `json:",omitempty"`
	FilePath    string `json:",omitempty"`
	Domain      string `json:",omitempty"`
	URL         string `json:",omitempty"`
	Message     string
	Fields      map[string][]string
}

func show(ev *monitor.Event, rec *monitor.Record) shown {
	s := shown{
		OccurredAt: ev.OccurredAt, Class: ev.Class, Action: ev.Action, Outcome: ev.Outcome, Severity: ev.Severity, LogSource: ev.LogSource,
		Format: ev.Format, Host: ev.Host, User: ev.User, Process: ev.Process, Command: ev.Command, FileHash: ev.FileHash, FilePath: ev.FilePath,
		Domain: ev.Domain, URL: ev.URL, Message: ev.Message, Fields: map[string][]string{},
	}
	if ev.SrcIP.IsValid() {
		s.Source = ev.SrcIP.String()
	}
	if ev.DstIP.IsValid() {
		s.Destination = ev.DstIP.String()
	}
	for _, f := range rec.Fields {
		for _, v := range f.Values {
			s.Fields[f.Name] = append(s.Fields[f.Name], v.Text)
		}
	}
	return s
}

// Each folder of testdata is a record and what it becomes; -update writes the
// latter, for reading.
func TestGoldenRecords(t *testing.T) {
	cases, err := filepath.Glob("testdata/*/event.json")
	if err != nil || len(cases) < 10 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, path := range cases {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var ev monitor.Event
			var rec monitor.Record
			if err := NewNormaliser().Normalise(raw, received, &ev, &rec); err != nil {
				t.Fatal(err)
			}
			got := show(&ev, &rec)
			wantPath := filepath.Join(filepath.Dir(path), "want.json")
			if *update {
				text, err := json.MarshalIndent(got, "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(wantPath, append(text, '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(wantPath)
			if err != nil {
				t.Fatal(err)
			}
			var want shown
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTimesAreReadAsLogsWriteThem(t *testing.T) {
	for _, c := range []struct{ text, want, reason string }{
		{"2026-05-04T09:30:00Z", "2026-05-04T09:30:00Z", "RFC 3339"},
		{"2026-05-04T09:30:00.1234567Z", "2026-05-04T09:30:00.123456Z", "a column holds microseconds"},
		{"2015-03-29T11:01:38.221126-0600", "2015-03-29T17:01:38.221126Z", "Suricata's zone has no colon"},
		{"2020-06-10 02:50:54.631", "2020-06-10T02:50:54.631Z", "Sysmon's UtcTime has no zone"},
		{"1591757454", "2020-06-10T02:50:54Z", "seconds"},
		{"1591757454.5", "2020-06-10T02:50:54.5Z", "seconds with a fraction"},
		{"1591757454631", "2020-06-10T02:50:54.631Z", "milliseconds"},
		{"1591757454631000", "2020-06-10T02:50:54.631Z", "journald's microseconds"},
		{"1591757454631000000", "2020-06-10T02:50:54.631Z", "nanoseconds"},
		{"2030-01-01T00:00:00Z", "", "the future is a wrong clock"},
		{"0", "", "1970 is no time of a log"},
		{"soon", "", "no time"},
		{"NaN", "", "no number"},
		{"1e400", "", "no number"},
	} {
		at, ok := parseTime(c.text, received)
		if ok != (c.want != "") || ok && at.Format(time.RFC3339Nano) != c.want {
			t.Errorf("%s: %s, %t; want %q because %s", c.text, at.Format(time.RFC3339Nano), ok, c.want, c.reason)
		}
	}
}

func corpus(t testing.TB, path string) *bufio.Scanner {
	t.Helper()
	root := os.Getenv("SECMON_CORPORA")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "corpora")
	}
	file, err := os.Open(filepath.Join(root, path))
	if err != nil {
		t.Skipf("the corpora are not here (%s): set SECMON_CORPORA", path)
	}
	t.Cleanup(func() { _ = file.Close() })
	var r io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(file); err != nil {
			t.Fatal(err)
		}
	}
	s := bufio.NewScanner(r)
	s.Buffer(nil, 16<<20)
	return s
}

// Every real record is known by its format, with a time, a log source, a host
// (where logs have one) and a line for people.
func TestRealRecordsAreRecognised(t *testing.T) {
	for path, format := range map[string]string{
		"windows/otrf-sample.jsonl.gz": "winlog", "cloud/cloudtrail-stratus.jsonl": "cloudtrail", "network/suricata-eve.jsonl": "suricata",
	} {
		t.Run(format, func(t *testing.T) {
			n := NewNormaliser()
			lines := corpus(t, path)
			count, timeless := 0, 0
			for lines.Scan() {
				count++
				var ev monitor.Event
				var rec monitor.Record
				if err := n.Normalise(append([]byte(nil), lines.Bytes()...), received, &ev, &rec); err != nil {
					t.Fatal(err)
				}
				if ev.Format != format || ev.LogSource.Product == "" || ev.LogSource.Service == "" || ev.Message == "" || ev.Action == "" {
					t.Fatalf("record %d: %+v", count, ev)
				}
				if ev.OccurredAt.Equal(received) {
					timeless++
				}
				if format == "winlog" && ev.Host == "" {
					t.Fatalf("record %d has no host: %.300s", count, ev.Raw)
				}
			}
			if timeless > 0 {
				t.Errorf("%d of %d records have no time", timeless, count)
			}
			t.Logf("%d records", count)
		})
	}
}

func FuzzNormalise(f *testing.F) {
	cases, _ := filepath.Glob("testdata/*/event.json")
	for _, path := range cases {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	n := NewNormaliser()
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) || !utf8.Valid(raw) || depth(raw) > 64 {
			t.Skip()
		}
		storable(t, n, raw)
	})
}

// FuzzLine has every format of lines look at a text, and every program say it.
func FuzzLine(f *testing.F) {
	cases, _ := filepath.Glob("testdata/*/event.json")
	for _, path := range cases {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		var record map[string]any
		if err := json.Unmarshal(raw, &record); err != nil {
			f.Fatal(err)
		}
		for _, key := range lineKeys {
			if line, ok := record[key].(string); ok {
				program, _ := record["SYSLOG_IDENTIFIER"].(string)
				f.Add(program, line)
				f.Add("sshd", line)
			}
		}
	}
	for _, m := range sshMessages {
		f.Add("sshd", m.begin+"for x from 192.0.2.1 port 1 ssh2 [preauth]")
	}
	n := NewNormaliser()
	f.Fuzz(func(t *testing.T, program, line string) {
		for _, record := range []map[string]string{
			{"message": line}, {"SYSLOG_IDENTIFIER": program, "_HOSTNAME": "h", "MESSAGE": line}, {"programname": program, "pri": "38", "msg": line},
		} {
			raw, err := json.Marshal(record)
			if err != nil {
				t.Fatal(err)
			}
			storable(t, n, raw)
		}
	})
}

// storable fails the test where a record's envelope does not fit what it is stored in.
func storable(t *testing.T, n *Normaliser, raw []byte) {
	t.Helper()
	var ev monitor.Event
	var rec monitor.Record
	if n.Normalise(raw, received, &ev, &rec) != nil {
		return
	}
	for _, s := range []string{ev.Host, ev.User, ev.Action, ev.Message, ev.Process, ev.Command, ev.Domain, ev.URL, ev.FilePath, ev.FileHash} {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) || len(s) > maxText {
			t.Errorf("not storable: %q", s)
		}
	}
	for _, s := range []string{ev.Host, ev.User, ev.Domain, ev.Action} {
		if utf8.RuneCountInString(s) > maxName {
			t.Errorf("too long: %q", s)
		}
	}
	if ev.OccurredAt.Before(earliest) || ev.OccurredAt.After(received.Add(24*time.Hour)) {
		t.Errorf("no time of the past: %s", ev.OccurredAt)
	}
}

func BenchmarkNormalise(b *testing.B) {
	lines := corpusLines(b)
	n := NewNormaliser()
	var ev monitor.Event
	var rec monitor.Record
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		rec.Reset()
		if err := n.Normalise(lines[i%len(lines)], received, &ev, &rec); err != nil {
			b.Fatal(err)
		}
	}
}

func corpusLines(b *testing.B) [][]byte {
	b.Helper()
	var lines [][]byte
	for s := corpus(b, "windows/otrf-sample.jsonl.gz"); s.Scan(); {
		lines = append(lines, append([]byte(nil), s.Bytes()...))
	}
	return lines
}

// A record that is filled again holds nothing of the one before.
func TestRecordsMayBeUsedAgain(t *testing.T) {
	cases, err := filepath.Glob("testdata/*/event.json")
	if err != nil {
		t.Fatal(err)
	}
	n := NewNormaliser()
	var used monitor.Record
	for range 2 {
		for _, path := range cases {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var ev, evAgain monitor.Event
			var fresh monitor.Record
			used.Reset()
			if err := errors.Join(n.Normalise(raw, received, &ev, &fresh), n.Normalise(raw, received, &evAgain, &used)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(show(&ev, &fresh), show(&evAgain, &used)); diff != "" {
				t.Errorf("%s: %s", path, diff)
			}
		}
	}
}

// Whatever a record holds, its envelope fits the columns it is stored in.
func TestEnvelopeIsBounded(t *testing.T) {
	long := strings.Repeat("é", 200_000)
	for _, record := range []map[string]any{
		{"host": long, "user": long, "message": long, "event": long, "process": long, "command": long, "url": long, "domain": long, "sha256": long, "path": long, "service": long, "product": long},
		{"EventID": long, "Channel": long, "SourceName": long, "Hostname": long, "Image": long, "CommandLine": long, "User": long, "Message": long},
		{"MESSAGE": "Failed password for " + long + " from 203.0.113.5 port 1 ssh2", "SYSLOG_IDENTIFIER": "sshd", "_HOSTNAME": long},
		{"type": long, "msg": "audit(1:2): " + long, "exe": long, "acct": long},
		{"_path": long, "uid": long, "query": long},
		{"report": "malware", "host": long, "status": long, "file_path": long, "score": 1e300},
	} {
		raw, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		var ev monitor.Event
		var rec monitor.Record
		if err := NewNormaliser().Normalise(raw, received, &ev, &rec); err != nil {
			t.Fatal(err)
		}
		for name, bound := range map[string]struct {
			text string
			most int // characters
		}{
			"host": {ev.Host, 255}, "user": {ev.User, 255}, "domain": {ev.Domain, 255}, "action": {ev.Action, 255}, "hash": {ev.FileHash, 128},
			"product": {ev.LogSource.Product, 64}, "category": {ev.LogSource.Category, 64}, "service": {ev.LogSource.Service, 128},
			"message": {ev.Message, maxText}, "process": {ev.Process, maxText}, "command": {ev.Command, maxText}, "url": {ev.URL, maxText}, "path": {ev.FilePath, maxText},
		} {
			if utf8.RuneCountInString(bound.text) > bound.most || !utf8.ValidString(bound.text) || len(bound.text) > 65_535 {
				t.Errorf("%s of %s has %d bytes", name, ev.Format, len(bound.text))
			}
		}
	}
}

// Whoever tries to log in chooses the user's name, and must not choose the
// address that the alert shows.
func TestUserNameCannotForgeTheAddress(t *testing.T) {
	for _, c := range []struct{ message, user, address, reason string }{
		{"Failed password for root from 203.0.113.5 port 40022 ssh2", "root", "203.0.113.5", "the plain form"},
		{"Failed password for invalid user x from 192.0.2.1 port 1 from 203.0.113.5 port 40022 ssh2", "x from 192.0.2.1 port 1", "203.0.113.5", "the server's own address is the last"},
		{"Failed password for invalid user x from 192.0.2.1 port 1 ssh2: y from 203.0.113.5 port 40022 ssh2", "x from 192.0.2.1 port 1 ssh2: y", "203.0.113.5", "also behind what looks like the end"},
		{"Invalid user x from 192.0.2.1 port 5 from 203.0.113.5 port 40022", "x from 192.0.2.1 port 5", "203.0.113.5", "the other message too"},
		{"Invalid user  from 203.0.113.5 port 40022", "", "203.0.113.5", "an empty name"},
		{"Accepted publickey for ana from 203.0.113.7 port 50000 ssh2: ED25519 SHA256:abc", "ana", "203.0.113.7", "what follows is the key"},
	} {
		raw, err := json.Marshal(map[string]string{"SYSLOG_IDENTIFIER": "sshd", "_HOSTNAME": "web-1", "MESSAGE": c.message})
		if err != nil {
			t.Fatal(err)
		}
		var ev monitor.Event
		var rec monitor.Record
		if err := NewNormaliser().Normalise(raw, received, &ev, &rec); err != nil {
			t.Fatal(err)
		}
		if ev.User != c.user || ev.SrcIP.String() != c.address {
			t.Errorf("%q: user %q from %s, want %q from %s because %s", c.message, ev.User, ev.SrcIP, c.user, c.address, c.reason)
		}
	}
}
