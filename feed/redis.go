package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/security-monitor/secmon/monitor"
)

// maxPublished is the largest message; beyond it only the number is sent, and
// the replicas read the journal.
const maxPublished = 64 << 10

// RedisBus is a Bus over Redis pub/sub. Redis keeps nothing.
type RedisBus struct {
	client  *redis.Client
	channel string
	lg      *slog.Logger
}

// NewRedisBus connects lazily to a Redis URL (redis://, rediss://, unix://).
// Replicas with the same channel hear each other.
func NewRedisBus(url, channel string, lg *slog.Logger) (*RedisBus, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("redis URL: %w", err)
	}
	// A publisher in a transaction's wake must not wait for a dead Redis.
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = time.Second, time.Second, time.Second
	options.MaxRetries, options.PoolSize, options.ContextTimeoutEnabled = -1, 4, true
	return &RedisBus{client: redis.NewClient(options), channel: channel, lg: lg}, nil
}

// Close ends all connections.
func (b *RedisBus) Close() error { return b.client.Close() }

// Ping gives an error when Redis does not answer.
func (b *RedisBus) Ping(ctx context.Context) error { return b.client.Ping(ctx).Err() }

type redisMessage struct {
	Epoch   uint64       `json:"epoch"`
	Seq     uint64       `json:"seq"`
	Entries []redisEntry `json:"entries,omitempty"`
}

type redisEntry struct {
	Seq  uint64          `json:"seq"`
	Hash []byte          `json:"hash"`
	Body json.RawMessage `json:"body"`
}

// Publish tells all replicas.
func (b *RedisBus) Publish(ctx context.Context, epoch uint64, entries []monitor.Entry) error {
	m := redisMessage{Epoch: epoch, Seq: entries[len(entries)-1].Seq}
	size := 0
	for i := range entries {
		size += sizeOf(&entries[i])
	}
	if size <= maxPublished {
		for _, e := range entries {
			body, err := json.Marshal(e.Body)
			if err != nil {
				return fmt.Errorf("encode feed message: %w", err)
			}
			m.Entries = append(m.Entries, redisEntry{Seq: e.Seq, Hash: e.Hash[:], Body: body})
		}
	}
	payload, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode feed message: %w", err)
	}
	return b.client.Publish(ctx, b.channel, payload).Err()
}

// Listen subscribes, and subscribes again when the connection breaks, with
// jittered backoff up to two seconds.
func (b *RedisBus) Listen(ctx context.Context, receive func(Message), up func(bool)) {
	backoff := 50 * time.Millisecond
	for ctx.Err() == nil {
		heard := b.listenOnce(ctx, receive, up)
		up(false)
		if heard {
			backoff = 50 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-time.After(backoff/2 + rand.N(backoff)): //nolint:gosec // jitter
		}
		backoff = min(2*backoff, 2*time.Second)
	}
}

// listenOnce holds one subscription until it breaks; heard tells whether it stood.
func (b *RedisBus) listenOnce(ctx context.Context, receive func(Message), up func(bool)) (heard bool) {
	sub := b.client.Subscribe(ctx, b.channel)
	stop := context.AfterFunc(ctx, func() { _ = sub.Close() })
	defer func() {
		if stop() {
			_ = sub.Close()
		}
	}()
	for {
		got, err := sub.ReceiveTimeout(ctx, 5*time.Second)
		if err != nil {
			if isTimeout(err) && sub.Ping(ctx) == nil {
				continue // silence: the pong or the next error tells
			}
			if ctx.Err() == nil {
				b.lg.Debug("feed: redis subscription broke", "error", err)
			}
			return heard
		}
		switch got := got.(type) {
		case *redis.Subscription:
			heard = true
			up(true)
		case *redis.Message:
			b.deliver(got.Payload, receive)
		}
	}
}

func (b *RedisBus) deliver(payload string, receive func(Message)) {
	var m redisMessage
	if err := json.Unmarshal([]byte(payload), &m); err != nil {
		b.lg.Warn("feed: unreadable message on redis", "error", err)
		return
	}
	out := Message{Epoch: m.Epoch, Seq: m.Seq, Entries: make([]Arrival, len(m.Entries))}
	for i, e := range m.Entries {
		out.Entries[i] = Arrival{Entry: monitor.Entry{Seq: e.Seq}, Raw: e.Body}
		copy(out.Entries[i].Hash[:], e.Hash)
		if err := json.Unmarshal(e.Body, &out.Entries[i].Body); err != nil {
			b.lg.Warn("feed: unreadable message on redis", "error", err)
			return
		}
	}
	receive(out)
}

func isTimeout(err error) bool {
	timeout, ok := err.(interface{ Timeout() bool }) //nolint:errorlint // net.Error as go-redis gives it
	return ok && timeout.Timeout()
}
