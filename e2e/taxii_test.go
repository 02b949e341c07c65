package e2e

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/stix"
	"github.com/security-monitor/secmon/taxii"
)

type indicatorReport struct {
	IndicatorImport struct {
		Report *struct{ Added, Updated, Unchanged, Revoked, Refused int }
		Errors []struct{ Message string }
	}
}

// importIndicators imports a list.
func importIndicators(t *testing.T, r *replica, bearer, format, text string) string {
	t.Helper()
	var p indicatorReport
	post(t, r.URL(), bearer, `mutation($f: IndicatorFormat!, $t: String!) { indicatorImport(input: {format: $f, source: "another", text: $t}) { report { added updated unchanged revoked refused } errors { message } } }`,
		map[string]any{"f": format, "t": text}, &p)
	if p.IndicatorImport.Report == nil {
		t.Fatalf("%+v", p)
	}
	return fmt.Sprintf("%+v", *p.IndicatorImport.Report)
}

const listOfAllKinds = `kind,value,source,severity,tags,description,reference,valid_from,valid_until,include_subdomains
ADDRESS,203.0.113.7,abuse.ch,critical,c2;bot,A server,https://intel.example/7,2026-05-01T00:00:00Z,,
NETWORK,198.51.100.0/24,abuse.ch,low,,,,2026-05-01T00:00:00Z,2099-01-01T00:00:00Z,
DOMAIN,below.example,feed,high,,,,2026-05-01T00:00:00Z,,true
DOMAIN,evil.example,feed,high,,,,2026-05-01T00:00:00Z,,false
URL,http://evil.example/x,feed,medium,,a: b,,2026-05-01T00:00:00Z,,
MD5,abababababababababababababababab,feed,medium,,,,2026-05-01T00:00:00Z,,
SHA1,abababababababababababababababababababab,feed,medium,,,,2026-05-01T00:00:00Z,,
SHA256,abababababababababababababababababababababababababababababababab,feed,medium,,,,2026-05-01T00:00:00Z,,
EMAIL,bad@evil.example,feed,medium,,,,2026-05-01T00:00:00Z,,
`

// What one Security Monitor writes as STIX another reads as the same, and writes the
// same identifiers again.
func TestIndicatorsGoFromOneMonitorToAnotherAsSTIX(t *testing.T) {
	redis := startRedis(t).URL()
	one := startReplica(t, config(t, dbtest.DSN(t), redis))
	two := startReplica(t, config(t, dbtest.DSN(t), redis))
	ann, bob := userToken(t, one, "ann", monitor.RoleAnalyst), userToken(t, two, "bob", monitor.RoleAnalyst)
	if got := importIndicators(t, one, ann, "CSV", listOfAllKinds); got != "{Added:9 Updated:0 Unchanged:0 Revoked:0 Refused:0}" {
		t.Fatal(got)
	}
	bundle := func(r *replica, bearer string) string {
		t.Helper()
		var made struct {
			IndicatorExport struct {
				URL    *string
				Errors []struct{ Message string }
			}
		}
		post(t, r.URL(), bearer, `mutation { indicatorExport(input: {format: STIX}) { url errors { message } } }`, nil, &made)
		if made.IndicatorExport.URL == nil {
			t.Fatalf("%+v", made)
		}
		response, text := take(t, r.URL()+*made.IndicatorExport.URL)
		if got := response.Header.Get("Content-Type"); got != stix.MediaType || !strings.Contains(response.Header.Get("Content-Disposition"), ".json") {
			t.Errorf("%s %s", got, response.Header.Get("Content-Disposition"))
		}
		return text
	}
	text := bundle(one, ann)
	if got := importIndicators(t, one, ann, "STIX", text); got != "{Added:0 Updated:0 Unchanged:9 Revoked:0 Refused:0}" {
		t.Errorf("back: %s of %s", got, text)
	}
	if got := importIndicators(t, two, bob, "STIX", text); got != "{Added:9 Updated:0 Unchanged:0 Revoked:0 Refused:0}" {
		t.Errorf("over: %s of %s", got, text)
	}
	again := bundle(two, bob)
	for _, line := range strings.Split(text, "\n") {
		if id := between(line, `"id":"`, `"`); strings.HasPrefix(id, "i") && !strings.Contains(again, id) {
			t.Errorf("%s is called otherwise there", id)
		}
	}
	var refused struct {
		AlertExport struct{ Errors []struct{ Path []string } }
	}
	post(t, one.URL(), ann, `mutation { alertExport(input: {format: STIX}) { url errors { path } } }`, nil, &refused)
	if len(refused.AlertExport.Errors) != 1 {
		t.Errorf("alerts as STIX: %+v", refused)
	}
}

