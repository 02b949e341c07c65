package intel_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/security-monitor/secmon/intel"
	"github.com/security-monitor/secmon/monitor"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func indicator(t testing.TB, kind monitor.IndicatorKind, value string, change func(*monitor.Indicator)) *monitor.Indicator {
	t.Helper()
	i := &monitor.Indicator{Kind: kind, Value: value, Source: "test", Confidence: 50, Severity: monitor.SeverityHigh, ValidFrom: noon}
	if change != nil {
		change(i)
	}
	if err := i.Check(); err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	return i
}

func titles(matches []monitor.Match) []string {
	out := []string{}
	for _, m := range matches {
		out = append(out, m.Rule.Title)
	}
	return out
}

func TestEventsAreLookedThrough(t *testing.T) {
	subdomains := func(i *monitor.Indicator) { i.Subdomains = true }
	tests := []struct {
		reason string
		kind   monitor.IndicatorKind
		value  string
		change func(*monitor.Indicator)
		event  monitor.Event
		fields map[string]string
		field  string // where it is found; empty: nowhere
	}{
		{reason: "an address as source", kind: monitor.IndicatorAddress, value: "203.0.113.7", event: monitor.Event{SrcIP: netip.MustParseAddr("203.0.113.7")}, field: "source.ip"},
		{reason: "IPv4 in IPv6 is the same address", kind: monitor.IndicatorAddress, value: "203.0.113.7", event: monitor.Event{DstIP: netip.MustParseAddr("::ffff:203.0.113.7")}, field: "destination.ip"},
		{reason: "another address", kind: monitor.IndicatorAddress, value: "203.0.113.7", event: monitor.Event{SrcIP: netip.MustParseAddr("203.0.113.8")}},
		{reason: "in a network", kind: monitor.IndicatorNetwork, value: "203.0.113.99/24", event: monitor.Event{SrcIP: netip.MustParseAddr("203.0.113.7")}, field: "source.ip"},
		{reason: "beside a network", kind: monitor.IndicatorNetwork, value: "203.0.113.0/25", event: monitor.Event{SrcIP: netip.MustParseAddr("203.0.113.200")}},
		{reason: "in a network of IPv6", kind: monitor.IndicatorNetwork, value: "2001:db8:1::/48", event: monitor.Event{DstIP: netip.MustParseAddr("2001:db8:1:2::3")}, field: "destination.ip"},
		{reason: "a name", kind: monitor.IndicatorDomain, value: "Evil.Example.", event: monitor.Event{Domain: "evil.example"}, field: "domain"},
		{reason: "below a name that stands for itself", kind: monitor.IndicatorDomain, value: "evil.example", event: monitor.Event{Domain: "a.evil.example"}},
		{reason: "below a name that stands for more", kind: monitor.IndicatorDomain, value: "evil.example", change: subdomains, event: monitor.Event{Domain: "a.b.evil.example"}, field: "domain"},
		{reason: "a name that only ends so", kind: monitor.IndicatorDomain, value: "evil.example", change: subdomains, event: monitor.Event{Domain: "notevil.example"}},
		{reason: "the machine of a URL", kind: monitor.IndicatorDomain, value: "evil.example", event: monitor.Event{URL: "https://evil.example:8443/x?y"}, field: "url"},
		{reason: "a URL", kind: monitor.IndicatorURL, value: "hxxp://EVIL[.]example/Payload", event: monitor.Event{URL: "http://evil.example:80/Payload#part"}, field: "url"},
		{reason: "a name as people write it, asked for as the DNS does", kind: monitor.IndicatorDomain, value: "MÜNCHEN.example", event: monitor.Event{Domain: "xn--mnchen-3ya.example"}, field: "domain"},
		{reason: "a name as the DNS has it, logged as people write it", kind: monitor.IndicatorDomain, value: "xn--mnchen-3ya.example", event: monitor.Event{Domain: "münchen.example."}, field: "domain"},
		{reason: "a name with its port", kind: monitor.IndicatorDomain, value: "evil.example", fields: map[string]string{"http.hostname": "evil.example:8080"}, field: "http.hostname"},
		{reason: "what a proxy connects to", kind: monitor.IndicatorDomain, value: "evil.example", event: monitor.Event{URL: "evil.example:443"}, field: "url"},
		{reason: "one proxy of several", kind: monitor.IndicatorAddress, value: "203.0.113.7", fields: map[string]string{"x-forwarded-for": "192.0.2.1, 203.0.113.7"}, field: "x-forwarded-for"},
		{reason: "one answer of several", kind: monitor.IndicatorAddress, value: "203.0.113.7", fields: map[string]string{"QueryResults": "type:  5 cdn.example;::ffff:203.0.113.7;"}, field: "QueryResults"},
		{reason: "a name among the answers", kind: monitor.IndicatorDomain, value: "cdn.example", fields: map[string]string{"QueryResults": "type:  5 cdn.example;::ffff:203.0.113.7;"}, field: "QueryResults"},
		{reason: "one recipient of several", kind: monitor.IndicatorEmail, value: "Bad[AT]evil[DOT]example", fields: map[string]string{"to": "A <a@good.example>, B <bad@evil.example>"}, field: "to"},
		{reason: "a URL that is escaped otherwise", kind: monitor.IndicatorURL, value: "http://evil.example/%7euser/%3a", event: monitor.Event{URL: "http://evil.example./x/../~user/%3A"}, field: "url"},
		{reason: "a URL's last dot before its port", kind: monitor.IndicatorURL, value: "http://evil.example/p", event: monitor.Event{URL: "http://evil.example.:80/p"}, field: "url"},
		{reason: "a URL's path has a case", kind: monitor.IndicatorURL, value: "http://evil.example/Payload", event: monitor.Event{URL: "http://evil.example/payload"}},
		{reason: "a path on the machine that the event names", kind: monitor.IndicatorURL, value: "https://evil.example/p", event: monitor.Event{URL: "/p", Domain: "evil.example"}, field: "url"},
		{reason: "the strongest hash", kind: monitor.IndicatorSHA256, value: "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", event: monitor.Event{FileHash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}, field: "fileHash"},
		{reason: "a weaker hash in the record", kind: monitor.IndicatorMD5, value: "d41d8cd98f00b204e9800998ecf8427e", fields: map[string]string{"Hashes": "SHA1=DA39A3EE5E6B4B0D3255BFEF95601890AFD80709,MD5=D41D8CD98F00B204E9800998ECF8427E"}, field: "Hashes"},
		{reason: "an address of e-mail", kind: monitor.IndicatorEmail, value: "Bad@Evil.example", fields: map[string]string{"sender": "Mallory <bad@evil.example>"}, field: "sender"},
		{reason: "an answer of the DNS", kind: monitor.IndicatorAddress, value: "203.0.113.7", fields: map[string]string{"answers": "203.0.113.7"}, field: "answers"},
		{reason: "not yet valid", kind: monitor.IndicatorDomain, value: "evil.example", change: func(i *monitor.Indicator) { i.ValidFrom = noon.Add(time.Hour) }, event: monitor.Event{Domain: "evil.example"}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			m := &intel.Matcher{Now: func() time.Time { return noon }}
			m.Put([]*monitor.Indicator{indicator(t, test.kind, test.value, test.change)})
			rec := &monitor.Record{}
			for name, value := range test.fields {
				rec.Add(name, monitor.Value{Text: value})
			}
			got := m.Match(&test.event, rec, nil)
			switch {
			case test.field == "" && len(got) > 0:
				t.Errorf("found %v", titles(got))
			case test.field != "" && (len(got) != 1 || got[0].Matched[0].Field != test.field):
				t.Errorf("found %+v, want one in %s", got, test.field)
			}
		})
	}
}

