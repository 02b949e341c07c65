package intel

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Matcher finds indicators in events. It holds about 50 bytes for each, and is safe
// for concurrent use: readers wait for a change only as long as it takes to enter a
// page of it.
type Matcher struct {
	// Now is the clock; time.Now where nil.
	Now func() time.Time

	size    atomic.Int64 // of all tables; 0 is told without the lock
	changed atomic.Int64 // when, in ns since 1970
	mu      sync.RWMutex
	sources sources
	// Addresses and hashes, names and the like, each by its own value.
	address, domain, url, digest, email table
	network                             table
	bits4                               [33]int  // how many networks have such a prefix
	bits6                               [129]int // the same of IPv6
}

// Len is how many indicators are held.
func (m *Matcher) Len() int { return int(m.size.Load()) }

func (m *Matcher) tables() []*table {
	return []*table{&m.address, &m.domain, &m.url, &m.digest, &m.email, &m.network}
}

func (m *Matcher) tableOf(kind monitor.IndicatorKind) *table {
	switch kind {
	case monitor.IndicatorAddress:
		return &m.address
	case monitor.IndicatorNetwork:
		return &m.network
	case monitor.IndicatorDomain:
		return &m.domain
	case monitor.IndicatorURL:
		return &m.url
	case monitor.IndicatorEmail:
		return &m.email
	default:
		return &m.digest
	}
}

// Put takes indicators in as they are now: new ones, changed ones, and those that
// have ended, which are forgotten.
func (m *Matcher) Put(indicators []*monitor.Indicator) {
	now := m.now()
	over := map[monitor.ID]bool{}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range indicators {
		state := i.State(now)
		if state == monitor.IndicatorRevoked || state == monitor.IndicatorExpired {
			over[i.ID] = true
			continue
		}
		m.put(i)
	}
	m.sweep(over)
	m.count()
}

func (m *Matcher) put(i *monitor.Indicator) {
	hash := hashOf(i.Value)
	kind := slices.Index(monitor.IndicatorKinds, i.Kind)
	if kind < 0 {
		return // of a later version of the program
	}
	t := m.tableOf(i.Kind)
	if i.Kind == monitor.IndicatorNetwork || i.Kind == monitor.IndicatorAddress {
		prefix, err := prefixOf(i.Value)
		if err != nil {
			return // no such row is written
		}
		hash = hashOfPrefix(prefix)
		if i.Kind == monitor.IndicatorNetwork {
			defer func(before int) { m.countBits(prefix, t.used-before) }(t.used)
		}
	}
	t.put(hash, entry{
		id: i.ID, from: seconds(i.ValidFrom), until: seconds(i.ValidUntil), source: m.sources.number(i.Source),
		severity: uint8(max(i.Severity.Rank(), 0)), confidence: uint8(min(max(i.Confidence, 0), 100)), //nolint:gosec // bounded
		kind: uint8(kind), subdomains: i.Subdomains, //nolint:gosec // one of eight
	})
}

func (m *Matcher) countBits(p netip.Prefix, n int) {
	if p.Addr().Is4() {
		m.bits4[p.Bits()] += n
	} else {
		m.bits6[p.Bits()] += n
	}
}

// Forget takes indicators out by their ids.
func (m *Matcher) Forget(ids []monitor.ID) {
	gone := make(map[monitor.ID]bool, len(ids))
	for _, id := range ids {
		gone[id] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(gone)
	m.count()
}

// Expire gives back the memory of what is not valid any more; nothing matches it
// even without. It says how many they were.
func (m *Matcher) Expire() int {
	now := seconds(m.now())
	m.mu.Lock()
	defer m.mu.Unlock()
	gone := 0
	for _, t := range m.tables() {
		gone += t.sweep(func(e *entry) bool { return e.until != 0 && e.until <= now })
	}
	if gone > 0 {
		m.count()
	}
	return gone
}

// sweep leaves the counts of prefixes as they are: they may be too high, which costs a
// look-up and nothing else.
func (m *Matcher) sweep(gone map[monitor.ID]bool) {
	if len(gone) == 0 {
		return
	}
	for _, t := range m.tables() {
		t.sweep(func(e *entry) bool { return gone[e.id] })
	}
}

// Reserve makes room for n indicators, so that loading them copies nothing.
func (m *Matcher) Reserve(kinds map[monitor.IndicatorKind]int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for kind, n := range kinds {
		m.tableOf(kind).reserve(n)
	}
}

// Adopt takes over all that another matcher holds, which is not used any more.
func (m *Matcher) Adopt(other *Matcher) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sources = other.sources
	m.address, m.domain, m.url, m.digest, m.email, m.network = other.address, other.domain, other.url, other.digest, other.email, other.network
	m.bits4, m.bits6 = other.bits4, other.bits6
	m.count()
}

// InForce counts by kind what is valid now.
func (m *Matcher) InForce() map[monitor.IndicatorKind]int {
	counts, now := map[monitor.IndicatorKind]int{}, seconds(m.now())
	var of [16]int
	m.mu.RLock()
	for _, t := range m.tables() {
		for i := range t.entries {
			if e := &t.entries[i]; !e.id.IsZero() && e.valid(now) {
				of[e.kind]++
			}
		}
	}
	m.mu.RUnlock()
	for i, kind := range monitor.IndicatorKinds {
		counts[kind] = of[i]
	}
	return counts
}

// ChangedAt is when something was taken in or out last, or all was loaded; zero before.
func (m *Matcher) ChangedAt() time.Time {
	if at := m.changed.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

func (m *Matcher) count() {
	m.changed.Store(m.now().UnixNano())
	n := 0
	for _, t := range m.tables() {
		n += t.used
	}
	m.size.Store(int64(n))
}

func (m *Matcher) now() time.Time {
	if m.Now == nil {
		return time.Now()
	}
	return m.Now()
}

// Match appends the indicators that an event has, each once with all places where it
// stands. What an event has is looked for in its envelope, and in the fields of its
// record that hold hashes, names, URLs and addresses. Of an address, its own
// indicator counts, or else that of the narrowest network around it; of a name, its
// own or that of the nearest domain above; of several sources, the one that warns of
// the worst.
func (m *Matcher) Match(ev *monitor.Event, rec *monitor.Record, dst []monitor.Match) []monitor.Match {
	if m.size.Load() == 0 {
		return dst
	}
	s := search{m: m, now: seconds(m.now()), dst: dst, first: len(dst)}
	m.mu.RLock()
	defer m.mu.RUnlock()
	s.event(ev)
	if m.digest.used+m.domain.used+m.url.used+m.email.used+m.address.used+m.network.used > 0 {
		s.record(rec)
	}
	return s.dst
}

// prefixOf reads an address as the network that is it alone.
func prefixOf(value string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(value); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	return netip.ParsePrefix(value)
}

func hashOfPrefix(p netip.Prefix) uint64 {
	var b [18]byte
	a := p.Addr().As16()
	copy(b[:], a[:])
	b[16] = byte(p.Bits())
	if p.Addr().Is4() {
		b[17] = 4
	}
	return maphash.Bytes(seed, b[:])
}

// parents calls f with a name and the names above it that can be indicators, the
// nearest first, until it gives false.
func parents(name string, f func(suffix string, above bool) bool) {
	if !f(name, false) {
		return
	}
	for {
		dot := strings.IndexByte(name, '.')
		if dot < 0 {
			return
		}
		if name = name[dot+1:]; strings.IndexByte(name, '.') < 0 || !f(name, true) {
			return
		}
	}
}
