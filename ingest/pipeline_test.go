package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

// fakeStore keeps the hosts of what it stores; it fails a batch as told.
type fakeStore struct {
	mu     sync.Mutex
	fail   func(*monitor.Batch) error
	stored []string
	calls  int
}

func (s *fakeStore) StoreBatch(_ context.Context, b *monitor.Batch) (monitor.ID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if err := s.fail(b); err != nil {
		return monitor.ID{}, err
	}
	for _, f := range b.Findings {
		if b.Events[f.Event].Host != f.Rule.Title {
			return monitor.ID{}, errors.New("a finding points to another request's event")
		}
	}
	for _, e := range b.Events {
		s.stored = append(s.stored, e.Host)
	}
	return monitor.ID{1}, nil
}

func jobOf(host string) *job {
	return &job{done: make(chan outcome, 1), batch: &monitor.Batch{
		Events:   []*monitor.Event{{Host: host}},
		Findings: []monitor.Finding{{Event: 0, Rule: &monitor.Rule{Title: host}}},
	}}
}

func commitTogether(s *fakeStore, hosts ...string) []error {
	p := &Pipeline{store: s, lg: slog.New(slog.DiscardHandler), meter: noMeter{}}
	jobs := make([]*job, len(hosts))
	for i, host := range hosts {
		jobs[i] = jobOf(host)
	}
	p.commit(jobs)
	errs := make([]error, len(jobs))
	for i, j := range jobs {
		errs[i] = (<-j.done).err
	}
	return errs
}

func TestOneRequestsTroubleIsNotItsNeighbours(t *testing.T) {
	s := &fakeStore{fail: func(b *monitor.Batch) error {
		for _, e := range b.Events {
			if e.Host == "bad" {
				return errors.New("does not fit")
			}
		}
		return nil
	}}
	errs := commitTogether(s, "a", "bad", "b")
	if errs[0] != nil || errs[1] == nil || errs[2] != nil || len(s.stored) != 2 {
		t.Errorf("errors %v, stored %v", errs, s.stored)
	}
}

func TestCommitOfUnknownOutcomeIsNotRepeated(t *testing.T) {
	s := &fakeStore{fail: func(*monitor.Batch) error { return monitor.ErrOutcomeUnknown }}
	errs := commitTogether(s, "a", "b")
	if s.calls != 1 || errs[0] == nil || errs[1] == nil {
		t.Errorf("%d calls, errors %v: want one call, and every sender told", s.calls, errs)
	}
}

// A sender is not told "not stored" of records that may be there.
func TestSenderHearsOfUnknownOutcome(t *testing.T) {
	answer := httptest.NewRecorder()
	h := &Handler{&Intake{Log: slog.New(slog.DiscardHandler)}}
	h.fail(answer, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/ingest", nil), protocolJSON, 0, fmt.Errorf("commit: %w: %w", monitor.ErrOutcomeUnknown, io.ErrUnexpectedEOF))
	if body := answer.Body.String(); answer.Code != http.StatusServiceUnavailable || strings.Contains(body, "not stored") || !strings.Contains(body, "twice") {
		t.Errorf("got %d %s", answer.Code, body)
	}
}

func TestRequestsShareATransaction(t *testing.T) {
	s := &fakeStore{fail: func(*monitor.Batch) error { return nil }}
	errs := commitTogether(s, "a", "b", "c")
	if s.calls != 1 || len(s.stored) != 3 || errors.Join(errs...) != nil {
		t.Errorf("%d calls, stored %v, errors %v", s.calls, s.stored, errs)
	}
}

func TestClosedPipelineRefuses(t *testing.T) {
	p := NewPipeline(&fakeStore{fail: func(*monitor.Batch) error { return nil }}, slog.New(slog.DiscardHandler), nil)
	if _, err := p.Submit(t.Context(), jobOf("a").batch); err != nil {
		t.Fatal(err)
	}
	p.Close()
	if _, err := p.Submit(t.Context(), jobOf("b").batch); monitor.CodeOf(err) != monitor.CodeUnavailable {
		t.Errorf("got %v, want UNAVAILABLE", err)
	}
}

// A sender that gives up will send again: what it left waiting must neither be
// stored then, nor be held in memory.
func TestAbandonedRequestIsNotStored(t *testing.T) {
	hold, entered := make(chan struct{}), make(chan struct{}, committers)
	s := &blockingStore{hold: hold, entered: entered}
	p := NewPipeline(s, slog.New(slog.DiscardHandler), nil)
	var busy sync.WaitGroup
	for range committers {
		busy.Go(func() {
			if _, err := p.Submit(context.Background(), jobOf("busy").batch); err != nil {
				t.Error(err)
			}
		})
		<-entered // one by one, so that no two share a transaction
	}
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := p.Submit(ctx, jobOf("left").batch)
		left <- err
	}()
	for len(p.jobs) == 0 { // until it waits in the queue
		runtime.Gosched()
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(hold)
	busy.Wait()
	if _, err := p.Submit(t.Context(), jobOf("next").batch); err != nil {
		t.Fatal(err)
	}
	p.Close()
	for _, host := range s.stored {
		if host == "left" {
			t.Error("an abandoned request was stored")
		}
	}
}

// A sender that leaves while its transaction runs is answered by what became of it.
func TestLeavingDuringTheTransactionWaitsForItsEnd(t *testing.T) {
	hold, entered := make(chan struct{}), make(chan struct{}, 1)
	p := NewPipeline(&blockingStore{hold: hold, entered: entered}, slog.New(slog.DiscardHandler), nil)
	defer p.Close()
	ctx, leave := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := p.Submit(ctx, jobOf("a").batch)
		result <- err
	}()
	<-entered
	leave()
	close(hold)
	if err := <-result; err != nil {
		t.Errorf("stored, but answered with %v", err)
	}
}

// blockingStore stores when hold is closed, and tells when it has been entered.
type blockingStore struct {
	hold    chan struct{}
	entered chan struct{}
	mu      sync.Mutex
	stored  []string
}

func (s *blockingStore) StoreBatch(_ context.Context, b *monitor.Batch) (monitor.ID, error) {
	select {
	case s.entered <- struct{}{}:
	default:
	}
	<-s.hold
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range b.Events {
		s.stored = append(s.stored, e.Host)
	}
	return monitor.ID{1}, nil
}
