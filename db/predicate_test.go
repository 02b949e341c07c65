package db_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// The values are few, so that random filters match some rows and not others, and
// awkward: wild cards of LIKE, quotes, case, letters outside of ASCII, NULLs.
var (
	someTexts = []string{"", "web-1", "web_1", "WEB%1", `c:\users\ana`, "o'neil", "straße", "ÀÉ", "日本", "a\"b"}
	someIPs   = []string{"10.0.0.5", "10.1.2.3", "203.0.113.9", "2001:db8::1", "::1", ""}
	someTags  = []string{"attack.t1110", "attack.execution", "cve.2021-44228"}
)

// someRecords have what a path leads to in every form, and awkward ones.
var someRecords = []string{
	`{"a": {"b": "Web-1"}}`, `{"a.b": "web_1"}`, `{"a": {"b": 4624}, "a.b": "x"}`, `{"a": {"b": true}}`, `{"a": {"b": null}}`, `{"a": {"b": ["web-1"]}}`,
	`{"a": {"b": {"c": "web-1"}}}`, `{"a": "web-1"}`, `{"a": {"b": ""}}`, `{"a": {"b": "stra\u00dfe \ud83d\ude00 \"q\" \\ \n"}}`, `{"A": {"B": "web-1"}}`, `[]`, `"x"`, `{"a": {"b": -1}}`,
	`{"a": {"b": "4624"}, "d-e": {"@f": "null"}}`, `{"a": []}`, `{}`,
}

var somePaths = []string{"a.b", "a.b", "a.b", "a.b", "a", "a.b.c", "d-e.@f", "x"}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func randomEvent(r *rand.Rand, i int) *monitor.Event {
	e := testEvent(i % 60)
	e.Host, e.User = monitor.Fold(pick(r, someTexts)), monitor.Fold(pick(r, someTexts))
	e.Process, e.Message, e.Action = pick(r, someTexts), pick(r, someTexts), pick(r, someTexts)
	e.SrcIP, _ = netip.ParseAddr(pick(r, someIPs))
	e.DstIP, _ = netip.ParseAddr(pick(r, someIPs))
	e.SrcPort, e.DstPort = uint16(r.IntN(4)), uint16(r.IntN(65536)) //nolint:gosec // in range
	if r.IntN(4) > 0 {
		e.Raw = monitor.RawJSON(pick(r, someRecords))
	}
	e.Severity, e.Class, e.Outcome = pick(r, monitor.Severities), pick(r, monitor.EventClasses), pick(r, []monitor.Outcome{monitor.OutcomeFailure, monitor.OutcomeSuccess})
	return e
}

func randomText(r *rand.Rand) *monitor.StringFilter {
	text, yes := pick(r, someTexts), r.IntN(2) == 0
	switch r.IntN(5) {
	case 0:
		return &monitor.StringFilter{Eq: &text}
	case 1:
		return &monitor.StringFilter{In: []string{text, pick(r, someTexts)}[:r.IntN(3)]}
	case 2:
		part := text[:min(len(text), 3)]
		if text == "日本" || text == "ÀÉ" {
			part = text
		}
		return &monitor.StringFilter{Contains: &part}
	case 3:
		return &monitor.StringFilter{StartsWith: &text}
	default:
		return &monitor.StringFilter{Exists: &yes}
	}
}

func randomRawField(r *rand.Rand) *monitor.RawFieldFilter {
	text := randomText(r)
	if r.IntN(2) == 0 {
		text = &monitor.StringFilter{}
		text.In = append(text.In, "4624", "TRUE", "web-1", `STRAßE 😀 "q" \\ `+"\n", "-1")
	}
	return &monitor.RawFieldFilter{Path: pick(r, somePaths), Eq: text.Eq, In: text.In, Contains: text.Contains, StartsWith: text.StartsWith, Exists: text.Exists}
}

func randomIP(r *rand.Rand) *monitor.IPFilter {
	yes := r.IntN(2) == 0
	switch r.IntN(4) {
	case 0:
		return &monitor.IPFilter{Eq: &someIPs[r.IntN(5)]}
	case 1:
		return &monitor.IPFilter{In: someIPs[:r.IntN(5)]}
	case 2:
		return &monitor.IPFilter{Exists: &yes}
	default:
		nets := []string{"10.0.0.0/8", "10.0.0.4/31", "2001:db8::/32", "0.0.0.0/0", "::/0", "::ffff:10.0.0.0/104", "203.0.113.8/29"}
		return &monitor.IPFilter{Cidr: &nets[r.IntN(len(nets))]}
	}
}

