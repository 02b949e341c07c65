package resolvers

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/security-monitor/secmon/monitor"
)

// state is an entity behind a change and before it. Nobody alters it.
type state[T any] struct {
	action        string
	after, before *T
}

// stateCache keeps what the newest entries say of entities of one kind, so that
// an entry is read once for all feeds and not once for each.
type stateCache[T any] struct {
	mu    sync.Mutex
	kept  map[[32]byte][]state[T] // by the entry's hash: numbers come again after a failover
	order [][32]byte
	size  int
}

const maxCachedStates = 2_000

// load gives the states of the entities of a kind that an entry changed.
func (c *stateCache[T]) load(kind monitor.Kind, e monitor.Entry) ([]state[T], error) {
	c.mu.Lock()
	states, ok := c.kept[e.Hash]
	c.mu.Unlock()
	if ok {
		return states, nil
	}
	for _, change := range e.Body.Changes {
		if change.Kind != kind {
			continue
		}
		after, before, err := monitor.States[T](change)
		if err != nil {
			return nil, err
		}
		states = append(states, state[T]{change.Action, after, before})
	}
	c.keep(e.Hash, states)
	return states, nil
}

func (c *stateCache[T]) keep(hash [32]byte, states []state[T]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[[32]byte][]state[T]{}
	}
	if _, ok := c.kept[hash]; ok || hash == [32]byte{} {
		return
	}
	c.kept[hash] = states
	c.order = append(c.order, hash)
	c.size += 1 + len(states)
	for c.size > maxCachedStates && len(c.order) > 1 {
		c.size -= 1 + len(c.kept[c.order[0]])
		delete(c.kept, c.order[0])
		c.order = c.order[1:]
	}
}

// batchCache keeps the events of the newest batches, so that many feeds read a
// batch from the database once.
type batchCache struct {
	flight singleflight.Group
	mu     sync.Mutex
	kept   map[monitor.ID][]*monitor.Event
	order  []monitor.ID
	events int
}

const maxCachedEvents = 5_000

func (c *batchCache) load(ctx context.Context, store Events, batch monitor.ID) ([]*monitor.Event, error) {
	c.mu.Lock()
	events, ok := c.kept[batch]
	c.mu.Unlock()
	if ok {
		return events, nil
	}
	loaded, err, _ := c.flight.Do(batch.String(), func() (any, error) {
		// Not the first asker's context: its leaving must not fail the others.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		events, err := store.EventsOfBatch(ctx, batch)
		if err == nil {
			c.keep(batch, events)
		}
		return events, err
	})
	if err != nil {
		return nil, err
	}
	events, _ = loaded.([]*monitor.Event)
	return events, nil
}

func (c *batchCache) keep(batch monitor.ID, events []*monitor.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[monitor.ID][]*monitor.Event{}
	}
	if _, ok := c.kept[batch]; ok {
		return
	}
	c.kept[batch] = events
	c.order = append(c.order, batch)
	c.events += len(events)
	for c.events > maxCachedEvents && len(c.order) > 1 {
		c.events -= len(c.kept[c.order[0]])
		delete(c.kept, c.order[0])
		c.order = c.order[1:]
	}
}
