package stix_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/security-monitor/secmon/intel"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/stix"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func of(t testing.TB, kind monitor.IndicatorKind, value string, change func(*monitor.Indicator)) *monitor.Indicator {
	t.Helper()
	i := &monitor.Indicator{
		Kind: kind, Value: value, Source: "abuse.ch", Severity: monitor.SeverityCritical, Confidence: 70, ValidFrom: noon, CreatedAt: noon, UpdatedAt: noon, Tags: []string{},
	}
	if change != nil {
		change(i)
	}
	if err := i.Check(); err != nil {
		t.Fatal(err)
	}
	return i
}

func all(t testing.TB) []*monitor.Indicator {
	return []*monitor.Indicator{
		of(t, monitor.IndicatorAddress, "203.0.113.7", func(i *monitor.Indicator) { i.Tags = []string{"c2", "bot"} }),
		of(t, monitor.IndicatorAddress, "2001:db8::7", func(i *monitor.Indicator) { i.ValidUntil = noon.Add(time.Hour) }),
		of(t, monitor.IndicatorNetwork, "198.51.100.0/24", func(i *monitor.Indicator) { i.Description = "a: colon: " }),
		of(t, monitor.IndicatorNetwork, "2001:db8::/32", func(i *monitor.Indicator) { i.Reference = "https://intel.example/7" }),
		of(t, monitor.IndicatorDomain, "evil.example", nil),
		of(t, monitor.IndicatorDomain, "below.example", func(i *monitor.Indicator) { i.Subdomains = true }),
		of(t, monitor.IndicatorURL, `http://evil.example/it's\here`, func(i *monitor.Indicator) { i.Source = `a "source", 'quoted' é` }),
		of(t, monitor.IndicatorMD5, strings.Repeat("ab", 16), func(i *monitor.Indicator) { i.Severity = monitor.SeverityInformational }),
		of(t, monitor.IndicatorSHA1, strings.Repeat("ab", 20), func(i *monitor.Indicator) { i.Confidence = 0 }),
		of(t, monitor.IndicatorSHA256, strings.Repeat("ab", 32), nil),
		of(t, monitor.IndicatorEmail, "bad@evil.example", func(i *monitor.Indicator) { i.RevokedAt = noon }),
	}
}

type taken struct{ list []*monitor.Indicator }

func (t *taken) Take(i *monitor.Indicator) error { t.list = append(t.list, i); return nil }
func (t *taken) Refuse(p intel.Problem)          { panic(fmt.Sprintf("%+v", p)) }