func between(s, begin, end string) string {
	_, s, _ = strings.Cut(s, begin)
	s, _, _ = strings.Cut(s, end)
	return s
}

// Others read what this server knows: page by page, and each object by its identifier,
// which the database computes as package stix does.
func TestOthersReadIndicatorsAndSightings(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	ann, token := userToken(t, r, "ann", monitor.RoleAnalyst), ingestToken(t, r)
	importIndicators(t, r, ann, "CSV", listOfAllKinds)
	eventually(t, "an alert", func() bool {
		sendEvents(t, r.URL(), token, fmt.Appendf(nil, `{"time":%q,"host":"Web-1","src_ip":"203.0.113.7","message":"connected"}`, time.Now().UTC().Format(time.RFC3339)))
		alerts, err := r.Store.SightedHosts(t.Context(), 10)
		return err == nil && len(alerts) == 1 && alerts[0] == "web-1"
	})
	server := httptest.NewServer(&taxii.Handler{Store: r.Store, Log: slog.New(slog.DiscardHandler), Admit: func(http.ResponseWriter, *http.Request, int) error { return nil }})
	defer server.Close()
	base := server.URL + taxii.Path + "/root/collections/"
	objects := map[string]map[string]any{}
	for _, collection := range []string{"indicators", "sightings"} {
		for next, pages := "", 0; pages < 50; pages++ {
			_, page := call(t, "GET", base+collection+"/objects/?limit=2"+next, "", "", "Accept", "application/taxii+json;version=2.1")
			list, _ := page["objects"].([]any)
			for _, o := range list {
				object, _ := o.(map[string]any)
				id, _ := object["id"].(string)
				objects[id] = object
				response, one := call(t, "GET", base+collection+"/objects/"+id+"/", "", "")
				if found, _ := one["objects"].([]any); response.StatusCode != http.StatusOK || len(found) != 1 {
					t.Errorf("%s alone: %d %v", id, response.StatusCode, one)
				}
			}
			if page["more"] != true {
				break
			}
			next = "&next=" + fmt.Sprint(page["next"])
		}
	}
	count := map[any]int{}
	for _, o := range objects {
		count[o["type"]]++
	}
	if fmt.Sprint(count) != "map[extension-definition:1 identity:4 indicator:9 sighting:1]" {
		t.Fatalf("%v", count)
	}
	for _, o := range objects {
		if o["type"] != "sighting" {
			continue
		}
		of, _ := o["sighting_of_ref"].(string)
		where, _ := o["where_sighted_refs"].([]any)
		if objects[of]["name"] != "203.0.113.7" || len(where) != 1 || objects[fmt.Sprint(where[0])]["name"] != "web-1" {
			t.Errorf("sighting %v of %v", o, objects[of])
		}
	}
}

// Who may read events may read this, and nobody else.
func TestTAXIICredentials(t *testing.T) {
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.RateLimit = 61_000
	r := startReplica(t, cfg)
	session := login(t, r.URL(), "admin", testPassword)
	reader, _, err := r.Auth.CreateToken(t.Context(), monitor.SystemActor, monitor.APIToken{Name: "partner", Scopes: []monitor.Scope{monitor.ScopeRead}, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, authorization string
		status              int
	}{
		{"a token as password", basic(reader), 200},
		{"a token", "Bearer " + reader, 200},
		{"a login", "Bearer " + session, 200},
		{"nobody", "", 401},
		{"a wrong one", basic("smt_x"), 401},
		{"a shipper", basic(ingestToken(t, r)), 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, path := range []string{"/api/taxii2/", "/api/taxii2", "/api/taxii2/root/collections/indicators/objects/"} {
				response, a := call(t, "GET", r.URL()+path, c.authorization, "", "Accept", "application/taxii+json;version=2.1")
				if response.StatusCode != c.status || response.Header.Get("Content-Type") != "application/taxii+json;version=2.1" {
					t.Errorf("%s: %d %v", path, response.StatusCode, a)
				}
			}
		})
	}
	for range 50 {
		response, _ := call(t, "GET", r.URL()+"/api/taxii2/root/collections/indicators/objects/?limit=500", basic(reader), "")
		if response.StatusCode == http.StatusTooManyRequests && response.Header.Get("Retry-After") != "" {
			return
		}
	}
	t.Error("no budget bounds it")
}