func randomTime(r *rand.Rand, base time.Time) *monitor.TimeFilter {
	at, err := monitor.ParseTimeInput(base.Add(time.Duration(r.IntN(60))*time.Second + time.Duration(r.IntN(3)-1)*500*time.Nanosecond).Format(time.RFC3339Nano))
	if err != nil {
		panic(err)
	}
	return pick(r, []*monitor.TimeFilter{{Gt: &at}, {Gte: &at}, {Lt: &at}, {Lte: &at}})
}

func randomEventFilter(r *rand.Rand, depth int) *monitor.EventFilter {
	f := &monitor.EventFilter{}
	n, s := r.IntN(4), pick(r, monitor.Severities)
	switch r.IntN(12) {
	case 9:
		f.RawFields = []*monitor.RawFieldFilter{randomRawField(r)}
	case 0:
		f.Host = randomText(r)
	case 1:
		f.Process = randomText(r)
	case 2:
		f.Message, f.User = randomText(r), randomText(r)
	case 3:
		f.SourceIP = randomIP(r)
	case 4:
		f.DestinationIP = randomIP(r)
	case 5:
		f.SourcePort = pick(r, []*monitor.IntFilter{{Eq: &n}, {Gt: &n}, {Gte: &n}, {Lt: &n}, {Lte: &n}, {In: []int{n, 3}}})
	case 6:
		f.Severity = pick(r, []*monitor.SeverityFilter{{Eq: &s}, {Gte: &s}, {Lte: &s}, {In: []monitor.Severity{s}}, {In: []monitor.Severity{}}})
	case 7:
		f.OccurredAt = randomTime(r, testEvent(0).OccurredAt)
	case 8:
		f.Raw = &monitor.StringFilter{Contains: pick(r, []*string{ptr("ünï"), ptr(`"n":1`), ptr("nowhere")})}
	}
	if depth > 0 {
		for range r.IntN(3) {
			f.And = append(f.And, randomEventFilter(r, depth-1))
		}
		if r.IntN(3) == 0 {
			f.Or = []*monitor.EventFilter{}
			for range r.IntN(3) {
				f.Or = append(f.Or, randomEventFilter(r, depth-1))
			}
		}
		if r.IntN(3) == 0 {
			f.Not = randomEventFilter(r, depth-1)
		}
	}
	return f
}

func ptr[T any](v T) *T { return &v }

// The list and the feed must agree on every event: SQL and Matches are one filter.
func TestSQLAndMemoryAgreeOnEventFilters(t *testing.T) {
	store := dbtest.New(t)
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // reproducible
	b := &monitor.Batch{}
	for i := range 200 {
		b.Events = append(b.Events, randomEvent(r, i))
	}
	if _, err := store.StoreBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	matchedSome := 0
	for i := range 800 {
		f := randomEventFilter(r, 2)
		p, err := f.Compile()
		if err != nil {
			t.Fatalf("filter %d: %v", i, err)
		}
		var want []monitor.EventID
		for _, e := range b.Events {
			if p.Matches(e, time.Now()) {
				want = append(want, e.ID)
			}
		}
		found, err := store.Events(t.Context(), f, monitor.EventsByReceived, page.Args{First: 500})
		if err != nil {
			t.Fatalf("filter %d: %v", i, err)
		}
		var got []monitor.EventID
		for _, e := range found.Edges {
			got = append(got, e.Node.ID)
		}
		slices.Reverse(got)
		if !slices.Equal(want, got) {
			t.Fatalf("filter %d %s: memory finds %d events, SQL %d", i, dump(&p), len(want), len(got))
		}
		if len(want) > 0 && len(want) < 200 {
			matchedSome++
		}
	}
	if matchedSome < 200 {
		t.Errorf("only %d filters of 800 matched some and not all events: the test says little", matchedSome)
	}
}

func dump(p *monitor.Predicate) string { return fmt.Sprintf("%+v", *p) }

