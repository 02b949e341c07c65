package taxii

import (
	"context"
	"slices"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/stix"
)

const (
	// rowsAtOnce and maxRows bound what one request reads from the database. A page
	// that is not full then has more behind it all the same.
	rowsAtOnce = maxLimit
	maxRows    = 20 * rowsAtOnce
	// maxNames bounds the names among which an identity is looked for.
	maxNames = 10_000
)

// found is a page of a collection.
type found struct {
	objects []added
	more    bool
	next    place
	exists  bool // something is called so, asked for or not
}

// added is an object, and since when it is in the collection.
type added struct {
	stix.Object

	added time.Time
}

// row is an indicator or a sighting with what it brings along, itself the last.
type row struct {
	at      time.Time
	id      monitor.ID
	objects []stix.Object
}

// find reads a page.
func (h *Handler) find(ctx context.Context, c *collection, q *ask) (*found, error) {
	page := &found{}
	if q.ids != nil && !slices.ContainsFunc(q.ids, func(id string) bool { return kindOf(id) == kinds[c] }) {
		return page, h.identities(ctx, c, q, page)
	}
	from := q.place
	if from.At.IsZero() && !q.addedAfter.IsZero() {
		// Behind all that changed in that instant.
		from = place{At: q.addedAfter.UTC().Truncate(time.Microsecond), ID: lastID}
	}
	seen := map[string]bool{} // identities of this page
	for read := 0; read < maxRows; {
		rows, err := h.rows(ctx, c, q, from)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			skip := 0
			if r.at.Equal(from.At) && r.id == from.ID {
				skip = from.Part
			}
			for n, o := range r.objects {
				if page.exists = page.exists || slices.Contains(q.ids, o.ID); n < skip || seen[o.ID] || !q.wants(o) {
					continue
				}
				if len(page.objects) == q.limit {
					page.more = true
					return page, nil
				}
				seen[o.ID] = true
				page.objects = append(page.objects, added{o, r.at})
				page.next = place{r.at, r.id, n + 1}
			}
			from = place{r.at, r.id, len(r.objects)}
		}
		if read += len(rows); len(rows) < rowsAtOnce {
			return page, nil
		}
	}
	page.more, page.next = true, from
	return page, nil
}

var lastID = monitor.ID{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

var kinds = map[*collection]string{indicators: "indicator", sightings: "sighting"}

func kindOf(id string) string {
	kind, _, _ := stix.ParseID(id)
	return kind
}

// rows gives what stands at a place, as far as it was not read, and behind it.
func (h *Handler) rows(ctx context.Context, c *collection, q *ask, from place) ([]row, error) {
	of := monitor.SharedAsk{After: from.At, AfterID: before(from), Until: h.now().Add(-h.Settle), First: rowsAtOnce}
	for _, text := range q.ids {
		if kind, id, ok := stix.ParseID(text); ok && kind == kinds[c] {
			of.IDs = append(of.IDs, id)
		}
	}
	if c == sightings {
		all, err := h.Store.SharedSightings(ctx, of)
		return rowsOf(all, func(s *monitor.Sighting) row {
			objects := []stix.Object{stix.Sighting(s)}
			if s.Host != "" {
				objects = append([]stix.Object{stix.Host(s.Host)}, objects...)
			}
			return row{s.UpdatedAt, s.ID, objects}
		}), err
	}
	all, err := h.Store.SharedIndicators(ctx, of)
	return rowsOf(all, func(i *monitor.Indicator) row {
		return row{i.UpdatedAt, i.ID, []stix.Object{stix.Author(), stix.Extension(), stix.Source(i.Source), stix.Indicator(i)}}
	}), err
}

// before gives the id behind which the row of a place is found again: it may have
// objects that were not read. What was added in an instant before has none.
func before(p place) monitor.ID {
	id := p.ID
	if id == lastID {
		return id
	}
	for n := len(id) - 1; n >= 0; n-- {
		if id[n]--; id[n] != 0xff {
			break
		}
	}
	return id
}

func rowsOf[T any](all []T, of func(T) row) []row {
	rows := make([]row, len(all))
	for n, each := range all {
		rows[n] = of(each)
	}
	return rows
}

// identities answers for identities alone: they are looked for among the names that
// there are.
func (h *Handler) identities(ctx context.Context, c *collection, q *ask, page *found) error {
	objects, names, of := []stix.Object{stix.Author(), stix.Extension()}, h.Store.IndicatorSources, stix.Source
	if c == sightings {
		objects, names, of = nil, h.Store.SightedHosts, stix.Host
	}
	all, err := names(ctx, maxNames)
	if err != nil {
		return err
	}
	for _, name := range all {
		objects = append(objects, of(name))
	}
	for _, o := range objects {
		if !slices.Contains(q.ids, o.ID) || slices.ContainsFunc(page.objects, func(a added) bool { return a.ID == o.ID }) {
			continue
		}
		page.exists = true
		if q.wants(o) && q.addedAfter.Before(o.Modified) && len(page.objects) < q.limit {
			page.objects = append(page.objects, added{o, o.Modified})
		}
	}
	return nil
}

// stamp writes a time as TAXII has it.
func stamp(at time.Time) string { return stix.Time(at) }

// envelope is a page of objects. Section 3.7.
type envelope struct {
	More    bool   `json:"more,omitempty"`
	Next    string `json:"next,omitempty"`
	Objects any    `json:"objects,omitempty"`
}

func envelopeOf(page *found) any {
	return page.envelope(objectsOf(page, func(a added) any { return a.Object }))
}

// manifestOf tells of the objects of a page what they are. Section 5.6.
func manifestOf(page *found) any {
	return page.envelope(objectsOf(page, func(a added) any {
		return map[string]string{"id": a.ID, "date_added": stamp(a.added), "version": stamp(a.Modified), "media_type": "application/stix+json;version=2.1"}
	}))
}

// versionsOf gives the versions of one object. Section 5.8.
func versionsOf(page *found) any {
	v := struct {
		More     bool     `json:"more,omitempty"`
		Next     string   `json:"next,omitempty"`
		Versions []string `json:"versions,omitempty"`
	}{}
	for _, o := range page.objects {
		v.Versions = append(v.Versions, stamp(o.Modified))
	}
	return v
}

func (page *found) envelope(objects []any) envelope {
	e := envelope{More: page.more}
	if len(objects) > 0 {
		e.Objects = objects
	}
	if page.more {
		e.Next = page.next.String()
	}
	return e
}

func objectsOf(page *found, of func(added) any) []any {
	all := make([]any, len(page.objects))
	for n, o := range page.objects {
		all[n] = of(o)
	}
	return all
}
