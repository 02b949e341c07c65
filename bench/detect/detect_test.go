package detect

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/security-monitor/secmon/monitor"
)

// TestMain lets the driver start this binary as the process of one engine.
func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	var cli struct {
		Detect Driver `cmd:""`
	}
	parser := kong.Parse(&cli, kong.BindTo(context.Background(), (*context.Context)(nil)))
	parser.FatalIfErrorf(parser.Run())
}

const encodedPowerShell = `title: Encoded
logsource: {product: windows, category: process_creation}
detection:
    selection:
        Image|endswith: '\powershell.exe'
        CommandLine|contains: ' -enc '
    filter:
        ParentImage|endswith: '\agent.exe'
    condition: selection and not filter
`

const onLinux = `title: Anything on Linux
logsource: {product: linux}
detection:
    selection:
        Image|endswith: '\powershell.exe'
    condition: selection
`

func processEvent(fields map[string]string) *event {
	e := &event{rec: monitor.Record{LogSource: monitor.LogSource{Product: "windows", Category: "process_creation", Service: "sysmon"}}, rule: "encoded.yml"}
	for name, text := range fields {
		e.rec.Add(name, monitor.Value{Text: text})
	}
	return e
}

// Every engine gets rules that it can read and events in which it finds what
// they ask for: otherwise its figures would be of something else.
func TestEveryEngineFinds(t *testing.T) {
	rules := []rule{
		{"encoded.yml", []byte(encodedPowerShell), monitor.LogSource{Product: "windows", Category: "process_creation"}},
		{"linux.yml", []byte(onLinux), monitor.LogSource{Product: "linux"}},
	}
	events := []*event{
		processEvent(map[string]string{"Image": `C:\Windows\powershell.exe`, "CommandLine": "powershell -enc SQBFAFgA", "ParentImage": `C:\Windows\explorer.exe`}),
		processEvent(map[string]string{"Image": `C:\Windows\powershell.exe`, "CommandLine": "powershell -enc SQBFAFgA", "ParentImage": `C:\agent.exe`}),
		processEvent(map[string]string{"Image": `C:\Windows\cmd.exe`, "CommandLine": "cmd", "ParentImage": `C:\Windows\explorer.exe`}),
	}
	for _, each := range engines {
		t.Run(each.name, func(t *testing.T) {
			e := each.make()
			if n := e.load(rules); n != 2 {
				t.Errorf("runs %d rules", n)
			}
			e.prepare(events)
			for i, want := range [][]string{{"encoded.yml"}, nil, nil} {
				var got []string
				n := e.match(i, func(path string) { got = append(got, path) })
				if !slices.Equal(got, want) || n != len(want) || e.match(i, nil) != n {
					t.Errorf("event %d: %v fire, want %v", i, got, want)
				}
			}
			if hit, cases := label(e, events); hit != 1 || cases != 1 {
				t.Errorf("%d labelled events and %d cases, want one of each", hit, cases)
			}
		})
	}
}

func TestRateIsOfCPUTime(t *testing.T) {
	r, err := run(&set{events: make([]*event, 3)}, 20*time.Millisecond, func(i int) (int, error) {
		if i > 2 {
			t.Fatalf("event %d", i)
		}
		time.Sleep(time.Microsecond)
		_ = bytes.Repeat([]byte{1}, 100_000)
		return i % 2, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Events < 10 || r.CPU < 20*time.Millisecond || r.CPU > time.Second || r.Hits < 0.2 || r.Hits > 0.5 || r.Allocs < 0.9 || r.Bytes < 90_000 {
		t.Errorf("%+v", r)
	}
	if _, err := run(&set{}, time.Millisecond, nil); err == nil {
		t.Error("a set without events gives a figure")
	}
}

// A copy has its own times and ids, and is otherwise the same event.
func TestCopiesDifferInWhatIsUnique(t *testing.T) {
	raw := `{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","Hostname":"a","EventTime":"2020-06-09 22:51:05",` +
		`"ProcessGuid":"{b669e388-4a98-5ee0-1704-000000000300}","ProcessId":"2008","Image":"C:\\a.exe","CommandLine":"a.exe \"x\""}`
	first, err := newEvent([]byte(raw), "")
	if err != nil {
		t.Fatal(err)
	}
	list, serials, err := multiply([]*event{first}, newCommandLines+1)
	if err != nil || len(list) != newCommandLines+1 || len(serials) != 1 {
		t.Fatalf("%d events, %d with a command line of their own, %v", len(list), len(serials), err)
	}
	for _, name := range []string{"ProcessGuid", "ProcessId", "EventTime"} {
		if a, b := list[1].rec.Text(name), list[2].rec.Text(name); a == b || a == first.rec.Text(name) || a == "" {
			t.Errorf("%s is %q and %q", name, a, b)
		}
	}
	if list[2].rec.Text("Image") != `C:\a.exe` || list[2].rec.LogSource != first.rec.LogSource {
		t.Errorf("the copy is %+v", list[2].rec)
	}
	s := &set{events: list, serials: serials}
	for _, want := range []string{`a.exe "x" #00000000`, `a.exe "x" #00000001`, `a.exe "x" #00000002`} {
		renewed := list[newCommandLines]
		again, err := newEvent(renewed.raw, "")
		if err != nil || renewed.rec.Text("CommandLine") != want || again.rec.Text("CommandLine") != want || list[1].rec.Text("CommandLine") != `a.exe "x"` {
			t.Errorf("command line %q, and %q from JSON (%v), want %q", renewed.rec.Text("CommandLine"), again.rec.Text("CommandLine"), err, want)
		}
		s.again()
	}
}

// TestEverythingRunsShort starts each engine in its process, with all rules.
func TestEverythingRunsShort(t *testing.T) {
	dir := os.Getenv("SECMON_CORPORA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpora")
	}
	if testing.Short() {
		t.Skip("starts processes")
	}
	c, err := readCorpus(dir)
	if err != nil {
		t.Skipf("skipped: no corpora here (%v); set SECMON_CORPORA to their folder", err)
	}
	d := &Driver{Corpora: dir, Seconds: 0.05, Timeout: 5 * time.Minute}
	var all []result
	for _, each := range engines {
		r, err := d.runChild(t.Context(), each.name)
		if err != nil {
			t.Fatalf("%s: %v", each.name, err)
		}
		all = append(all, r)
	}
	var table bytes.Buffer
	printTable(&table, c, all)
	t.Log("\n" + table.String())
	for _, r := range all {
		if r.Rules < 3000 || r.Labelled < 70 || r.Heap <= 0 || len(r.Sets) < 3 {
			t.Errorf("%s: %+v", r.Name, r)
		}
		if n := strings.Count(table.String(), "| "+r.Name); n < 4 {
			t.Errorf("%s stands in %d rows", r.Name, n)
		}
	}
	if all[0].Cases != 105 {
		t.Errorf("secmon hits %d of the labelled cases, want all 105", all[0].Cases)
	}
}
