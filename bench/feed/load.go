package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// Load is the client, in a process of its own. The driver tells it over HTTP to
// connect, cut, resume and stall, and asks for its report.
type Load struct {
	order   order
	sockets []*socket
	pollers []*poller
	resume  atomic.Bool // reconnect when the server closes
	waited  int         // sockets before this one have reached waitSeq
	waitSeq uint64

	mu     sync.Mutex
	closes map[string]int
	errs   []string
}

// order is what to connect.
type order struct {
	Address string   `json:"address"`
	Speaks  protocol `json:"speaks"`
	Groups  []int    `json:"groups"` // of each socket
	Slow    []int    `json:"slow"`   // the sockets that stop reading when told
}

// report is what came since the driver last said what to expect.
type report struct {
	Deliveries int64          `json:"deliveries"` // of payloads
	Messages   int64          `json:"messages"`
	Bytes      int64          `json:"bytes"`
	Missing    uint64         `json:"missing"`   // skipped
	Late       uint64         `json:"late"`      // not there yet
	SlowLate   uint64         `json:"slowLate"`  // of these, on the slow sockets
	Reordered  int64          `json:"reordered"` // or repeated
	P50        time.Duration  `json:"p50"`
	P99        time.Duration  `json:"p99"`
	Most       time.Duration  `json:"most"`
	Closes     map[string]int `json:"closes"` // by code
	Errors     []string       `json:"errors"`
}

// dials bounds the handshakes at once.
const dials = 64

// Run serves the driver until the standard input or ctx ends.
func (l *Load) Run(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /connect", l.handleConnect)
	mux.HandleFunc("POST /cut", func(w http.ResponseWriter, _ *http.Request) {
		for _, c := range l.sockets {
			c.cut()
		}
		answer(w, struct{}{}, nil)
	})
	mux.HandleFunc("POST /resume", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, l.connectAll(r.Context()))
	})
	mux.HandleFunc("POST /stall", func(w http.ResponseWriter, _ *http.Request) { answer(w, struct{}{}, l.watchSlow(unix.EPOLL_CTL_DEL)) })
	mux.HandleFunc("POST /unstall", func(w http.ResponseWriter, _ *http.Request) { answer(w, struct{}{}, l.watchSlow(unix.EPOLL_CTL_ADD)) })
	mux.HandleFunc("POST /expect", func(w http.ResponseWriter, r *http.Request) {
		l.expect(formSeq(r))
		answer(w, struct{}{}, nil)
	})
	mux.HandleFunc("GET /wait", func(w http.ResponseWriter, r *http.Request) {
		answer(w, l.wait(r.Context(), formSeq(r), r.FormValue("all") == "true"), nil)
	})
	mux.HandleFunc("GET /open", func(w http.ResponseWriter, _ *http.Request) { answer(w, l.open(), nil) })
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, r *http.Request) { answer(w, l.report(formSeq(r)), nil) })
	return serve(ctx, mux, nil)
}

func formSeq(r *http.Request) uint64 {
	seq, _ := strconv.ParseUint(r.FormValue("seq"), 10, 64)
	return seq
}

func (l *Load) handleConnect(w http.ResponseWriter, r *http.Request) {
	err := json.NewDecoder(r.Body).Decode(&l.order)
	if err == nil {
		err = l.prepare()
	}
	if err == nil {
		err = l.connectAll(r.Context())
	}
	answer(w, struct{}{}, err)
}

// prepare makes the sockets and the pollers.
func (l *Load) prepare() error {
	l.closes = map[string]int{}
	for i, group := range l.order.Groups {
		l.sockets = append(l.sockets, &socket{index: i, group: group, fd: -1, slow: slices.Contains(l.order.Slow, i)})
	}
	for range runtime.NumCPU() {
		p, err := newPoller(l)
		if err != nil {
			return err
		}
		l.pollers = append(l.pollers, p)
		go p.run()
	}
	return nil
}

// connectAll connects every socket and waits until all have subscribed.
func (l *Load) connectAll(ctx context.Context) error {
	l.resume.Store(true)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(dials)
	for _, c := range l.sockets {
		group.Go(func() error {
			return l.connect(ctx, c)
		})
	}
	return group.Wait()
}

