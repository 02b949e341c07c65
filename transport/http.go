package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/security-monitor/secmon/limit"
	"github.com/security-monitor/secmon/monitor"
)

// HTTP is the transport of queries and mutations by POST, and of queries by GET.
// It answers every request that no other transport takes, so it stands last.
// https://graphql.github.io/graphql-over-http/draft/
//
// Pages of other sites cannot use it with a visitor's cookie: it takes JSON only,
// which a browser sends to another origin only after asking, and no mutation by GET.
type HTTP struct {
	Present graphql.ErrorPresenterFunc
}

var _ graphql.Transport = HTTP{}

// The media types of answers. In the older one everything that could be read is
// 200; in the newer one the status says what became of it.
const (
	mediaJSON     = "application/json"
	mediaResponse = "application/graphql-response+json"
)

// Supports is true.
func (HTTP) Supports(*http.Request) bool { return true }

// Do answers a request.
func (t HTTP) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	media := answerMedia(r.Header.Values("Accept"))
	a := exchange{w: w, r: r, media: media, present: t.Present}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Add("Vary", "Accept")
	switch r.Method {
	case http.MethodOptions:
		w.Header().Set("Allow", allowed)
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodGet, http.MethodPost:
	default:
		w.Header().Set("Allow", allowed)
		a.refuse(http.StatusMethodNotAllowed, monitor.Errorf(monitor.CodeBadInput, "GraphQL is asked by GET or POST, not %s", clip(r.Method, 20)))
		return
	}
	if media == "" {
		a.media = mediaJSON
		a.refuse(http.StatusNotAcceptable, monitor.Errorf(monitor.CodeBadInput, "answers are %s or %s", mediaResponse, mediaJSON))
		return
	}
	params, status, err := httpParams(r)
	if err != nil {
		a.refuse(status, err)
		return
	}
	a.execute(params, exec)
}

const allowed = "GET, POST, OPTIONS"

// exchange is one request on its way to its answer.
type exchange struct {
	w       http.ResponseWriter
	r       *http.Request
	media   string
	present graphql.ErrorPresenterFunc
}

func (a exchange) execute(params *graphql.RawParams, exec graphql.GraphExecutor) {
	ctx := a.r.Context()
	parsed, errs := exec.CreateOperationContext(ctx, params)
	a.budget(parsed)
	if len(errs) > 0 {
		response := exec.DispatchError(graphql.WithOperationContext(ctx, parsed), errs)
		a.write(a.statusOf(response.Errors), response, false)
		return
	}
	if a.r.Method == http.MethodGet && parsed.Operation.Operation != ast.Query {
		a.w.Header().Set("Allow", "POST")
		a.refuse(http.StatusMethodNotAllowed, monitor.Errorf(monitor.CodeBadInput, "GET is for queries; send mutations by POST"))
		return
	}
	next, inner := exec.DispatchOperation(ctx, parsed)
	response := next(inner)
	if response == nil {
		response = exec.DispatchError(graphql.WithOperationContext(ctx, parsed), gqlerror.List{gqlerror.Wrap(ctx.Err())})
		a.write(a.statusOf(response.Errors), response, false)
		return
	}
	a.write(http.StatusOK, response, true)
}

