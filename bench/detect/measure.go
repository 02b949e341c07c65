package detect

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// result is what one engine did.
type result struct {
	Name     string
	Rules    int           // that it runs
	LoadTime time.Duration // of CPU, from the rules' text to the first event
	Heap     int64         // that the rules take, after a collection
	Sets     []setResult
	Labelled int // events that make their rule fire
	Cases    int // cases of which an event does
}

// setResult is one engine on one set.
type setResult struct {
	Set    string
	Raw    bool // from JSON to hits
	Events int  // how many it came to, the set over and over again
	Hits   float64
	CPU    time.Duration
	Allocs float64 // an event
	Bytes  float64
}

func (r setResult) perSecond() float64 { return float64(r.Events) / r.CPU.Seconds() }

// measure lets an engine run for so long on each set.
func measure(name string, e engine, c *corpus, long time.Duration) (result, error) {
	r := result{Name: name}
	before := heap()
	begun := cpuTime()
	r.Rules = e.load(c.rules)
	r.LoadTime = cpuTime() - begun
	r.Heap = heap() - before
	for _, s := range c.sets {
		e.prepare(s.events)
		if s.name == labelledSet {
			r.Labelled, r.Cases = label(e, s.events)
		}
		each := func(i int) (int, error) { return e.match(i, nil), nil }
		found, err := run(s, long, each)
		if err != nil {
			return r, err
		}
		found.Set = s.name
		r.Sets = append(r.Sets, found)
		own, ours := e.(*secmon)
		if !ours {
			continue
		}
		if found, err = run(s, long, own.matchRaw); err != nil {
			return r, err
		}
		found.Set, found.Raw = s.name, true
		r.Sets = append(r.Sets, found)
	}
	runtime.KeepAlive(e)
	return r, nil
}

// label counts the labelled events that make their rule fire.
func label(e engine, events []*event) (hit, cases int) {
	known := map[string]bool{}
	for i, each := range events {
		found := false
		e.match(i, func(path string) { found = found || path == each.rule })
		if found {
			hit++
			known[each.rule] = true
		}
	}
	return hit, len(known)
}

// run goes through the events again and again until the process has used so
// much CPU, a fifth of that beforehand for caches and the collector's pace. The
// rate is of CPU time, so a busy machine does not show. What the set needs to be
// gone through again is not measured.
func run(s *set, long time.Duration, match func(int) (int, error)) (r setResult, err error) {
	n := len(s.events)
	if n == 0 {
		return r, fmt.Errorf("there are no events")
	}
	at := 0
	var aside usage
	through := func(long time.Duration) (events, hits int, spent time.Duration, err error) {
		begun := cpuTime()
		aside = usage{}
		for batch := 1; spent < long; { // the clock is asked rarely where events are quick
			for range batch {
				found, err := match(at)
				if err != nil {
					return 0, 0, 0, err
				}
				hits += found
				if at = (at + 1) % n; at == 0 {
					aside.of(s.again)
				}
			}
			events += batch
			now := cpuTime() - begun - aside.cpu
			if now-spent < long/1000 {
				batch *= 2
			}
			spent = now
		}
		return events, hits, spent, nil
	}
	runtime.GC()
	if _, _, _, err := through(long / 5); err != nil {
		return r, err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	events, hits, spent, err := through(long)
	if err != nil {
		return r, err
	}
	runtime.ReadMemStats(&after)
	count := float64(events)
	return setResult{
		Events: events, Hits: float64(hits) / count, CPU: spent,
		Allocs: float64(after.Mallocs-before.Mallocs-aside.allocs) / count, Bytes: float64(after.TotalAlloc-before.TotalAlloc-aside.bytes) / count,
	}, nil
}

// usage adds up what is not to be counted.
type usage struct {
	cpu           time.Duration
	allocs, bytes uint64
}

func (u *usage) of(do func()) {
	begun := cpuTime()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	u.allocs += after.Mallocs - before.Mallocs
	u.bytes += after.TotalAlloc - before.TotalAlloc
	u.cpu += cpuTime() - begun
}

// cpuTime is what the process has used, user and system, all threads: the
// collector's work is in it.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no reason to
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
