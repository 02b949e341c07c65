package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client asks one server. It is safe for concurrent use when Token is.
type Client struct {
	// Server is where the server is, such as https://monitor.example.com.
	Server string
	// Token gives an API token or access token for each request; nil: without one.
	Token func(ctx context.Context) (string, error)
	// HTTP makes the requests; nil is one with the usual limits. A redirection is an
	// error: a credential goes to the server that it is for, or nowhere.
	HTTP *http.Client
}

// Bounds of one request.
const (
	requestTime = 90 * time.Second
	maxAnswer   = 256 << 20 // a page of 500 events with their records is 16 MiB
	maxRefusal  = 64 << 10
)

// Unreachable says that there was no answer of a Security Monitor: another try
// may help.
type Unreachable struct {
	Server string
	Err    error
}

// Error gives the server and the reason.
func (e *Unreachable) Error() string { return fmt.Sprintf("%s cannot be reached: %v", e.Server, e.Err) }

// Unwrap gives the reason.
func (e *Unreachable) Unwrap() error { return e.Err }

// Do runs a query or mutation. data is the `data` of the answer, also beside
// Errors: those of fields leave the rest right. Other errors are Unreachable or of
// the credential.
func (c *Client) Do(ctx context.Context, query, operationName string, variables map[string]any) (data json.RawMessage, err error) {
	data, _, err = c.do(ctx, query, operationName, variables, nil)
	return data, err
}

// Get is Do for an answer whose form is known; Errors of any kind are its error.
func (c *Client) Get(ctx context.Context, query string, variables map[string]any, into any) error {
	data, err := c.Do(ctx, query, "", variables)
	if err != nil {
		return err
	}
	return unmarshal(data, into)
}

func unmarshal(data json.RawMessage, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	return nil
}

func (c *Client) do(ctx context.Context, query, operationName string, variables map[string]any, cookie *http.Cookie) (json.RawMessage, *http.Response, error) {
	request := map[string]any{"query": query, "variables": variables}
	if operationName != "" {
		request["operationName"] = operationName
	}
	body, err := json.Marshal(request)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address("/api/graphql"), bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/graphql-response+json, application/json")
	if cookie != nil {
		r.AddCookie(cookie)
	}
	if err := c.authorise(r); err != nil {
		return nil, nil, err
	}
	response, err := c.send(r)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, response, &Unreachable{c.Server, err}
	case len(text) > maxAnswer:
		return nil, response, fmt.Errorf("the answer has more than %d MiB", maxAnswer>>20)
	}
	data, err := answerOf(text, response, c.Server)
	return data, response, err
}

func (c *Client) address(path string) string { return strings.TrimRight(c.Server, "/") + path }

func (c *Client) authorise(r *http.Request) error {
	if c.Token == nil {
		return nil
	}
	token, err := c.Token(r.Context())
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return nil
}

func (c *Client) send(r *http.Request) (*http.Response, error) {
	h := http.Client{Transport: http.DefaultTransport}
	if c.HTTP != nil {
		h = *c.HTTP
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := h.Do(r)
	if err == nil {
		return response, nil
	}
	if r.Context().Err() != nil && errors.Is(r.Context().Err(), context.Canceled) {
		return nil, r.Context().Err()
	}
	var of *url.Error // its text has the address, and a link's address is a secret
	if errors.As(err, &of) {
		err = of.Err
	}
	return nil, &Unreachable{c.Server, err}
}

// answerOf reads an answer by its form, not by its status: a GraphQL server tells
// errors in both ways.
func answerOf(text []byte, response *http.Response, server string) (json.RawMessage, error) {
	var a struct {
		Data          json.RawMessage
		Errors        Errors
		Code, Message string // of what stands before GraphQL
	}
	err := json.Unmarshal(text, &a)
	switch {
	case err == nil && len(a.Errors) > 0:
		return a.Data, a.Errors
	case err == nil && a.Data != nil:
		return a.Data, nil
	case err == nil && a.Code != "":
		return nil, Errors{{Message: a.Message, Extensions: map[string]any{"code": a.Code}}}
	}
	return nil, statusError(response, server)
}

// statusError is for answers of something that is no Security Monitor, or of one
// that could not say more.
func statusError(response *http.Response, server string) error {
	told := errors.New(response.Status)
	switch code := response.StatusCode; {
	case code >= 300 && code < 400:
		return fmt.Errorf("%s sends on to %s; use that address if it is the right one", server, response.Header.Get("Location"))
	case code == http.StatusNotFound || code == http.StatusOK:
		return fmt.Errorf("%s is no Security Monitor (%s)", server, response.Status)
	case code >= 500 || code == http.StatusTooManyRequests:
		return &Unreachable{server, told}
	}
	return fmt.Errorf("%s: %w", server, told)
}

// refusalOf reads the answer of an endpoint that is not GraphQL.
func refusalOf(response *http.Response, server string) error {
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusal)) // what came
	_, err := answerOf(text, response, server)
	if err == nil {
		err = statusError(response, server)
	}
	return err
}

// retryAfter is what the server asks for, 0 where it does not.
func retryAfter(response *http.Response) time.Duration {
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
