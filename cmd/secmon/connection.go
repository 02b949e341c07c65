package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/security-monitor/secmon/client"
	"github.com/security-monitor/secmon/client/contexts"
	"github.com/security-monitor/secmon/monitor"
)

// connection says which server a command asks, and with what.
type connection struct {
	Context string `help:"Login to use; see secmon context list. Without it the current one." placeholder:"NAME"`
	Server  string `help:"Address of the server: with --token, or of a login." placeholder:"URL"`
	Token   string `help:"API token in place of a login; better given as SECMON_TOKEN. Without --server for http://127.0.0.1:8000." placeholder:"TOKEN"`
}

// localServer is where make run and secmon serve listen.
const localServer = "http://127.0.0.1:8000"

// remote is a server with a credential for it.
type remote struct {
	*client.Client
	context string // its name; empty for a token of the command line
	session bool   // of a person, not an API token
}

// open finds server and credential. A login's credential goes to its own server
// only, and a token of the environment to none that it was not meant for.
func (c connection) open() (*remote, error) {
	if c.Token != "" {
		if c.Context != "" {
			return nil, usage{errors.New("both a login (--context) and a token (--token, SECMON_TOKEN): which one?")}
		}
		server := c.Server
		if server == "" {
			server = localServer
		}
		if err := checkServer(server); err != nil {
			return nil, usage{err}
		}
		return &remote{Client: &client.Client{Server: server, Token: func(context.Context) (string, error) { return c.Token, nil }}}, nil
	}
	file, err := contexts.Default()
	if err != nil {
		return nil, err
	}
	all, err := file.Read()
	if err != nil {
		return nil, err
	}
	name, found, err := c.choose(all)
	if err != nil {
		return nil, err
	}
	bearer := func(ctx context.Context) (string, error) {
		return file.Bearer(ctx, name, func(ctx context.Context, server, refresh string) (*client.Session, error) {
			return (&client.Client{Server: server}).Refresh(ctx, refresh)
		})
	}
	return &remote{Client: &client.Client{Server: found.Server, Token: bearer}, context: name, session: found.Token == ""}, nil
}

// choose takes the login that is named, or that of the server, or the current one.
func (c connection) choose(all *contexts.Contexts) (string, *contexts.Context, error) {
	name, found, err := all.Named(c.Context)
	if c.Server == "" || err == nil && sameServer(found.Server, c.Server) {
		return name, found, err
	}
	if c.Context != "" && err == nil {
		return "", nil, usage{fmt.Errorf("the login %s is for %s, not for %s", name, found.Server, c.Server)}
	}
	if c.Context == "" {
		for _, name := range all.Names() {
			if sameServer(all.Contexts[name].Server, c.Server) {
				return name, all.Contexts[name], nil
			}
		}
		err = fmt.Errorf("%w for %s: secmon login %s, or give an API token as SECMON_TOKEN", contexts.ErrNone, c.Server, c.Server)
	}
	return "", nil, err
}

func sameServer(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}

// checkServer takes http and https addresses without credentials in them.
func checkServer(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%q is no address of a server, such as https://monitor.example.com", address)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the address of a server has no name, password, query or fragment")
	}
	return nil
}

// Bounds of waiting for a budget that is used up.
const (
	budgetTries   = 10
	budgetLongest = time.Minute
)

// ask is Get that waits while the server says that the budget is used up.
func (r *remote) ask(ctx context.Context, query string, variables map[string]any, into any) error {
	for try := 1; ; try++ {
		err := r.Get(ctx, query, variables, into)
		var refused client.Errors
		if !errors.As(err, &refused) || len(refused) == 0 || refused[0].Code() != string(monitor.CodeRateLimited) || try == budgetTries {
			return err
		}
		seconds, _ := refused[0].Extensions["retryAfter"].(float64)
		wait := time.Duration(math.Max(seconds, 1) * float64(time.Second))
		if wait > budgetLongest {
			return err
		}
		fmt.Fprintf(os.Stderr, "secmon: the server asks to wait %s\n", wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// globalID takes an id as lists print it, or the UUID in it.
func globalID(kind monitor.Kind, given string) string {
	if id, err := monitor.ParseID(given); err == nil {
		return monitor.GlobalID(kind, id.String())
	}
	return given
}
