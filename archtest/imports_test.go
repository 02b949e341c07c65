// Package archtest holds the table of who may import whom (docs/architecture.md).
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
	"ingest":          {"monitor", "page"},
	"detect":          {"monitor", "page"},
	"auth":            {"monitor", "page"},
	"feed":            {"monitor", "page"},
	"feed/localredis": {"child"},
	"db":              {"monitor", "page"},
	"db/localdb":      {"child"},
	"db/dbtest":       {"db", "db/localdb"},
	"graph":           {"graph/model", "monitor", "page"},
	"graph/model":     {"monitor", "page"},
	"resolvers":       {"graph", "graph/model", "monitor", "page", "auth"},
	"rulepack":        {},
	"demo":            {"monitor"},
	"web":             {},
	"app":             {"*"},
	"cmd/secmon":      {"app", "monitor"},
	"e2e":             {"*"},
	"archtest":        {},
}

// restricted says which packages alone may import a third-party package.
var restricted = map[string][]string{
	"database/sql":                 {"db"},
	"github.com/doug-martin/goqu/": {"db"},
	"github.com/redis/go-redis/":   {"feed"},
	"github.com/golang-jwt/jwt/":   {"auth"},
	"github.com/99designs/gqlgen":  {"graph", "graph/model", "resolvers", "app"},
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestPackagesImportOnlyWhatTheyMay(t *testing.T) {
	for _, p := range listPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		may, known := allowed[name]
		if !known {
			t.Errorf("%s is not in the import table", name)
			continue
		}
		for _, path := range p.Imports {
			if ours, ok := strings.CutPrefix(path, module); ok && !slices.Contains(may, ours) && !slices.Contains(may, "*") {
				t.Errorf("%s may not import %s", name, ours)
			}
			for prefix, who := range restricted {
				if (path == prefix || strings.HasPrefix(path, prefix)) && !slices.Contains(who, name) {
					t.Errorf("%s may not import %s: only %v may", name, path, who)
				}
			}
		}
	}
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
