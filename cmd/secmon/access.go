package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/monitor"
)

type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Make an API token and print it; it is shown only this once."`
	List   tokenListCommand   `cmd:"" help:"List the API tokens that are valid."`
	Revoke tokenRevokeCommand `cmd:"" help:"End an API token at once, with all that it has open."`
}

type tokenListCommand struct {
	app.Storage `embed:""`
}

// Run prints id, scopes, expiry and name of each token.
func (c *tokenListCommand) Run(ctx context.Context) error {
	return app.WithAuth(ctx, c.Storage, quiet(), func(access *app.Access) error {
		tokens, err := access.Store.LiveTokens(ctx)
		for _, t := range tokens {
			expires := "never"
			if !t.ExpiresAt.IsZero() {
				expires = t.ExpiresAt.Format(time.RFC3339)
			}
			fmt.Printf("%s\t%v\t%s\t%s\n", t.ID, t.Scopes, expires, t.Name)
		}
		return err
	})
}

type tokenRevokeCommand struct {
	app.Storage `embed:""`
	ID          string `arg:"" help:"Id of the token; see token list."`
}

// Run revokes the token.
func (c *tokenRevokeCommand) Run(ctx context.Context) error {
	id, err := monitor.ParseID(c.ID)
	if err != nil {
		return err
	}
	return app.WithAuth(ctx, c.Storage, quiet(), func(access *app.Access) error {
		return access.Store.RevokeToken(ctx, monitor.SystemActor, id)
	})
}

type tokenCreateCommand struct {
	app.Storage `embed:""`
	Name        string          `env:"-" required:"" help:"What the token is for."`
	Scope       []monitor.Scope `env:"-" required:"" help:"ingest, read, write, admin; may be given several times." enum:"ingest,read,write,admin"`
	Expires     time.Duration   `env:"-" help:"How long it is valid, such as 720h; without it for ever." placeholder:"DURATION"`
}

// Run makes the token. Only the token goes to standard output.
func (c *tokenCreateCommand) Run(ctx context.Context) error {
	return app.WithAuth(ctx, c.Storage, quiet(), func(access *app.Access) error {
		token := monitor.APIToken{Name: c.Name, Scopes: c.Scope}
		if c.Expires > 0 {
			token.ExpiresAt = time.Now().UTC().Add(c.Expires).Truncate(time.Microsecond)
		}
		secret, _, err := access.Auth.CreateToken(ctx, monitor.SystemActor, token)
		if err == nil {
			fmt.Println(secret)
		}
		return err
	})
}

type userCommand struct {
	Create   userCreateCommand   `cmd:"" help:"Make a user."`
	Password userPasswordCommand `cmd:"" help:"Set a user's password and end their sessions."`
	Update   userUpdateCommand   `cmd:"" help:"Change a user's role, or shut them out or in again."`
}

type userUpdateCommand struct {
	app.Storage `embed:""`
	Name        string       `arg:"" help:"Name of the user."`
	Role        monitor.Role `env:"-" help:"VIEWER, ANALYST or ADMIN; without it the role stays." enum:"VIEWER,ANALYST,ADMIN," default:""`
	Disable     bool         `env:"-" help:"Shut the user out; what they have open ends." xor:"out"`
	Enable      bool         `env:"-" help:"Let the user in again." xor:"out"`
}

// Run changes the user.
func (c *userUpdateCommand) Run(ctx context.Context) error {
	return app.WithAuth(ctx, c.Storage, quiet(), func(access *app.Access) error {
		user, err := userNamed(ctx, access, c.Name)
		if err != nil {
			return err
		}
		_, err = access.Store.UpdateUser(ctx, monitor.SystemActor, user.ID, nil, func(u *monitor.User) {
			if c.Role != "" {
				u.Role = c.Role
			}
			u.Disabled = c.Disable || u.Disabled && !c.Enable
		})
		return err
	})
}

type userCreateCommand struct {
	app.Storage `embed:""`
	Name        string       `arg:"" help:"Name to log in with."`
	Role        monitor.Role `env:"-" help:"VIEWER, ANALYST or ADMIN." default:"ANALYST" enum:"VIEWER,ANALYST,ADMIN"`
	DisplayName string       `env:"-" name:"display-name" help:"Name for people."`
}

// Run makes the user; the password is read from the terminal or standard input.
func (c *userCreateCommand) Run(ctx context.Context) error {
	password, err := readPassword()
	if err != nil {
		return err
	}
	return app.WithAuth(ctx, c.Storage, quiet(), func(access *app.Access) error {
		user := monitor.User{Name: c.Name, DisplayName: c.DisplayName, Role: c.Role}
		_, err := access.Auth.CreateUser(ctx, monitor.SystemActor, user, password)
		return err
	})
}

type userPasswordCommand struct {
	app.Storage `embed:""`
	Name        string `arg:"" help:"Name of the user."`
}

// Run sets the password, read from the terminal or standard input.
func (c *userPasswordCommand) Run(ctx context.Context) error {
	password, err := readPassword()
	if err != nil {
		return err
	}
	return app.WithAuth(ctx, c.Storage, quiet(), func(access *app.Access) error {
		user, err := userNamed(ctx, access, c.Name)
		if err != nil {
			return err
		}
		return access.Auth.SetPassword(ctx, monitor.SystemActor, user.ID, password, monitor.ID{})
	})
}

func userNamed(ctx context.Context, access *app.Access, name string) (*monitor.User, error) {
	user, _, found, err := access.Store.Login(ctx, name)
	if err == nil && !found {
		err = fmt.Errorf("there is no user %q", name)
	}
	return user, err
}

// readPassword asks at a terminal without echo, and otherwise takes one line, so
// that no password stands in a command line.
func readPassword() (string, error) {
	if term.IsTerminal(int(os.Stdin.Fd())) {
		fmt.Fprint(os.Stderr, "Password: ")
		typed, err := term.ReadPassword(int(os.Stdin.Fd()))
		fmt.Fprintln(os.Stderr)
		return string(typed), err
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if line == "" && err != nil {
		return "", errors.New("no password on standard input")
	}
	return strings.TrimRight(line, "\r\n"), nil
}
