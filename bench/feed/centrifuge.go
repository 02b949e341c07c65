package feed

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"

	"github.com/security-monitor/secmon/monitor"
)

// relay is centrifuge with one channel for each group. It gets its payloads
// ready made.
type relay struct {
	node    *centrifuge.Node
	batched bool // all events of a commit are one publication

	mu       sync.Mutex
	seq      uint64
	channels map[string]bool // that somebody has subscribed to
}

// newRelay runs until ctx ends.
func newRelay(ctx context.Context, batched bool) (*relay, error) {
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelNone})
	if err != nil {
		return nil, fmt.Errorf("centrifuge: %w", err)
	}
	r := &relay{node: node, batched: batched, channels: map[string]bool{}}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "bench"}}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(e centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) {
			r.mu.Lock()
			r.channels[e.Channel] = true
			r.mu.Unlock()
			reply(centrifuge.SubscribeReply{}, nil)
		})
	})
	if err := node.Run(); err != nil {
		return nil, fmt.Errorf("centrifuge: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = node.Shutdown(context.Background()) })
	return r, nil
}

// handler has the options on that save memory.
func (r *relay) handler() http.Handler {
	return centrifuge.NewWebsocketHandler(r.node, centrifuge.WebsocketConfig{UseWriteBufferPool: true, ProcessCommandsOffReadLoop: true})
}

// commit publishes events to every channel.
func (r *relay) commit(events int) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := time.Now()
	alerts := make([]*monitor.Alert, events)
	for i := range alerts {
		r.seq++
		alerts[i] = newAlert(r.seq, sent)
	}
	size := 1
	if r.batched {
		size = events
	}
	for publication := range slices.Chunk(alerts, size) {
		// The cursor is that of the whole commit; nobody reads it.
		data := answerOf(monitor.Position{Epoch: 1, Seq: r.seq}.Cursor(), publication)
		if err := r.publish(data); err != nil {
			return 0, err
		}
	}
	return r.seq, nil
}

// publish sends data to every channel. Callers hold mu.
func (r *relay) publish(data []byte) error {
	for channel := range r.channels {
		if _, err := r.node.Publish(channel, data); err != nil {
			return fmt.Errorf("centrifuge: publish: %w", err)
		}
	}
	return nil
}
