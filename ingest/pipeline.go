package ingest

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/trace"
)

// Store keeps a batch: all of it, with its alerts and the journal entry, or
// nothing and an error. It leaves out parts that came before, and says so in them.
type Store interface {
	StoreBatch(ctx context.Context, b *monitor.Batch) (monitor.ID, error)
}

// Detector appends the rules that a record makes fire. Safe for concurrent use.
type Detector interface {
	Match(rec *monitor.Record, dst []monitor.Match) []monitor.Match
}

// Indicators appends what sources of threat intelligence warn of and an event has.
// Safe for concurrent use.
type Indicators interface {
	Match(ev *monitor.Event, rec *monitor.Record, dst []monitor.Match) []monitor.Match
}

// How requests are gathered into transactions: a committer takes what has come
// up to these bounds, and waits gatherTime for company.
const (
	gatherTime   = 3 * time.Millisecond
	gatherEvents = 2_000
	gatherBytes  = 4 << 20
	commitTime   = 30 * time.Second
	committers   = 2
	maxWaiting   = 256 // requests before the committers; what comes beyond waits for its own deadline
)

// Pipeline turns batches of several requests into few transactions. It owns its
// committers: Close waits for them.
type Pipeline struct {
	store Store
	lg    *slog.Logger
	meter Meter
	jobs  chan *job
	stop  chan struct{} // closed by Close
	done  sync.WaitGroup
}

// job is one request's batch on its way. A committer that takes it gives exactly
// one answer to done; a job that its sender left before that is never stored.
type job struct {
	ctx   context.Context // of the request's trace
	batch *monitor.Batch
	bytes int
	done  chan outcome
	state atomic.Int32 // waiting, then taken or abandoned
}

const (
	waiting int32 = iota
	taken
	abandoned
)

// abandon tells whether the job was still waiting. Then nobody will store it,
// and its memory is free while the empty job goes through the queue.
func (j *job) abandon() bool {
	if !j.state.CompareAndSwap(waiting, abandoned) {
		return false
	}
	j.batch = nil
	return true
}

type outcome struct {
	batch monitor.ID
	err   error
}

// NewPipeline starts the committers. meter may be nil.
func NewPipeline(store Store, lg *slog.Logger, meter Meter) *Pipeline {
	if meter == nil {
		meter = noMeter{}
	}
	p := &Pipeline{store: store, lg: lg, meter: meter, jobs: make(chan *job, maxWaiting), stop: make(chan struct{})}
	for range committers {
		p.done.Go(p.commitAll)
	}
	return p
}

// Close stops the committers after what they have in hand. Submit then fails
// with UNAVAILABLE.
func (p *Pipeline) Close() {
	close(p.stop)
	p.done.Wait()
}

// Waiting is how many requests wait for a committer; Places how many can before
// senders are held up.
func (p *Pipeline) Waiting() int { return len(p.jobs) }

// Places is the bound of Waiting.
func (p *Pipeline) Places() int { return cap(p.jobs) }

// Submit stores a batch, together with those of other requests, and gives the
// id of the stored batch once the transaction is committed. An error means that
// nothing of it was stored, unless it is monitor.ErrOutcomeUnknown. When ctx ends
// while the batch waits, it is not stored; when the transaction has begun, Submit
// waits for its end, which commitTime bounds.
func (p *Pipeline) Submit(ctx context.Context, b *monitor.Batch) (monitor.ID, error) {
	ctx, span := trace.Start(ctx, "ingest submit") // wait for company, and for the transaction
	defer span.End()
	j := &job{ctx: trace.Only(ctx), batch: b, done: make(chan outcome, 1)}
	for _, e := range b.Events {
		j.bytes += len(e.Raw)
	}
	select {
	case p.jobs <- j:
	case <-p.stop:
		return monitor.ID{}, errStopping
	case <-ctx.Done():
		return monitor.ID{}, context.Cause(ctx)
	}
	var left error
	select {
	case o := <-j.done:
		return o.batch, o.err
	case <-ctx.Done():
		left = context.Cause(ctx)
	case <-p.stop:
		left = errStopping
	}
	if j.abandon() {
		return monitor.ID{}, left
	}
	o := <-j.done
	return o.batch, o.err
}

