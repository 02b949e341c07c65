package feed

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Payload is one encoded message, shared by all who get it: never changed.
type Payload struct {
	Body []byte
	// Cursor is the position that a subscriber has reached with this message. Of
	// several messages made from one page only the last moves it: who stops in
	// between gets some content again, and nothing never.
	Cursor string
}

// Renderer executes an operation on pages of the journal. It keeps nothing from
// page to page. It is not used concurrently.
type Renderer interface {
	// Render gives the messages of a page: none where nothing in it concerns the
	// subscribers, several where one would be too large.
	Render(ctx context.Context, page monitor.JournalPage) ([]Payload, error)
	Close()
}

// Frame is what a page became.
type Frame struct {
	From     monitor.Position // the page holds the entries behind From
	To       monitor.Position // up to To
	Payloads []Payload

	oldest time.Time // when the first of its entries was written; zero without one
}

func (f *Frame) bytes() int {
	n := 128
	for i := range f.Payloads {
		n += 64 + len(f.Payloads[i].Body)
	}
	return n
}

// frameCache keeps the newest frames of all groups together, up to a number of
// bytes, so that a crowd that reconnects is served what was rendered before.
// Callers hold the hub's cache lock.
type frameCache struct {
	frames map[frameKey]*Frame
	order  []frameKey // oldest first
	bytes  int
	limit  int
}

type frameKey struct {
	group *Group
	from  uint64
}

func newFrameCache(limit int) *frameCache {
	return &frameCache{frames: map[frameKey]*Frame{}, limit: limit}
}

func (c *frameCache) get(g *Group, from uint64) *Frame { return c.frames[frameKey{g, from}] }

func (c *frameCache) put(g *Group, f *Frame) {
	key := frameKey{g, f.From.Seq}
	if _, ok := c.frames[key]; ok || f.bytes() > c.limit {
		return // the first one is as good; one that is too large goes to those who are there
	}
	c.frames[key] = f
	c.order = append(c.order, key)
	c.bytes += f.bytes()
	for c.bytes > c.limit {
		c.drop(c.order[0])
		c.order = c.order[1:]
	}
}

func (c *frameCache) drop(key frameKey) {
	if f, ok := c.frames[key]; ok {
		c.bytes -= f.bytes()
		delete(c.frames, key)
	}
}

// forget drops all frames of a group that is closed.
func (c *frameCache) forget(g *Group) {
	kept := c.order[:0]
	for _, key := range c.order {
		if key.group == g {
			c.drop(key)
			continue
		}
		kept = append(kept, key)
	}
	clear(c.order[len(kept):])
	c.order = kept
}
