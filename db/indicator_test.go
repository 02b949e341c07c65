package db_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

func warning(t *testing.T, kind monitor.IndicatorKind, value string, change func(*monitor.Indicator)) *monitor.Indicator {
	t.Helper()
	i := &monitor.Indicator{Kind: kind, Value: value, Source: "list", Confidence: 50, Severity: monitor.SeverityHigh}
	if change != nil {
		change(i)
	}
	if err := i.Check(); err != nil {
		t.Fatal(err)
	}
	return i
}

func TestImportedIndicatorsAreAddedChangedAndEnded(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	ana := monitor.Actor{Kind: monitor.ActorUser, Name: "ana"}
	load := func(list ...*monitor.Indicator) monitor.IndicatorImport {
		t.Helper()
		done, err := store.ImportIndicators(t.Context(), ana, monitor.IndicatorImport{Format: "CSV", Source: "list"}, list)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	counts := func(i monitor.IndicatorImport) string {
		return fmt.Sprintf("%d added, %d updated, %d unchanged, %d revoked", i.Added, i.Updated, i.Unchanged, i.Revoked)
	}
	many := make([]*monitor.Indicator, 1_200)
	for i := range many {
		many[i] = warning(t, monitor.IndicatorAddress, fmt.Sprintf("203.0.%d.%d", i/250, i%250+1), nil)
	}
	first := load(append(many, many[0])...)
	if got := counts(first); got != "1200 added, 0 updated, 1 unchanged, 0 revoked" {
		t.Fatal(got)
	}
	head, _ := store.Head(t.Context())
	if got := counts(load(many...)); got != "0 added, 0 updated, 1200 unchanged, 0 revoked" {
		t.Error("again:", got)
	}
	if now, _ := store.Head(t.Context()); now.Seq != head.Seq {
		t.Error("an import that changed nothing stands in the journal")
	}
	clock = clock.Add(time.Minute)
	worse := warning(t, monitor.IndicatorAddress, "203.0.0.1", func(i *monitor.Indicator) { i.Severity = monitor.SeverityCritical })
	over := warning(t, monitor.IndicatorAddress, "203.0.0.2", func(i *monitor.Indicator) { i.RevokedAt = clock })
	unknown := warning(t, monitor.IndicatorAddress, "203.0.100.2", func(i *monitor.Indicator) { i.RevokedAt = clock })
	second := load(worse, over, unknown)
	if got := counts(second); got != "0 added, 1 updated, 1 unchanged, 1 revoked" {
		t.Error("changed:", got)
	}
	changed, err := store.IndicatorsOfChange(t.Context(), second.ID, monitor.ID{}, 10)
	if err != nil || len(changed) != 2 || changed[0].Version != 2 || changed[0].UpdatedBy != "ana" || !changed[0].ValidFrom.Equal(clock.Add(-time.Minute)) {
		t.Errorf("of the second import %d: %+v, %v", len(changed), changed, err)
	}
	if old, err := store.IndicatorsOfChange(t.Context(), first.ID, monitor.ID{}, 2_000); err != nil || len(old) != 1_198 {
		t.Errorf("of the first import are %d still, %v", len(old), err)
	}
	entries, err := store.Entries(t.Context(), 0, 10)
	if err != nil || len(entries) != 2 || len(entries[0].Body.Changes) != 1 || entries[0].Body.Changes[0].Kind != monitor.KindIndicatorImport || entries[0].Body.Changes[0].ID != first.ID {
		t.Errorf("the journal has %d entries, %v: %+v", len(entries), err, entries)
	}
	if force, err := store.IndicatorsInForce(t.Context(), monitor.ID{}, 2_000); err != nil || len(force) != 1_199 {
		t.Errorf("%d in force, %v", len(force), err)
	}
	kinds, err := store.CountIndicatorKinds(t.Context())
	if err != nil || kinds[monitor.IndicatorAddress] != 1_200 {
		t.Errorf("kinds %v, %v", kinds, err)
	}
}

func TestIndicatorsAreListedByStateAndOrder(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	make1 := func(value string, change func(*monitor.Indicator)) *monitor.Indicator {
		t.Helper()
		clock = clock.Add(time.Second)
		i, err := store.CreateIndicator(t.Context(), monitor.SystemActor, *warning(t, monitor.IndicatorDomain, value, change))
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	end := clock.Add(time.Hour)
	active := make1("active.example", nil)
	make1("ends.example", func(i *monitor.Indicator) { i.ValidUntil, i.Severity = end, monitor.SeverityCritical })
	make1("later.example", func(i *monitor.Indicator) { i.ValidFrom = clock.Add(24 * time.Hour) })
	make1("back.example", func(i *monitor.Indicator) { i.RevokedAt, i.ValidUntil = clock, clock.Add(time.Second) })
	clock = end
	list := func(filter *monitor.IndicatorFilter, order monitor.IndicatorOrder) []string {
		t.Helper()
		var out []string
		args := page.Args{First: 1} // each page begins at a cursor
		for {
			found, err := store.Indicators(t.Context(), filter, order, args)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range found.Edges {
				out, args.After = append(out, e.Node.Value), e.Cursor
				if filter != nil && filter.State != nil && filter.State.Eq != nil && e.Node.State(clock) != *filter.State.Eq {
					t.Errorf("%s is listed as %s and is %s", e.Node.Value, *filter.State.Eq, e.Node.State(clock))
				}
			}
			if !found.PageInfo.HasNextPage {
				return out
			}
		}
	}
	for state, want := range map[monitor.IndicatorState]string{
		monitor.IndicatorActive: "active.example", monitor.IndicatorExpired: "ends.example", monitor.IndicatorPending: "later.example", monitor.IndicatorRevoked: "back.example",
	} {
		if got := list(&monitor.IndicatorFilter{State: &monitor.IndicatorStateFilter{Eq: &state}}, monitor.IndicatorsByUpdated); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %v", state, got)
		}
	}
	if got := list(nil, monitor.IndicatorsByUpdated); !slices.Equal(got, []string{"back.example", "later.example", "ends.example", "active.example"}) {
		t.Errorf("by change: %v", got)
	}
	if got := list(nil, monitor.IndicatorsBySeverity); got[0] != "ends.example" || len(got) != 4 {
		t.Errorf("by severity: %v", got)
	}
	query := "kind:domain severity:>=high source:li* -value:active.example description:x"
	if got := list(&monitor.IndicatorFilter{Query: &query}, monitor.IndicatorsByUpdated); got != nil {
		t.Errorf("by query: %v", got)
	}
	if _, err := store.CreateIndicator(t.Context(), monitor.SystemActor, *active); monitor.CodeOf(err) != monitor.CodeConflict {
		t.Errorf("twice: %v", err)
	}
	old := 7
	if _, err := store.UpdateIndicator(t.Context(), monitor.SystemActor, active.ID, &old, func(*monitor.Indicator) error { return nil }); monitor.CodeOf(err) != monitor.CodeConflict {
		t.Errorf("of another version: %v", err)
	}
	if _, err := store.UpdateIndicator(t.Context(), monitor.SystemActor, active.ID, nil, func(i *monitor.Indicator) error { i.Source = "other"; return nil }); monitor.CodeOf(err) != monitor.CodeBadInput {
		t.Errorf("of another source: %v", err)
	}
	if others, err := store.IndicatorsOf(t.Context(), []monitor.ID{monitor.IndicatorKey(active.Kind, active.Value)}, 5); err != nil || len(others) != 1 {
		t.Errorf("of the value %v, %v", others, err)
	}
	if _, err := store.DeleteIndicator(t.Context(), monitor.SystemActor, active.ID, nil); err != nil {
		t.Fatal(err)
	}
	if found, err := store.IndicatorsByID(t.Context(), []monitor.ID{active.ID}); err != nil || len(found) != 0 {
		t.Errorf("deleted, and yet %v, %v", found, err)
	}
	if history, err := store.JournalOf(t.Context(), monitor.KindIndicator, active.ID, page.Args{First: 5}); err != nil || len(history.Edges) != 2 {
		t.Errorf("history %+v, %v", history, err)
	}
}

func TestSightingsAreWhatAlertsTell(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	i := warning(t, monitor.IndicatorDomain, "evil.example", nil)
	batch := &monitor.Batch{Events: []*monitor.Event{
		eventOf("web-1", "", monitor.OutcomeUnknown, clock.Add(-time.Hour)), eventOf("web-1", "", monitor.OutcomeUnknown, clock), eventOf("web-2", "", monitor.OutcomeUnknown, clock),
	}}
	for n := range batch.Events {
		batch.Findings = append(batch.Findings, monitor.Finding{Event: n, Rule: i.Rule()})
	}
	if _, err := store.StoreBatch(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	seen, err := store.IndicatorSightings(t.Context(), []monitor.ID{i.ID, {1}})
	if err != nil || len(seen) != 1 || seen[0].Count != 3 || seen[0].Alerts != 2 || !seen[0].FirstSeen.Equal(clock.Add(-time.Hour)) || !seen[0].LastSeen.Equal(clock) {
		t.Fatalf("%+v, %v", seen, err)
	}
}

// What somebody has revoked stays so when its list is read again, unless that is asked for.
func TestAnImportRevivesNothingUnasked(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	ana := monitor.Actor{Kind: monitor.ActorUser, Name: "ana"}
	load := func(revive bool, list ...*monitor.Indicator) string {
		t.Helper()
		done, err := store.ImportIndicators(t.Context(), ana, monitor.IndicatorImport{Format: "CSV", Source: "list", Revive: revive}, list)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d added, %d updated, %d unchanged, %d revoked", done.Added, done.Updated, done.Unchanged, done.Revoked)
	}
	one := warning(t, monitor.IndicatorAddress, "203.0.113.7", nil)
	worse := warning(t, monitor.IndicatorAddress, "203.0.113.7", func(i *monitor.Indicator) { i.Severity = monitor.SeverityCritical })
	load(false, one)
	revoked := clock.Add(time.Minute)
	if _, err := store.UpdateIndicator(t.Context(), ana, one.ID, nil, func(i *monitor.Indicator) error { i.RevokedAt = revoked; return nil }); err != nil {
		t.Fatal(err)
	}
	state := func() string {
		t.Helper()
		found, err := store.IndicatorsByID(t.Context(), []monitor.ID{one.ID})
		if err != nil || len(found) != 1 {
			t.Fatal(err)
		}
		if !found[0].RevokedAt.IsZero() && !found[0].RevokedAt.Equal(revoked) {
			t.Errorf("revoked at another time: %s", found[0].RevokedAt)
		}
		return string(found[0].State(clock.Add(time.Hour))) + " " + string(found[0].Severity)
	}
	for _, c := range []struct {
		reason       string
		revive       bool
		says         *monitor.Indicator
		counts, then string
	}{
		{"the same list again", false, one, "0 added, 0 updated, 1 unchanged, 0 revoked", "REVOKED HIGH"},
		{"other words", false, worse, "0 added, 1 updated, 0 unchanged, 0 revoked", "REVOKED CRITICAL"},
		{"asked for", true, worse, "0 added, 1 updated, 0 unchanged, 0 revoked", "ACTIVE CRITICAL"},
	} {
		if got := load(c.revive, c.says); got != c.counts || state() != c.then {
			t.Errorf("%s: %s, %s", c.reason, got, state())
		}
	}
}
