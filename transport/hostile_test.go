package transport_test

import (
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/security-monitor/secmon/transport"
)

// Before the login nobody knows who sends: messages are small and sockets few.
func TestSocketBeforeItsLoginIsTrustedWithLittle(t *testing.T) {
	limits := transport.DefaultLimits
	limits.Waiting = 1
	r := newRig(t, limits, nosy{})
	large := `{"type":"ping","payload":{"x":"` + strings.Repeat("x", 20<<10) + `"}}`
	first, _ := r.dial()
	r.say(first, `{"type":"ping"}`)
	if got := r.next(first); !strings.HasPrefix(got, "pong") { // so the server has taken it in
		t.Fatalf("got %s", got)
	}
	if _, status := r.dial(); status != http.StatusServiceUnavailable {
		t.Errorf("a second socket without a login: %d", status)
	}
	r.say(first, initialise)
	if got := r.next(first); got != "connection_ack " {
		t.Fatalf("got %s", got)
	}
	r.say(first, large)
	if got := r.next(first); !strings.HasPrefix(got, "pong ") {
		t.Errorf("a large message behind the login: %s", got)
	}
	second, status := r.dial()
	if second == nil {
		t.Fatalf("a socket after the first has logged in: %d", status)
	}
	r.say(second, large)
	_, _, err := second.ReadMessage()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != 1009 {
		t.Errorf("a large message before the login: %v, want close 1009", err)
	}
}

// What hangs on the database holds up neither the answer to a ping nor the end of
// an operation.
func TestPingsAreAnsweredWhileLoginsHang(t *testing.T) {
	limits := transport.DefaultLimits
	limits.InitTime = time.Minute
	r := newRig(t, limits, nosy{})
	conn := r.subscribe("subscription { alertFeed { cursor } }")
	for range 4 * runtime.GOMAXPROCS(0) { // as many as there are workers
		hanging, _ := r.dial()
		r.say(hanging, strings.Replace(initialise, "ana", "hang", 1))
		<-r.hang
	}
	r.say(conn, `{"id":"1","type":"complete"}`)
	r.say(conn, `{"type":"ping"}`)
	if got := r.next(conn); got != "pong " {
		t.Errorf("got %s", got)
	}
}
