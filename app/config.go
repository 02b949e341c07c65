package app

import (
	"log/slog"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Storage is where the state is; commands that need no server take it alone.
type Storage struct {
	DatabaseDSN string `name:"database-dsn" help:"MySQL to use (go-sql-driver DSN). Without it a private MariaDB runs as a child process." placeholder:"DSN"`
	DataDir     string `name:"data-dir" help:"Where the private servers and generated keys live." default:"${datadir}" type:"path"`
	MaxConns    int    `name:"max-conns" help:"Connections to the database." default:"16"`
}

// Config is everything that can be set. The struct tags are the flags of the
// command line; each is also an environment variable SECMON_* and a key of the
// configuration file. Defaults < file < environment < flags.
type Config struct {
	Storage `embed:""`

	Listen            string `help:"Address of the API and the dashboard." default:"127.0.0.1:8000" placeholder:"HOST:PORT"`
	MetricsListen     string `name:"metrics-listen" help:"Address for Prometheus (/metrics), which no ingress should reach. Without it nothing listens." placeholder:"HOST:PORT"`
	RedisURL          string `name:"redis-url" help:"Redis to use. Without it a private one runs as a child process, or in process." placeholder:"URL"`
	RedisCluster      bool   `name:"redis-cluster" help:"The Redis URL names a node of a Redis Cluster (7.0 or later): use sharded pub/sub."`
	RedisCAFile       string `name:"redis-ca-file" help:"Certificates (PEM) that may sign the Redis server's, for rediss://. The system's without it." type:"path" placeholder:"FILE"`
	RedisPasswordFile string `name:"redis-password-file" help:"File with the password of Redis, in place of one in the URL; read for each connection." type:"path" placeholder:"FILE"`
	RedisChannel      string `name:"redis-channel" help:"Pub/sub channel that the replicas share." default:"secmon.feed"`
	JWTKeys           string `name:"jwt-keys" help:"Keys for access tokens, base64 of 32 bytes or more, the first signs. Without it a key is made and kept in the data directory." placeholder:"KEY,..."`
	JWTKeysFile       string `name:"jwt-keys-file" help:"File with the keys for access tokens." type:"path" placeholder:"FILE"`
	AdminPassword     string `name:"admin-password" help:"Password of the user admin, made when there is no user yet. Without it one is generated and printed once." placeholder:"PASSWORD"`
	TrustProxy        bool   `name:"trust-proxy" help:"Take the client's address from X-Forwarded-For: only behind an ingress that sets it."`
	Demo              bool   `help:"Play attack stories through the ingest endpoint."`

	MaxBodyMB        int           `name:"max-body-mb" help:"Largest decompressed body of an ingest request, in MiB." default:"64"`
	MaxRecordKB      int           `name:"max-record-kb" help:"Largest record, in KiB." default:"1024"`
	MaxInFlightMB    int           `name:"max-in-flight-mb" help:"Bytes of records held by all ingest requests together, in MiB; beyond it 429." default:"64"`
	QueryTimeout     time.Duration `name:"query-timeout" help:"Deadline of a query or mutation." default:"10s"`
	MaxComplexity    int           `name:"max-complexity" help:"Largest cost of one operation." default:"60000"`
	MaxConnections   int           `name:"max-connections" help:"Live connections of one user or API token, per replica." default:"200"`
	MaxSubscriptions int           `name:"max-subscriptions" help:"Subscriptions of one user or API token, per replica." default:"1000"`
	FeedLagAlert     time.Duration `name:"feed-lag-alert" help:"For how long a feed's consumer may be behind before an alert is raised." default:"1m"`
	Grace            time.Duration `help:"How long a stopping server waits for requests under way." default:"10s"`
	JournalRetention time.Duration `name:"journal-retention" help:"How long changes are kept in the journal: what feeds can replay and alerts show as their history. 0: for ever." default:"720h"`
	JournalMaxMB     int           `name:"journal-max-mb" help:"Size of the journal beyond which the oldest changes are deleted, in MiB. 0: no bound." default:"10240"`
	LogLevel         slog.Level    `name:"log-level" help:"debug, info, warn or error." default:"info"`
	LogJSON          bool          `name:"log-json" help:"Log in JSON."`
}

// journalBounds are what the journal is kept in.
func (c *Config) journalBounds() monitor.JournalBounds {
	return monitor.JournalBounds{MaxAge: max(0, c.JournalRetention), MaxBytes: int64(max(0, c.JournalMaxMB)) << 20}
}
