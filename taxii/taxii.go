// Package taxii answers TAXII 2.1: other systems read indicators and sightings from
// it. Nothing can be written by it.
//
// https://docs.oasis-open.org/cti/taxii/v2.1/os/taxii-v2.1-os.html
package taxii

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Path is where discovery is; everything else is below it.
const Path = "/api/taxii2"

const (
	rootName  = "root" // of the one API root
	mediaType = "application/taxii+json;version=2.1"

	// defaultLimit and maxLimit bound the objects of a page.
	defaultLimit = 100
	maxLimit     = 500
	// requestTime bounds the work on one request.
	requestTime = 20 * time.Second
)

// Store has what is shared, in the order of its last change.
type Store interface {
	SharedIndicators(ctx context.Context, of monitor.SharedAsk) ([]*monitor.Indicator, error)
	SharedSightings(ctx context.Context, of monitor.SharedAsk) ([]*monitor.Sighting, error)
	// IndicatorSources and SightedHosts give at most n names.
	IndicatorSources(ctx context.Context, n int) ([]string, error)
	SightedHosts(ctx context.Context, n int) ([]string, error)
}

// Handler answers everything below Path.
type Handler struct {
	Store Store
	// Admit gives an error with the code UNAUTHENTICATED, FORBIDDEN or RATE_LIMITED
	// unless the request may read so many objects. It may set headers.
	Admit func(w http.ResponseWriter, r *http.Request, objects int) error
	// Settle is how old a change has to be to be shown: longer than the longest
	// transaction, so that none is committed behind a place that a client has read to.
	Settle time.Duration
	Now    func() time.Time // time.Now where nil
	Log    *slog.Logger
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), requestTime)
	defer cancel()
	r = r.WithContext(ctx)
	w.Header().Set("Vary", "Accept, Authorization")
	w.Header().Set("Cache-Control", "no-store")
	if err := h.answer(w, r); err != nil {
		h.fail(w, r, err)
	}
}

func (h *Handler) answer(w http.ResponseWriter, r *http.Request) error {
	parts := strings.FieldsFunc(strings.TrimPrefix(r.URL.Path, Path), func(c rune) bool { return c == '/' })
	q, bad := askOf(r, h.now())
	if err := h.Admit(w, r, q.limit); err != nil {
		return err
	}
	if err := acceptable(r); err != nil {
		return err
	}
	switch {
	case len(parts) > 0 && parts[0] != rootName:
		return nothing
	case r.Method == http.MethodPost || r.Method == http.MethodDelete:
		return &refusal{http.StatusForbidden, string(monitor.CodeForbidden), "this server is read only"}
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		return &refusal{http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "this server is read only"}
	case len(parts) == 0:
		return write(w, http.StatusOK, discovery)
	case len(parts) == 1:
		return write(w, http.StatusOK, root)
	case parts[1] != "collections":
		return nothing // there is no status, since nothing is added
	case len(parts) == 2:
		return write(w, http.StatusOK, map[string]any{"collections": collections})
	}
	c := collectionOf(parts[2])
	if c == nil {
		return nothing
	}
	if len(parts) == 3 {
		return write(w, http.StatusOK, c)
	}
	if bad != nil {
		return bad
	}
	return h.ask(r.Context(), w, c, q, parts[3:])
}

// ask answers what is asked of a collection's objects.
func (h *Handler) ask(ctx context.Context, w http.ResponseWriter, c *collection, q *ask, parts []string) error {
	var give func(*found) any
	switch {
	case len(parts) == 1 && parts[0] == "manifest":
		give = manifestOf
	case len(parts) == 1 && parts[0] == "objects":
		give = envelopeOf
	case len(parts) == 2 && parts[0] == "objects":
		give = envelopeOf
	case len(parts) == 3 && parts[0] == "objects" && parts[2] == "versions":
		give = versionsOf
	default:
		return nothing
	}
	if len(parts) > 1 {
		if err := q.one(parts[1]); err != nil {
			return err
		}
	}
	page, err := h.find(ctx, c, q)
	if err != nil {
		return err
	}
	if len(parts) > 1 && !page.exists {
		if page, err = h.find(ctx, c, &ask{ids: q.ids, specs: []string{}, limit: 1}); err != nil {
			return err
		}
		if !page.exists {
			return nothing
		}
	}
	if n := len(page.objects); n > 0 {
		w.Header().Set("X-TAXII-Date-Added-First", stamp(page.objects[0].added))
		w.Header().Set("X-TAXII-Date-Added-Last", stamp(page.objects[n-1].added))
	}
	return write(w, http.StatusOK, give(page))
}

func (h *Handler) now() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return time.Now()
}

// acceptable refuses a request that takes none of what there is.
func acceptable(r *http.Request) error {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return nil
	}
	for one := range strings.SplitSeq(accept, ",") {
		kind, parameters, _ := strings.Cut(strings.ToLower(strings.TrimSpace(one)), ";")
		switch strings.TrimSpace(kind) {
		case "*/*", "application/*":
			return nil
		case "application/taxii+json":
			if version := parameterOf(parameters, "version"); version == "" || version == "2.1" {
				return nil
			}
		}
	}
	return &refusal{http.StatusNotAcceptable, "NOT_ACCEPTABLE", "answers are " + mediaType}
}

// parameterOf gives a parameter of a media type, without quotes.
func parameterOf(parameters, name string) string {
	for one := range strings.SplitSeq(parameters, ";") {
		if key, value, _ := strings.Cut(strings.TrimSpace(one), "="); strings.TrimSpace(key) == name {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}
