package metrics

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func shown(t *testing.T, s *Set) string {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	text, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What is not known beforehand is other, wherever it comes from.
func TestLabelsAreBounded(t *testing.T) {
	s := New("1")
	s.GraphQL.Know([]string{"AlertQueue", "alerts"})
	s.Ingest.Know([]string{"evtx"})
	before := len(strings.Split(shown(t, s), "\n"))
	for i := range 3 {
		x := strings.Repeat("x", i+1)
		s.GraphQL.Answered(Operation{Name: x, Field: x, Type: x, Code: x, Limit: x, Cost: 1})
		s.Ingest.Records(x, x, 1, 1)
		s.Ingest.Request(x, x)
		s.HTTP.Begun()
		s.HTTP.Ended(x, 700+i, time.Second)
		s.Detect.Hit(Class(x, x, x), x)
		s.Detect.Event(Class(x, x, x), time.Second)
		s.Jobs.Ended(x, x)
		s.Jobs.Begun(x)
		s.Archive.Failed(x, false)
		s.Store.Statement(x, "alerts", time.Second)
	}
	text := shown(t, s)
	for _, value := range []string{`"x"`, `"xx"`, `"xxx"`, `"700"`} {
		if strings.Contains(text, value) {
			t.Errorf("%s stands in a label", value)
		}
	}
	after := len(strings.Split(text, "\n"))
	s.GraphQL.Answered(Operation{Name: "y", Field: "y", Type: "y", Code: "y"})
	if again := len(strings.Split(shown(t, s), "\n")); after <= before || again != after {
		t.Errorf("%d, %d, then %d lines", before, after, again)
	}
}

func TestOperationsAreNamedAsWellAsPossible(t *testing.T) {
	s := New("1")
	s.GraphQL.Know([]string{"AlertQueue", "alerts"})
	s.GraphQL.Answered(Operation{Name: "AlertQueue", Field: "alerts", Type: "query", Code: "OK"})
	s.GraphQL.Answered(Operation{Name: "Mine", Field: "alerts", Type: "query", Code: "OK"})
	s.GraphQL.Answered(Operation{Name: "Mine", Type: "subscription", Code: "OK", Took: time.Hour})
	text := shown(t, s)
	for _, line := range []string{
		`secmon_graphql_operations_total{code="OK",operation="AlertQueue",type="query"} 1`, `secmon_graphql_operations_total{code="OK",operation="alerts",type="query"} 1`,
		`secmon_graphql_operations_total{code="OK",operation="other",type="subscription"} 1`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("there is no %s", line)
		}
	}
	if strings.Contains(text, `secmon_graphql_operation_seconds_count{operation="other",type="subscription"}`) {
		t.Error("how long a subscription lives counts as a latency")
	}
}

func TestClassOfALogSource(t *testing.T) {
	for _, c := range [][4]string{
		{"windows", "process_creation", "sysmon", "process_creation"},
		{"windows", "", "security", "security"},
		{"aws", "", "cloudtrail", "cloudtrail"},
		{"zeek", "", "conn", "zeek"},
		{"mine", "mine", "mine", "other"},
		{"", "", "", "other"},
	} {
		if got := Class(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("%q is %s, want %s", c[:3], got, c[3])
		}
	}
}

func TestArchiveTellsDamageFromOtherFailures(t *testing.T) {
	s := New("1")
	s.Archive.Waiting(90 * time.Minute)
	s.Archive.Failed(ArchiveWork, true)
	s.Archive.Failed(RestoreWork, false)
	text := shown(t, s)
	for _, line := range []string{
		"secmon_archive_waiting_seconds 5400",
		`secmon_archive_failed_total{reason="damaged",work="archive"} 1`, `secmon_archive_failed_total{reason="failed",work="archive"} 0`,
		`secmon_archive_failed_total{reason="damaged",work="restore"} 0`, `secmon_archive_failed_total{reason="failed",work="restore"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%s is not shown", line)
		}
	}
}
