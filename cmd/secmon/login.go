package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/security-monitor/secmon/client"
	"github.com/security-monitor/secmon/client/contexts"
	"github.com/security-monitor/secmon/client/table"
	"github.com/security-monitor/secmon/monitor"
)

type loginCommand struct {
	URL       string `arg:"" env:"-" help:"Address of the server, such as https://monitor.example.com."`
	Context   string `env:"-" help:"Name for this login; without it the server's host." placeholder:"NAME"`
	User      string `env:"-" help:"Name to log in with; without it you are asked." placeholder:"NAME"`
	Code      string `env:"-" help:"Code of the authenticator app, or a recovery code; without it you are asked where one is needed." placeholder:"CODE"`
	WithToken bool   `env:"-" name:"with-token" help:"Keep an API token in place of a session: from SECMON_TOKEN, or a line of standard input."`
	Plain     bool   `env:"-" help:"Send the password without TLS to a server that is not this machine."`
}

// Run logs in and keeps what it got. The password comes from the terminal without
// echo, or from a line of standard input; never from the command line.
func (c *loginCommand) Run(ctx context.Context) error {
	address, err := c.address()
	if err != nil {
		return usage{err}
	}
	name := c.Context
	if name == "" {
		name = address.Host
	}
	if err := contexts.CheckName(name); err != nil {
		return usage{err}
	}
	in := newPrompter(ctx)
	server := &client.Client{Server: strings.TrimRight(address.String(), "/")}
	kept := &contexts.Context{Server: server.Server}
	if c.WithToken {
		err = c.takeToken(ctx, in, server, kept)
	} else {
		err = c.takeSession(ctx, in, server, kept)
	}
	if err != nil {
		return err
	}
	file, err := contexts.Default()
	if err != nil {
		return err
	}
	err = file.Change(ctx, func(all *contexts.Contexts) error {
		all.Contexts[name], all.Current = kept, name
		return nil
	})
	if err == nil {
		fmt.Fprintf(os.Stderr, "logged in to %s as %s; the login is %s\n", kept.Server, table.Visible(kept.User), name)
	}
	return err
}

func (c *loginCommand) address() (*url.URL, error) {
	if err := checkServer(c.URL); err != nil {
		return nil, err
	}
	u, err := url.Parse(c.URL)
	if err == nil && u.Scheme == "http" && !c.Plain && !loopback(u.Hostname()) {
		err = errors.New("without TLS everybody on the way reads the password: use https, or --plain if you know better")
	}
	return u, err
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *loginCommand) takeSession(ctx context.Context, in *prompter, server *client.Client, kept *contexts.Context) (err error) {
	kept.User = c.User
	if kept.User == "" {
		if !in.terminal {
			return usage{errors.New("nobody can be asked here: give --user, and the password as a line of standard input; or --with-token")}
		}
		if kept.User, err = in.ask("Name: ", true); err != nil {
			return err
		}
	}
	password, err := in.ask("Password: ", false)
	if err != nil {
		return err
	}
	session, err := server.Login(ctx, kept.User, password, c.Code)
	var refused client.Errors
	if errors.As(err, &refused) && refused[0].Code() == string(monitor.CodeTOTPRequired) && c.Code == "" {
		code, askErr := in.ask("Code of the authenticator app: ", true)
		if askErr != nil {
			return errors.Join(err, askErr)
		}
		session, err = server.Login(ctx, kept.User, password, strings.TrimSpace(code))
	}
	if err != nil {
		return err
	}
	kept.SetSession(session)
	return nil
}

// takeToken keeps a token that the server knows. One that may send events only is
// known by not being allowed to ask.
func (c *loginCommand) takeToken(ctx context.Context, in *prompter, server *client.Client, kept *contexts.Context) (err error) {
	token := os.Getenv("SECMON_TOKEN")
	if token == "" {
		if token, err = in.ask("API token: ", false); err != nil {
			return err
		}
	}
	kept.Token, kept.User = strings.TrimSpace(token), "API token"
	server.Token = func(context.Context) (string, error) { return kept.Token, nil }
	var data struct{}
	err = server.Get(ctx, `{ viewer { role } }`, nil, &data)
	var refused client.Errors
	if errors.As(err, &refused) && len(refused) > 0 && refused[0].Code() == string(monitor.CodeForbidden) {
		return nil
	}
	return err
}

// prompter asks at a terminal, and otherwise takes a line of standard input for
// each question.
type prompter struct {
	ctx      context.Context //nolint:containedctx // of one command
	terminal bool
	in       *bufio.Reader
}

func newPrompter(ctx context.Context) *prompter {
	return &prompter{ctx, term.IsTerminal(int(os.Stdin.Fd())), bufio.NewReader(os.Stdin)} //nolint:gosec // a descriptor is small
}

