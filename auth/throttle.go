package auth

import (
	"math"
	"sync"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// After freeFailures wrong passwords for a name or from an address each further
// one makes the next try wait twice as long, up to maxWait. A quiet maxWait
// forgets them.
const (
	freeFailures = 5
	maxWait      = 15 * time.Minute
	maxThrottled = 10_000 // names and addresses kept; beyond it the longest quiet go first
)

// throttle slows down guessing. It counts in this process: with n replicas a
// guesser has n times as many tries.
type throttle struct {
	now func() time.Time

	mu       sync.Mutex
	failures map[string]*failure
}

type failure struct {
	count int
	last  time.Time
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, failures: map[string]*failure{}}
}

func keysOf(name, address string) []string { return []string{"name " + name, "address " + address} }

// check gives RATE_LIMITED while the name or the address has to wait.
func (t *throttle) check(name, address string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var wait time.Duration
	for _, key := range keysOf(name, address) {
		if f := t.failures[key]; f != nil && f.count >= freeFailures {
			pause := min(maxWait, time.Second<<min(f.count-freeFailures, 20))
			wait = max(wait, pause-t.now().Sub(f.last))
		}
	}
	if wait <= 0 {
		return nil
	}
	seconds := int(math.Ceil(wait.Seconds()))
	err := monitor.Errorf(monitor.CodeRateLimited, "too many wrong passwords; try again in %d seconds", seconds)
	err.Details = map[string]any{"retryAfter": seconds}
	return err
}

func (t *throttle) failed(name, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if len(t.failures) > maxThrottled {
		t.forget(now)
	}
	for _, key := range keysOf(name, address) {
		f := t.failures[key]
		if f == nil || now.Sub(f.last) > maxWait {
			f = &failure{}
			t.failures[key] = f
		}
		f.count++
		f.last = now
	}
}

// forget makes room: first what has been quiet, then, under a flood, everything.
func (t *throttle) forget(now time.Time) {
	for key, f := range t.failures {
		if now.Sub(f.last) > maxWait {
			delete(t.failures, key)
		}
	}
	if len(t.failures) > maxThrottled {
		for key, f := range t.failures {
			if f.count < freeFailures {
				delete(t.failures, key)
			}
		}
	}
	if len(t.failures) > 2*maxThrottled {
		clear(t.failures)
	}
}

func (t *throttle) succeeded(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.failures, "name "+name)
}
