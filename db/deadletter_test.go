package db_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

func letterOf(at time.Time, code, raw string) *monitor.DeadLetter {
	return &monitor.DeadLetter{ID: monitor.NewID(at), At: at, SourceKey: falco, Code: code, Message: "unexpected end at character 5", Line: 3, Raw: []byte(raw), State: monitor.LetterWaiting}
}

func lettersOf(t *testing.T, store *db.Store, filter *monitor.DeadLetterFilter) []*monitor.DeadLetter {
	t.Helper()
	found, err := store.DeadLetters(t.Context(), filter, page.Args{First: 500})
	if err != nil {
		t.Fatal(err)
	}
	var all []*monitor.DeadLetter
	for _, e := range found.Edges {
		all = append(all, e.Node)
	}
	return all
}

func TestDeadLettersAreKeptFoundAndDeleted(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	binary := letterOf(clock, "INVALID_UTF8", "\xff\xfe\x00 Mimikatz 100%")
	broken := letterOf(clock.Add(time.Second), "MALFORMED_JSON", `{"a":`)
	empty := &monitor.DeadLetter{ID: monitor.NewID(clock), At: clock, Code: "MALFORMED_JSON", State: monitor.LetterWaiting}
	for range 2 { // an uncertain commit: they come again
		if err := store.AddDeadLetters(t.Context(), []*monitor.DeadLetter{binary, broken, empty}); err != nil {
			t.Fatal(err)
		}
	}
	if all := lettersOf(t, store, nil); len(all) != 3 || all[0].ID != broken.ID || all[0].TokenName != "falco-prod" {
		t.Errorf("letters %+v", all)
	}
	source, code := monitor.GlobalID(monitor.KindSource, falco.ID().String()), "MALFORMED_JSON"
	for text, want := range map[string]int{"mimikatz": 1, "100%": 1, "100_": 0, "UNEXPECTED END": 2, "": 3} {
		if got := lettersOf(t, store, &monitor.DeadLetterFilter{Text: &text}); len(got) != want {
			t.Errorf("%q: %d letters, want %d", text, len(got), want)
		}
	}
	if got := lettersOf(t, store, &monitor.DeadLetterFilter{Source: &source, Code: &code}); len(got) != 1 {
		t.Errorf("%d letters of the source with the code", len(got))
	}
	whole, err := store.DeadLettersByID(t.Context(), []monitor.ID{binary.ID})
	if err != nil || !bytes.Equal(whole[0].Raw, binary.Raw) {
		t.Errorf("%q, %v", whole[0].Raw, err)
	}
	first, err := store.DeadLetters(t.Context(), nil, page.Args{First: 1})
	if err != nil {
		t.Fatal(err)
	}
	rest, err := store.DeadLetters(t.Context(), nil, page.Args{First: 5, After: *first.PageInfo.EndCursor})
	if err != nil || len(rest.Edges) != 2 {
		t.Errorf("%d behind the first, %v", len(rest.Edges), err)
	}
	gone, err := store.DeleteDeadLetters(t.Context(), monitor.SystemActor, []monitor.ID{binary.ID, {9}})
	if err != nil || len(gone) != 1 || len(lettersOf(t, store, nil)) != 2 {
		t.Errorf("%v %v", gone, err)
	}
	if found, err := store.JournalOf(t.Context(), monitor.KindDeadLetter, binary.ID, page.Args{First: 5}); err != nil || len(found.Edges) != 1 {
		t.Errorf("%+v %v", found, err)
	}
}

func TestAReplayIsSettledOnce(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	letter := letterOf(clock, "MALFORMED_JSON", `{"a":`)
	if err := store.AddDeadLetters(t.Context(), []*monitor.DeadLetter{letter}); err != nil {
		t.Fatal(err)
	}
	settle := func(stored bool, result string) {
		t.Helper()
		copied := *letter
		if err := store.SettleReplays(t.Context(), monitor.SystemActor, []*monitor.LetterReplay{{Letter: &copied, Stored: stored, Result: result}}); err != nil {
			t.Fatal(err)
		}
	}
	settle(false, "still no JSON")
	if got := lettersOf(t, store, nil)[0]; got.State != monitor.LetterFailed || got.Result != "still no JSON" || !got.ReplayedAt.Equal(clock) {
		t.Errorf("%+v", got)
	}
	settle(true, "stored as generic")
	settle(false, "too late")
	if got := lettersOf(t, store, nil)[0]; got.State != monitor.LetterReplayed || got.Result != "stored as generic" {
		t.Errorf("%+v", got)
	}
}

func TestDeadLettersAreBounded(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := openAt(t, &clock)
	var letters []*monitor.DeadLetter
	for i := range 20 {
		letters = append(letters, letterOf(clock.Add(time.Duration(i)*time.Second), "MALFORMED_JSON", fmt.Sprintf("%010d", i)))
	}
	letters[19].At = letters[18].At // two of one instant
	if err := store.AddDeadLetters(t.Context(), letters); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		most  uint
		bytes int64
		want  int
	}{{20, 1_000, 20}, {15, 1_000, 15}, {15, 100, 10}, {15, 9, 0}} {
		if err := store.TrimLetters(t.Context(), c.most, c.bytes); err != nil {
			t.Fatal(err)
		}
		if got := lettersOf(t, store, nil); len(got) != c.want {
			t.Errorf("at most %d with %d bytes: %d are there, want %d", c.most, c.bytes, len(got), c.want)
		}
	}
	if err := store.AddDeadLetters(t.Context(), letters[:1]); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(monitor.DeadLetterLife + time.Second)
	if err := store.TrimDeadLetters(t.Context()); err != nil || len(lettersOf(t, store, nil)) != 0 {
		t.Errorf("an old letter is there, %v", err)
	}
}