func TestIndicatorsComeAndGo(t *testing.T) {
	now := noon
	m := &intel.Matcher{Now: func() time.Time { return now }}
	event := &monitor.Event{Domain: "evil.example"}
	look := func() []string { return titles(m.Match(event, &monitor.Record{}, nil)) }
	mild := indicator(t, monitor.IndicatorDomain, "evil.example", func(i *monitor.Indicator) { i.Source, i.Severity = "a", monitor.SeverityLow })
	bad := indicator(t, monitor.IndicatorDomain, "evil.example", func(i *monitor.Indicator) { i.Source, i.ValidUntil = "b", noon.Add(time.Hour) })
	m.Put([]*monitor.Indicator{mild, bad})
	if got := look(); len(got) != 1 || got[0] != "Indicator: evil.example (b)" {
		t.Fatalf("of two sources %v, want the worse alone", got)
	}
	other := &intel.Matcher{Now: func() time.Time { return noon }}
	other.Put([]*monitor.Indicator{bad, mild})
	if got := titles(other.Match(event, &monitor.Record{}, nil)); len(got) != 1 || got[0] != "Indicator: evil.example (b)" {
		t.Fatalf("in the other order %v, want the worse alone", got)
	}
	now = noon.Add(time.Hour)
	if got := look(); len(got) != 1 || got[0] != "Indicator: evil.example (a)" {
		t.Fatalf("after the end of the worse %v", got)
	}
	if n := m.Expire(); n != 1 || m.Len() != 1 {
		t.Errorf("%d expired, %d left", n, m.Len())
	}
	mild.RevokedAt = now
	m.Put([]*monitor.Indicator{mild})
	if got := look(); len(got) != 0 || m.Len() != 0 {
		t.Fatalf("revoked, and yet %v, %d left", got, m.Len())
	}
	mild.RevokedAt = time.Time{}
	m.Put([]*monitor.Indicator{mild})
	m.Forget([]monitor.ID{mild.ID})
	if got := look(); len(got) != 0 {
		t.Fatalf("deleted, and yet %v", got)
	}
}

