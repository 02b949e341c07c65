package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/export"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// lists has so many of each noun.
type lists struct {
	n     int
	asked []page.Args
	fails int // at which page; 0: never
	fired []monitor.RuleAt
}

var day = time.Date(2026, 3, 1, 12, 0, 0, 1000, time.UTC)

func (l *lists) page(args page.Args) (from, to int, err error) {
	l.asked = append(l.asked, args)
	if l.fails > 0 && len(l.asked) >= l.fails {
		return 0, 0, errors.New("the database is away")
	}
	if args.After != "" {
		if err := page.DecodeCursor(args.After, &from); err != nil {
			return 0, 0, err
		}
	}
	return from, min(l.n, from+args.First+1), nil
}

func pageOf[T any](l *lists, args page.Args, row func(int) T) (*page.Connection[T], error) {
	from, to, err := l.page(args)
	if err != nil {
		return nil, err
	}
	type numbered struct {
		T T
		n int
	}
	var rows []numbered
	for i := from; i < to; i++ {
		rows = append(rows, numbered{row(i), i + 1})
	}
	built := page.Build(rows, args, func(r numbered) string { return page.EncodeCursor(r.n) })
	out := &page.Connection[T]{PageInfo: built.PageInfo}
	for _, e := range built.Edges {
		out.Edges = append(out.Edges, page.Edge[T]{Node: e.Node.T, Cursor: e.Cursor})
	}
	return out, nil
}

func (l *lists) Alerts(_ context.Context, _ *monitor.AlertFilter, order monitor.AlertOrder, args page.Args) (*monitor.AlertConnection, error) {
	if order != monitor.AlertsByCreated {
		return nil, errors.New("the order must not change while the file is written")
	}
	return pageOf(l, args, func(i int) *monitor.Alert {
		a := &monitor.Alert{ID: monitor.ID{byte(i)}, Title: fmt.Sprintf("=cmd %d", i), Severity: monitor.SeverityHigh, CreatedAt: day, SrcIP: netip.MustParseAddr("192.0.2.7"), Tags: []string{"a", "b"}, RuleID: monitor.ID{9}, RuleVersion: 1 + i%3}
		if i%2 == 0 {
			a.AssigneeID = monitor.ID{7}
		}
		return a
	})
}

func (l *lists) Events(_ context.Context, _ *monitor.EventFilter, _ monitor.EventOrder, args page.Args) (*monitor.EventConnection, error) {
	return pageOf(l, args, func(i int) *monitor.Event {
		return &monitor.Event{Message: fmt.Sprintf("line 1\nline \"%d\" <b>", i), OccurredAt: day, Raw: []byte("{\n \"a\": \"ü\u2028\"}"), SrcPort: 22}
	})
}

func (l *lists) Incidents(_ context.Context, _ *monitor.IncidentFilter, args page.Args) (*monitor.IncidentConnection, error) {
	return pageOf(l, args, func(i int) *monitor.Incident { return &monitor.Incident{Title: fmt.Sprint(i)} })
}

func (l *lists) FiredRules(_ context.Context, of []monitor.RuleAt) (map[monitor.RuleAt]*monitor.FiredRule, error) {
	l.fired = append(l.fired, of...)
	out := map[monitor.RuleAt]*monitor.FiredRule{}
	for _, at := range of {
		out[at] = &monitor.FiredRule{References: []string{fmt.Sprintf("https://example.com/v%d", at.Version)}, FalsePos: []string{"backups"}}
	}
	return out, nil
}

func (l *lists) Indicators(_ context.Context, _ *monitor.IndicatorFilter, order monitor.IndicatorOrder, args page.Args) (*monitor.IndicatorConnection, error) {
	if order != monitor.IndicatorsByID {
		return nil, errors.New("the order must not change while the file is written")
	}
	return pageOf(l, args, func(i int) *monitor.Indicator {
		return &monitor.Indicator{
			ID: monitor.ID{byte(i)}, Kind: monitor.IndicatorDomain, Value: "evil.example", Source: "=feed", Subdomains: true, Description: "@SUM(1)", Confidence: 80,
			Severity: monitor.SeverityHigh, ValidFrom: day, Tags: []string{"-1", "b"},
		}
	})
}

func TestIndicatorsAreWrittenAsAnImportReadsThem(t *testing.T) {
	text, done, err := write(t, &lists{n: 600}, monitor.Export{
		Noun: monitor.LineIndicators, Format: monitor.ExportCSV,
		Columns: []string{"value", "kind", "includeSubdomains", "source", "severity", "confidence", "validFrom", "validUntil", "tags", "description", "revoked"},
	})
	lines := strings.Split(text, "\n")
	if err != nil || done.Rows != 600 || lines[1] != "evil.example,DOMAIN,true,'=feed,HIGH,80,2026-03-01T12:00:00.000001Z,,'-1; b,'@SUM(1),false" {
		t.Fatalf("%+v, %v: %s", done, err, lines[1])
	}
}

func (l *lists) UsersByID(_ context.Context, ids []monitor.ID) ([]*monitor.User, error) {
	if len(ids) != 1 {
		return nil, fmt.Errorf("%d ids for one person", len(ids))
	}
	return []*monitor.User{{ID: ids[0], Name: "ana"}}, nil
}

func write(t *testing.T, l *lists, e monitor.Export) (string, export.Result, error) {
	t.Helper()
	if e.MaxRows == 0 {
		e.MaxRows = monitor.MaxExportRows
	}
	if err := export.Check(&e); err != nil {
		t.Fatal(err)
	}
	e.Filter = json.RawMessage("{}")
	var out bytes.Buffer
	done, err := export.Write(t.Context(), &out, &e, l, func() error { return nil })
	return out.String(), done, err
}

