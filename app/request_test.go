package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/security-monitor/secmon/metrics"
)

// An answer that breaks off in a panic does not end as if it were whole; one that
// had not begun says that something went wrong.
func TestBrokenAnswerIsNotWhole(t *testing.T) {
	a := &App{lg: slog.New(slog.DiscardHandler), metrics: metrics.New("x"), draining: context.Background()}
	server := httptest.NewServer(a.observed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/export/begun" {
			_, _ = io.WriteString(w, "id,title\n1,first\n")
			_ = http.NewResponseController(w).Flush()
		}
		panic("index out of range")
	})))
	defer server.Close()
	get := func(path string) (int, error) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close() //nolint:errcheck // a test
		_, err = io.ReadAll(response.Body)
		return response.StatusCode, err
	}
	if _, err := get("/api/export/begun"); err == nil {
		t.Error("a file that was cut off ends as if it were whole")
	}
	if status, err := get("/api/export/new"); status != http.StatusInternalServerError || err != nil {
		t.Errorf("before the answer began: %d %v", status, err)
	}
}
