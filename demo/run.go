package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// Past sends the player's history to a server's ingest endpoint. Waiting,
// repeating and errors are as in Run.
func Past(ctx context.Context, url, token string, lg *slog.Logger, p *Player) error {
	s := newSender(url, token, lg)
	for _, step := range p.History() {
		if err := s.send(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// Run sends step after step to a server's ingest endpoint until ctx ends, then
// it gives ctx's error. What the server cannot take now is sent again; an answer
// that says the request itself is wrong ends it.
func Run(ctx context.Context, url, token string, lg *slog.Logger, p *Player) error {
	s := newSender(url, token, lg)
	story := noise
	for {
		step := p.Next()
		if err := sleep(ctx, step.Delay); err != nil {
			return err
		}
		if step.Story != story && step.Story != noise {
			lg.Info("demo plays a story", "story", step.Story)
		}
		story = step.Story
		if err := s.send(ctx, step); err != nil {
			return err
		}
	}
}

func newSender(url, token string, lg *slog.Logger) *sender {
	return &sender{client: &http.Client{Timeout: 30 * time.Second}, url: url + "/api/ingest", token: token, lg: lg}
}

type sender struct {
	client     *http.Client
	url, token string
	lg         *slog.Logger
}

// Pauses between tries, unless the server asks for a longer one.
const (
	firstPause = 500 * time.Millisecond
	lastPause  = 30 * time.Second
)

// send tries until the server has stored the step.
func (s *sender) send(ctx context.Context, step Step) error {
	body := bytes.Join(asBytes(step), []byte("\n"))
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		wait, err := s.try(ctx, body)
		var refused *refusal
		if err == nil || errors.As(err, &refused) {
			return err
		}
		s.lg.Debug("demo waits", "error", err, "pause", max(pause, wait))
		if err := sleep(ctx, max(pause, wait)); err != nil {
			return err
		}
	}
}

// refusal is an answer that another try would not change.
type refusal struct{ status string }

func (r *refusal) Error() string { return "the server refuses the demo: " + r.status }

// try sends a body once. With an error it tells how long the server wants to be
// left alone.
func (s *sender) try(ctx context.Context, body []byte) (wait time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	request.Header.Set("Content-Type", "application/x-ndjson")
	response, err := s.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()                                       //nolint:errcheck // only read
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection can be used again
	switch {
	case response.StatusCode == http.StatusOK:
		return 0, nil
	case response.StatusCode < 500 && response.StatusCode != http.StatusTooManyRequests:
		return 0, &refusal{response.Status}
	}
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After")) // 0 where it is missing
	return min(time.Duration(seconds)*time.Second, lastPause), fmt.Errorf("%s", response.Status)
}

func asBytes(step Step) [][]byte {
	lines := make([][]byte, len(step.Records))
	for i, r := range step.Records {
		lines[i] = r
	}
	return lines
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
