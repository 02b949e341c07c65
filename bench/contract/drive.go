package contract

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// sample is what one request took.
type sample struct {
	operation *operation
	took      time.Duration
	err       error
}

// maxInFlight bounds the requests under way; beyond it one fails without being sent.
const maxInFlight = 2_000

// openLoop sends requests of the mix at a rate, whether answers come or not, and
// counts each from the moment when it was due: what waits behind a slow answer
// is not left out (no coordinated omission).
func openLoop(ctx context.Context, c *client, ops []*operation, v variables, rate float64, duration time.Duration, seed uint64) []sample {
	r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a mix
	n := int(rate * duration.Seconds())
	samples := make([]sample, n)
	places := make(chan struct{}, maxInFlight)
	var all sync.WaitGroup
	begun := time.Now()
	for i := range n {
		op := choose(r, ops)
		body := op.body(r, v)
		due := begun.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		select {
		case <-ctx.Done():
			samples[i] = sample{op, 0, ctx.Err()}
			continue
		case <-time.After(time.Until(due)):
		}
		select {
		case places <- struct{}{}:
		default:
			samples[i] = sample{op, time.Since(due), fmt.Errorf("%d requests were under way", maxInFlight)}
			continue
		}
		all.Go(func() {
			_, err := c.post(ctx, body)
			samples[i] = sample{op, time.Since(due), err}
			<-places
		})
	}
	all.Wait()
	return samples
}

// figures sum samples up.
type figures struct {
	requests, errors   int
	p50, p95, p99, max time.Duration
	firstError         error
}

func sumUp(samples []sample) figures {
	f := figures{requests: len(samples)}
	took := make([]time.Duration, 0, len(samples))
	for _, s := range samples {
		took = append(took, s.took)
		if s.err != nil {
			f.errors++
			f.firstError = s.err
		}
	}
	if len(took) == 0 {
		return f
	}
	slices.Sort(took)
	f.p50, f.p95, f.p99, f.max = quantile(took, 0.5), quantile(took, 0.95), quantile(took, 0.99), took[len(took)-1]
	return f
}

func of(samples []sample, op *operation) (out []sample) {
	for _, s := range samples {
		if s.operation == op {
			out = append(out, s)
		}
	}
	return out
}

// cost is the CPU time that a request takes.
type cost struct {
	operation        *operation
	server, database time.Duration
	took             time.Duration // median
	bytes            int
}

// costs sends n requests of each operation, one after the other.
func costs(ctx context.Context, c *client, ops []*operation, v variables, n, server, database int) ([]cost, error) {
	r := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // a mix
	var out []cost
	for _, op := range ops {
		each := cost{operation: op}
		var took []time.Duration
		before, err := cpuOf(server)
		if err != nil {
			return nil, err
		}
		beforeDB, err := cpuOf(database)
		if err != nil {
			return nil, err
		}
		for range n {
			body := op.body(r, v)
			begun := time.Now()
			answer, err := c.post(ctx, body)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", op.Name, err)
			}
			took = append(took, time.Since(begun))
			each.bytes += len(answer) / n
		}
		after, err := cpuOf(server)
		if err != nil {
			return nil, err
		}
		afterDB, err := cpuOf(database)
		if err != nil {
			return nil, err
		}
		slices.Sort(took)
		each.server, each.database, each.took = (after-before)/time.Duration(n), (afterDB-beforeDB)/time.Duration(n), took[len(took)/2]
		out = append(out, each)
	}
	return out, nil
}
