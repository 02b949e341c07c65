package taxii

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/stix"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// shelf is a Store in memory.
type shelf struct {
	indicators []*monitor.Indicator
	sightings  []*monitor.Sighting
}

func (s *shelf) SharedIndicators(_ context.Context, of monitor.SharedAsk) ([]*monitor.Indicator, error) {
	return shared(s.indicators, of, func(i *monitor.Indicator) (time.Time, monitor.ID, string) {
		return i.UpdatedAt, i.ID, stix.IndicatorID(i.ID)
	}), nil
}

func (s *shelf) SharedSightings(_ context.Context, of monitor.SharedAsk) ([]*monitor.Sighting, error) {
	return shared(s.sightings, of, func(i *monitor.Sighting) (time.Time, monitor.ID, string) {
		return i.UpdatedAt, i.ID, stix.SightingID(i.ID)
	}), nil
}

func (s *shelf) IndicatorSources(context.Context, int) ([]string, error) {
	return []string{"feed"}, nil
}

func (s *shelf) SightedHosts(context.Context, int) ([]string, error) { return []string{"web-1"}, nil }

func shared[T any](all []T, of monitor.SharedAsk, key func(T) (time.Time, monitor.ID, string)) (out []T) {
	order := func(at time.Time, id monitor.ID, bt time.Time, bid monitor.ID) int {
		return cmp.Or(at.Compare(bt), bytes.Compare(id[:], bid[:]))
	}
	all = slices.SortedFunc(slices.Values(all), func(a, b T) int {
		at, id, _ := key(a)
		bt, bid, _ := key(b)
		return order(at, id, bt, bid)
	})
	for _, each := range all {
		at, id, name := key(each)
		_, known, _ := stix.ParseID(name)
		if at.After(of.Until) || of.IDs != nil && !slices.Contains(of.IDs, known) || len(out) == of.First {
			continue
		}
		if of.After.IsZero() || order(at, id, of.After, of.AfterID) > 0 {
			out = append(out, each)
		}
	}
	return out
}

func indicator(t *testing.T, value string, at time.Time) *monitor.Indicator {
	t.Helper()
	i := &monitor.Indicator{Kind: monitor.IndicatorAddress, Value: value, Source: "feed", Severity: monitor.SeverityHigh, ValidFrom: noon, CreatedAt: noon, UpdatedAt: at}
	if err := i.Check(); err != nil {
		t.Fatal(err)
	}
	return i
}

func handler(s *shelf) *Handler {
	return &Handler{
		Store: s, Settle: time.Minute, Now: func() time.Time { return noon.Add(time.Hour) }, Log: slog.New(slog.DiscardHandler),
		Admit: func(http.ResponseWriter, *http.Request, int) error { return nil },
	}
}

type page struct {
	More     bool
	Next     string
	Versions []string
	Objects  []struct {
		ID, Type, Modified, Version, Pattern string
		Added                                string   `json:"date_added"`
		Where                                []string `json:"where_sighted_refs"`
	}
	Code string `json:"error_code"`
}

func get(t *testing.T, h http.Handler, path string, headers ...string) (*httptest.ResponseRecorder, page) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, Path+path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var p page
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%s: %v in %s", path, err, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/taxii+json;version=2.1" {
		t.Errorf("%s: content type %q", path, got)
	}
	return w, p
}

const objects = "/root/collections/indicators/objects/"

