package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// journal sends entries of systemd's journal as `journalctl -o json` writes them. The
// first time it begins with what comes from then on, afterwards behind the last entry that
// is in the spool, so what came while the agent was away is told.
type journal struct{ *Agent }

// DefaultJournalMatches are logins and rights (facilities auth, authpriv), cron, audit,
// and what systemd itself says of units.
var DefaultJournalMatches = []string{"_TRANSPORT=audit", "+", "SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10", "SYSLOG_FACILITY=9", "+", "_PID=1"}

// journalState is what the spool keeps.
type journalState struct {
	Cursor string `json:"cursor,omitempty"`
	Since  int64  `json:"since,omitempty"` // Unix time; where the journal was empty at first
}

const (
	journalBatch = 500 // entries of one transaction
	batchTime    = time.Second
	journalTime  = 20 * time.Second // for one question
	queuedLines  = 500
)

func (s *journal) name() string { return "journal" }

func (s *journal) run(ctx context.Context) error {
	known, err := s.spool.Known(s.name())
	if err != nil {
		return err
	}
	var state journalState
	if text := known[stateKey]; text != nil {
		if err := json.Unmarshal(text, &state); err != nil {
			return fmt.Errorf("spool: state of the journal: %w", err)
		}
	} else if state, err = s.begin(ctx); err != nil {
		return err
	}
	return s.follow(ctx, state)
}

// begin gives the end of the journal, and keeps it.
func (s *journal) begin(ctx context.Context) (journalState, error) {
	entry, err := newestEntry(ctx)
	if err != nil {
		return journalState{}, err
	}
	state := journalState{Cursor: cursorOf(entry)}
	if state.Cursor == "" {
		state.Since = time.Now().Unix()
	}
	return state, s.save(state, nil)
}

func (s *journal) save(state journalState, records [][]byte) error {
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	return s.spool.Put(s.name(), Known{stateKey: text}, records)
}

// newestEntry gives the last entry of the journal, nil where it has none.
func newestEntry(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, journalTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, "journalctl", "--lines=1", "--output=json", "--no-pager", "--quiet").Output()
	if err != nil {
		return nil, fmt.Errorf("journalctl: %w", complaint(err))
	}
	return bytes.TrimSpace(out), nil
}

// complaint adds what a program said to how it ended.
func complaint(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}

func cursorOf(entry []byte) string {
	var e struct {
		Cursor string `json:"__CURSOR"`
	}
	if json.Unmarshal(entry, &e) != nil {
		return ""
	}
	return e.Cursor
}

// follow reads what journalctl writes until ctx ends. When we are killed, journalctl
// ends by itself: it notices that nobody reads.
func (s *journal) follow(ctx context.Context, state journalState) error {
	args := []string{"--follow", "--no-tail", "--output=json", "--no-pager", "--quiet"}
	if state.Cursor != "" {
		args = append(args, "--after-cursor="+state.Cursor)
	} else {
		args = append(args, "--since=@"+strconv.FormatInt(state.Since, 10))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "journalctl", append(args, s.cfg.JournalMatches...)...) //nolint:gosec // the operator's own matches
	cmd.WaitDelay = time.Second
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := make(chan []byte, queuedLines)
	go func() { // ends with the program's output, for which follow waits
		defer close(lines)
		readLines(ctx, out, lines)
	}()
	s.fault(s.name(), nil)
	err = s.batch(ctx, lines, state)
	cancel()
	for range lines { //nolint:revive // the reader ends
	}
	if ended := cmd.Wait(); err == nil {
		err = fmt.Errorf("journalctl: %w: %s", errors.Join(ended, errors.New("it ended")), strings.TrimSpace(said.String()))
	}
	return err
}

// batch puts entries into the spool, with the cursor of the last, a second after the
// first of them came at the latest.
func (s *journal) batch(ctx context.Context, lines <-chan []byte, state journalState) error {
	var records [][]byte
	var full <-chan time.Time
	size := 0
	for {
		more := true
		select {
		case <-ctx.Done():
			return ctx.Err() // they are not in the spool, and come again
		case line, ok := <-lines:
			if more = ok; ok {
				if cursor := cursorOf(line); cursor != "" {
					state.Cursor = cursor
				}
				if records, size = append(records, line), size+len(line); full == nil {
					full = time.After(batchTime)
				}
			}
			if more && len(records) < journalBatch && size < chunkBytes {
				continue
			}
		case <-full:
		}
		if len(records) > 0 {
			if err := s.save(state, records); err != nil {
				return err
			}
		}
		records, size, full = nil, 0, nil
		if !more {
			return nil
		}
	}
}

// readLines gives lines until the input ends. Those that are longer than a record may be
// are cut.
func readLines(ctx context.Context, in io.Reader, lines chan<- []byte) {
	r := bufio.NewReaderSize(in, 64<<10)
	var line []byte
	for {
		piece, err := r.ReadSlice('\n')
		line = append(line, piece[:min(len(piece), max(0, maxRecord-len(line)))]...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if text := bytes.TrimSpace(line); len(text) > 0 && err == nil {
			select {
			case lines <- bytes.Clone(text):
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return
		}
		line = line[:0]
	}
}
