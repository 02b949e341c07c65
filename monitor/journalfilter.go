package monitor

import (
	"net/netip"
	"time"
)

// JournalFilter says which entries of the journal.
type JournalFilter struct {
	And, Or []*JournalFilter
	Not     *JournalFilter
	Action  *StringFilter
	Actor   *StringFilter
	Kind    *StringListFilter
	At      *TimeFilter
}

// Compile checks the filter and gives its predicate. A nil filter holds for
// everything. Errors have code BAD_INPUT and name the field.
func (f *JournalFilter) Compile() (Predicate, error) {
	b := &filterBuilder{}
	p := buildTree(b, f, 0, b.journalTests, func(f *JournalFilter) (and, or []*JournalFilter, not *JournalFilter) {
		return f.And, f.Or, f.Not
	})
	return p, b.err
}

func (b *filterBuilder) journalTests(p *Predicate, f *JournalFilter) {
	b.text(p, "action", f.Action)
	b.text(p, "actor", f.Actor)
	b.list(p, "kind", f.Kind)
	b.time(p, "at", f.At)
}

// filterTexts gives the actions of the entry and of its changes: an ingest entry
// raises some alerts and adds to others.
func (e *Entry) filterTexts(f FilterField) []string {
	switch f {
	case "action":
		all := []string{e.Body.Action}
		for i := range e.Body.Changes {
			if action := e.Body.Changes[i].Action; action != "" && action != all[len(all)-1] {
				all = append(all, action)
			}
		}
		return all
	case "actor":
		return []string{Fold(e.Body.Actor.Name)}
	case "kind":
		var all []string
		for i := range e.Body.Changes {
			if kind := Fold(string(e.Body.Changes[i].Kind)); len(all) == 0 || kind != all[len(all)-1] {
				all = append(all, kind)
			}
		}
		return all
	}
	panic(unknownField(f))
}

func (*Entry) filterEnum(f FilterField) string   { panic(unknownField(f)) }
func (*Entry) filterNumber(f FilterField) int64  { panic(unknownField(f)) }
func (*Entry) filterIP(f FilterField) netip.Addr { panic(unknownField(f)) }
func (*Entry) filterID(f FilterField) ID         { panic(unknownField(f)) }

func (e *Entry) filterTime(f FilterField) time.Time {
	if f == "at" {
		return e.Body.At
	}
	panic(unknownField(f))
}