func bundle(t testing.TB, list []*monitor.Indicator) []byte {
	t.Helper()
	var out bytes.Buffer
	b := stix.NewBundle(&out, monitor.ID{1})
	for _, i := range list {
		if err := b.Add(stix.Author(), stix.Extension(), stix.Source(i.Source), stix.Indicator(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.End(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// An import of what was written finds the same indicators, of every kind.
func TestIndicatorsGoOutAndIn(t *testing.T) {
	want := all(t)
	kinds := map[monitor.IndicatorKind]bool{}
	for _, i := range want {
		kinds[i.Kind] = true
	}
	if len(kinds) != len(monitor.IndicatorKinds) {
		t.Fatal("a kind is missing in this test")
	}
	got := &taken{}
	// The options are for what a list leaves unsaid: nothing.
	sure := 1
	if err := intel.Read(intel.STIX, bytes.NewReader(bundle(t, want)), intel.Options{Source: "another", Severity: monitor.SeverityLow, Confidence: &sure, Subdomains: true, Now: noon}, got); err != nil {
		t.Fatal(err)
	}
	for _, i := range want {
		i.CreatedAt, i.UpdatedAt = time.Time{}, time.Time{} // of the place that has them
	}
	if diff := cmp.Diff(want, got.list); diff != "" {
		t.Error(diff)
	}
}

// The identifiers are those of the specification's own schema, follow from what they
// name, and every reference has its object.
func TestBundlesAreWhole(t *testing.T) {
	text := bundle(t, all(t))
	var b struct {
		Type, ID string
		Objects  []map[string]any
	}
	if err := json.Unmarshal(text, &b); err != nil || b.Type != "bundle" {
		t.Fatal(err)
	}
	identifier := regexp.MustCompile(`^[a-z][a-z0-9-]+[a-z0-9]--[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	timestamp := regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$`)
	var ids []string
	for _, o := range b.Objects {
		id, _ := o["id"].(string)
		if slices.Contains(ids, id) {
			t.Errorf("%s stands twice", id)
		}
		ids = append(ids, id)
	}
	for _, id := range append([]string{b.ID}, ids...) {
		if !identifier.MatchString(id) {
			t.Errorf("%q is no identifier", id)
		}
	}
	for _, o := range b.Objects {
		if o["spec_version"] != "2.1" {
			t.Errorf("%v is of no version", o)
		}
		for _, name := range []string{"created", "modified"} {
			if at, _ := o[name].(string); !timestamp.MatchString(at) {
				t.Errorf("%s of %v", name, o)
			}
		}
		if by, ok := o["created_by_ref"].(string); ok && !slices.Contains(ids, by) {
			t.Errorf("%s is by nobody that stands here", o["id"])
		}
		if o["type"] != "indicator" {
			continue
		}
		for _, name := range []string{"pattern", "pattern_type", "valid_from"} {
			if o[name] == nil {
				t.Errorf("%s has no %s", o["id"], name)
			}
		}
	}
	if !bytes.Equal(text, bundle(t, all(t))) {
		t.Error("the same becomes something else")
	}
	if string(bundle(t, nil)) != `{"type":"bundle","id":"`+b.ID+`"}`+"\n" {
		t.Errorf("nothing is %s", bundle(t, nil))
	}
}

func TestSightings(t *testing.T) {
	seen := &monitor.Sighting{ID: monitor.ID{9}, Indicator: monitor.ID{1}, Host: "web-1", Count: 2_000_000_000, FirstSeen: noon, LastSeen: noon.Add(time.Hour), CreatedAt: noon, UpdatedAt: noon, Merged: true}
	text, err := json.Marshal(stix.Sighting(seen))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"sighting","spec_version":"2.1","id":"` + stix.SightingID(monitor.ID{9}) + `","created":"2026-05-04T12:00:00.000000Z","modified":"2026-05-04T12:00:00.000000Z","revoked":true,` +
		`"first_seen":"2026-05-04T12:00:00.000000Z","last_seen":"2026-05-04T13:00:00.000000Z","count":999999999,"sighting_of_ref":"` + stix.IndicatorID(monitor.ID{1}) + `","where_sighted_refs":["` + stix.HostID("web-1") + `"]}`
	if string(text) != want {
		t.Errorf("%s\nwant %s", text, want)
	}
	if seen.Host = ""; strings.Contains(fmt.Sprint(stix.Sighting(seen)), "identity--") {
		t.Error("it was seen nowhere")
	}
}

// Whatever a pattern is written of, it is read as that.
func FuzzPattern(f *testing.F) {
	f.Add(`http://evil.example/it's\here`)
	f.Add("evil.example")
	f.Add("203.0.113.0/24")
	f.Fuzz(func(t *testing.T, value string) {
		kind, ok := monitor.GuessIndicator(value)
		if !ok {
			return
		}
		i := &monitor.Indicator{Kind: kind, Value: value, Source: "s", Severity: monitor.SeverityLow, Subdomains: true}
		if i.Check() != nil {
			return
		}
		named, err := intel.ParsePattern(stix.Pattern(i))
		if err != nil || len(named) != 1 || named[0].Kind != i.Kind || named[0].Value != i.Value || named[0].Subdomains != i.Subdomains {
			t.Errorf("%s: %+v, %v", stix.Pattern(i), named, err)
		}
	})
}
