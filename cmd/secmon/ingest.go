package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/security-monitor/secmon/app"
)

type ingestCommand struct {
	connection `embed:""`
	Files      []string      `arg:"" help:"Files of NDJSON or one JSON array, .gz too; - is standard input."`
	Skip       int           `env:"-" help:"Leave out the records up to this line of the first file: go on where an interrupted run ended." placeholder:"LINE"`
	RetryFor   time.Duration `name:"retry-for" help:"How long to try again while the server cannot be reached or is busy." default:"10m"`
	Quiet      bool          `short:"q" help:"No progress bar."`
}

// Run sends the files one after the other.
func (c *ingestCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	// One token for all files: a file of a login's own may take longer than an access
	// token lives.
	bearer, giveBack, err := r.ingestToken(ctx)
	if err != nil {
		return err
	}
	defer giveBack()
	begun := time.Now()
	accepted, rejected := 0, 0
	for i, path := range c.Files {
		skip := 0
		if i == 0 {
			skip = c.Skip
		}
		a, refused, err := c.sendFile(ctx, r.Server, bearer, path, skip)
		accepted, rejected = accepted+a, rejected+refused
		if err != nil {
			return err
		}
	}
	took := time.Since(begun)
	fmt.Fprintf(os.Stderr, "%s stored, %d rejected, in %s (%.0f/s)\n", counted(accepted, "record"), rejected, took.Round(time.Millisecond), float64(accepted)/took.Seconds())
	if rejected > 0 {
		return partial{fmt.Errorf("%s rejected; the server keeps them as dead letters", counted(rejected, "record"))}
	}
	return nil
}

func (c *ingestCommand) sendFile(ctx context.Context, server, token, path string, skip int) (accepted, rejected int, err error) {
	in, bar, done, err := c.openFile(path)
	if err != nil {
		return 0, 0, err
	}
	defer done()
	sender := &app.Sender{
		URL: server, Token: token, RetryFor: c.RetryFor, Client: &http.Client{},
		Stored: func(p app.Progress) {
			accepted += p.Accepted
			rejected += len(p.Rejected)
			for _, r := range p.Rejected {
				_ = bar.Clear()
				fmt.Fprintf(os.Stderr, "%s:%d: %s: %s\n", path, r.Line, r.Code, r.Message)
			}
		},
		Waiting: func(err error, pause time.Duration) {
			_ = bar.Clear()
			fmt.Fprintf(os.Stderr, "%v; trying again in %s\n", err, pause.Round(time.Millisecond))
		},
	}
	last, err := sender.Send(ctx, in, skip)
	_ = bar.Finish()
	if err != nil {
		return accepted, rejected, fmt.Errorf("%s: %w\n%d records are stored; go on with --skip %d", path, err, accepted, last)
	}
	return accepted, rejected, nil
}

// openFile gives a file's records and a bar that moves with the bytes read.
func (c *ingestCommand) openFile(path string) (io.Reader, *progressbar.ProgressBar, func(), error) {
	file, size := os.Stdin, int64(-1)
	if path != "-" {
		var err error
		if file, err = os.Open(path); err != nil { //nolint:gosec // the caller's own file
			return nil, nil, nil, err
		}
		if info, err := file.Stat(); err == nil {
			size = info.Size()
		}
	}
	bar := progressbar.NewOptions64(size, progressbar.OptionSetDescription(path), progressbar.OptionShowBytes(true), progressbar.OptionSetWriter(os.Stderr),
		progressbar.OptionSetVisibility(!c.Quiet && term.IsTerminal(int(os.Stderr.Fd()))), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	read := progressbar.NewReader(file, bar)
	closeAll := func() { _ = file.Close() }
	if !strings.HasSuffix(path, ".gz") {
		return &read, bar, closeAll, nil
	}
	unpacked, err := gzip.NewReader(&read)
	if err != nil {
		closeAll()
		return nil, nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return unpacked, bar, closeAll, nil
}
