package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/localdb"
	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// Examine says whether a server with this configuration would find what it needs.
// It changes nothing that lasts, and no message holds a secret.
func Examine(ctx context.Context, cfg Config) []monitor.Diagnosis {
	var all []monitor.Diagnosis
	all = append(all, examineConfig(cfg)...)
	all = append(all, examineSecrets(cfg)...)
	all = append(all, examineDatabase(ctx, cfg)...)
	all = append(all, examineRedis(ctx, cfg)...)
	all = append(all, examineProvider(ctx, cfg)...)
	all = append(all, examineDisk(cfg), examineFiles())
	return append(all, examinePorts(ctx, cfg)...)
}

// examineConfig finds what contradicts itself.
func examineConfig(cfg Config) []monitor.Diagnosis {
	var all []monitor.Diagnosis
	if _, err := cfg.points(); err != nil {
		all = append(all, monitor.Fault("config.limits", err.Error(), "Raise the budget, or lower --max-complexity."))
	}
	if _, err := readTrusted(cfg.TrustedOperations); err != nil {
		all = append(all, monitor.Fault("config.trusted_operations", err.Error(), "Make the manifest anew; its hashes are those of the documents."))
	}
	if cfg.OTelSample < 0 || cfg.OTelSample > 1 {
		all = append(all, monitor.Fault("config.otel", fmt.Sprintf("otel-sample is %g", cfg.OTelSample), "It is a share, from 0 to 1."))
	}
	if cfg.Demo && cfg.DatabaseDSN != "" {
		all = append(all, monitor.Warn("config.demo", "attack stories are played into a database of yours", "Take --demo away where real events come in."))
	}
	if host, _, err := net.SplitHostPort(cfg.MetricsListen); cfg.MetricsListen != "" && (err != nil || host == "") {
		all = append(all, monitor.Warn("config.metrics", "metrics are for everybody who reaches "+cfg.MetricsListen, "Let only Prometheus come there, by a network policy."))
	}
	if len(all) == 0 {
		all = append(all, monitor.Fine("config", "it is consistent"))
	}
	return all
}

func examineDatabase(ctx context.Context, cfg Config) []monitor.Diagnosis {
	needs := db.Needs{MaxConns: cfg.MaxConns, MaxRecord: cfg.MaxRecordKB << 10, MaxGroups: cfg.correlating().MaxGroups}
	if cfg.DatabaseDSN != "" {
		return db.Examine(ctx, cfg.DatabaseDSN, needs)
	}
	if err := localdb.Installed(); err != nil {
		return []monitor.Diagnosis{monitor.Fault("database.private", err.Error(), "Run scripts/install-deps.sh servers, or name a database by --database-dsn.")}
	}
	server, err := startDatabase(ctx, cfg.Storage, refuseMissing, slog.New(slog.DiscardHandler))
	if errors.Is(err, localdb.ErrNone) {
		return []monitor.Diagnosis{monitor.Fine("database.private", "secmon serve will make one in %s", cfg.DataDir)}
	}
	if err != nil {
		return []monitor.Diagnosis{monitor.Fault("database.private", err.Error(), "See "+filepath.Join(cfg.DataDir, "mariadb")+" for its log.")}
	}
	defer server.Close() //nolint:errcheck // it was only read
	return db.Examine(ctx, server.DSN(databaseName), needs)
}

func examineRedis(ctx context.Context, cfg Config) []monitor.Diagnosis {
	if cfg.RedisURL == "" {
		d := monitor.Fine("redis.private", "a private one, for one replica")
		if cfg.DatabaseDSN != "" {
			d = monitor.Warn("redis.private", "a private one, though the database may have several replicas", "Name the Redis that all replicas share by --redis-url.")
		}
		return []monitor.Diagnosis{d}
	}
	return feed.Examine(ctx, feed.RedisOptions{
		URL: cfg.RedisURL, Channel: cfg.RedisChannel, Cluster: cfg.RedisCluster, CAFile: cfg.RedisCAFile, PasswordFile: cfg.RedisPasswordFile,
		Log: slog.New(slog.DiscardHandler),
	})
}

