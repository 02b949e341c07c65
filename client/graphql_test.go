package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/client"
)

func serve(t *testing.T, handle http.HandlerFunc) *client.Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return &client.Client{Server: server.URL + "/", Token: func(context.Context) (string, error) { return "secret", nil }}
}

func TestAnswersOfAllKinds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		status     int
		data, says string
		away       bool
	}{
		{"data", `{"data":{"a":1}}`, 200, `{"a":1}`, "", false},
		{"errors beside data", `{"data":{"a":null},"errors":[{"message":"no","extensions":{"code":"FORBIDDEN"}}]}`, 200, `{"a":null}`, "FORBIDDEN: no", false},
		{"an error of the endpoint", `{"code":"UNAUTHENTICATED","message":"who?"}`, 401, "", "UNAUTHENTICATED: who?", false},
		{"a proxy without a server", `<html>Bad Gateway</html>`, 502, "", "502 Bad Gateway", true},
		{"another site", `<html>Welcome</html>`, 200, "", "is no Security Monitor", false},
		{"nothing there", `not found`, 404, "", "is no Security Monitor", false},
	}
	for _, tt := range tests {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/api/graphql" || r.Header.Get("Authorization") != "Bearer secret" {
				t.Errorf("%s: asks %s", tt.name, r.URL)
			}
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
		})
		data, err := c.Do(t.Context(), `{ a }`, "", nil)
		var away *client.Unreachable
		if string(data) != tt.data || (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) || errors.As(err, &away) != tt.away {
			t.Errorf("%s: %s, %v", tt.name, data, err)
		}
	}
}

// A credential follows no redirection.
func TestCredentialsStayWithTheirServer(t *testing.T) {
	t.Parallel()
	asked := false
	other := serve(t, func(http.ResponseWriter, *http.Request) { asked = true })
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.Server, http.StatusPermanentRedirect)
	})
	if _, err := c.Do(t.Context(), `{ a }`, "", nil); err == nil || !strings.Contains(err.Error(), "sends on to") || asked {
		t.Errorf("%v %t", err, asked)
	}
}

func TestDownloadTellsWhole(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(`{"host":"`+strings.Repeat("x", 3000)+`"}`+"\n", 50)
	tests := []struct {
		name   string
		body   string
		status int
		cut    bool
		rows   int
		more   bool
		broken bool
		fails  bool
	}{
		{"whole", long + `{"end":true,"rows":50,"more":true}` + "\n", 200, false, 50, true, false, false},
		{"empty", `{"end":true,"rows":0,"more":false}` + "\n", 200, false, 0, false, false, false},
		{"without its end", long, 200, false, 0, false, true, true},
		{"nothing", "", 200, false, 0, false, true, true},
		{"cut in the end", long + `{"end":tr`, 200, false, 0, false, true, true},
		{"a broken connection", long, 200, true, 0, false, true, true},
		{"busy", `{"code":"RATE_LIMITED","message":"later"}`, 429, false, 0, false, true, true},
		{"a link that is over", `{"code":"NOT_FOUND","message":"no such file"}`, 404, false, 0, false, false, true},
	}
	for _, tt := range tests {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" {
				t.Error("a link needs no credential")
			}
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, tt.body)
			if tt.cut {
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}
		})
		var out bytes.Buffer
		more, rows, err := c.Download(t.Context(), client.File{URL: "/api/export/x?key=y", Complete: client.EndOfLines}, &out)
		var broken *client.Broken
		if more != tt.more || rows != tt.rows || (err != nil) != tt.fails || errors.As(err, &broken) != tt.broken {
			t.Errorf("%s: %t %d %v", tt.name, more, rows, err)
		}
		if err != nil && strings.Contains(err.Error(), "key=") {
			t.Errorf("%s: the link is a secret: %v", tt.name, err)
		}
		if !tt.fails && out.String() != tt.body {
			t.Errorf("%s: %d bytes of %d", tt.name, out.Len(), len(tt.body))
		}
	}
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	for _, address := range []string{"//elsewhere.example/x", "https://elsewhere.example/x", ""} {
		if _, _, err := c.Download(t.Context(), client.File{URL: address}, io.Discard); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
}