// Whatever changes between two pages, a client that goes on sees each object that was
// there, and the changed ones once more, at the end.
func TestPagesStayRightUnderChange(t *testing.T) {
	for limit := 1; limit <= 7; limit++ {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			s := &shelf{}
			for n := range 9 {
				s.indicators = append(s.indicators, indicator(t, fmt.Sprintf("203.0.113.%d", n+1), noon.Add(time.Duration(n/3)*time.Second)))
			}
			h := handler(s)
			seen := map[string]int{}
			query := url.Values{"limit": {fmt.Sprint(limit)}}
			for pages := 0; ; pages++ {
				if pages > 100 {
					t.Fatal("it has no end")
				}
				_, p := get(t, h, objects+"?"+query.Encode())
				if len(p.Objects) > limit {
					t.Fatalf("%d objects", len(p.Objects))
				}
				for _, o := range p.Objects {
					if o.Type == "indicator" {
						seen[o.ID+o.Modified]++
					}
				}
				if pages == 0 { // the first comes last, one goes away, one is new
					s.indicators[0].UpdatedAt = noon.Add(10 * time.Second)
					s.indicators = slices.Delete(s.indicators, 8, 9)
					s.indicators = append(s.indicators, indicator(t, "203.0.113.99", noon.Add(20*time.Second)))
				}
				if !p.More {
					break
				}
				query.Set("next", p.Next)
			}
			for _, i := range s.indicators {
				if n := seen[stix.IndicatorID(i.ID)+stix.Time(i.UpdatedAt)]; n != 1 {
					t.Errorf("%s came %d times", i.Value, n)
				}
			}
		})
	}
}

func TestObjectsAreChosen(t *testing.T) {
	s := &shelf{indicators: []*monitor.Indicator{indicator(t, "203.0.113.1", noon), indicator(t, "203.0.113.2", noon.Add(time.Second)), indicator(t, "203.0.113.3", noon.Add(2*time.Hour))}}
	s.sightings = []*monitor.Sighting{{ID: monitor.ID{7}, Indicator: s.indicators[0].ID, Host: "web-1", Count: 3, FirstSeen: noon, LastSeen: noon, CreatedAt: noon, UpdatedAt: noon}}
	first, second := stix.IndicatorID(s.indicators[0].ID), stix.IndicatorID(s.indicators[1].ID)
	h := handler(s)
	for _, c := range []struct {
		reason, path string
		want         []string
	}{
		{"all that has settled, with what it names", objects, []string{stix.SourceID("Security Monitor"), stix.ExtensionID, stix.SourceID("feed"), first, second}},
		{"by type", objects + "?match[type]=indicator", []string{first, second}},
		{"by id", objects + "?match[id]=" + second + ",indicator--" + "00000000-0000-5000-8000-000000000000", []string{second}},
		{"an identity by id", objects + "?match[id]=" + stix.SourceID("feed"), []string{stix.SourceID("feed")}},
		{"later than the first", objects + "?match[type]=indicator&added_after=" + stix.Time(noon), []string{second}},
		{"later than all", objects + "?added_after=" + stix.Time(noon.Add(time.Second)), nil},
		{"at the end of time", objects + "?added_after=9999-12-31T23:59:59Z", nil},
		{"of a version", objects + "?match[type]=indicator&match[version]=" + stix.Time(noon.Add(time.Second)), []string{second}},
		{"the last version", objects + "?match[type]=indicator&match[version]=last", []string{first, second}},
		{"of another specification", objects + "?match[spec_version]=2.0", nil},
		{"of this one", objects + "?match[type]=indicator&match[spec_version]=2.0,2.1", []string{first, second}},
		{"one", objects + first + "/", []string{first}},
		{"one, but not that version", objects + first + "/?match[version]=2020-01-01T00:00:00Z", nil},
		{"one, but later", objects + first + "?added_after=" + stix.Time(noon.Add(time.Minute)), nil},
		{"an identity", objects + stix.SourceID("feed") + "/", []string{stix.SourceID("feed")}},
		{"by the collection's id", strings.Replace(objects, "indicators", indicators.ID, 1) + "?match[type]=indicator", []string{first, second}},
		{"the manifest", "/root/collections/indicators/manifest/?match[type]=indicator", []string{first, second}},
		{"sightings, and where", "/root/collections/sightings/objects/", []string{stix.HostID("web-1"), stix.SightingID(monitor.ID{7})}},
		{"a host", "/root/collections/sightings/objects/" + stix.HostID("web-1"), []string{stix.HostID("web-1")}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			w, p := get(t, h, c.path)
			var got []string
			for _, o := range p.Objects {
				got = append(got, o.ID)
			}
			if w.Code != http.StatusOK || !slices.Equal(got, c.want) {
				t.Errorf("%d %v, want %v", w.Code, got, c.want)
			}
		})
	}
	w, p := get(t, h, "/root/collections/indicators/manifest?match[type]=indicator")
	if p.Objects[1].Added != stix.Time(noon.Add(time.Second)) || p.Objects[1].Version != p.Objects[1].Added ||
		w.Header().Get("X-TAXII-Date-Added-First") != stix.Time(noon) || w.Header().Get("X-TAXII-Date-Added-Last") != stix.Time(noon.Add(time.Second)) {
		t.Errorf("%s %v", w.Body, w.Header())
	}
	if w, p := get(t, h, objects+first+"/versions/"); !slices.Equal(p.Versions, []string{stix.Time(noon)}) || w.Header().Get("X-TAXII-Date-Added-First") != stix.Time(noon) {
		t.Errorf("%s %v", w.Body, w.Header())
	}
	if w, _ := get(t, h, objects+"?added_after="+stix.Time(noon.Add(time.Second))); strings.TrimSpace(w.Body.String()) != "{}" || w.Header().Get("X-TAXII-Date-Added-First") != "" {
		t.Errorf("of nothing: %s", w.Body)
	}
}

