package db_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

const readingRule = "title: %s\ndetection: {s: {User|expand: '%%admins%%'}, condition: s}\n"

// judgeAdmins judges rules that read the list "admins", as the engine would.
func judgeAdmins(source string, lists monitor.Placeholders) (monitor.RuleState, string) {
	if strings.Contains(source, "|expand") && len(lists.Values("admins")) == 0 {
		return monitor.RuleInactive, "it needs the list"
	}
	return monitor.RuleActive, ""
}

func listReader(n byte, lists monitor.Placeholders) *monitor.Rule {
	r := &monitor.Rule{ID: monitor.ID{n}, Title: fmt.Sprint("reader ", n), Source: fmt.Sprintf(readingRule, fmt.Sprint(n)), Enabled: true}
	r.State, r.StateReason = judgeAdmins(r.Source, lists)
	return r
}

func judgingStore(t *testing.T) *db.Store {
	t.Helper()
	store, err := db.Open(t.Context(), db.Options{DSN: dbtest.DSN(t), Judge: judgeAdmins})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func ruleNow(t *testing.T, store *db.Store, id monitor.ID) *monitor.Rule {
	t.Helper()
	found, err := store.RulesByID(t.Context(), []monitor.ID{id})
	if err != nil || len(found) != 1 {
		t.Fatalf("rule %s: %v, %v", id, found, err)
	}
	return found[0]
}

// A rule is read with the lists of an instant and stored a little later: what counts
// is what there is when it is stored.
func TestRuleIsJudgedByTheListsOfItsCommit(t *testing.T) {
	t.Parallel()
	store, ctx, who := judgingStore(t), t.Context(), monitor.SystemActor
	list := &monitor.Placeholder{Name: "admins", Values: []string{"root"}}
	before := [3]*monitor.Rule{listReader(1, nil), listReader(2, nil), listReader(3, nil)}
	if _, err := store.ImportRules(ctx, who, []*monitor.Rule{listReader(3, nil)}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.SetPlaceholder(ctx, who, nil, list, judgeAdmins); err != nil {
		t.Fatal(err)
	}
	store3 := *before[2]
	store3.Source += "# another text\n"
	_, imported := store.ImportRules(ctx, who, []*monitor.Rule{before[0]})
	_, created := store.CreateRule(ctx, who, before[1])
	_, updated := store.UpdateRule(ctx, who, nil, &store3)
	if imported != nil || created != nil || updated != nil {
		t.Fatal(imported, created, updated)
	}
	for n := range byte(3) {
		if r := ruleNow(t, store, monitor.ID{n + 1}); r.State != monitor.RuleActive || r.StateReason != "" {
			t.Errorf("rule %d is %s (%s), and its list is there", n+1, r.State, r.StateReason)
		}
	}
	if _, err := store.SetPlaceholder(ctx, who, nil, &monitor.Placeholder{Name: "admins"}, judgeAdmins); err != nil {
		t.Fatal(err)
	}
	if _, err := store.ImportRules(ctx, who, []*monitor.Rule{listReader(4, monitor.Placeholders{"admins": {"root"}})}); err != nil {
		t.Fatal(err)
	}
	if r := ruleNow(t, store, monitor.ID{4}); r.State != monitor.RuleInactive {
		t.Errorf("rule 4 is %s, and its list is gone", r.State)
	}
}

// Lists come and go while rules that read them are imported by two at once: in the
// end each rule is as the lists are, and has all its versions.
func TestImportsAndListsRace(t *testing.T) {
	t.Parallel()
	store, ctx, who := judgingStore(t), t.Context(), monitor.SystemActor
	const rounds = 12
	for round := range byte(rounds) {
		var all sync.WaitGroup
		var mu sync.Mutex
		var failed []error
		begin := make(chan struct{})
		try := func(f func() error) {
			all.Go(func() {
				<-begin
				if err := f(); err != nil && monitor.CodeOf(err) != monitor.CodeNotFound {
					mu.Lock()
					failed = append(failed, err)
					mu.Unlock()
				}
			})
		}
		set, err := store.Placeholders(ctx)
		if err != nil {
			t.Fatal(err)
		}
		lists := set.Lists()
		for by := range 2 { // the same rules, one of them with a text of its own
			try(func() error {
				mine := listReader(100+round, lists)
				mine.Source += fmt.Sprintf("# by %d\n", by)
				_, err := store.ImportRules(ctx, who, []*monitor.Rule{listReader(1+round, lists), mine, listReader(1, lists)})
				return err
			})
		}
		try(func() error {
			next := &monitor.Placeholder{Name: "admins"}
			if round%2 == 0 {
				next.Values = []string{"root"}
			}
			_, err := store.SetPlaceholder(ctx, who, nil, next, judgeAdmins)
			return err
		})
		close(begin)
		all.Wait()
		for _, err := range failed {
			t.Errorf("round %d: %v", round, err)
		}
		want := monitor.RuleInactive
		if round%2 == 0 {
			want = monitor.RuleActive
		}
		for _, id := range []monitor.ID{{1}, {1 + round}, {100 + round}} {
			r := ruleNow(t, store, id)
			if r.State != want {
				t.Fatalf("round %d: rule %d is %s, want %s", round, id[0], r.State, want)
			}
			versions, err := store.RuleVersions(ctx, id, page.Args{First: 100})
			if err != nil || len(versions.Edges) != r.Version || versions.Edges[0].Node.Source != r.Source {
				t.Fatalf("round %d: rule %d is at version %d of %d: %v", round, id[0], r.Version, len(versions.Edges), err)
			}
		}
	}
}
