package transport

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// lateHijacker does something in the moment in which a request becomes a socket.
type lateHijacker struct {
	http.ResponseWriter
	meanwhile func()
}

func (w lateHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.meanwhile()
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Regression: a socket that was upgraded when the server began to stop was closed
// without a word; its client saw an accident (1006), not a restart.
func TestSocketThatComesTooLateIsTold(t *testing.T) {
	for _, tt := range []struct {
		reason    string
		meanwhile func(*Server)
		code      int
	}{
		{"the server begins to stop", func(s *Server) { s.stopping.Store(true) }, websocket.CloseServiceRestart},
		{"the last place is taken", func(s *Server) { s.Limits.Total = 0 }, websocket.CloseTryAgainLater},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			s := newServer(t)
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				WebSocket{Server: s}.Do(lateHijacker{w, func() { tt.meanwhile(s) }}, r, nil)
			}))
			defer web.Close()
			dialer := websocket.Dialer{Subprotocols: []string{subprotocol}}
			conn, response, err := dialer.DialContext(t.Context(), strings.Replace(web.URL, "http", "ws", 1), nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			defer conn.Close() //nolint:errcheck // a test
			if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"connection_init"}`)); err != nil {
				t.Fatal(err)
			}
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, _, err = conn.ReadMessage()
			var closed *websocket.CloseError
			if !errors.As(err, &closed) || closed.Code != tt.code {
				t.Errorf("%s: the client saw %v, want %d", tt.reason, err, tt.code)
			}
		})
	}
}
