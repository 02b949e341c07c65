package taxii

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/stix"
)

var discovery = map[string]any{
	"title":       "Security Monitor",
	"description": "Indicators that this Security Monitor looks through events for, and where it saw them.",
	"default":     Path + "/" + rootName + "/",
	"api_roots":   []string{Path + "/" + rootName + "/"},
}

var root = map[string]any{
	"title":       "Security Monitor",
	"description": "Read only.",
	"versions":    []string{mediaType},
	// The largest body of a request: none is taken.
	"max_content_length": 1,
}

// collection is a list that can be read. Section 5.2.
type collection struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Alias       string   `json:"alias"`
	CanRead     bool     `json:"can_read"`
	CanWrite    bool     `json:"can_write"`
	MediaTypes  []string `json:"media_types"`
}

var (
	indicators = &collection{
		"714e8d11-4ab2-4353-9b82-e0350fc4ab55", "Indicators", "What sources of threat intelligence warn of, also what has expired or was revoked.",
		"indicators", true, false,
		[]string{stix.MediaType},
	}
	sightings = &collection{
		"5a71b0f7-b8cc-443d-86e3-fdbe233ffc7c", "Sightings", "Alerts that indicators raised: how often, when, and on which machine.",
		"sightings", true, false,
		[]string{stix.MediaType},
	}
	collections = []*collection{indicators, sightings}
)

// collectionOf finds a collection by its id or alias; nil where there is none.
func collectionOf(name string) *collection {
	for _, c := range collections {
		if c.ID == name || c.Alias == name {
			return c
		}
	}
	return nil
}

// refusal is an error with its status.
type refusal struct {
	status  int
	code    string
	message string
}

func (r *refusal) Error() string { return r.message }

var nothing = &refusal{http.StatusNotFound, string(monitor.CodeNotFound), "there is nothing here"}

// fail answers with an error message. Section 3.6.1.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	said := &refusal{http.StatusInternalServerError, string(monitor.CodeInternal), "something went wrong on our side"}
	var known *monitor.Error
	switch {
	case errors.As(err, &said):
	case errors.As(err, &known) && statuses[known.Code] != 0:
		said = &refusal{statuses[known.Code], string(known.Code), known.Message}
	default:
		h.Log.ErrorContext(r.Context(), "taxii", "path", r.URL.Path, "request", monitor.RequestID(r.Context()), "error", err)
	}
	switch said.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="secmon", charset="UTF-8"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if w.Header().Get("Retry-After") == "" {
			w.Header().Set("Retry-After", "5")
		}
	}
	_ = write(w, said.status, map[string]string{ // the client may have left
		"title": http.StatusText(said.status), "description": said.message, "error_id": monitor.RequestID(r.Context()),
		"error_code": said.code, "http_status": strconv.Itoa(said.status),
	})
}

var statuses = map[monitor.Code]int{
	monitor.CodeBadInput: http.StatusBadRequest, monitor.CodeUnauthenticated: http.StatusUnauthorized, monitor.CodeForbidden: http.StatusForbidden,
	monitor.CodeNotFound: http.StatusNotFound, monitor.CodeRateLimited: http.StatusTooManyRequests, monitor.CodeUnavailable: http.StatusServiceUnavailable,
}

func write(w http.ResponseWriter, status int, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the client may have left
	return nil
}