func TestNDJSONSaysHowManyRowsItHas(t *testing.T) {
	for _, c := range []struct {
		n, most    int
		rows       int
		more       bool
		firstAsked int
	}{{0, 0, 0, false, 100}, {1, 0, 1, false, 100}, {100, 0, 100, false, 100}, {501, 0, 501, false, 100}, {1203, 0, 1203, false, 100}, {1203, 700, 700, true, 100}, {700, 700, 700, false, 100}, {9, 1, 1, true, 1}} {
		l := &lists{n: c.n}
		text, done, err := write(t, l, monitor.Export{Noun: monitor.LineEvents, Format: monitor.ExportNDJSON, MaxRows: c.most})
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if err != nil || done != (export.Result{Rows: c.rows, More: c.more}) || len(lines) != c.rows+1 || l.asked[0].First != c.firstAsked {
			t.Fatalf("%+v: %+v, %d lines, %v", c, done, len(lines), err)
		}
		if want := fmt.Sprintf(`{"end":true,"rows":%d,"more":%t}`, c.rows, c.more); lines[c.rows] != want {
			t.Errorf("%+v: the last line is %s", c, lines[c.rows])
		}
		seen := map[string]bool{}
		for _, line := range lines[:c.rows] {
			var row struct {
				Message, OccurredAt string
				Host                *string
				SourcePort          int
				Raw                 struct{ A string }
			}
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			if seen[row.Message] || row.Raw.A != "ü\u2028" || row.OccurredAt != "2026-03-01T12:00:00.000001Z" || row.Host != nil || row.SourcePort != 22 {
				t.Errorf("%+v: %s", c, line)
			}
			seen[row.Message] = true
		}
	}
}

func TestCSVIsHarmlessInASpreadsheet(t *testing.T) {
	text, done, err := write(t, &lists{n: 3}, monitor.Export{Noun: monitor.LineAlerts, Format: monitor.ExportCSV, Columns: []string{"title", "assignee", "tags", "sourceIp", "createdAt", "closedAt"}})
	if err != nil || done.Rows != 3 {
		t.Fatal(done, err)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatal(len(rows), err)
	}
	if want := []string{"'=cmd 0", "ana", "a; b", "192.0.2.7", "2026-03-01T12:00:00.000001Z", ""}; !slices.Equal(rows[1], want) || rows[0][0] != "title" || rows[2][1] != "" {
		t.Errorf("%q", rows)
	}
	if text, _, err := write(t, &lists{}, monitor.Export{Noun: monitor.LineIncidents, Format: monitor.ExportCSV, Columns: []string{"id", "title"}}); err != nil || text != "id,title\n" {
		t.Errorf("of nothing: %q %v", text, err)
	}
	text, _, err = write(t, &lists{n: 1}, monitor.Export{Noun: monitor.LineEvents, Format: monitor.ExportCSV, Columns: []string{"message", "raw"}})
	rows, bad := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || bad != nil || rows[1][0] != "line 1\nline \"0\" <b>" {
		t.Errorf("%q %v %v", rows, err, bad)
	}
}

// A fault leaves a file that does not look whole.
func TestFaultLeavesNoEnd(t *testing.T) {
	text, done, err := write(t, &lists{n: 1200, fails: 2}, monitor.Export{Noun: monitor.LineEvents, Format: monitor.ExportNDJSON})
	if err == nil || done.Rows != 100 || strings.Contains(text, `"end"`) {
		t.Errorf("%+v %v", done, err)
	}
}

func TestExportThatCannotBe(t *testing.T) {
	for name, e := range map[string]monitor.Export{
		`there is no column "password"`:    {Noun: monitor.LineAlerts, Columns: []string{"id", "password"}, MaxRows: 1},
		`the column "id" is named twice`:   {Noun: monitor.LineAlerts, Columns: []string{"id", "id"}, MaxRows: 1},
		`a file has 1 to 1000000 rows`:     {Noun: monitor.LineAlerts},
		`RULES cannot be exported`:         {Noun: monitor.LineRules, MaxRows: 1},
		`a file has 1 to 1000000 rows, no`: {Noun: monitor.LineAlerts, MaxRows: 1_000_001},
	} {
		if err := export.Check(&e); err == nil || monitor.CodeOf(err) != monitor.CodeBadInput || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file says of each alert what its rule said when it fired, and asks for each
// version once a page, and not at all where no column has it.
func TestAlertsComeWithTheirRuleAsItFired(t *testing.T) {
	l := &lists{n: 30}
	text, _, err := write(t, l, monitor.Export{Noun: monitor.LineAlerts, Format: monitor.ExportCSV, Columns: []string{"ruleVersion", "references", "falsePositives"}})
	rows, parsed := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || parsed != nil || len(rows) != 31 || len(l.fired) != 3 {
		t.Fatalf("%d rows, %d versions asked for: %v %v", len(rows), len(l.fired), err, parsed)
	}
	for i, row := range rows[1:] {
		if version := fmt.Sprint(1 + i%3); row[0] != version || row[1] != "https://example.com/v"+version || row[2] != "backups" {
			t.Errorf("row %d: %v", i, row)
		}
	}
	l = &lists{n: 30}
	if _, _, err := write(t, l, monitor.Export{Noun: monitor.LineAlerts, Format: monitor.ExportCSV, Columns: []string{"title"}}); err != nil || len(l.fired) > 0 {
		t.Errorf("versions asked for in vain: %v, %v", l.fired, err)
	}
}