// budget tells in headers what the operation cost and what is left.
func (a exchange) budget(parsed *graphql.OperationContext) {
	charge, _ := parsed.Stats.GetExtension(limit.StatsKey).(*limit.Charge)
	if charge == nil {
		return
	}
	h := a.w.Header()
	h.Set("X-RateLimit-Cost", strconv.Itoa(charge.Cost))
	if charge.Budget.Limit == 0 {
		return
	}
	h.Set("X-RateLimit-Limit", strconv.Itoa(charge.Budget.Limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(charge.Budget.Remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(charge.Budget.Reset.Unix(), 10))
}

// statusOf gives the status of an operation that was not executed.
func (a exchange) statusOf(errs gqlerror.List) int {
	var code any
	if len(errs) > 0 {
		code = errs[0].Extensions["code"]
		if seconds, ok := errs[0].Extensions["retryAfter"].(int); ok {
			a.w.Header().Set("Retry-After", strconv.Itoa(seconds))
		}
	}
	if a.media == mediaJSON {
		return http.StatusOK
	}
	switch monitor.Code(fmt.Sprint(code)) {
	case monitor.CodeUnauthenticated:
		a.w.Header().Set("WWW-Authenticate", "Bearer")
		return http.StatusUnauthorized
	case monitor.CodeForbidden:
		return http.StatusForbidden
	case monitor.CodeRateLimited:
		return http.StatusTooManyRequests
	case monitor.CodeUnavailable, monitor.CodeTimeout:
		return http.StatusServiceUnavailable
	case monitor.CodeInternal:
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}

// refuse answers a request that is no GraphQL request.
func (a exchange) refuse(status int, err error) {
	a.write(status, &graphql.Response{Errors: gqlerror.List{a.present(a.r.Context(), err)}}, false)
}

// write sends a response; one that was not executed has no data, not even null.
func (a exchange) write(status int, response *graphql.Response, executed bool) {
	var body []byte
	var err error
	switch {
	case executed && len(response.Errors) == 0 && len(response.Extensions) == 0 && len(response.Data) > 0:
		// Data is JSON already: to marshal it would read it all once more.
		body = slices.Concat([]byte(`{"data":`), response.Data, []byte("}"))
	case executed:
		body, err = json.Marshal(response)
	default:
		body, err = json.Marshal(struct {
			Errors     gqlerror.List  `json:"errors"`
			Extensions map[string]any `json:"extensions,omitempty"`
		}{response.Errors, response.Extensions})
	}
	if err != nil {
		panic(fmt.Errorf("encode response: %w", err)) // the server's recovery answers
	}
	h := a.w.Header()
	h.Set("Content-Type", a.media+"; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	a.w.WriteHeader(status)
	_, _ = a.w.Write(body) //nolint:gosec // JSON, by its media type and nosniff; the client may have left
}

// answerMedia chooses the answer's media type: the one that the client prefers,
// application/json where it does not say or takes anything; "" where it takes
// neither.
func answerMedia(headers []string) string {
	best, weight := "", 0.0
	some := false
	for _, part := range strings.Split(strings.Join(headers, ","), ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		some = true
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
			continue
		}
		switch kind {
		case mediaJSON, mediaResponse:
		case "*/*", "application/*":
			kind = mediaJSON
		default:
			continue
		}
		// What is more precise wins where the weights are equal.
		if q > weight || q == weight && q > 0 && kind == mediaResponse {
			best, weight = kind, q
		}
	}
	if !some {
		return mediaJSON
	}
	return best
}

// httpParams reads a request. The status is for the error.
func httpParams(r *http.Request) (*graphql.RawParams, int, error) {
	if r.Method == http.MethodGet {
		params, err := paramsOf(r)
		if err == nil {
			err = complete(params)
		}
		return params, http.StatusBadRequest, err
	}
	kind, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := options["charset"]; err != nil || kind != mediaJSON || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, http.StatusUnsupportedMediaType, monitor.Errorf(monitor.CodeBadInput, "a POST has the Content-Type application/json, in UTF-8")
	}
	body, err := io.ReadAll(r.Body)
	var tooBig *http.MaxBytesError
	if errors.As(err, &tooBig) {
		return nil, http.StatusRequestEntityTooLarge, tooManyBytes(tooBig.Limit)
	}
	if err != nil {
		return nil, http.StatusBadRequest, monitor.Errorf(monitor.CodeBadInput, "the body could not be read")
	}
	if text := bytes.TrimLeft(body, " \t\r\n"); len(text) > 0 && text[0] == '[' {
		return nil, http.StatusBadRequest, monitor.Errorf(monitor.CodeBadInput, "batches are refused: send one operation in a request, or several fields in one operation")
	}
	params, err := readWhole(body)
	return params, http.StatusBadRequest, err
}

func tooManyBytes(most int64) error {
	err := monitor.Errorf(monitor.CodeCostLimit, "the request has more than the %d bytes that are allowed", most)
	err.Details = map[string]any{"kind": "requestBytes", "cost": most + 1, "limit": most}
	return err
}

// readWhole reads a request, which is one JSON object and nothing behind it.
func readWhole(body []byte) (*graphql.RawParams, error) {
	if !json.Valid(body) {
		return nil, monitor.Errorf(monitor.CodeBadInput, "the body is not JSON")
	}
	params, err := readParams(body)
	if err != nil {
		return nil, err
	}
	return params, complete(params)
}

func complete(params *graphql.RawParams) error {
	if params.Query == "" && params.Extensions["persistedQuery"] == nil {
		return monitor.Errorf(monitor.CodeBadInput, "there is no operation: query has to be a GraphQL document")
	}
	return nil
}
