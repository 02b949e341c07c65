package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/security-monitor/secmon/monitor"
)

// maxPublished is the largest message; beyond it only the number is sent, and
// the replicas read the journal.
const maxPublished = 64 << 10

// A subscription is pinged all the time and given up when three pings went by
// without a sign of life: a connection that hangs is no connection. Between two
// subscriptions the pause doubles from the shortest to the longest; one that
// stood for a while begins anew.
const (
	redisPing     = time.Second
	redisSilent   = 3 // pings
	shortestPause = 50 * time.Millisecond
	longestPause  = 2 * time.Second
	redisSteady   = 10 * time.Second
	redisPublish  = 2 * time.Second // longest that one message may take
)

var (
	errRedisSilent = errors.New("nothing came on the subscription, not even an answer to a ping")
	errRedisMoved  = errors.New("the server ended the subscription: the channel's slot has moved")
)

// RedisBus is a Bus over Redis pub/sub: plain on one server, sharded on a
// cluster. Redis keeps nothing.
type RedisBus struct {
	client  redis.UniversalClient
	cluster *redis.ClusterClient // the same client where it is one of a cluster
	channel string
	secret  *secret
	failed  atomic.Int64
	asking  asking
	lg      *slog.Logger
}

// NewRedisBus prepares to use a Redis; it connects when something is to be said
// or heard. It fails where the options contradict themselves or name files that
// cannot be read. No error of a bus, and nothing that it logs, has the password.
func NewRedisBus(o RedisOptions) (*RedisBus, error) {
	b := &RedisBus{channel: o.Channel, lg: o.Log, secret: &secret{file: o.PasswordFile}}
	b.asking.questions = make(chan note, maxQuestions)
	if err := b.connect(o); err != nil {
		return nil, err
	}
	return b, nil
}

// Close ends all connections.
func (b *RedisBus) Close() error { return b.client.Close() }

// Failures counts the messages that could not be published and the subscriptions
// that ended.
func (b *RedisBus) Failures() int64 { return b.failed.Load() }

// Ping gives an error when Redis does not answer.
func (b *RedisBus) Ping(ctx context.Context) error { return b.secret.hide(b.client.Ping(ctx).Err()) }

type redisMessage struct {
	Epoch   uint64       `json:"epoch,omitempty"`
	Seq     uint64       `json:"seq,omitempty"`
	Entries []redisEntry `json:"entries,omitempty"`
	Note    *note        `json:"note,omitempty"` // instead of all else
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
	ctx, cancel := context.WithTimeout(ctx, redisPublish)
	defer cancel()
	if b.cluster != nil {
		err := b.cluster.SPublish(ctx, b.channel, payload).Err()
		if err != nil {
			b.failed.Add(1)
			b.cluster.ReloadState(ctx) // who has the slot now
		}
		return b.secret.hide(err)
	}
	if err := b.client.Publish(ctx, b.channel, payload).Err(); err != nil {
		b.failed.Add(1)
		return b.secret.hide(err)
	}
	return nil
}

// Listen subscribes, and subscribes again when the connection breaks or the
// server ends the subscription, with jittered backoff. up(true) is said when the
// server has confirmed a subscription, up(false) when that one is over.
func (b *RedisBus) Listen(ctx context.Context, receive func(Message), up func(bool)) {
	link := link{up: up, lg: b.lg}
	defer link.set(false)
	var answering sync.WaitGroup
	defer answering.Wait()
	answering.Go(func() { b.answerAll(ctx) })
	for pause := shortestPause; ctx.Err() == nil; pause = min(2*pause, longestPause) {
		begun := time.Now()
		err := b.listenOnce(ctx, receive, &link)
		if ctx.Err() != nil {
			return
		}
		b.failed.Add(1)
		link.broke(b.secret.hide(err))
		if time.Since(begun) > redisSteady {
			pause = shortestPause
		}
		if b.cluster != nil {
			b.cluster.ReloadState(ctx) // who has the slot now
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // jitter
		}
	}
}

// listenOnce holds one subscription until it is over, and says why it is.
func (b *RedisBus) listenOnce(ctx context.Context, receive func(Message), link *link) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	sub, err := b.subscribe(ctx)
	if err != nil {
		_ = sub.Close()
		return err
	}
	var heard atomic.Bool
	var watch sync.WaitGroup
	watch.Go(func() { watchSubscription(ctx, end, sub, &heard) })
	defer watch.Wait()
	defer end(nil)
	for {
		got, err := sub.Receive(ctx)
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return err
		}
		heard.Store(true)
		switch got := got.(type) {
		case *redis.Subscription:
			if got.Kind == "unsubscribe" || got.Kind == "sunsubscribe" {
				return errRedisMoved
			}
			link.set(true)
		case *redis.Message:
			b.deliver(got.Payload, receive)
		}
	}
}

// subscribe asks for the channel. The two steps are for the error: the library
// drops that of a Subscribe with channels.
func (b *RedisBus) subscribe(ctx context.Context) (*redis.PubSub, error) {
	if b.cluster != nil {
		sub := b.cluster.SSubscribe(ctx)
		return sub, sub.SSubscribe(ctx, b.channel)
	}
	sub := b.client.Subscribe(ctx)
	return sub, sub.Subscribe(ctx, b.channel)
}

// watchSubscription closes a subscription, which ends the read that waits on it,
// when ctx ends or nothing is heard any more.
func watchSubscription(ctx context.Context, end context.CancelCauseFunc, sub *redis.PubSub, heard *atomic.Bool) {
	defer sub.Close() //nolint:errcheck // it is over either way
	tick := time.NewTicker(redisPing)
	defer tick.Stop()
	for silent := 0; silent < redisSilent; silent++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if heard.Swap(false) {
			silent = -1
		}
		_ = sub.Ping(ctx) // the read, or the lack of an answer, tells
	}
	end(errRedisSilent)
}

// link tells of each change of whether messages can arrive, once.
type link struct {
	up      func(bool)
	lg      *slog.Logger
	isUp    bool
	failing bool // the log was told
}

func (l *link) set(up bool) {
	if up && l.failing {
		l.lg.Info("feed: redis is back")
		l.failing = false
	}
	if up != l.isUp {
		l.isUp = up
		l.up(up)
	}
}

func (l *link) broke(err error) {
	l.set(false)
	if l.failing {
		l.lg.Debug("feed: redis subscription failed again", "error", err)
		return
	}
	l.failing = true
	l.lg.Warn("feed: no redis subscription, polling the journal until there is one", "error", err)
}

func (b *RedisBus) deliver(payload string, receive func(Message)) {
	var m redisMessage
	if err := json.Unmarshal([]byte(payload), &m); err != nil {
		b.lg.Warn("feed: unreadable message on redis", "error", err)
		return
	}
	if m.Note != nil {
		b.hear(*m.Note)
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
