// Package archtest holds the table of who may import whom.
package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/security-monitor/secmon/"

// allowed says which of our packages a package may import. A package that is
// missing here fails the test: adding one is a decision.
var allowed = map[string][]string{
	"page":            {},
	"child":           {},
	"monitor":         {"page"},
	"trace":           {}, // spans only; whoever does work begins them
	"trace/tracetest": {},
	"metrics":         {}, // names and labels only; app joins them to the work
	"ingest":          {"monitor", "page", "trace"},
	"detect":          {"monitor", "page"},
	"intel":           {"monitor", "stix"}, // reads lists, looks through events; keeps nothing
	"stix":            {"monitor"},         // writes objects
	"taxii":           {"monitor", "page", "stix"},
	"auth":            {"monitor", "page"},
	"feed":            {"monitor", "page", "trace"},
	"feed/localredis": {"child"},
	"limit":           {"monitor"},
	"schema":          {},
	"attack":          {},
	"db":              {"monitor", "page", "trace"},
	"db/localdb":      {"child"},
	"observe":         {}, // writes dashboards, checks alerts
	"db/dbtest":       {"db", "db/localdb"},
	"notify":          {"monitor", "page", "feed"},
	"notify/channel":  {"monitor", "notify"}, // what channels say, and to whom
	"graph":           {"graph/model", "monitor", "page", "attack"},
	"graph/model":     {"monitor", "page", "attack"},
	"resolvers":       {"graph", "graph/model", "monitor", "page", "auth", "limit", "report", "export", "attack"},
	"transport":       {"graph", "graph/model", "monitor", "feed", "auth", "limit"},
	"auth/oidctest":   {},
	"report":          {"monitor"},
	"audit":           {"monitor"},
	"backup":          {"monitor"},                          // the journal's chain; rows come and go through interfaces
	"export":          {"monitor", "page", "audit", "stix"}, // audit disarms cells
	"archive":         {"monitor", "page", "backup"},        // its shelf; events come and go through interfaces
	"rulepack":        {"monitor"},
	"demo":            {"monitor"},
	"web":             {},
	"app":             {everything},
	"client":          {}, // for other programs: nothing of ours
	"client/contexts": {"client"},
	"client/table":    {},
	"agent":           {"client"},                                                               // runs elsewhere: knows the server by its endpoint
	"cmd/secmon":      {"app", "audit", "client", "client/contexts", "client/table", "monitor"}, // monitor for the nouns that flags name
	"e2e":             {everything},
	"e2e/oldevents":   {"db", "db/localdb", "monitor"}, // makes the past for stories
	"images":          {"web"},
	"images/sbom":     {},
	"archtest":        {},
}

const everything = "*"

// testOnly are imported by tests alone.
var testOnly = []string{"db/dbtest", "e2e", "auth/oidctest", "trace/tracetest"}

// importers says which packages alone may import a third-party package (or those
// whose path begins so). Tests may look at the database and at Redis directly.
var importers = map[string][]string{
	"database/sql":                     {"db", "db/dbtest"},
	"github.com/doug-martin/goqu/":     {"db"},
	"github.com/go-sql-driver/mysql":   {"db", "db/dbtest"},
	"github.com/redis/go-redis/":       {"feed", "limit"},
	"github.com/golang-jwt/jwt/":       {"auth", "auth/oidctest"},
	"github.com/coreos/go-oidc/":       {"auth"},
	"github.com/99designs/gqlgen":      {"graph", "graph/model", "resolvers", "transport", "app"},
	"github.com/alicebob/miniredis/v2": {"feed/localredis"},
	"github.com/coder/websocket":       {"client"},
	"github.com/prometheus/":           {"metrics"},
	"go.opentelemetry.io/otel":         {"trace", "trace/tracetest"},
	"go.opentelemetry.io/proto":        {"ingest", "trace", "trace/tracetest"}, // messages alone
	"github.com/gobwas/ws":             {"transport"},
	"filippo.io/age":                   {"backup"},
	"github.com/aws/":                  {"backup"},
	"github.com/shirou/gopsutil/":      {"agent"},
	"github.com/fsnotify/fsnotify":     {"agent"},
	"go.etcd.io/bbolt":                 {"agent"},
	"github.com/wneessen/go-mail":      {"notify/channel"},
	"github.com/emersion/go-smtp":      {}, // tests alone
}

