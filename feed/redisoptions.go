package feed

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// RedisOptions say which Redis carries the feed, and how to reach it.
//
// The user needs no more than `+@connection +publish +subscribe &CHANNEL`, on a
// cluster `+@connection +spublish +ssubscribe +cluster +command &CHANNEL`
// (Redis 7 or later: sharded pub/sub).
type RedisOptions struct {
	// URL is redis://, rediss:// for TLS, or unix://, as go-redis reads it. On a
	// cluster it names any node, and more of them as ?addr=HOST:PORT&addr=...
	// With TLS the certificate of every node has to be valid for the URL's host.
	URL     string
	Channel string // replicas with the same channel hear each other
	Cluster bool   // a Redis Cluster, by sharded pub/sub
	// CAFile holds the certificates (PEM) that may sign the server's; the
	// system's where empty.
	CAFile string
	// PasswordFile holds the password in place of the URL, so that it stands
	// neither in the environment nor in the process list. It is read for each
	// connection: a rotated password needs no restart.
	PasswordFile string
	Pool         int // connections; 4 where it is 0
	Log          *slog.Logger
}

// Timeouts of one connection.
const (
	redisDial = 2 * time.Second
	redisIO   = time.Second
)

const redisPool = 4 // connections

// The library's own log goes nowhere: what it says comes back in errors too.
var silenceLibrary = sync.OnceFunc(func() { redis.SetLogger(nowhere{}) })

type nowhere struct{}

// Printf does nothing.
func (nowhere) Printf(context.Context, string, ...any) {}

// connect makes the client of a bus.
func (b *RedisBus) connect(o RedisOptions) error {
	silenceLibrary()
	user, err := b.secret.take(o.URL)
	if err != nil {
		return err
	}
	roots, err := readCAs(o)
	if err != nil {
		return err
	}
	var credentials func(context.Context) (string, string, error)
	if o.PasswordFile != "" {
		credentials = func(context.Context) (string, string, error) {
			password, err := b.secret.read()
			return user, password, err
		}
		if _, err := b.secret.read(); err != nil {
			return err
		}
	}
	if o.Cluster {
		return b.connectCluster(o, roots, credentials)
	}
	options, err := redis.ParseURL(o.URL)
	if err != nil {
		return errRedisURL // the library's error may quote the password
	}
	trust(options.TLSConfig, roots)
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = redisDial, redisIO, redisIO
	options.MaxRetries, options.DialerRetries, options.PoolSize, options.ContextTimeoutEnabled = 1, 1, cmp.Or(o.Pool, redisPool), true
	options.DisableIdentity, options.MaintNotificationsConfig = true, noNotifications()
	options.CredentialsProviderContext = credentials
	b.client = redis.NewClient(options)
	return nil
}

func (b *RedisBus) connectCluster(o RedisOptions, roots *x509.CertPool, credentials func(context.Context) (string, string, error)) error {
	options, err := redis.ParseClusterURL(o.URL)
	if err != nil {
		return errRedisURL
	}
	trust(options.TLSConfig, roots)
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = redisDial, redisIO, redisIO
	options.DialerRetries, options.PoolSize, options.ContextTimeoutEnabled = 1, cmp.Or(o.Pool, redisPool), true
	options.DisableIdentity, options.MaintNotificationsConfig = true, noNotifications()
	options.CredentialsProviderContext = credentials
	b.cluster = redis.NewClusterClient(options)
	b.client = b.cluster
	return nil
}

// noNotifications keeps the library from asking for a feature of Redis Enterprise
// at the start of each connection.
func noNotifications() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

func trust(config *tls.Config, roots *x509.CertPool) {
	if config != nil {
		config.MinVersion, config.RootCAs = tls.VersionTLS12, roots
	}
}

// readCAs gives the certificates of CAFile; nil, which means the system's,
// without one.
func readCAs(o RedisOptions) (*x509.CertPool, error) {
	if o.CAFile == "" {
		return nil, nil //nolint:nilnil // see above
	}
	if !strings.HasPrefix(o.URL, "rediss:") {
		return nil, errors.New("a CA file for redis is of use only with TLS: the URL has to begin with rediss://")
	}
	pem, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, fmt.Errorf("CA file for redis: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA file for redis: %s has no certificate in PEM form", o.CAFile)
	}
	return pool, nil
}

// errRedisURL quotes nothing: whatever part of a URL cannot be read, the password
// may be in it.
var errRedisURL = errors.New("redis URL: not of the form redis://[USER:PASSWORD@]HOST[:PORT][/DB], rediss:// for TLS, or unix://PATH (without unix:// and /DB on a cluster); special characters of a password have to be percent-encoded")

// secret is the password of a bus: in the URL or in a file.
type secret struct {
	file string

	mu       sync.Mutex
	password string // the last that was used
}

// take finds the password in a URL, and gives the user.
func (s *secret) take(from string) (user string, err error) {
	u, err := url.Parse(from)
	if err != nil {
		return "", errRedisURL
	}
	password, _ := u.User.Password()
	if password != "" && s.file != "" {
		return "", errors.New("redis has two passwords, one in the URL and one in a file: give one of them")
	}
	s.password = password
	return u.User.Username(), nil
}

// read gives the password of the file, without the end of the line.
func (s *secret) read() (string, error) {
	text, err := os.ReadFile(s.file)
	if err != nil {
		return "", fmt.Errorf("password file for redis: %w", err)
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" {
		return "", fmt.Errorf("password file for redis: %s is empty", s.file)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.password = password
	return password, nil
}

// hide takes the password out of an error's text: servers and proxies that do not
// know a command answer with its arguments.
func (s *secret) hide(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil || s.password == "" || !strings.Contains(err.Error(), s.password) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), s.password, "***"))
}
