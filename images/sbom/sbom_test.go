package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const lockfile = "../../web/package-lock.json"

// schema is CycloneDX's own (Apache License 2.0), with the two that it refers to.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for _, name := range []string{"bom-1.6.schema.json", "spdx.schema.json", "jsf-0.82.schema.json"} {
		text, err := os.Open(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(text)
		_ = text.Close()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("http://cyclonedx.org/schema/"+name, doc); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// program builds the program once for all tests: a test's own binary names no modules.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "secmon-sbom-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "secmon")
	out, err := exec.Command("go", "build", "-o", path, "github.com/security-monitor/secmon/cmd/secmon").CombinedOutput() //nolint:noctx // of the whole test
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return path, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// whole is the bill of the program, the dashboard and two Debian packages.
func whole(t *testing.T) (*bom, []byte) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := goModules(info)
	if err != nil {
		t.Fatal(err)
	}
	packages, err := npmPackages(lockfile)
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte("libcrypt1 1:4.4.33-2 amd64\nnginx 1.22.1-9+deb12u7 amd64\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	system, err := debianPackages(list)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBOM("secmon-backend", "v1.2.3", slices.Concat(all, packages, system))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return b, text
}

func TestBillFitsTheSchema(t *testing.T) {
	s := schema(t)
	b, text := whole(t)
	if err := validate(t, s, text); err != nil {
		t.Fatal(err)
	}
	if _, again := whole(t); !bytes.Equal(text, again) {
		t.Error("the same inputs give two bills")
	}
	for _, tt := range []struct{ reason, old, wrong string }{
		{"a format that is none", `"bomFormat":"CycloneDX"`, `"bomFormat":"Cyclone"`},
		{"a hash that is no hash", `"alg":"SHA-512","content":"`, `"alg":"SHA-512","content":"xyz`},
		{"a property that does not exist", `"scope":"required"`, `"scoop":"required"`},
		{"a component of no type", `"type":"library"`, `"type":"book"`},
		{"a serial number that is no UUID", `"urn:uuid:`, `"uuid:`},
		{"an expression among licences of names", `{"expression":"MIT"}`, `{"expression":"MIT","license":{"id":"MIT"}}`},
	} {
		planted := strings.Replace(string(text), tt.old, tt.wrong, 1)
		if planted == string(text) {
			t.Errorf("%s: nothing was planted", tt.reason)
		}
		if validate(t, s, []byte(planted)) == nil {
			t.Errorf("%s passes", tt.reason)
		}
	}
	purl := regexp.MustCompile(`^pkg:(golang|npm|deb)/[^@?#]+@[^@?#/]+(\?arch=[a-z0-9]+)?$`)
	for _, c := range b.Components {
		if !purl.MatchString(c.PURL) {
			t.Errorf("%s is no package URL", c.PURL)
		}
	}
}

// Nothing that is in the program is missing, nothing that only builds it is listed.
func TestBillListsWhatIsIn(t *testing.T) {
	b, _ := whole(t)
	listed := map[string]component{}
	for _, c := range b.Components {
		listed[strings.TrimPrefix(c.Group+"/"+c.Name, "/")] = c
	}
	path, _ := program()
	out, err := exec.CommandContext(t.Context(), "go", "version", "-m", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line) // dep, path, version, sum
		if len(fields) != 4 || fields[0] != "dep" {
			continue
		}
		modules++
		if c := listed[fields[1]]; c.Version != fields[2] || len(c.Properties) != 1 || c.Properties[0].Value != fields[3] {
			t.Errorf("%v is listed as %+v", fields, c)
		}
	}
	if modules < 20 {
		t.Errorf("go version -m names %d modules", modules)
	}
	text, err := os.ReadFile("../../web/package.json")
	if err != nil {
		t.Fatal(err)
	}
	var web struct{ Dependencies, DevDependencies map[string]string }
	if err := json.Unmarshal(text, &web); err != nil {
		t.Fatal(err)
	}
	for name, version := range web.Dependencies {
		c := listed[name]
		if c.Version != version || len(c.Licenses) == 0 || len(c.Hashes) == 0 || len(c.Hashes[0].Content) != 128 {
			t.Errorf("%s %s is listed as %+v", name, version, c)
		}
	}
	for _, name := range []string{"vitest", "typescript", "@playwright/test", "vite"} {
		if _, ok := web.DevDependencies[name]; !ok {
			t.Fatalf("%s is no development package: choose another", name)
		}
		if c, ok := listed[name]; ok {
			t.Errorf("%s builds the dashboard and is not in it: %+v", name, c)
		}
	}
	if listed["std"].Version == "" || len(b.Dependencies[0].DependsOn) != len(b.Components) {
		t.Errorf("std is %+v, %d dependencies of %d components", listed["std"], len(b.Dependencies[0].DependsOn), len(b.Components))
	}
}

func TestBillIsRefused(t *testing.T) {
	for _, tt := range []struct{ reason, text string }{
		{"an old lock file", `{"lockfileVersion":1}`},
		{"a package whose content nobody knows", `{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}}}`},
		{"no JSON", `lockfile`},
	} {
		file := filepath.Join(t.TempDir(), "lock.json")
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if all, err := npmPackages(file); err == nil {
			t.Errorf("%s gives %v", tt.reason, all)
		}
	}
	if _, err := newBOM("x", "1", []component{{Ref: "pkg:npm/a@1"}, {Ref: "pkg:npm/a@1"}}); err == nil {
		t.Error("a component is listed twice")
	}
	if _, err := goModules(&debug.BuildInfo{GoVersion: "go1.26", Deps: []*debug.Module{{Path: "a", Replace: &debug.Module{Path: "../a"}}}}); err == nil {
		t.Error("a module of a directory has a version")
	}
	if _, err := goModules(&debug.BuildInfo{}); err == nil {
		t.Error("a program without modules is listed")
	}
}