// standardOnly import nothing but the standard library and what allowed says.
var standardOnly = []string{"page", "monitor", "child", "db/localdb"}

type goPackage struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func (p goPackage) name() string { return strings.TrimPrefix(p.ImportPath, module) }

func TestPackagesImportOnlyWhatTheyMay(t *testing.T) {
	for _, p := range listPackages(t) {
		may, known := allowed[p.name()]
		if !known {
			t.Errorf("%s is not in the import table", p.name())
			continue
		}
		for _, path := range p.Imports {
			if reason := refuse(p.name(), may, path); reason != "" {
				t.Errorf("%s may not import %s: %s", p.name(), path, reason)
			}
		}
	}
}

// refuse says why a package may not import a path, "" when it may.
func refuse(name string, may []string, path string) string {
	if ours, ok := strings.CutPrefix(path, module); ok {
		if slices.Contains(testOnly, ours) {
			return "it is for tests"
		}
		if !slices.Contains(may, ours) && !slices.Contains(may, everything) {
			return "it may import of ours only " + strings.Join(may, ", ")
		}
		return ""
	}
	for prefix, who := range importers {
		if (path == prefix || strings.HasPrefix(path, prefix)) && !slices.Contains(who, name) {
			return "only these may: " + strings.Join(who, ", ")
		}
	}
	if slices.Contains(standardOnly, name) && strings.Contains(strings.Split(path, "/")[0], ".") {
		return "it keeps to the standard library"
	}
	return ""
}

// The tests of a package may use, besides what it may itself, the test database
// and the packages below theirs; none may reach up to the wiring.
func TestTestsReachUpToNothing(t *testing.T) {
	for _, p := range listPackages(t) {
		if slices.Contains(allowed[p.name()], everything) {
			continue
		}
		for _, path := range slices.Concat(p.TestImports, p.XTestImports) {
			ours, ok := strings.CutPrefix(path, module)
			if ok && ours != p.name() && slices.Contains([]string{"app", "cmd/secmon", "e2e"}, ours) && p.name() != "cmd/secmon" {
				t.Errorf("a test of %s may not import %s: stories about the whole program are in e2e", p.name(), ours)
			}
		}
	}
}

// The rules themselves: what must be refused is refused.
func TestTheTableRefuses(t *testing.T) {
	for _, c := range []struct{ from, path, reason string }{
		{"resolvers", module + "db", "resolvers declare what they need"},
		{"detect", module + "ingest", "ingest comes before detect"},
		{"app", module + "db/dbtest", "the product has no test code"},
		{"resolvers", "database/sql", "SQL lives in db"},
		{"db/localdb", "github.com/go-sql-driver/mysql", "localdb gives a DSN, it opens nothing"},
		{"ingest", "github.com/redis/go-redis/v9", "Redis lives in feed"},
		{"monitor", "github.com/99designs/gqlgen/graphql", "the nouns know no GraphQL"},
		{"feed", "go.opentelemetry.io/otel/trace", "OpenTelemetry lives in trace"},
		{"app", "github.com/prometheus/client_golang/prometheus", "Prometheus lives in metrics"},
		{"detect", module + "metrics", "app joins the metrics to the work"},
		{"monitor", "go.yaml.in/yaml/v3", "the nouns keep to the standard library"},
		{"app", "filippo.io/age", "backups are encrypted in one place"},
		{"db", module + "backup", "db copies tables, into whatever file"},
		{"agent", module + "ingest", "the agent sends what any shipper could"},
		{"app", "github.com/shirou/gopsutil/v4/host", "the agent looks at the machine"},
	} {
		if refuse(c.from, allowed[c.from], c.path) == "" {
			t.Errorf("%s may import %s: %s", c.from, c.path, c.reason)
		}
	}
	for name, may := range allowed {
		for _, other := range may {
			if _, known := allowed[other]; !known && other != everything {
				t.Errorf("%s may import %s, which is not in the table", name, other)
			}
		}
	}
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	list.Dir = ".."
	var complaint strings.Builder
	list.Stderr = &complaint
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, complaint.String())
	}
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.ImportPath, module) && !strings.Contains(p.ImportPath, "/node_modules/") {
			packages = append(packages, p)
		}
	}
}
