package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// probeCommand asks other servers whether they are there. The image has neither
// shell nor curl: containers that wait, and the chart's tests, use this.
type probeCommand struct {
	Targets []string      `arg:"" name:"address" help:"http:// or https:// addresses that have to answer 2xx, or tcp://HOST:PORT that have to take a connection."`
	Within  time.Duration `help:"How long to go on trying, all addresses together." default:"5s"`
}

const (
	probePause   = 500 * time.Millisecond // between two tries of one address
	probeTimeout = 3 * time.Second        // of one try
)

// Run tries each address until it answers.
func (c *probeCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.Within)
	defer cancel()
	for _, target := range c.Targets {
		try, err := prober(target)
		if err != nil {
			return err
		}
		if err := untilAnswered(ctx, try); err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
		fmt.Println("ok", target)
	}
	return nil
}

// prober gives the way to try an address once.
func prober(target string) (func(context.Context) error, error) {
	address, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	switch address.Scheme {
	case "tcp":
		if _, _, err := net.SplitHostPort(address.Host); err != nil {
			return nil, fmt.Errorf("%s: %w", target, err)
		}
		return func(ctx context.Context) error { return probeTCP(ctx, address.Host) }, nil
	case "http", "https":
		return func(ctx context.Context) error { return probeHTTP(ctx, target) }, nil
	}
	return nil, fmt.Errorf("%s: an address begins with http://, https:// or tcp://", target)
}

// untilAnswered gives the last failure when the time is over: what was wrong
// says more than that it took too long.
func untilAnswered(ctx context.Context, try func(context.Context) error) error {
	var last error
	for {
		once, cancel := context.WithTimeout(ctx, probeTimeout)
		err := try(once)
		cancel()
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(probePause):
		}
	}
}

func probeTCP(ctx context.Context, address string) error {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return connection.Close()
}

func probeHTTP(ctx context.Context, address string) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 200)) // for the message alone
		return fmt.Errorf("answered %s %q", answer.Status, text)
	}
	return nil
}