// examineProvider asks the OpenID Connect provider about itself.
func examineProvider(ctx context.Context, cfg Config) []monitor.Diagnosis {
	if cfg.Issuer == "" {
		return nil
	}
	const check = "oidc"
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(cfg.Issuer, "/")+"/.well-known/openid-configuration", nil)
	if err != nil {
		return []monitor.Diagnosis{monitor.Fault(check, "the issuer is no address", "Check --oidc-issuer.")}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return []monitor.Diagnosis{monitor.Fault(check, "the provider does not answer: "+err.Error(), "Check --oidc-issuer, DNS, certificates and network policies.")}
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	var about struct{ Issuer string }
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&about); err != nil || about.Issuer != cfg.Issuer {
		return []monitor.Diagnosis{monitor.Fault(check, fmt.Sprintf("%s is no provider that calls itself so", cfg.Issuer), "Write --oidc-issuer exactly as the provider does, with or without / at its end.")}
	}
	if cfg.PublicURL == "" {
		return []monitor.Diagnosis{monitor.Fault(check, "there is no public-url to come back to", "Set --public-url.")}
	}
	return []monitor.Diagnosis{monitor.Fine(check, "%s answers", cfg.Issuer)}
}

// Room in the data directory: below these shares and sizes something is wrong.
const (
	lowDisk  = 0.15
	fullDisk = 0.05
	leastGiB = 1
)

func examineDisk(cfg Config) monitor.Diagnosis {
	dir := cfg.DataDir
	for dir != filepath.Dir(dir) { // what is to be made lies on the disk of what is there
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	is, err := diskOf(dir)
	if err != nil {
		return monitor.Fault("disk", err.Error(), "Check --data-dir.")
	}
	return aboutDisk(dir, is)
}

func aboutDisk(dir string, is disk) monitor.Diagnosis {
	share := float64(is.free) / float64(max(is.size, 1))
	text := fmt.Sprintf("%.1f GiB (%.0f %%) are free at %s", float64(is.free)/(1<<30), share*100, dir)
	const advice = "Free some, enlarge the disk, or shorten --event-retention and --journal-max-mb."
	switch {
	case share < fullDisk || is.free < leastGiB<<30:
		return monitor.Fault("disk", text, advice)
	case share < lowDisk:
		return monitor.Warn("disk", text, advice)
	default:
		return monitor.Fine("disk", "%s", text)
	}
}

func examineFiles() monitor.Diagnosis {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return monitor.Fault("open_files", err.Error(), "The system does not tell its limits.")
	}
	return aboutFiles(limit.Cur)
}

func aboutFiles(limit uint64) monitor.Diagnosis {
	text := fmt.Sprintf("%d files may be open, each connection is one", limit)
	const advice = "Raise it: ulimit -n, LimitNOFILE of systemd, or the limits of the container runtime."
	switch {
	case limit < 512:
		return monitor.Fault("open_files", text, advice)
	case limit < 8_192:
		return monitor.Warn("open_files", text, advice)
	default:
		return monitor.Fine("open_files", "%s", text)
	}
}

func examinePorts(ctx context.Context, cfg Config) []monitor.Diagnosis {
	all := []monitor.Diagnosis{examinePort(ctx, "port", cfg.Listen, "--listen")}
	if cfg.MetricsListen != "" {
		all = append(all, examinePort(ctx, "port.metrics", cfg.MetricsListen, "--metrics-listen"))
	}
	return all
}

// examinePort tries an address. One that a server of ours has is no fault: then the
// doctor looks at a running system.
func examinePort(ctx context.Context, check, address, flag string) monitor.Diagnosis {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err == nil {
		_ = listener.Close()
		return monitor.Fine(check, "%s is free", address)
	}
	if !errors.Is(err, unix.EADDRINUSE) {
		return monitor.Fault(check, err.Error(), "Check "+flag+"; ports below 1024 need a right.")
	}
	if isOurs(ctx, address) {
		return monitor.Fine(check, "%s: a server runs there", address)
	}
	return monitor.Fault(check, address+" is taken by another program", "End that one, or choose another address by "+flag+".")
}

func isOurs(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	for path, mark := range map[string]string{"/api/healthz": `{"status":"ok"}`, "/metrics": "secmon_build_info"} {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(cmp.Or(host, "127.0.0.1"), port)+path, nil)
		if err != nil {
			return false
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20)) // what came is looked at
		_ = response.Body.Close()
		if strings.Contains(string(text), mark) {
			return true
		}
	}
	return false
}