var errStopping = monitor.Errorf(monitor.CodeUnavailable, "the server is stopping; send the request again")

func (p *Pipeline) commitAll() {
	for {
		select {
		case <-p.stop:
			return
		case first := <-p.jobs:
			if first.state.CompareAndSwap(waiting, taken) {
				p.commit(p.gather(first))
			}
		}
	}
}

// gather takes the jobs that come with or shortly after the first.
func (p *Pipeline) gather(first *job) []*job {
	jobs := []*job{first}
	events, bytes := len(first.batch.Events), first.bytes
	timer := time.NewTimer(gatherTime)
	defer timer.Stop()
	for events < gatherEvents && bytes < gatherBytes {
		select {
		case j := <-p.jobs:
			if !j.state.CompareAndSwap(waiting, taken) {
				continue
			}
			jobs = append(jobs, j)
			events += len(j.batch.Events)
			bytes += j.bytes
		case <-timer.C:
			return jobs
		case <-p.stop:
			return jobs
		}
	}
	return jobs
}

// commit stores jobs in one transaction. When that fails for a reason that may
// lie in one of them, each is tried alone, so that one request's trouble is not
// its neighbours'. One that may have been committed is not tried again here:
// that would store everything twice.
func (p *Pipeline) commit(jobs []*job) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	all := merge(jobs)
	ctx, span := join(ctx, jobs)
	defer span.End()
	begun := time.Now()
	id, err := p.store.StoreBatch(ctx, all)
	p.meter.Committed(len(all.Events), len(jobs), time.Since(begun), err == nil)
	span.Count("secmon.events", len(all.Events))
	span.Count("secmon.requests", len(jobs))
	if err != nil && len(jobs) > 1 && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, monitor.ErrOutcomeUnknown) {
		p.lg.Warn("ingest: joint transaction failed, storing each request alone", "requests", len(jobs), "error", err)
		for _, j := range jobs {
			p.commit([]*job{j})
		}
		return
	}
	if err != nil {
		span.Fail("not stored")
		p.lg.Error("ingest: not stored", "requests", len(jobs), "error", err)
	}
	for _, j := range jobs {
		j.done <- outcome{batch: id, err: err}
	}
}

// join begins the span of a transaction in the trace of its first request that has
// one.
func join(ctx context.Context, jobs []*job) (context.Context, trace.Span) {
	if len(jobs) == 1 {
		return trace.Join(ctx, []context.Context{jobs[0].ctx}, "ingest commit")
	}
	requests := make([]context.Context, len(jobs))
	for i, j := range jobs {
		requests[i] = j.ctx
	}
	return trace.Join(ctx, requests, "ingest commit")
}

// merge puts the batches of jobs one behind the other.
func merge(jobs []*job) *monitor.Batch {
	if len(jobs) == 1 {
		return jobs[0].batch
	}
	all := &monitor.Batch{}
	named := slices.ContainsFunc(jobs, func(j *job) bool { return len(j.batch.Parts) > 0 })
	for _, j := range jobs {
		if all.Parts = append(all.Parts, j.batch.Parts...); named && len(j.batch.Parts) == 0 {
			all.Parts = append(all.Parts, &monitor.Part{Events: len(j.batch.Events)})
		}
		offset := len(all.Events)
		all.Events = append(all.Events, j.batch.Events...)
		for _, f := range j.batch.Findings {
			f.Event += offset
			all.Findings = append(all.Findings, f)
		}
		for _, s := range j.batch.Samples {
			s.Event += offset
			all.Samples = append(all.Samples, s)
		}
	}
	return all
}
