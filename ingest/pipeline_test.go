package ingest

import (
	"context"
	"errors"
	"log/slog"
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
	p := &Pipeline{store: s, lg: slog.New(slog.DiscardHandler)}
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

func TestRequestsShareATransaction(t *testing.T) {
	s := &fakeStore{fail: func(*monitor.Batch) error { return nil }}
	errs := commitTogether(s, "a", "b", "c")
	if s.calls != 1 || len(s.stored) != 3 || errors.Join(errs...) != nil {
		t.Errorf("%d calls, stored %v, errors %v", s.calls, s.stored, errs)
	}
}

func TestClosedPipelineRefuses(t *testing.T) {
	p := NewPipeline(&fakeStore{fail: func(*monitor.Batch) error { return nil }}, slog.New(slog.DiscardHandler))
	if _, err := p.Submit(t.Context(), jobOf("a").batch); err != nil {
		t.Fatal(err)
	}
	p.Close()
	if _, err := p.Submit(t.Context(), jobOf("b").batch); monitor.CodeOf(err) != monitor.CodeUnavailable {
		t.Errorf("got %v, want UNAVAILABLE", err)
	}
}
