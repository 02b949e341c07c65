package report_test

import (
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

var at = time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)

func step(t *testing.T, action, actor string, change monitor.Change) *monitor.IncidentTimelineEntry {
	t.Helper()
	return &monitor.IncidentTimelineEntry{Subject: change.ID, Entry: monitor.Entry{Body: monitor.EntryBody{
		At: at, Actor: monitor.Actor{Name: actor}, Action: action, Changes: []monitor.Change{change},
	}}}
}

func change[T any](t *testing.T, kind monitor.Kind, id monitor.ID, action string, before, after *T) monitor.Change {
	t.Helper()
	c, err := monitor.NewChange(kind, id, action, before, after)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// input is an incident in which every text is the given one.
func input(t *testing.T, text string) report.Input {
	t.Helper()
	ana := &monitor.User{ID: monitor.ID{9}, Name: "ana"}
	was := monitor.Incident{ID: monitor.ID{1}, Title: text, Status: monitor.IncidentOpen, Severity: monitor.SeverityHigh, CreatedAt: at}
	is := was
	is.AssigneeID, is.Status, is.Description, is.Reason = ana.ID, monitor.IncidentInProgress, text, text
	is.AlertCount, is.TaskCount, is.TasksDone = 700, 2, 1
	alert := &monitor.Alert{
		ID: monitor.ID{2}, Title: text, Host: text, User: text, Severity: monitor.SeverityCritical, Status: monitor.AlertNew, LastSeen: at, Count: 3,
		SrcIP: netip.MustParseAddr("203.0.113.5"), SrcPort: 40000, DstIP: netip.MustParseAddr("2001:db8::1"), Techniques: []string{"T1110", text},
	}
	due := at.Add(time.Hour)
	return report.Input{
		Incident: &is, Span: monitor.IncidentSpan{FirstSeen: at.Add(-time.Hour), LastSeen: at}, At: at,
		Groups: []monitor.AlertGroup{{Status: monitor.AlertNew, Severity: monitor.SeverityCritical, Count: 700}},
		Alerts: []*monitor.Alert{alert}, MoreAlerts: true,
		Timeline: []*monitor.IncidentTimelineEntry{
			step(t, monitor.ActionIncidentUpdate, text, change(t, monitor.KindIncident, is.ID, monitor.ActionIncidentUpdate, &was, &is)),
			step(t, monitor.ActionIngest, "system", change(t, monitor.KindAlert, alert.ID, monitor.ActionAlertRaise, nil, alert)),
		},
		Entities: &monitor.IncidentEntities{Hosts: []monitor.EntityCount{{Value: text, Count: 700}}, Alerts: 700},
		Tasks:    []*monitor.IncidentTask{{Title: text, Done: true}, {Title: "isolate", AssigneeID: ana.ID, DueAt: due}},
		Comments: []*monitor.Comment{{AuthorID: ana.ID, Body: text, CreatedAt: at}},
		People:   map[monitor.ID]*monitor.User{ana.ID: ana},
	}
}

// hostile is what an attacker would write into a log for the reader of a report.
const hostile = "<script>alert(1)</script> [click](javascript:alert(1)) ![x](https://evil.example/p.png) `code` | cell\r\n# heading\n- item\n1. one\n" +
	"</table><img src=x onerror=alert(1)> {{.}} *bold* __b__ ~~s~~ www.evil.example \u202egnp.exe\x1b[31m $x$ & \\"

func TestGoldenReports(t *testing.T) {
	for name, text := range map[string]string{"plain": "Password guessing on web-1", "hostile": hostile} {
		t.Run(name, func(t *testing.T) {
			d := report.New(input(t, text))
			asJSON, err := d.JSON()
			if err != nil {
				t.Fatal(err)
			}
			asHTML, err := d.HTML()
			if err != nil {
				t.Fatal(err)
			}
			for file, got := range map[string]string{"report.md": d.Markdown(), "report.json": asJSON, "report.html": asHTML} {
				path := filepath.Join("testdata", name, file)
				if *update {
					if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // a test's own files
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(got), 0o644); err != nil { //nolint:gosec // a test's own files
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path) //nolint:gosec // a test's own files
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", path, diff)
				}
			}
		})
	}
}

// What events say must not become markup: the hostile report has the shape of the
// plain one.
func TestHostileTextStaysText(t *testing.T) {
	plain, bad := report.New(input(t, "x")), report.New(input(t, hostile))
	page, err := bad.HTML()
	if err != nil {
		t.Fatal(err)
	}
	harmless, err := plain.HTML()
	if err != nil {
		t.Fatal(err)
	}
	// A comment's lines stand as they are in the page's text, so tags are counted.
	for _, tag := range []string{"<", "<script", "<img", "<a ", "</table>", "<tr>", "<td>", "onerror=\""} {
		if got, want := strings.Count(page, tag), strings.Count(harmless, tag); got != want {
			t.Errorf("HTML: %q stands %d times, in the harmless report %d", tag, got, want)
		}
	}
	if strings.Contains(page, "\u202e") || strings.Contains(page, "\x1b") || strings.Contains(page, "javascript:alert(1)\"") {
		t.Error("HTML: what turns text around or moves a terminal is still there")
	}
	text := bad.Markdown()
	for _, markup := range []string{"<", "![", "](", " `", "**bold", "*bold*\u0020", "\x1b", "\u202e", "https://", "www.evil", "~~s"} {
		for n, line := range strings.Split(text, "\n") {
			if at := strings.Index(line, markup); at >= 0 && (at == 0 || line[at-1] != '\\') {
				t.Errorf("Markdown, line %d: %q is not escaped: %s", n+1, markup, line)
			}
		}
	}
	// Each cell stays one cell, each row one row.
	rows := func(text string) (rows, bars int) {
		for _, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, "|") {
				rows++
				bars += strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
			}
		}
		return rows, bars
	}
	gotRows, gotBars := rows(text)
	wantRows, wantBars := rows(plain.Markdown())
	if gotRows != wantRows || gotBars != wantBars {
		t.Errorf("Markdown: %d rows and %d bars, in the harmless report %d and %d", gotRows, gotBars, wantRows, wantBars)
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "> ") && strings.ContainsAny(line[2:3], "#-+=") || strings.HasPrefix(line, "> 1. ") {
			t.Errorf("Markdown: a quoted line begins a block: %s", line)
		}
	}
}

func TestJSONIsWhole(t *testing.T) {
	text, err := report.New(input(t, hostile)).JSON()
	if err != nil {
		t.Fatal(err)
	}
	var d report.Document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	if d.Title != hostile || d.Alerts[0].Host != hostile || d.Comments[0].Body != hostile || d.Counts["NEW"] != 700 || len(d.Notes) != 1 {
		t.Errorf("%+v", d)
	}
	if strings.ContainsAny(text, "<>&") {
		t.Error("JSON that stands in a page could end it")
	}
}

func TestEmptyIncidentHasAReport(t *testing.T) {
	d := report.New(report.Input{Incident: &monitor.Incident{Title: "x"}, At: at})
	if _, err := d.HTML(); err != nil {
		t.Error(err)
	}
	if text := d.Markdown(); !strings.Contains(text, "None.") || !strings.Contains(text, "no alerts") {
		t.Error(text)
	}
}