func TestSQLAndMemoryAgreeOnAlertFilters(t *testing.T) {
	store := dbtest.New(t)
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // reproducible
	b := &monitor.Batch{}
	for i := range 120 {
		e := randomEvent(r, i)
		b.Events = append(b.Events, e)
		rule := testRule(byte(i % 7)) //nolint:gosec // small
		rule.ID[1] = 1
		rule.Title, rule.Level = pick(r, someTexts), pick(r, monitor.Severities)
		rule.Tags, rule.Techniques = someTags[:r.IntN(4)], []string{"T1110", "T1059.001"}[:r.IntN(3)]
		b.Findings = append(b.Findings, monitor.Finding{Event: i, Rule: rule})
	}
	if _, err := store.StoreBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	all, err := store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 500})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range all.Edges { // some life in them
		if i%3 == 0 {
			if _, err := store.UpdateAlert(t.Context(), monitor.SystemActor, monitor.ActionAlertClose, e.Node.ID, nil, func(a *monitor.Alert, now time.Time) error {
				a.AssigneeID = monitor.ID{9}
				return a.Close(monitor.Benign, "test", now)
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if all, err = store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 500}); err != nil {
		t.Fatal(err)
	}
	yes, no := true, false
	user := monitor.GlobalID(monitor.KindUser, monitor.ID{9}.String())
	rule := monitor.GlobalID(monitor.KindRule, monitor.ID{2, 1}.String())
	one := func() *monitor.AlertFilter {
		return pick(r, []*monitor.AlertFilter{
			{Status: &monitor.AlertStatusFilter{Eq: ptr(monitor.AlertClosed)}},
			{Disposition: &monitor.AlertDispositionFilter{Exists: &no}},
			{Disposition: &monitor.AlertDispositionFilter{Eq: ptr(monitor.Benign)}},
			{Assignee: &monitor.IDFilter{Eq: &user}},
			{Assignee: &monitor.IDFilter{Exists: &no}},
			{Assignee: &monitor.IDFilter{Exists: &yes}},
			{Rule: &monitor.IDFilter{In: []string{rule}}},
			{Tags: &monitor.StringListFilter{Has: ptr("ATTACK.T1110")}},
			{Techniques: &monitor.StringListFilter{HasAny: []string{"t1059.001", "T9999"}}},
			{Techniques: &monitor.StringListFilter{HasAny: []string{}}},
			{Text: randomText(r)},
			{Title: randomText(r)},
			{Host: randomText(r)},
			{SourceIP: randomIP(r)},
			{Count: &monitor.IntFilter{Gt: ptr(1)}},
			{LastSeen: randomTime(r, testEvent(0).OccurredAt)},
			{Severity: &monitor.SeverityFilter{Gte: ptr(monitor.SeverityHigh)}},
		})
	}
	for i := range 400 {
		f := &monitor.AlertFilter{And: []*monitor.AlertFilter{one()}}
		if r.IntN(2) == 0 {
			f.Or = []*monitor.AlertFilter{one(), one()}
		}
		if r.IntN(2) == 0 {
			f.Not = one()
		}
		p, err := f.Compile()
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, e := range all.Edges {
			if p.Matches(e.Node, time.Now()) {
				want++
			}
		}
		got, _, err := store.CountAlerts(t.Context(), f, 1_000)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("filter %d %s: memory finds %d alerts, SQL %d", i, dump(&p), want, got)
		}
	}
}

func TestPagesFitTogether(t *testing.T) {
	store := dbtest.New(t)
	r := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // reproducible
	b := &monitor.Batch{}
	for i := range 97 {
		b.Events = append(b.Events, randomEvent(r, i))
		rule := testRule(byte(i)) //nolint:gosec // small
		rule.Level = pick(r, monitor.Severities)
		b.Findings = append(b.Findings, monitor.Finding{Event: i, Rule: rule})
	}
	if _, err := store.StoreBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for _, order := range []monitor.EventOrder{monitor.EventsByOccurred, monitor.EventsByReceived} {
		seen := map[monitor.EventID]bool{}
		for args := (page.Args{First: 10}); ; {
			c, err := store.Events(t.Context(), nil, order, args)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range c.Edges {
				seen[e.Node.ID] = true
			}
			if !c.PageInfo.HasNextPage {
				break
			}
			args.After = *c.PageInfo.EndCursor
		}
		if len(seen) != 97 {
			t.Errorf("%s: the pages hold %d different events, want 97", order, len(seen))
		}
	}
	for _, order := range []monitor.AlertOrder{monitor.AlertsByLastSeen, monitor.AlertsByCreated, monitor.AlertsBySeverity} {
		seen := map[monitor.ID]bool{}
		for args := (page.Args{First: 10}); ; {
			c, err := store.Alerts(t.Context(), nil, order, args)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range c.Edges {
				seen[e.Node.ID] = true
			}
			if !c.PageInfo.HasNextPage {
				break
			}
			args.After = *c.PageInfo.EndCursor
		}
		if len(seen) != 97 {
			t.Errorf("%s: the pages hold %d different alerts, want 97", order, len(seen))
		}
	}
}
