package app

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/limit"
	"github.com/security-monitor/secmon/monitor"
)

// Storage is where the state is; commands that need no server take it alone.
type Storage struct {
	DatabaseDSN string `name:"database-dsn" help:"MySQL to use (go-sql-driver DSN). Without it a private MariaDB runs as a child process." placeholder:"DSN"`
	DataDir     string `name:"data-dir" help:"Where the private servers and generated keys live." default:"${datadir}" type:"path"`
	MaxConns    int    `name:"max-conns" help:"Connections to the database." default:"16"`
}

// OIDC is an OpenID Connect provider that people may log in by.
type OIDC struct {
	Issuer           string              `help:"OpenID Connect provider that people may log in by: its issuer, an address." placeholder:"URL"`
	ClientID         string              `name:"client-id" help:"What this server is called at the provider."`
	ClientSecret     string              `name:"client-secret" help:"Its secret there; without one PKCE alone proves it." placeholder:"SECRET"`
	ClientSecretFile string              `name:"client-secret-file" help:"File with the secret." type:"path" placeholder:"FILE"`
	Name             string              `help:"What the provider is called on the login page." default:"single sign-on"`
	Scopes           []string            `help:"What is asked for beside openid." default:"profile,email"`
	RoleClaim        string              `name:"role-claim" help:"Claim of the ID token, or of userinfo, that names people's groups." default:"groups"`
	Roles            map[string][]string `help:"Which groups have which role: ADMIN=sec-admins;ANALYST=soc,soc-night. The highest counts." placeholder:"ROLE=GROUP,..." mapsep:";"`
	Lasts            time.Duration       `help:"After how long the provider is asked again, however busy somebody is." default:"12h"`
	DefaultRole      string              `name:"default-role" help:"Role of people who are in none of the groups: VIEWER, ANALYST, ADMIN. Without it they stay out."`
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
	SealingKeys       string `name:"sealing-keys" help:"Keys for secrets that are kept encrypted in the database (second factors), base64 of 32 bytes or more, the first encrypts. Keep old ones behind it. Without it a key is made and kept in the data directory." placeholder:"KEY,..."`
	SealingKeysFile   string `name:"sealing-keys-file" help:"File with the keys for secrets that are kept encrypted." type:"path" placeholder:"FILE"`
	AdminPassword     string `name:"admin-password" help:"Password of the user admin, made when there is no user yet. Without it one is generated and printed once." placeholder:"PASSWORD"`
	TrustProxy        bool   `name:"trust-proxy" help:"Take the client's address from X-Forwarded-For: only behind an ingress that sets it."`
	Demo              bool   `help:"Play attack stories through the ingest endpoint."`
	ReportHost        bool   `name:"agent" help:"Report about this machine, too, as secmon agent does." negatable:""`

	OIDC `embed:"" prefix:"oidc-"`

	Syslog    Syslog `embed:"" prefix:"syslog-"`
	Archiving `embed:""`

	PublicURL       string `name:"public-url" help:"Address of this server as browsers know it; single sign-on needs it." placeholder:"URL"`
	NoPasswordLogin bool   `name:"no-password-login" help:"Let people in by the OpenID Connect provider only. API tokens work as before."`

	TrustedOperations []string         `name:"trusted-operations" help:"Run these operations and no others: files with a JSON object of SHA-256 and document; 'dashboard' is the dashboard's own." placeholder:"FILE"`
	UntrustedFor      monitor.Audience `name:"untrusted-operations-for" help:"Who may run other operations all the same: VIEWER, ANALYST, ADMIN (and above), or nobody." enum:"VIEWER,ANALYST,ADMIN,nobody" default:"nobody"`
	IntrospectionFor  monitor.Audience `name:"introspection-for" help:"Who may read the schema: VIEWER, ANALYST, ADMIN (and above), or nobody." enum:"VIEWER,ANALYST,ADMIN,nobody" default:"VIEWER"`
	PlaygroundFor     monitor.Audience `name:"playground-for" help:"Whom the playground is offered to, of those who may read the schema." enum:"VIEWER,ANALYST,ADMIN,nobody" default:"VIEWER"`

	MaxBodyMB        int           `name:"max-body-mb" help:"Largest decompressed body of an ingest request, in MiB." default:"64"`
	MaxRecordKB      int           `name:"max-record-kb" help:"Largest record, in KiB." default:"1024"`
	MaxInFlightMB    int           `name:"max-in-flight-mb" help:"Bytes of records held by all ingest requests together, in MiB; beyond it 429." default:"64"`
	SNSTopics        []string      `name:"sns-topics" help:"Topics of Amazon SNS that may send events, by their ARNs (docs/ingest.md). Their subscriptions are confirmed; without it none may." placeholder:"ARN,..."`
	QueryTimeout     time.Duration `name:"query-timeout" help:"Deadline of a query or mutation." default:"10s"`
	MaxComplexity    int           `name:"max-complexity" help:"Largest cost of one operation, in points (docs/limits.md)." default:"20000"`
	MaxDepth         int           `name:"max-depth" help:"Fields within one another in one operation." default:"15"`
	MaxAliases       int           `name:"max-aliases" help:"Fields with an alias in one operation." default:"50"`
	MaxRootFields    int           `name:"max-root-fields" help:"Root fields of one operation." default:"20"`
	RateLimit        int           `name:"rate-limit" help:"Points a minute of one user or API token, over all replicas. 0: no bound." default:"600000"`
	RateLimitAddress int           `name:"rate-limit-address" help:"Points a minute from one address (IPv6: one /64), over all replicas. 0: no bound." default:"3000000"`
	MaxConnections   int           `name:"max-connections" help:"Live connections of one user or API token, per replica." default:"200"`
	MaxSubscriptions int           `name:"max-subscriptions" help:"Subscriptions of one user or API token, per replica." default:"1000"`
	FeedLagAlert     time.Duration `name:"feed-lag-alert" help:"For how long a feed's consumer may be behind before an alert is raised." default:"1m"`
	Grace            time.Duration `help:"How long a stopping server waits for requests under way and for live clients to hang up." default:"10s"`
	DrainDelay       time.Duration `name:"drain-delay" help:"For how long a stopping server serves on while /api/readyz says 503, so that a load balancer takes it out before connections end. 0 where something else does (preStop in Kubernetes)." default:"0s"`
	JournalRetention time.Duration `name:"journal-retention" help:"How long changes are kept in the journal: what feeds can replay and alerts show as their history. 0: for ever." default:"720h"`
	EventRetention   time.Duration `name:"event-retention" help:"How long events are kept, whole days; alerts keep what matched. 0: for ever." default:"2160h"`
	SessionLifetime  time.Duration `name:"session-lifetime" help:"How long a login lasts that is not used." default:"168h"`
	PinSettings      bool          `name:"pin-settings" help:"Let the configuration alone decide what administrators could set: who reads the schema, retention, the life of logins."`
	JournalMaxMB     int           `name:"journal-max-mb" help:"Size of the journal beyond which the oldest changes are deleted, in MiB. 0: no bound." default:"10240"`

	WebhookAllow  []string `name:"webhook-allow" help:"Networks that webhooks may reach though they are not public, also without TLS: 10.1.0.0/16. Without it public addresses by https alone." placeholder:"NETWORK,..."`
	WebhookCAFile string   `name:"webhook-ca-file" help:"Certificates (PEM) that may sign receivers' of webhooks, beside the system's." type:"path" placeholder:"FILE"`

	CorrelationAllowance time.Duration `name:"correlation-allowance" help:"By how much an event may come later than others of its group and still count in a correlation." default:"10m"`
	CorrelationMaxGroups int           `name:"correlation-max-groups" help:"Groups that one correlation rule keeps; beyond it those are forgotten that are done first." default:"100000"`

	LogLevel    slog.Level `name:"log-level" help:"debug, info, warn or error." default:"info"`
	LogJSON     bool       `name:"log-json" help:"Log in JSON."`
	LogRequests bool       `name:"log-requests" help:"Log a line for each request and operation (docs/logging.md)." default:"true" negatable:""`

	OTelEndpoint string  `name:"otel-endpoint" help:"OTLP/HTTP receiver of traces, such as http://collector:4318. Without it the standard OTEL_* variables count; without those nothing is traced." placeholder:"URL"`
	OTelSample   float64 `name:"otel-sample" help:"Share of traces that are kept, 0 to 1, of those that begin here." default:"0.1"`
}

