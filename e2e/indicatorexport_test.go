package e2e

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// What a filter finds is taken out as a file, and an import finds nothing new in it.
func TestIndicatorsGoOutAndIn(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	ann := userToken(t, r, "ann", monitor.RoleAnalyst)
	type report struct {
		IndicatorImport struct {
			Report *struct{ Added, Updated, Unchanged, Refused int }
			Errors []struct{ Message string }
		}
	}
	load := func(text string) (p report) {
		t.Helper()
		post(t, r.URL(), ann, `mutation($t: String!) { indicatorImport(input: {format: CSV, source: "feed", text: $t}) { report { added updated unchanged refused } errors { message } } }`, map[string]any{"t": text}, &p)
		if p.IndicatorImport.Report == nil {
			t.Fatalf("%+v", p)
		}
		return p
	}
	if p := load("value,tags,description\n*.evil.example,a;b,first\n203.0.113.7,,\nhttp://münchen.example/x,,\n"); p.IndicatorImport.Report.Added != 3 {
		t.Fatalf("%+v", p.IndicatorImport.Report)
	}
	var made struct{ IndicatorExport struct{ URL string } }
	post(t, r.URL(), ann, `mutation { indicatorExport(input: {format: CSV, filter: {state: {eq: ACTIVE}}}) { url errors { message } } }`, nil, &made)
	_, text := take(t, r.URL()+made.IndicatorExport.URL)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 4 || !strings.Contains(text, "http://xn--mnchen-3ya.example/x") {
		t.Fatalf("%v: %s", err, text)
	}
	if p := load(text); p.IndicatorImport.Report.Unchanged != 3 || p.IndicatorImport.Report.Refused != 0 {
		t.Fatalf("%+v of\n%s", p.IndicatorImport.Report, text)
	}
}
