package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"time"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// figures are what a server tells of itself.
type figures struct {
	Goroutines                           int
	Executions, Groups, Replayed, Lagged int64
}

// serve is one of the servers: /live for subscribers, /commit and /figures for
// the driver. It prints its address and ends with its standard input.
func serve(kind string, groups int) error {
	lg := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	log := &journal{}
	log.commit(1)
	tail := feed.NewTail(log, nil, lg)
	if err := tail.Start(context.Background()); err != nil {
		return err
	}
	go tail.Run(context.Background())
	tell, count := tail.Committed, func() figures { return figures{} }
	var live http.Handler
	var err error
	switch kind {
	case "secmon":
		live, count = secmon(tail, lg)
	case "gqlgen":
		live, count = stock(tail, lg)
	case "centrifuge":
		if live, tell, err = broker(groups); err != nil {
			return err
		}
	default:
		return fmt.Errorf("no server %q", kind)
	}
	var one sync.Mutex
	mux := http.NewServeMux()
	mux.Handle("/live", live)
	mux.HandleFunc("/commit", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Query().Get("n"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		one.Lock()
		defer one.Unlock()
		var entries []monitor.Entry = log.commit(n)
		tell(entries)
	})
	mux.HandleFunc("/figures", func(w http.ResponseWriter, _ *http.Request) {
		f := count()
		f.Goroutines = runtime.NumGoroutine()
		_ = json.NewEncoder(w).Encode(f)
	})
	mux.HandleFunc("/gc", func(http.ResponseWriter, *http.Request) { runtime.GC() })
	mux.HandleFunc("/profile", func(w http.ResponseWriter, r *http.Request) {
		_ = pprof.StartCPUProfile(w)
		time.Sleep(5 * time.Second) // the time that is looked at
		pprof.StopCPUProfile()
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(listener, mux)
}
