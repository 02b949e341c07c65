package ingest

import (
	"strings"
	"testing"
)

// A log of Zeek's own format becomes what its JSON writer would have written.
func TestZeeksOwnFormat(t *testing.T) {
	head := strings.Join([]string{
		`#separator \x09`, "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tconn", "#open\t2026-05-04-09-30-00",
		"#fields\tts\tuid\tid.orig_p\tlocal_orig\tproto\tnames\tduration\thistory", "#types\ttime\tstring\tport\tbool\tenum\tset[string]\tinterval\tstring",
	}, "\n") + "\n"
	for _, c := range []struct{ name, body, want, reason string }{
		{"values", head + "1777887000.5\tC1\t22\tT\ttcp\ta,b\t0.25\tSh\n", `9:{"_path":"conn","ts":1777887000.5,"uid":"C1","id.orig_p":22,"local_orig":true,"proto":"tcp","names":["a","b"],"duration":0.25,"history":"Sh"}`, "types decide"},
		{"unset and empty", head + "1777887000.5\tC1\t-\tF\ttcp\t(empty)\t-\t(empty)", `9:{"_path":"conn","ts":1777887000.5,"uid":"C1","local_orig":false,"proto":"tcp","names":[],"history":""}`, "unset is left out"},
		{"text where a number should be", head + "soon\tC1\t0x16\tmaybe\ttcp\t-\t-\t-", `9:{"_path":"conn","ts":"soon","uid":"C1","id.orig_p":"0x16","local_orig":"maybe","proto":"tcp"}`, "nothing is lost"},
		{"quotes and escapes", head + "1\tC\\x09\"1\t-\t-\t-\t-\t-\t-", `9:{"_path":"conn","ts":1,"uid":"C\\x09\"1"}`, "Zeek escapes tabs as its JSON does"},
		{"windows lines and the end", head + "1\tC1\t-\t-\t-\t-\t-\t-\r\n#close\t2026\r\n", `9:{"_path":"conn","ts":1,"uid":"C1"}`, "the line's end is no value"},
		{"too few values", head + "1\tC1\n1\tC2\t-\t-\t-\t-\t-\t-", `9!MALFORMED_JSON 10:{"_path":"conn","ts":1,"uid":"C2"}`, "neighbours are kept"},
		{"two logs", "#separator \\x09\n#path\ta\n#fields\tx\n#types\tcount\n1\n#separator \\x09\n#path\tb\n#fields\ty\n#types\tcount\n2\n", `5:{"_path":"a","x":1} 10:{"_path":"b","y":2}`, "each has its head"},
		{"another separator", "#separator \\x7c\n#path|a\n#fields|x|y\n#types|count|string\n1|z\n", `5:{"_path":"a","x":1,"y":"z"}`, "the head says which"},
		{"no types", "#separator \\x09\n#path\ta\n#fields\tx\n1\n", `4!MALFORMED_JSON`, "without types nothing is known of the values"},
		{"a separator that is none", "#separator \\xzz\n1\n", `1!MALFORMED_JSON 2!MALFORMED_JSON`, "and none before it"},
		{"no UTF-8", head + "1\t\xff\t-\t-\t-\t-\t-\t-", `9:{"_path":"conn","ts":1,"uid":"` + `\ufffd` + `"}`, "what is no text is marked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := split(c.body, DefaultLimits)
			if err != nil || strings.Join(got, " ") != c.want {
				t.Errorf("got %v, %v\nwant %s, because %s", got, err, c.want, c.reason)
			}
		})
	}
}

// Bounds hold for Zeek's format too.
func TestZeeksOwnFormatIsBounded(t *testing.T) {
	limits := Limits{RecordBytes: 60, BodyBytes: 10_000, Records: 2, Depth: 5}
	head := "#separator \\x09\n#path\ta\n#fields\tx\n#types\tstring\n"
	got, err := split(head+strings.Repeat("y", 100)+"\nz\n", limits)
	if err != nil || strings.Join(got, " ") != `5!RECORD_TOO_LARGE 6:{"_path":"a","x":"z"}` {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := split(head+"1\n2\n3\n", limits); err == nil {
		t.Error("three records of two are taken")
	}
	if got, _ := split("#separator \\x09\n#fields"+strings.Repeat("\tx", maxZeekFields+1)+"\n1\n", Limits{RecordBytes: 10_000, BodyBytes: 10_000, Records: 9, Depth: 5}); len(got) != 2 {
		t.Errorf("a head of too many fields: %v", got)
	}
}

// The API server of Kubernetes sends lists.
func TestAuditListsAreTheirRecords(t *testing.T) {
	got, err := split(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[{"verb":"get"},{"verb":"list"},3]}`, DefaultLimits)
	if err != nil || strings.Join(got, " ") != `1:{"verb":"get"} 1:{"verb":"list"} 1!NOT_AN_OBJECT` {
		t.Errorf("%v, %v", got, err)
	}
}
