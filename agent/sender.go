package agent

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/security-monitor/secmon/client"
)

// sender sends what is in the spool, oldest first, one chunk at a time.
type sender struct {
	spool  *Spool
	server *client.Ingest
	lg     *slog.Logger
	notes  *notes
}

// Pauses between tries, unless the server asks for a longer one.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 30 * time.Second
	finalTime    = 5 * time.Second // for what is there when the agent stops
	aboutSending = "sending"
)

// run sends until ctx ends, and then what it can in finalTime.
func (s *sender) run(ctx context.Context) error {
	pause := firstPause
	for ctx.Err() == nil {
		sent, wait, err := s.next(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			if s.notes.set(aboutSending, err.Error()) {
				s.lg.Warn("agent: cannot send, the spool keeps it", "error", err)
			}
			sleep(ctx, max(pause, wait))
			pause = min(2*pause, longestPause)
		case sent:
			pause = firstPause
			if s.notes.set(aboutSending, "") {
				s.lg.Info("agent: sending again")
			}
		default:
			select {
			case <-ctx.Done():
			case <-s.spool.filled:
			}
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finalTime)
	defer cancel()
	for {
		if sent, _, err := s.next(last); err != nil || !sent {
			return nil //nolint:nilerr // it waits in the spool
		}
	}
}

// next sends the oldest chunk; sent is false when there is none. An error means that
// it is to be tried again.
func (s *sender) next(ctx context.Context) (sent bool, wait time.Duration, err error) {
	c, ok, err := s.spool.oldest()
	if err != nil || !ok {
		return false, 0, err
	}
	stored, wait, err := s.server.Send(ctx, c.key, c.packed)
	var refused *client.Refused
	switch {
	case errors.As(err, &refused) && refused.OfChunk():
		s.lg.Error("agent: the server refuses records, they are given up", "records", c.records, "error", err)
		return true, 0, s.spool.done(&c, outcome{refused: c.records})
	case refused != nil:
		return false, longestPause, err // a new token can mend it
	case err != nil:
		return false, wait, err
	}
	for _, r := range stored.Rejected[:min(len(stored.Rejected), 3)] {
		s.lg.Warn("agent: the server rejected a record", "code", r.Code, "message", r.Message)
	}
	return true, 0, s.spool.done(&c, outcome{stored: c.records - len(stored.Rejected), rejected: len(stored.Rejected)})
}
