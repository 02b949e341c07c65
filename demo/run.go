package demo

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Run sends the history and then step after step to a server's ingest endpoint
// until ctx ends. What the server cannot take now is sent again.
func Run(ctx context.Context, url, token string, lg *slog.Logger, p *Player) error {
	client := &http.Client{Timeout: 30 * time.Second}
	for _, step := range p.History() {
		if err := send(ctx, client, url, token, lg, step); err != nil {
			return err
		}
	}
	for {
		step := p.Next()
		if err := sleep(ctx, step.Delay); err != nil {
			return err
		}
		if step.Story != "noise" {
			lg.Info("demo plays a story", "story", step.Story)
		}
		if err := send(ctx, client, url, token, lg, step); err != nil {
			return err
		}
	}
}

// send tries until the server has stored the step. Only an answer that says the
// request itself is wrong ends it.
func send(ctx context.Context, client *http.Client, url, token string, lg *slog.Logger, step Step) error {
	body := bytes.Join(asBytes(step), []byte("\n"))
	for pause := time.Second; ; pause = min(2*pause, 30*time.Second) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/ingest", bytes.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := client.Do(request)
		if err == nil {
			_ = response.Body.Close()
			switch {
			case response.StatusCode == http.StatusOK:
				return nil
			case response.StatusCode < 500 && response.StatusCode != http.StatusTooManyRequests:
				return fmt.Errorf("the server refuses the demo: %s", response.Status)
			}
			err = fmt.Errorf("%s", response.Status)
		}
		lg.Debug("demo waits", "error", err, "pause", pause)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func asBytes(step Step) [][]byte {
	lines := make([][]byte, len(step.Records))
	for i, r := range step.Records {
		lines[i] = r
	}
	return lines
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