func TestRefusals(t *testing.T) {
	h := handler(&shelf{})
	for _, c := range []struct {
		reason, path, accept string
		status               int
	}{
		{"what is there", "/", "application/taxii+json;version=2.1", 200},
		{"any version", "/root/", "application/taxii+json", 200},
		{"one of several", "/root/collections/", "text/html, application/taxii+json; version=\"2.1\";q=0.5", 200},
		{"anything", "/root/collections/indicators/", "*/*", 200},
		{"another version", "/", "application/taxii+json;version=2.0", 406},
		{"another form", "/", "application/json", 406},
		{"no such root", "/other/", "", 404},
		{"no such collection", "/root/collections/x/", "", 404},
		{"no such object", objects + "indicator--00000000-0000-5000-8000-000000000000/", "", 404},
		{"no identifier", objects + "x/", "", 404},
		{"no status", "/root/status/1/", "", 404},
		{"nothing so deep", objects + "x/versions/y", "", 404},
		{"a limit of nothing", objects + "?limit=0", "", 400},
		{"no time", objects + "?added_after=yesterday", "", 400},
		{"no place", objects + "?next=x", "", 400},
		{"no version", objects + "?match[version]=newest", "", 400},
		{"no match", objects + "?match[name]=x", "", 400},
		{"too many", objects + "?match[id]=" + strings.Repeat(",", maxMatches), "", 400},
		{"no query", objects + "?%zz", "", 400},
	} {
		t.Run(c.reason, func(t *testing.T) {
			w, p := get(t, h, c.path, "Accept", c.accept)
			if w.Code != c.status || (c.status >= 400) != (p.Code != "") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	for method, status := range map[string]int{"POST": 403, "DELETE": 403, "PUT": 405} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, Path+objects, strings.NewReader("{}")))
		if w.Code != status {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
	h.Admit = func(http.ResponseWriter, *http.Request, int) error {
		return monitor.Errorf(monitor.CodeUnauthenticated, "no")
	}
	for _, path := range []string{"/", "/nothing", objects + "?limit=x"} {
		if w, p := get(t, h, path); w.Code != 401 || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") || p.Code != "UNAUTHENTICATED" {
			t.Errorf("%s: nobody gets %d %s", path, w.Code, w.Body)
		}
	}
}

// Nothing that is asked breaks the server, and no page has more than was asked for.
func FuzzAsk(f *testing.F) {
	f.Add("root/collections/indicators/objects", "limit=2&added_after=2026-05-04T12:00:00Z")
	f.Add("root/collections/sightings/manifest", "match[type]=identity&match[version]=all&next=eyJ0IjoiMjAyNi0wNS0wNFQxMjowMDowMFoifQ")
	f.Add("root/collections/indicators/objects/identity--x/versions", "match[id]=a,b")
	f.Fuzz(func(t *testing.T, path, query string) {
		s := &shelf{indicators: []*monitor.Indicator{indicator(t, "203.0.113.1", noon), indicator(t, "203.0.113.2", noon)}}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, Path, nil)
		r.URL.Path, r.URL.RawQuery = Path+"/"+path, query
		w := httptest.NewRecorder()
		handler(s).ServeHTTP(w, r)
		if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