// setup is what the configuration says of what administrators can set, too.
func (c *Config) setup() monitor.Setup {
	return monitor.Setup{
		Offers:          monitor.Offers{Introspection: c.IntrospectionFor, Playground: c.PlaygroundFor},
		SessionLifetime: cmp.Or(c.SessionLifetime, auth.SessionLifetime),
		EventRetention:  max(0, c.EventRetention),
		Journal:         monitor.JournalBounds{MaxAge: max(0, c.JournalRetention), MaxBytes: int64(max(0, c.JournalMaxMB)) << 20},
	}
}

// correlating are the settings of correlations.
func (c *Config) correlating() db.Correlating {
	return db.Correlating{Allowance: c.CorrelationAllowance, MaxGroups: max(0, c.CorrelationMaxGroups)}
}

// limits bound one operation; what is not set is limit.DefaultLimits'.
func (c *Config) limits() limit.Limits {
	l := limit.DefaultLimits
	l.Cost = cmp.Or(c.MaxComplexity, l.Cost)
	l.Depth = cmp.Or(c.MaxDepth, l.Depth)
	l.Aliases = cmp.Or(c.MaxAliases, l.Aliases)
	l.RootFields = cmp.Or(c.MaxRootFields, l.RootFields)
	return l
}

// points are the budgets of viewers and addresses. One that is smaller than the
// dearest operation would refuse that one for ever.
func (c *Config) points() (limit.Points, error) {
	most := c.limits().Cost
	for name, n := range map[string]int{"rate-limit": c.RateLimit, "rate-limit-address": c.RateLimitAddress} {
		if n < 0 || n > 0 && n < most {
			return limit.Points{}, fmt.Errorf("%s is %d, less than one operation may cost (max-complexity, %d)", name, n, most)
		}
	}
	return limit.Points{Viewer: c.RateLimit, Address: c.RateLimitAddress}, nil
}
