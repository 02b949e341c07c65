package db_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

func assetNow(t *testing.T, store *db.Store, kind monitor.AssetKind, name string) *monitor.Asset {
	t.Helper()
	found, err := store.AssetsByID(t.Context(), []monitor.ID{monitor.AssetID(kind, name)})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

func store1(t *testing.T, store *db.Store, events ...*monitor.Event) {
	t.Helper()
	if _, err := store.StoreBatch(t.Context(), &monitor.Batch{Events: events}); err != nil {
		t.Fatal(err)
	}
}

func eventOf(host, user string, outcome monitor.Outcome, at time.Time) *monitor.Event {
	ev := testEvent(0)
	ev.Host, ev.User, ev.Outcome, ev.OccurredAt = host, user, outcome, at
	return ev
}

func TestAssetsAreLearnedFromEvents(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	store1(t, store, eventOf("web-1", "ana", monitor.OutcomeSuccess, clock), eventOf("web-1", "guessed", monitor.OutcomeFailure, clock.Add(-time.Hour)), eventOf("", "", monitor.OutcomeUnknown, clock))
	host := assetNow(t, store, monitor.AssetHost, "WEB-1")
	if host == nil || !host.FirstSeen.Equal(clock.Add(-time.Hour)) || !host.LastSeen.Equal(clock) || host.Criticality != monitor.CriticalityMedium {
		t.Fatalf("host %+v", host)
	}
	if assetNow(t, store, monitor.AssetUser, "ana") == nil || assetNow(t, store, monitor.AssetUser, "guessed") != nil {
		t.Error("want the user who came in, and not the one whose name was guessed")
	}
	head, _ := store.Head(t.Context())
	clock = clock.Add(5 * time.Second)
	store1(t, store, eventOf("web-1", "ana", monitor.OutcomeSuccess, clock))
	if got := assetNow(t, store, monitor.AssetHost, "web-1"); got.Version != 1 || got.LastSeen.After(clock) {
		t.Errorf("seen again: %+v", got)
	}
	clock = clock.Add(time.Minute)
	store1(t, store, eventOf("web-1", "", monitor.OutcomeSuccess, clock.Add(24*time.Hour)))
	if got := assetNow(t, store, monitor.AssetHost, "web-1"); !got.LastSeen.Equal(clock) {
		t.Errorf("last seen %s, want %s: an event of tomorrow counts as of now", got.LastSeen, clock)
	}
	entries, err := store.Entries(t.Context(), head.Seq, 10)
	if err != nil || len(entries) != 2 || len(entries[0].Body.Changes)+len(entries[1].Body.Changes) != 0 {
		t.Errorf("seeing a known asset again is in the journal: %+v, %v", entries, err)
	}
	clock = clock.Add(91 * 24 * time.Hour)
	if err := store.ForgetAssets(t.Context()); err != nil || assetNow(t, store, monitor.AssetHost, "web-1") != nil {
		t.Errorf("an asset of long ago is still there: %v", err)
	}
}

func TestSilentAssetIsNotedOnceAndHeardAgain(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	store1(t, store, eventOf("web-1", "", monitor.OutcomeSuccess, clock), eventOf("web-2", "", monitor.OutcomeSuccess, clock))
	id := monitor.AssetID(monitor.AssetHost, "web-1")
	one := 1
	watched, err := store.UpdateAsset(t.Context(), monitor.SystemActor, id, &one, func(a *monitor.Asset) error {
		a.SilentAfter, a.Criticality, a.Tags = 10*time.Minute, monitor.CriticalityHigh, []string{"PCI"}
		return nil
	})
	if err != nil || watched.Version != 2 || !slices.Equal(watched.Tags, []string{"pci"}) {
		t.Fatalf("%+v, %v", watched, err)
	}
	if _, err := store.UpdateAsset(t.Context(), monitor.SystemActor, id, &one, func(*monitor.Asset) error { return nil }); monitor.CodeOf(err) != monitor.CodeConflict {
		t.Errorf("a stale version gives %v", err)
	}
	sweep := func(want int) {
		t.Helper()
		if n, err := store.SweepSilent(t.Context()); err != nil || n != want {
			t.Errorf("%d fell silent at %s, want %d: %v", n, clock, want, err)
		}
	}
	yes, no := true, false
	names := func(silent *bool) (out []string) {
		t.Helper()
		got, err := store.Assets(t.Context(), &monitor.AssetFilter{Silent: silent}, monitor.AssetsByName, page.Args{First: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got.Edges {
			out = append(out, e.Node.Name)
		}
		return out
	}
	sweep(0)
	clock = clock.Add(10 * time.Minute)
	if got := names(&yes); !slices.Equal(got, []string{"web-1"}) {
		t.Errorf("silent: %v", got)
	}
	if got := names(&no); !slices.Equal(got, []string{"web-2"}) {
		t.Errorf("not silent: %v", got)
	}
	sweep(1)
	sweep(0)
	clock = clock.Add(time.Second)
	store1(t, store, eventOf("web-1", "", monitor.OutcomeSuccess, clock))
	if got := assetNow(t, store, monitor.AssetHost, "web-1"); !got.SilentSince.IsZero() || got.Silent(clock) {
		t.Errorf("heard again, and yet silent since %s", got.SilentSince)
	}
	history, err := store.JournalOf(t.Context(), monitor.KindAsset, id, page.Args{First: 10})
	var actions []string
	for _, e := range history.Edges {
		for _, c := range e.Node.Body.Changes {
			if c.ID == id {
				actions = append(actions, c.Action)
			}
		}
	}
	if want := []string{"asset.heard", "asset.silent", "asset.update", "asset.discover"}; err != nil || !slices.Equal(actions, want) {
		t.Errorf("history %v, want %v (%v)", actions, want, err)
	}
}

// TestRiskIsTheSumOfOpenAlerts does things to alerts and compares each asset's
// risk with the formula.
func TestRiskIsTheSumOfOpenAlerts(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	hosts := []string{"a", "b", "c"}
	check := func(after string) {
		t.Helper()
		all, err := store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 100})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]float64{}
		for _, e := range all.Edges {
			want[e.Node.Host] += monitor.RiskPoints(e.Node)
		}
		for _, host := range hosts {
			a := assetNow(t, store, monitor.AssetHost, host)
			if math.Abs(a.Risk-want[host]) > 1e-9*want[host] {
				t.Errorf("%s: risk of %s is %g, the formula gives %g", after, host, a.Risk, want[host])
			}
		}
	}
	alerts := raise(t, store, testRule(1), hosts...)
	check("raised")
	raise(t, store, testRule(2), "b", "c")
	check("more raised")
	clock = clock.Add(30 * time.Hour)
	raise(t, store, testRule(2), "c")
	check("repeated later")
	do := func(i int, change func(*monitor.Alert, time.Time) error) {
		t.Helper()
		if _, err := store.UpdateAlert(t.Context(), monitor.SystemActor, "alert.test", alerts[i].ID, nil, change); err != nil {
			t.Fatal(err)
		}
		check(fmt.Sprintf("changed %d", i))
	}
	do(0, func(a *monitor.Alert, _ time.Time) error { a.SetSeverity(monitor.SeverityCritical); return nil })
	do(1, func(a *monitor.Alert, now time.Time) error { return a.Close(monitor.Benign, "x", now) })
	do(1, func(a *monitor.Alert, _ time.Time) error { return a.Reopen("x") })
	if _, err := store.MergeAlerts(t.Context(), monitor.SystemActor, alerts[0].ID, nil, []monitor.ID{alerts[2].ID}); err != nil {
		t.Fatal(err)
	}
	check("merged")
	if _, err := store.UpdateAsset(t.Context(), monitor.SystemActor, monitor.AssetID(monitor.AssetHost, "c"), nil, func(a *monitor.Asset) error {
		a.Criticality = monitor.CriticalityCritical
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	check("more critical")
	clock = clock.Add(50 * 24 * time.Hour)
	var scores []float64
	hostKind := monitor.AssetHost
	args := page.Args{First: 1}
	for {
		got, err := store.Assets(t.Context(), &monitor.AssetFilter{Kind: &monitor.AssetKindFilter{Eq: &hostKind}}, monitor.AssetsByRisk, args)
		if err != nil {
			t.Fatal(err)
		}
		scores = append(scores, got.Edges[0].Node.Score(clock))
		if !got.PageInfo.HasNextPage {
			break
		}
		args.After = *got.PageInfo.EndCursor
	}
	if len(scores) != 3 || !slices.IsSortedFunc(scores, func(a, b float64) int { return int(math.Copysign(1, b-a)) }) {
		t.Errorf("scores in the order of risk: %v", scores)
	}
	factors, err := store.RiskyAlerts(t.Context(), []*monitor.Asset{assetNow(t, store, monitor.AssetHost, "b"), assetNow(t, store, monitor.AssetHost, "c")}, 10)
	if err != nil || len(factors[0]) != 2 || len(factors[1]) != 1 {
		t.Errorf("open alerts: %d and %d, %v", len(factors[0]), len(factors[1]), err)
	}
}