// ask gives the answer. Without echo an interrupt gives the terminal back as it was.
func (p *prompter) ask(question string, echo bool) (string, error) {
	if !p.terminal {
		return p.line(strings.TrimSuffix(question, ": "))
	}
	fmt.Fprint(os.Stderr, question)
	if echo {
		return p.line("answer")
	}
	descriptor := int(os.Stdin.Fd()) //nolint:gosec // a descriptor is small
	before, err := term.GetState(descriptor)
	if err != nil {
		return "", err
	}
	type answer struct {
		text []byte
		err  error
	}
	typed := make(chan answer, 1)
	go func() { // ends with the line, or with the program
		text, err := term.ReadPassword(descriptor)
		typed <- answer{text, err}
	}()
	select {
	case a := <-typed:
		fmt.Fprintln(os.Stderr)
		return string(a.text), a.err
	case <-p.ctx.Done():
		fmt.Fprintln(os.Stderr)
		return "", errors.Join(p.ctx.Err(), term.Restore(descriptor, before))
	}
}

func (p *prompter) line(what string) (string, error) {
	line, err := p.in.ReadString('\n')
	if line == "" && err != nil {
		return "", fmt.Errorf("no %s on standard input", strings.ToLower(what))
	}
	return strings.TrimRight(line, "\r\n"), nil
}

type logoutCommand struct {
	Context string `help:"Login to end; without it the current one." placeholder:"NAME"`
}

// Run ends a session on the server and forgets it here. An API token is forgotten
// only: others may use it.
func (c *logoutCommand) Run(ctx context.Context) error {
	file, err := contexts.Default()
	if err != nil {
		return err
	}
	var name string
	var ended *contexts.Context
	err = file.Change(ctx, func(all *contexts.Contexts) (err error) {
		if name, ended, err = all.Named(c.Context); err != nil {
			return err
		}
		delete(all.Contexts, name)
		if all.Current == name {
			all.Current = ""
		}
		return nil
	})
	if err != nil {
		return err
	}
	if ended.Token != "" {
		fmt.Fprintf(os.Stderr, "the token of %s is forgotten here; it still works: secmon tokens revoke\n", name)
		return nil
	}
	if err := (&client.Client{Server: ended.Server}).Logout(ctx, ended.Refresh); err != nil {
		return fmt.Errorf("the login %s is forgotten here, but may still be alive on the server: %w", name, err)
	}
	fmt.Fprintf(os.Stderr, "logged out of %s\n", name)
	return nil
}

type whoamiCommand struct {
	connection `embed:""`
	outputFlag `embed:""`
}

// Run asks the server who it takes us for.
func (c *whoamiCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	var data struct {
		Viewer struct {
			User                *struct{ Name, DisplayName string }
			Role, ServerVersion string
		}
	}
	if err := r.ask(ctx, `{ viewer { role serverVersion user { name displayName } } }`, nil, &data); err != nil {
		return err
	}
	who := struct {
		Context       string `json:"context"`
		Server        string `json:"server"`
		User          string `json:"user"`
		Role          string `json:"role"`
		ServerVersion string `json:"serverVersion"`
	}{r.context, r.Server, "", data.Viewer.Role, data.Viewer.ServerVersion}
	name := "an API token"
	if data.Viewer.User != nil {
		who.User, name = data.Viewer.User.Name, data.Viewer.User.Name
	}
	if c.Output == "json" {
		return printJSON(who)
	}
	return table.Pairs(os.Stdout, [][2]string{{"login", who.Context}, {"server", who.Server}, {"user", name}, {"role", who.Role}, {"server version", who.ServerVersion}})
}

type contextCommand struct {
	List contextListCommand `cmd:"" help:"List the logins."`
	Use  contextUseCommand  `cmd:"" help:"Make a login the current one."`
}

type contextListCommand struct {
	outputFlag `embed:""`
}

// Run prints all but the secrets.
func (c *contextListCommand) Run() error {
	file, err := contexts.Default()
	if err != nil {
		return err
	}
	all, err := file.Read()
	if err != nil {
		return err
	}
	var rows [][]string
	for _, name := range all.Names() {
		kept := all.Contexts[name]
		if c.Output == "json" {
			if err := printJSON(map[string]any{"name": name, "server": kept.Server, "user": kept.User, "current": name == all.Current}); err != nil {
				return err
			}
			continue
		}
		mark := ""
		if name == all.Current {
			mark = "*"
		}
		rows = append(rows, []string{mark, name, kept.Server, kept.User})
	}
	if c.Output == "json" {
		return nil
	}
	return newTable(table.Column{}, table.Column{Title: "NAME"}, table.Column{Title: "SERVER"}, table.Column{Title: "USER"}).Write(rows)
}

type contextUseCommand struct {
	Name string `arg:"" env:"-" help:"Name of the login."`
}

// Run sets the current login.
func (c *contextUseCommand) Run(ctx context.Context) error {
	file, err := contexts.Default()
	if err != nil {
		return err
	}
	return file.Change(ctx, func(all *contexts.Contexts) error {
		name, _, err := all.Named(c.Name)
		all.Current = name
		return err
	})
}
