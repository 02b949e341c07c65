// Package contexts keeps which servers somebody is logged in to, and with what,
// in a file that only its owner can read. It does not log in, and it decides
// nothing about what a credential may do.
package contexts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/security-monitor/secmon/client"
)

// Context is a server and a credential for it: an API token, or a session.
type Context struct {
	Server string `json:"server"`
	User   string `json:"user,omitempty"` // for people: whose the credential is
	Token  string `json:"token,omitempty"`

	Refresh     string    `json:"refresh,omitempty"`
	AccessToken string    `json:"accessToken,omitempty"`
	ExpiresAt   time.Time `json:"expiresAt,omitzero"` // of the access token
}

// SetSession takes what a login or a refresh gave.
func (c *Context) SetSession(s *client.Session) {
	c.Token, c.AccessToken, c.ExpiresAt = "", s.AccessToken, s.ExpiresAt
	if s.Refresh != "" {
		c.Refresh = s.Refresh
	}
}

// Contexts are all of a file.
type Contexts struct {
	Current  string              `json:"current"`
	Contexts map[string]*Context `json:"contexts"`
}

// Names gives the names in order.
func (c *Contexts) Names() []string {
	names := make([]string, 0, len(c.Contexts))
	for name := range c.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Named gives the context of that name, the current one for "". Its error says
// what to do.
func (c *Contexts) Named(name string) (string, *Context, error) {
	if name == "" {
		name = c.Current
	}
	if name == "" {
		return "", nil, fmt.Errorf("%w: secmon login URL", ErrNone)
	}
	found := c.Contexts[name]
	if found == nil {
		return "", nil, fmt.Errorf("%w of the name %q: there are %s", ErrNone, name, strings.Join(append(c.Names(), "no others"), ", "))
	}
	return name, found, nil
}

// ErrNone says that nobody is logged in there.
var ErrNone = errors.New("there is no login")

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$`)

// CheckName gives an error for what cannot be a context's name.
func CheckName(name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("%q cannot be the name of a context: letters, digits, and . _ : - between them, at most 100", name)
	}
	return nil
}

// File is the file of contexts. Several processes may use it at once.
type File struct{ Path string }

// Default is the file in the user's own folder of settings.
func Default() (File, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return File{}, fmt.Errorf("where to keep logins: %w", err)
	}
	return File{filepath.Join(dir, "secmon", "contexts.json")}, nil
}

const maxFile = 1 << 20

// Read gives what is in the file; nothing where there is none. A file that
// others can read is refused: what is in it may be known to them.
func (f File) Read() (*Contexts, error) {
	all := &Contexts{Contexts: map[string]*Context{}}
	info, err := os.Stat(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return all, nil
	case err != nil:
		return nil, err
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("others can read %s: chmod 600 it, and log in again if they may have done so", f.Path)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s has more than %d bytes", f.Path, maxFile)
	}
	text, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, all); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", f.Path, err) // positions and types only, no values
	}
	if all.Contexts == nil {
		all.Contexts = map[string]*Context{}
	}
	for name, c := range all.Contexts {
		if c == nil {
			delete(all.Contexts, name)
		}
	}
	return all, nil
}

// Change lets change work on what is in the file, alone among all processes, and
// keeps the outcome where it gives no error. The file is whole at every moment.
func (f File) Change(ctx context.Context, change func(*Contexts) error) error {
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return err
	}
	unlock, err := f.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	all, err := f.Read()
	if err != nil {
		return err
	}
	if err := change(all); err != nil {
		return err
	}
	return f.write(all)
}

func (f File) write(all *Contexts) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(f.Path), ".contexts-*") // for its owner alone
	if err != nil {
		return err
	}
	_, err = part.Write(append(text, '\n'))
	if err = errors.Join(err, part.Sync(), part.Close()); err == nil {
		err = os.Rename(part.Name(), f.Path)
	}
	if err != nil {
		_ = os.Remove(part.Name())
	}
	return err
}

// lockTime is longer than a refresh takes.
const (
	lockTime  = 2 * time.Minute
	lockPause = 20 * time.Millisecond
)

// lock waits for the other processes. The lock ends with the process too.
func (f File) lock(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	lock, err := os.OpenFile(f.Path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) //nolint:gosec // a descriptor is small
		if err == nil {
			return func() { _ = lock.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", lock.Name(), err), lock.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("another secmon holds %s: %w", lock.Name(), ctx.Err()), lock.Close())
		case <-time.After(lockPause):
		}
	}
}

// early is how long before its end an access token is no longer used.
const early = 30 * time.Second

// Bearer gives a context's credential. A session's access token that ends soon is
// renewed by refresh, by one process at a time: the old refresh token must not be
// used again. A session that is over is ErrOver.
func (f File) Bearer(ctx context.Context, name string, refresh func(ctx context.Context, server, token string) (*client.Session, error)) (string, error) {
	all, err := f.Read()
	if err != nil {
		return "", err
	}
	_, c, err := all.Named(name)
	if err != nil {
		return "", err
	}
	if bearer, ok := c.bearer(); ok {
		return bearer, nil
	}
	var bearer string
	err = f.Change(ctx, func(all *Contexts) error {
		_, c, err := all.Named(name)
		if err != nil {
			return err
		}
		var ok bool
		if bearer, ok = c.bearer(); ok {
			return nil // another process has
		}
		session, err := refresh(ctx, c.Server, c.Refresh)
		if err != nil {
			return over(name, c.Server, err)
		}
		c.SetSession(session)
		bearer = c.AccessToken
		return nil
	})
	return bearer, err
}

func (c *Context) bearer() (string, bool) {
	if c.Token != "" {
		return c.Token, true
	}
	return c.AccessToken, c.AccessToken != "" && time.Until(c.ExpiresAt) > early
}

// ErrOver says that a session has ended.
var ErrOver = errors.New("the login is over")

func over(name, server string, err error) error {
	var refused client.Errors
	if errors.As(err, &refused) && len(refused) > 0 && refused[0].Code() == "UNAUTHENTICATED" {
		return fmt.Errorf("%w: secmon login %s --context %s", ErrOver, server, name)
	}
	return err
}
