package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// healthcheckCommand is for images without a shell.
type healthcheckCommand struct {
	URL     string        `help:"The server's address." default:"http://127.0.0.1:8000"`
	Timeout time.Duration `help:"How long to wait." default:"3s"`
}

// Run fails unless the server is ready.
func (c *healthcheckCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+"/api/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // not read
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", response.Status)
	}
	return nil
}
