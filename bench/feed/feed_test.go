package feed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/security-monitor/secmon/monitor"
)

// TestMain is also the processes that the driver starts from its own binary.
func TestMain(m *testing.M) {
	if os.Getenv(childVariable) == "" {
		os.Exit(m.Run())
	}
	var err error
	if os.Args[1] == "serve" {
		err = (&Server{Kind: os.Args[2]}).Run(context.Background())
	} else {
		err = (&Load{}).Run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestEveryServerDeliversEverythingInOrder runs every scenario small.
func TestEveryServerDeliversEverythingInOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	for _, server := range servers {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			d := &Driver{
				N: 20, Storm: 20, Groups: []string{"3"}, Duration: 500 * time.Millisecond, Rate: 4, Batch: 16, Window: 64,
				Scenario: []string{"idle", "paced", "burst", "mixed", "storm", "slow"},
			}
			for _, s := range d.setups() {
				if s = s.on(server); s.scenario == "" {
					continue
				}
				rows, err := d.measure(t.Context(), server, s)
				if err != nil {
					t.Fatalf("%s: %v", s.scenario, err)
				}
				for _, r := range rows {
					checkRow(t, r)
				}
			}
		})
	}
}

func checkRow(t *testing.T, r row) {
	t.Helper()
	name := r.setup.scenario
	cutOff := isCentrifuge(r.server) && name == "slow" // it closes a slow client with 3008
	if r.report.Missing+uint64(r.report.Reordered) > 0 || !cutOff && (r.report.Late > 0 || len(r.report.Errors)+len(r.report.Closes) > 0) {
		t.Errorf("%s: %+v", name, r.report)
	}
	if name != "idle" && (r.report.Deliveries < 20 || r.report.P99 <= 0) {
		t.Errorf("%s: too little arrived: %+v", name, r.report)
	}
	if name != "paced" || isCentrifuge(r.server) {
		return
	}
	// Fewer only where commits were so late that a message took two.
	least, most := int64(3*r.commits+1), int64(20*r.commits)
	if r.server == "secmon" {
		least, most = 1, int64(3*r.commits)
	}
	if r.executions < least || r.executions > most {
		t.Errorf("%s: %d executions for %d commits, want %d to %d", r.server, r.executions, r.commits, least, most)
	}
}

// What centrifuge publishes is what GraphQL answers, byte for byte.
func TestPayloadsAreTheSame(t *testing.T) {
	p, err := newProduct(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	handler, err := newGqlgenHandler(p)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	conn, _, _, err := ws.Dialer{Protocols: []string{string(graphqlWS)}}.Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	say := func(message any) {
		text, _ := json.Marshal(message)
		if err := wsutil.WriteClientText(conn, text); err != nil {
			t.Fatal(err)
		}
	}
	hear := func() (payload json.RawMessage) {
		text, err := wsutil.ReadServerText(conn)
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Payload struct{ Data json.RawMessage }
		}
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		return m.Payload.Data
	}
	say(map[string]any{"type": "connection_init"})
	hear() // the acknowledgement
	say(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": query, "variables": map[string]any{"filter": filterOf(1)}}})
	hear() // the position
	if _, err := p.commit(2); err != nil {
		t.Fatal(err)
	}
	got := hear()
	var alerts []*monitor.Alert
	stamps(got, func(n uint64, sent int64) { alerts = append(alerts, newAlert(n, time.Unix(0, sent))) })
	if want := answerOf(string(cursorIn(got)), alerts); !bytes.Equal(got, want) {
		t.Errorf("GraphQL answers\n%s\ncentrifuge publishes\n%s", got, want)
	}
	if one := answerOf("AQAAAAAAAAABAAAAAAAAAAEAAAAA", alerts[:1]); len(one) < 580 || len(one) > 660 {
		t.Errorf("one event takes %d bytes, about 620 are meant", len(one))
	}
}

func TestQuantiles(t *testing.T) {
	var h histogram
	for us := range 100_000 {
		h.add(time.Duration(us) * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 50 * time.Millisecond, 0.99: 99 * time.Millisecond, 0.0005: 50 * time.Microsecond} {
		if got := h.quantile(q); got < want || got > want+want/50 {
			t.Errorf("quantile %v is %s, want %s and at most 2 %% more", q, got, want)
		}
	}
}

// Frames may arrive in any pieces.
func TestFramesInPieces(t *testing.T) {
	var stream []byte
	for _, f := range []ws.Frame{
		ws.NewTextFrame([]byte("short")), ws.NewTextFrame(bytes.Repeat([]byte("x"), 300)), ws.NewTextFrame(bytes.Repeat([]byte("y"), 70_000)),
		ws.NewFrame(ws.OpText, false, []byte("frag")), ws.NewFrame(ws.OpContinuation, true, []byte("ments")),
	} {
		stream = append(stream, ws.MustCompileFrame(f)...)
	}
	for _, piece := range []int{1, 7, 1_000, len(stream)} {
		c := &socket{fd: -1}
		var sizes []int
		for rest := stream; len(rest) > 0; {
			n := min(piece, len(rest))
			if err := c.take(rest[:n], func(_ *socket, m []byte) error {
				sizes = append(sizes, len(m))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if want := "[5 300 70000 9]"; fmt.Sprint(sizes) != want || c.pending != nil {
			t.Errorf("in pieces of %d: got %v, want %s", piece, sizes, want)
		}
	}
}