// A table that has grown, shrunk and grown again still has what it should, and
// nothing else.
func TestManyIndicatorsStayFindable(t *testing.T) {
	m := &intel.Matcher{Now: func() time.Time { return noon }}
	name := func(i int) string { return fmt.Sprintf("h%d.example", i) }
	const many = 5_000
	all := make([]*monitor.Indicator, many)
	for i := range all {
		all[i] = indicator(t, monitor.IndicatorDomain, name(i), nil)
	}
	m.Put(all)
	var gone []monitor.ID
	for i := 0; i < many; i += 3 {
		gone = append(gone, all[i].ID)
	}
	m.Forget(gone)
	m.Put(all[:100])
	for i := range many {
		want := i%3 != 0 || i < 100
		if got := len(m.Match(&monitor.Event{Domain: name(i)}, &monitor.Record{}, nil)) == 1; got != want {
			t.Fatalf("%s: found %t, want %t", name(i), got, want)
		}
	}
	if got := m.Match(&monitor.Event{Domain: "h5001.example"}, &monitor.Record{}, nil); len(got) != 0 {
		t.Errorf("found %v", titles(got))
	}
}

// million fills a matcher with a million addresses, names and hashes.
func million(t testing.TB, n int) *intel.Matcher {
	t.Helper()
	m := &intel.Matcher{}
	third := n / 3
	m.Reserve(map[monitor.IndicatorKind]int{monitor.IndicatorAddress: third, monitor.IndicatorDomain: third, monitor.IndicatorSHA256: third})
	for i := range third {
		m.Put([]*monitor.Indicator{
			indicator(t, monitor.IndicatorAddress, fmt.Sprintf("100.%d.%d.%d", i>>16, i>>8&255, i&255), nil),
			indicator(t, monitor.IndicatorDomain, fmt.Sprintf("host-%d.evil.example", i), nil),
			indicator(t, monitor.IndicatorSHA256, fmt.Sprintf("%064x", i), nil),
		})
	}
	return m
}

func TestAMillionIndicatorsFitInto100MB(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a million indicators")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m := million(t, 999_999)
	runtime.GC()
	runtime.ReadMemStats(&after)
	used := int64(after.HeapAlloc) - int64(before.HeapAlloc) //nolint:gosec // bytes of memory
	t.Logf("%d indicators in %d MB", m.Len(), used>>20)
	if m.Len() != 999_999 || used > 100<<20 {
		t.Errorf("%d indicators take %d MB", m.Len(), used>>20)
	}
	runtime.KeepAlive(m)
}

// What an event costs with none and with a million indicators: `go test -bench
// Match ./intel`. docs/indicators.md says what to compare it with.
func BenchmarkMatch(b *testing.B) {
	event := &monitor.Event{
		SrcIP: netip.MustParseAddr("10.1.2.3"), DstIP: netip.MustParseAddr("198.51.100.20"), Domain: "www.shop.example", URL: "https://www.shop.example/a/b?c=d",
		FileHash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", User: "ana",
	}
	rec := &monitor.Record{}
	for i := range 30 {
		rec.Add(fmt.Sprintf("Field%d", i), monitor.Value{Text: "value"})
	}
	rec.Add("Hashes", monitor.Value{Text: "SHA1=DA39A3EE5E6B4B0D3255BFEF95601890AFD80709,MD5=D41D8CD98F00B204E9800998ECF8427E"})
	rec.Add("QueryName", monitor.Value{Text: "www.shop.example"})
	for _, n := range []int{0, 999_999} {
		b.Run(fmt.Sprintf("indicators=%d", n), func(b *testing.B) {
			m := million(b, n)
			var matches []monitor.Match
			b.ReportAllocs()
			for b.Loop() {
				matches = m.Match(event, rec, matches[:0])
			}
		})
	}
}
