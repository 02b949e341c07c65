package e2e

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

const exportAlerts = `mutation($i: AlertExportInput!) { alertExport(input: $i) { url export { id fileName columns expiresAt } errors { code message path } } }`

type exportPayload struct {
	AlertExport struct {
		URL    string
		Export *struct {
			ID, FileName, ExpiresAt string
			Columns                 []string
		}
		Errors []struct {
			Code, Message string
			Path          []string
		}
	}
}

// An analyst takes alerts out as a file that a spreadsheet opens; the link is
// theirs for as long as their login lasts, and the audit log knows of it.
func TestExportByLink(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin, vic := login(t, r.URL(), "admin", testPassword), userToken(t, r, "vic", monitor.RoleViewer)
	var hosts []string
	for i := range 600 { // more than a page
		hosts = append(hosts, fmt.Sprintf("web-%d", i))
	}
	raise(t, r, append(hosts, "db-1")...)

	link := func(bearer string, input map[string]any) (p exportPayload) {
		t.Helper()
		post(t, r.URL(), bearer, exportAlerts, map[string]any{"i": input}, &p)
		return p
	}
	csvLink := link(vic, map[string]any{"filter": map[string]any{"query": "host:web-*"}, "format": "CSV", "columns": []string{"host", "title", "status"}})
	if csvLink.AlertExport.Export == nil || !strings.HasSuffix(csvLink.AlertExport.Export.FileName, "-alerts.csv") {
		t.Fatalf("%+v", csvLink)
	}
	response, body := take(t, r.URL()+csvLink.AlertExport.URL)
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) != 601 || rows[0][0] != "host" || rows[600][2] != "NEW" {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		seen[row[0]] = true
	}
	if len(seen) != 600 || seen["db-1"] {
		t.Errorf("%d hosts", len(seen))
	}
	for name, want := range map[string]string{"Content-Disposition": "attachment; filename=", "Cache-Control": "no-store", "Content-Type": "text/csv", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"} {
		if got := response.Header.Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	all := link(vic, map[string]any{})
	_, body = take(t, r.URL()+all.AlertExport.URL)
	if lines := strings.Split(strings.TrimSpace(body), "\n"); len(lines) != 602 || lines[601] != `{"end":true,"rows":601,"more":false}` {
		t.Errorf("%d lines, the last %s", len(lines), lines[len(lines)-1])
	}

	for name, c := range map[string]struct {
		input map[string]any
		path  string
	}{
		"a column that is not there": {map[string]any{"columns": []string{"password"}}, "columns"},
		"too many rows":              {map[string]any{"maxRows": 2_000_000}, "maxRows"},
		"a bad query line":           {map[string]any{"filter": map[string]any{"query": "host:("}}, ""},
	} {
		p := link(vic, c.input)
		if p.AlertExport.Export != nil || len(p.AlertExport.Errors) != 1 || p.AlertExport.Errors[0].Code != "BAD_INPUT" || c.path != "" && p.AlertExport.Errors[0].Path[1] != c.path {
			t.Errorf("%s: %+v", name, p)
		}
	}
	for name, path := range map[string]string{
		"another key":    strings.Split(all.AlertExport.URL, "?")[0] + "?key=AAAA",
		"no key":         strings.Split(all.AlertExport.URL, "?")[0],
		"another export": "/api/export/" + (monitor.ID{1}).String() + "?" + strings.Split(all.AlertExport.URL, "?")[1],
		"no id":          "/api/export/x?key=y",
	} {
		if response, body := take(t, r.URL()+path); response.StatusCode != http.StatusNotFound || !strings.Contains(body, "NOT_FOUND") {
			t.Errorf("%s: %d %s", name, response.StatusCode, body)
		}
	}

	var journal struct {
		Journal struct {
			Nodes []struct {
				Action string
				Actor  struct{ Name string }
			}
		}
	}
	answer := post(t, r.URL(), admin, `{ journal(first: 50, filter: {action: {startsWith: "export."}}) { nodes { action actor { name } changes { snapshot } } } }`, nil, &journal)
	if n := journal.Journal.Nodes; len(n) != 4 || n[0].Action != "export.take" || n[3].Action != "export.create" || n[0].Actor.Name != "vic" || !strings.Contains(string(answer.Data), "web-*") {
		t.Errorf("%+v", journal)
	}
	if secret := strings.Split(all.AlertExport.URL, "key=")[1]; strings.Contains(string(answer.Data), secret) {
		t.Error("the journal has the secret of a link")
	}

	post(t, r.URL(), vic, `mutation { sessionRevokeAll(input: {}) { errors { code } } }`, nil, nil)
	var mine struct {
		Sessions struct{ Nodes []struct{ ID string } }
	}
	post(t, r.URL(), vic, `{ sessions(first: 5) { nodes { id } } }`, nil, &mine)
	post(t, r.URL(), vic, `mutation($id: ID!) { sessionRevoke(input: {id: $id}) { errors { code } } }`, map[string]any{"id": mine.Sessions.Nodes[0].ID}, nil)
	if response, body := take(t, r.URL()+all.AlertExport.URL); response.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "UNAUTHENTICATED") {
		t.Errorf("after the login has ended: %d %s", response.StatusCode, body)
	}
}

// A file that cannot be written to its end is a broken connection, never a short file.
func TestExportThatIsCutOffIsNoFile(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin, vic := login(t, r.URL(), "admin", testPassword), userToken(t, r, "vic", monitor.RoleViewer)
	token := ingestToken(t, r)
	for range 20 { // more than sockets hold
		var body strings.Builder
		for range 1000 {
			line, _ := json.Marshal(map[string]any{"host": "web-1", "message": strings.Repeat("x", 1000)})
			body.Write(append(line, '\n'))
		}
		if status, _ := sendEvents(t, r.URL(), token, []byte(body.String())); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	var p struct{ EventExport struct{ URL string } }
	post(t, r.URL(), vic, `mutation { eventExport(input: {}) { url errors { code message } } }`, nil, &p)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL()+p.EventExport.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it is cut off
	in := bufio.NewReader(response.Body)
	if _, err := in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	var people struct {
		Users struct{ Nodes []struct{ ID, Name string } }
	}
	post(t, r.URL(), admin, `{ users(first: 10) { nodes { id name } } }`, nil, &people)
	for _, u := range people.Users.Nodes {
		if u.Name == "vic" {
			post(t, r.URL(), admin, `mutation($id: ID!) { userUpdate(input: {id: $id, disabled: true}) { errors { code message } } }`, map[string]any{"id": u.ID}, nil)
		}
	}
	rest, err := io.ReadAll(in)
	if err == nil || strings.Contains(string(rest), `"end":true`) {
		t.Errorf("%d bytes, %v: whoever was shut out took the whole file", len(rest), err)
	}
}

func take(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}
