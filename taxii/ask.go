package taxii

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/stix"
)

// maxMatches bounds the values of one match.
const maxMatches = 100

// ask is what a request asks of a collection. Section 3.4.
type ask struct {
	addedAfter time.Time
	limit      int
	place      place
	ids        []string // nil: all
	types      []string
	versions   []string
	specs      []string
}

// place is how far a client has read: behind so many objects of one indicator or
// sighting (it brings identities along). It stays right whatever changes meanwhile:
// what changed stands at the end.
type place struct {
	At   time.Time  `json:"t"`
	ID   monitor.ID `json:"i"`
	Part int        `json:"p"`
}

func (p place) String() string {
	text, _ := json.Marshal(p) // of a time, an id and a number
	return base64.RawURLEncoding.EncodeToString(text)
}

func parsePlace(text string) (p place, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err != nil || p.At.IsZero() || p.Part < 0 {
		return p, monitor.InputErrorf("next", "next is what the page before gave")
	}
	return p, nil
}

// askOf reads a request's query. It gives what it could read beside an error.
func askOf(r *http.Request, now time.Time) (*ask, error) {
	q := &ask{limit: defaultLimit}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, monitor.InputErrorf("query", "the query cannot be read")
	}
	for name, given := range values {
		if err := q.read(name, strings.Join(given, ","), now); err != nil {
			return q, err
		}
	}
	return q, nil
}

func (q *ask) read(name, value string, now time.Time) (err error) {
	switch name {
	case "added_after":
		if q.addedAfter, err = time.Parse(time.RFC3339Nano, value); err != nil {
			return monitor.InputErrorf(name, "added_after is a time such as 2026-05-04T09:30:00.000000Z")
		}
		q.addedAfter = minTime(q.addedAfter, now.Add(24*time.Hour)) // beyond what the database compares with
	case "limit":
		if q.limit, err = strconv.Atoi(value); err != nil || q.limit < 1 {
			q.limit = defaultLimit
			return monitor.InputErrorf(name, "limit is a number from 1 on")
		}
		q.limit = min(q.limit, maxLimit)
	case "next":
		q.place, err = parsePlace(value)
	case "match[id]":
		q.ids, err = matches(name, value)
	case "match[type]":
		q.types, err = matches(name, value)
	case "match[spec_version]":
		q.specs, err = matches(name, value)
	case "match[version]":
		q.versions, err = matches(name, value)
		for _, version := range q.versions {
			if _, bad := time.Parse(time.RFC3339Nano, version); bad != nil && version != "all" && version != "first" && version != "last" {
				return monitor.InputErrorf(name, "match[version] is all, first, last or a time, not %q", version[:min(len(version), 40)])
			}
		}
	default:
		if strings.HasPrefix(name, "match[") {
			return monitor.InputErrorf(name, "match is of id, type, version or spec_version")
		}
	}
	return err
}

func minTime(a, b time.Time) time.Time {
	if a.After(b) {
		return b
	}
	return a
}

func matches(name, value string) ([]string, error) {
	all := strings.Split(value, ",")
	if len(all) > maxMatches {
		return nil, monitor.InputErrorf(name, "%s has at most %d values", name, maxMatches)
	}
	return all, nil
}

// one asks for a single object.
func (q *ask) one(id string) error {
	if _, _, ok := stix.ParseID(id); !ok {
		return nothing
	}
	q.ids, q.types = []string{id}, nil
	return nil
}

// wants tells whether an object is asked for.
func (q *ask) wants(o stix.Object) bool {
	return (q.ids == nil || slices.Contains(q.ids, o.ID)) && (q.types == nil || slices.Contains(q.types, o.Type)) &&
		(q.specs == nil || slices.Contains(q.specs, "2.1")) && q.wantsVersion(o)
}

// wantsVersion looks at the version. Of each object the last is kept, which is
// therefore the first and all too.
func (q *ask) wantsVersion(o stix.Object) bool {
	return q.versions == nil || slices.ContainsFunc(q.versions, func(version string) bool {
		at, err := time.Parse(time.RFC3339Nano, version)
		return err != nil || at.Equal(o.Modified)
	})
}