// connect tries a few times, as clients do.
func (l *Load) connect(ctx context.Context, c *socket) (err error) {
	for try := range 5 {
		if err = l.connectOnce(ctx, c); err == nil || ctx.Err() != nil {
			break
		}
		time.Sleep(time.Duration(try) * 200 * time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("connection %d: %w", c.index, err)
	}
	return nil
}

func (l *Load) connectOnce(ctx context.Context, c *socket) error {
	fd, err := c.dial(ctx, l.order.Address, l.order.Speaks)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.fd, c.ready = fd, make(chan error, 1)
	ready := c.ready
	if err = c.hello(l.order.Speaks); err == nil {
		err = l.pollerOf(c).watch(c, unix.EPOLL_CTL_ADD)
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case err = <-ready:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Minute):
		return errors.New("no subscription within a minute")
	}
}

func (l *Load) pollerOf(c *socket) *poller { return l.pollers[c.index%len(l.pollers)] }

// cut ends the connection with a reset, as a network that goes away does.
func (c *socket) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hangUp()
}

// hangUp closes the file descriptor. Callers hold mu.
func (c *socket) hangUp() {
	if c.fd < 0 {
		return
	}
	_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // without it ports run out
	_ = unix.Close(c.fd)
	c.fd, c.pending, c.message = -1, nil, nil
}

// watchSlow makes the slow sockets stop reading, or go on.
func (l *Load) watchSlow(operation int) error {
	for _, i := range l.order.Slow {
		c := l.sockets[i]
		c.mu.Lock()
		err := l.pollerOf(c).watch(c, operation)
		c.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// expect starts to count anew: the next payload of every socket is seq+1.
func (l *Load) expect(seq uint64) {
	for _, c := range l.sockets {
		c.last.Store(seq)
	}
	for _, p := range l.pollers {
		p.mu.Lock()
		p.seen = tally{}
		p.mu.Unlock()
	}
	l.waited, l.waitSeq = 0, 0
}

// waitLimit is how long one wait takes at most.
const waitLimit = 10 * time.Second

// wait tells whether all sockets have reached seq, the slow ones only if asked for.
func (l *Load) wait(ctx context.Context, seq uint64, slowToo bool) bool {
	ctx, cancel := context.WithTimeout(ctx, waitLimit)
	defer cancel()
	if seq != l.waitSeq {
		l.waited, l.waitSeq = 0, seq
	}
	if slowToo {
		l.waited = 0
	}
	for {
		for l.waited < len(l.sockets) && (l.sockets[l.waited].last.Load() >= seq || l.sockets[l.waited].slow && !slowToo) {
			l.waited++
		}
		if l.waited == len(l.sockets) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Millisecond):
		}
	}
}

// report counts what came, and what of the payloads up to seq is not there yet.
func (l *Load) report(seq uint64) report {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := report{Closes: l.closes, Errors: l.errs}
	var latency histogram
	for _, p := range l.pollers {
		p.mu.Lock()
		latency.merge(&p.seen.latency)
		out.Deliveries += p.seen.deliveries
		out.Messages += p.seen.messages
		out.Bytes += p.seen.bytes
		out.Missing += p.seen.missing
		out.Reordered += p.seen.reordered
		p.mu.Unlock()
	}
	for _, c := range l.sockets {
		if last := c.last.Load(); last < seq {
			out.Late += seq - last
			if c.slow {
				out.SlowLate += seq - last
			}
		}
	}
	out.P50, out.P99, out.Most = latency.quantile(0.50), latency.quantile(0.99), latency.most
	l.closes = map[string]int{}
	return out
}

// open counts the connections.
func (l *Load) open() (n int) {
	for _, c := range l.sockets {
		c.mu.Lock()
		if c.fd >= 0 {
			n++
		}
		c.mu.Unlock()
	}
	return n
}

// lost is told when a socket ended that nobody had cut. A GraphQL client comes
// back with its cursor; centrifuge keeps no history here.
func (l *Load) lost(c *socket, why error) {
	l.mu.Lock()
	var byServer closed
	if errors.As(why, &byServer) {
		l.closes[strconv.Itoa(byServer.code)]++
	} else {
		l.closes["broken"]++
		if len(l.errs) < 5 {
			l.errs = append(l.errs, why.Error())
		}
	}
	l.mu.Unlock()
	if c.ready != nil {
		c.ready <- why // connect tries again
		c.ready = nil
		return
	}
	if l.order.Speaks == graphqlWS && l.resume.Load() && c.cursor != "" {
		go func() { _ = l.connect(context.Background(), c) }() // what it does not get is counted as missing
	}
}
