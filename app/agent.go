package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/security-monitor/secmon/agent"
	"github.com/security-monitor/secmon/client"
)

// AgentConfig is what can be set of the agent: flags, environment and keys of the
// configuration file, as in Config. The token is none of them: TokenEnv or a file.
type AgentConfig struct {
	Server    string `help:"Server to send to." default:"http://127.0.0.1:8000" placeholder:"URL"`
	TokenFile string `name:"token-file" help:"File with an API token with the scope ingest; read for each request. Without it SECMON_TOKEN has the token." type:"path" placeholder:"FILE"`
	CAFile    string `name:"ca-file" help:"Certificates (PEM) that may sign the server's. The system's without it." type:"path" placeholder:"FILE"`
	SpoolDir  string `name:"spool-dir" help:"Where records wait that the server does not have yet." default:"${datadir}/agent" type:"path"`
	SpoolMB   int    `name:"spool-mb" help:"Size of the spool, in MiB, beyond which the oldest records are dropped and counted." default:"256"`
	HostName  string `name:"host-name" help:"What this machine is called in records. Its own name without it." placeholder:"NAME"`

	Every     time.Duration `help:"How often ports, connections and processes are looked at." default:"10s"`
	Inventory time.Duration `help:"How often all ports and connections are reported in one record." default:"15m"`
	Heartbeat time.Duration `help:"How often the agent says that it is there." default:"1m"`

	Sockets   bool     `help:"Report ports and connections." default:"true" negatable:""`
	Loopback  bool     `help:"Report connections within the machine, too."`
	Processes bool     `help:"Report processes that are started." default:"true" negatable:""`
	Watch     []string `help:"Folders to watch for new files; with /... at the end those below, too. 'none' watches nothing. Without it those of docs/agent.md." placeholder:"FOLDER,..."`
	FileMB    int      `name:"file-mb" help:"Largest file that is hashed, in MiB." default:"64"`
	Logs      []string `help:"'journal', files such as /var/log/auth.log, or 'none'. Without it the journal, or the auth log where there is none." placeholder:"journal|FILE,..."`
	Journal   []string `name:"journal-match" help:"What journalctl is to match in place of logins, cron, audit and units: its words, a + between alternatives." sep:" " placeholder:"FIELD=VALUE"`
}

// TokenEnv has the agent's token, where no file does.
const TokenEnv = "SECMON_TOKEN" //nolint:gosec // the name, not the token

// RunAgent reports about this machine until ctx ends.
func RunAgent(ctx context.Context, cfg AgentConfig, lg *slog.Logger) error {
	token := fileToken(cfg.TokenFile)
	if cfg.TokenFile == "" {
		given := os.Getenv(TokenEnv)
		if given == "" {
			return fmt.Errorf("name a file with an API token by --token-file, or set %s", TokenEnv)
		}
		token = func(context.Context) (string, error) { return given, nil }
	}
	transport, err := trusting(cfg.CAFile)
	if err != nil {
		return err
	}
	config := cfg.config(ctx)
	config.Server = client.Ingest{URL: cfg.Server, HTTP: &http.Client{Transport: transport}, Token: token}
	a, err := agent.New(config, lg)
	if err != nil {
		return err
	}
	lg.Info("agent reports about this machine", "server", cfg.Server, "spool", config.Dir, "folders", config.Folders, "journal", config.Journal, "files", config.LogFiles)
	return errors.Join(a.Run(ctx), a.Close())
}

// config is the agent's, but for its server.
func (c *AgentConfig) config(ctx context.Context) agent.Config {
	config := agent.Config{
		Host: c.HostName, Version: Version, Dir: c.SpoolDir, MaxBytes: int64(c.SpoolMB) << 20,
		Every: c.Every, Inventory: c.Inventory, Heartbeat: c.Heartbeat, Sockets: c.Sockets, Loopback: c.Loopback, Processes: c.Processes,
		Folders: c.Watch, FileBytes: int64(c.FileMB) << 20, JournalMatches: c.Journal,
	}
	if len(c.Watch) == 0 {
		config.Folders = agent.DefaultFolders()
	} else if c.Watch[0] == "none" {
		config.Folders = nil
	}
	if len(config.JournalMatches) == 0 {
		config.JournalMatches = agent.DefaultJournalMatches
	}
	if len(c.Logs) == 0 {
		config.Journal, config.LogFiles = agent.FindLogs(ctx)
	}
	for _, log := range c.Logs {
		switch log {
		case "none":
		case "journal":
			config.Journal = true
		default:
			config.LogFiles = append(config.LogFiles, log)
		}
	}
	return config
}

func fileToken(path string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		text, err := os.ReadFile(path)
		return strings.TrimSpace(string(text)), err
	}
}

// trusting gives a transport that trusts the certificates of a file, or the system's.
func trusting(path string) (*http.Transport, error) {
	transport, _ := http.DefaultTransport.(*http.Transport)
	transport = transport.Clone()
	if path == "" {
		return transport, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificates", path)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return transport, nil
}

// ReportHost reports about the machine that the server runs on, through its own
// ingest endpoint, until ctx ends; stop waits for that. It has tokens of its own,
// each for a day.
func (a *App) ReportHost(ctx context.Context, lg *slog.Logger) (stop func(), err error) {
	preset := AgentConfig{SpoolDir: filepath.Join(a.cfg.DataDir, "agent"), SpoolMB: 64, Sockets: true, Processes: true}
	config := preset.config(ctx)
	config.Server = client.Ingest{URL: a.URL(), HTTP: &http.Client{}, Token: a.ownToken("agent on this machine")}
	reporter, err := agent.New(config, lg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := errors.Join(reporter.Run(ctx), reporter.Close()); err != nil {
			lg.Error("agent ended", "error", err)
		}
	}()
	return func() { cancel(); <-done }, nil
}

// ownToken gives a token for the server's own ingest endpoint, a new one when half of its
// day is over.
func (a *App) ownToken(name string) func(context.Context) (string, error) {
	const life = 24 * time.Hour
	var mu sync.Mutex
	var secret string
	var until time.Time
	return func(ctx context.Context) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.Add(life / 2).After(until) {
			made, err := a.IngestToken(ctx, name, now.Add(life))
			if err != nil {
				return "", err
			}
			secret, until = made, now.Add(life)
		}
		return secret, nil
	}
}
