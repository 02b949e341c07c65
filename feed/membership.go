package feed

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Member takes the messages of one subscription.
type Member interface {
	// Deliver hands over a frame and does not wait. It is false, and nothing was
	// taken, when too much of what came before still waits to be sent.
	Deliver(f *Frame) bool
	// Ready is closed when Deliver is worth another try, or the member has left.
	Ready() <-chan struct{}
	// End says that nothing more comes: nil when the operation is complete,
	// context.Canceled when the server stops, otherwise the reason.
	End(err error)
}

// Membership is one subscriber's place in a group: attached, at the group's
// position, or behind and paging after it. The slow, the new and those who come
// back are the same.
type Membership struct {
	group *Group
	out   Member

	// The group's mu guards these.
	at     monitor.Position // while behind: what it has
	index  int              // in group.members, -1 while behind
	left   bool
	behind time.Time // since when it is, zero while attached
	seen   *Frame    // of a latest group: the newest that it was given
	told   bool      // End was called
}

// Leave ends the membership; nothing is delivered after it returns, but what is
// being delivered in this moment. It may be called more than once.
func (m *Membership) Leave() {
	g := m.group
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.left {
		return
	}
	m.left = true
	if m.index >= 0 {
		g.detach(m)
	}
	g.release()
	g.hub.Stats.Members.Add(-1)
}

// Position is what the subscriber has been given, and since when it has been
// behind its group; zero time when it is not.
func (m *Membership) Position() (at monitor.Position, behind time.Time) {
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	if m.index >= 0 {
		return m.group.pos, time.Time{}
	}
	return m.at, m.behind
}

// follow brings a new member to the group's position and attaches it. The first
// thing that it gets tells a position.
func (m *Membership) follow() { m.catchUp(true) }

// resume does so for one that fell behind, once it has room again.
func (m *Membership) resume() {
	if m.waitReady() {
		m.catchUp(false)
	}
}

func (m *Membership) catchUp(greet bool) {
	for {
		step := m.look(greet)
		switch {
		case step.over:
			m.tellEnd()
			return
		case step.attached:
			return
		case step.wait != nil:
			<-step.wait // closed too when the group ends
			continue
		}
		frame, err := step.frame, error(nil)
		switch {
		case frame != nil:
		case step.greet:
			frame, err = m.group.greet(step.from)
		default:
			frame, err = m.group.page(step.from, step.to)
		}
		if err != nil {
			m.fail(err)
			return
		}
		if len(frame.Payloads) > 0 {
			if !m.give(frame) {
				return
			}
			greet = false
		}
		m.reached(frame)
	}
}

// step is what a member that is behind has to do next.
type step struct {
	over, attached bool
	wait           <-chan struct{}
	frame          *Frame
	greet          bool
	from           monitor.Position
	to             uint64
}

func (m *Membership) look(greet bool) step {
	g := m.group
	g.mu.Lock()
	defer g.mu.Unlock()
	latest := g.latest != nil
	switch {
	case m.left, g.ended && (!latest || g.newest == m.seen):
		return step{over: true}
	case latest && g.newest != m.seen:
		return step{frame: g.newest}
	case latest:
		g.attach(m)
		return step{attached: true}
	case m.at.Seq > g.pos.Seq: // the cursor is of a replica that was further
		return step{wait: g.moved}
	case m.at.Seq >= g.quiet:
		m.at = g.pos
	}
	if m.at.Seq < g.pos.Seq {
		block := (m.at.Seq/pageEntries + 1) * pageEntries
		return step{from: m.at, to: min(block, g.pos.Seq)}
	}
	if greet {
		return step{greet: true, from: m.at}
	}
	g.attach(m)
	return step{attached: true}
}

// reached notes that the member has a frame.
func (m *Membership) reached(f *Frame) {
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	if m.group.latest != nil {
		m.seen = f
		return
	}
	m.at = f.To
}

// give hands a frame over, waiting until the member has room; false when it left.
func (m *Membership) give(f *Frame) bool {
	for !m.out.Deliver(f) {
		if !m.waitReady() {
			return false
		}
	}
	m.group.hub.Stats.Deliveries.Add(int64(len(f.Payloads)))
	return !m.gone()
}

// waitReady waits for room; false when the member left or the server stops.
func (m *Membership) waitReady() bool {
	select {
	case <-m.out.Ready():
		return !m.gone()
	case <-m.group.hub.ctx.Done():
		m.tellEnd()
		return false
	}
}

func (m *Membership) gone() bool {
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	return m.left
}

// fail ends this membership alone, unless the group has ended.
func (m *Membership) fail(err error) {
	m.group.mu.Lock()
	if m.group.ended {
		err = m.group.end
	}
	m.group.mu.Unlock()
	m.tell(err)
}

func (m *Membership) tellEnd() {
	m.group.mu.Lock()
	err := m.group.end
	if !m.group.ended {
		err = context.Canceled
	}
	m.group.mu.Unlock()
	m.tell(err)
}

// tell says once that nothing more comes.
func (m *Membership) tell(err error) {
	m.group.mu.Lock()
	again := m.told || m.left
	m.told = true
	m.group.mu.Unlock()
	if !again {
		m.out.End(err)
	}
}
