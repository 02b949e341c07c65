package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestProbe(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/broken":
			http.Error(w, "database does not answer", http.StatusServiceUnavailable)
		case r.URL.Path == "/later" && asked.Add(1) < 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	closed, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	_ = closed.Close()

	for name, c := range map[string]struct {
		targets []string
		within  time.Duration
		want    string // part of the error, "" for none
		reason  string
	}{
		"a server that answers":      {[]string{server.URL + "/api/readyz", "tcp://" + server.Listener.Addr().String()}, time.Minute, "", "both ways to ask work"},
		"a server that is not ready": {[]string{server.URL + "/broken"}, time.Second, `503 Service Unavailable "database does not answer`, "any answer but 2xx is a failure, and its text is told"},
		"a server that gets ready":   {[]string{server.URL + "/later"}, time.Minute, "", "it is asked again"},
		"nobody there":               {[]string{"tcp://" + nobody}, time.Second, "connection refused", "the last failure is told, not that time ran out"},
		"the second of two":          {[]string{server.URL, "http://" + nobody}, time.Second, "http://" + nobody, "all have to answer, and the one that does not is named"},
		"no such scheme":             {[]string{"mysql://" + nobody}, time.Minute, "begins with http://, https:// or tcp://", "a wrong address fails at once"},
		"no port":                    {[]string{"tcp://localhost"}, time.Minute, "missing port", "a wrong address fails at once"},
	} {
		t.Run(name, func(t *testing.T) {
			err := (&probeCommand{Targets: c.targets, Within: c.within}).Run(t.Context())
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q: %s", err, c.want, c.reason)
			}
		})
	}
}
