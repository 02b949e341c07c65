package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"
)

// Server is one of the servers, in a process of its own. It prints its addresses
// as a line of JSON and ends when its standard input does.
type Server struct {
	Kind string `arg:"" enum:"secmon,gqlgen,centrifuge,centrifuge-batched" help:"Which."`
}

// addresses are where a process listens; Control is for the driver.
type addresses struct {
	Control string `json:"control"`
	Sockets string `json:"sockets,omitempty"`
}

// counts are what a server says of itself.
type counts struct {
	Goroutines int    `json:"goroutines"`
	Executions int64  `json:"executions"` // of subscriptions' fields; 0 where there are none
	Seq        uint64 `json:"seq"`        // of the newest event
}

// target is a server's inside.
type target struct {
	sockets    http.Handler
	commit     func(events int) (uint64, error)
	executions func() int64
	seq        uint64 // of the newest event; only the driver's requests, one at a time, touch it
}

// Run serves until the standard input or ctx ends.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t, err := newTarget(ctx, s.Kind)
	if err != nil {
		return err
	}
	return serve(ctx, t.control(), t.sockets)
}

func newTarget(ctx context.Context, kind string) (*target, error) {
	if isCentrifuge(kind) {
		r, err := newRelay(ctx, kind == "centrifuge-batched")
		if err != nil {
			return nil, err
		}
		return &target{sockets: r.handler(), commit: r.commit, executions: func() int64 { return 0 }}, nil
	}
	p, err := newProduct(ctx)
	if err != nil {
		return nil, err
	}
	t := &target{commit: p.commit, executions: p.executions.Load}
	if kind == "secmon" {
		t.sockets, err = newSecmonHandler(ctx, p)
	} else {
		t.sockets, err = newGqlgenHandler(p)
	}
	return t, err
}

// control lets the driver commit, and look. Its profiles are for people:
// go tool pprof http://ADDRESS/debug/pprof/profile
func (t *target) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /commit", func(w http.ResponseWriter, r *http.Request) {
		events, err := strconv.Atoi(r.FormValue("events"))
		if err == nil {
			t.seq, err = t.commit(events)
		}
		answer(w, t.counts(), err)
	})
	mux.HandleFunc("GET /counts", func(w http.ResponseWriter, _ *http.Request) { answer(w, t.counts(), nil) })
	mux.HandleFunc("POST /settle", func(w http.ResponseWriter, _ *http.Request) {
		debug.FreeOSMemory()
		answer(w, t.counts(), nil)
	})
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	return mux
}

func (t *target) counts() counts {
	return counts{Goroutines: runtime.NumGoroutine(), Executions: t.executions(), Seq: t.seq}
}

// answer writes JSON, or the error as text.
func answer(w http.ResponseWriter, body any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // the driver may have left
}

// serve listens for the driver, and on another port for clients where there is
// a handler for them.
func serve(ctx context.Context, control, sockets http.Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var at addresses
	failed := make(chan error, 2)
	for _, each := range []struct {
		handler http.Handler
		address *string
	}{{control, &at.Control}, {sockets, &at.Sockets}} {
		if each.handler == nil {
			continue
		}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		*each.address = listener.Addr().String()
		server := &http.Server{Handler: each.handler, ReadHeaderTimeout: time.Minute}
		defer server.Close() //nolint:errcheck // the process ends
		go func() { failed <- server.Serve(listener) }()
	}
	if err := json.NewEncoder(os.Stdout).Encode(at); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends with the driver
		cancel()
	}()
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return errors.Join(errors.New("server ended"), err)
	}
}
