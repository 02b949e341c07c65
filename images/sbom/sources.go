package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"runtime/debug"
	"strings"
)

// goModules gives what `go version -m` prints of a program: its modules, and the
// standard library of the Go that built it.
func goModules(info *debug.BuildInfo) ([]component, error) {
	if len(info.Deps) == 0 {
		return nil, errors.New("the program names no modules: was it built in module mode?")
	}
	standard := strings.TrimPrefix(info.GoVersion, "go")
	all := []component{{
		Type: "library", Ref: "pkg:golang/std@" + standard, Name: "std", Version: standard, Scope: "required",
		PURL: "pkg:golang/std@" + standard, Licenses: []license{{"BSD-3-Clause"}},
	}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		if m.Version == "" {
			return nil, fmt.Errorf("%s is replaced by a directory, whose version nobody knows", m.Path)
		}
		purl := "pkg:golang/" + m.Path + "@" + strings.ReplaceAll(m.Version, "+", "%2B")
		c := component{Type: "library", Ref: purl, Name: m.Path, Version: m.Version, Scope: "required", PURL: purl}
		if m.Sum != "" { // of go.sum: over the names and hashes of all files, no hash of one file
			c.Properties = []property{{"secmon:go.sum", m.Sum}}
		}
		all = append(all, c)
	}
	return all, nil
}

// lockedPackage is an entry of package-lock.json, version 3.
type lockedPackage struct {
	Version      string
	License      string
	Integrity    string
	Dev          bool
	DevOptional  bool
	Optional     bool
	Peer         bool
	Link         bool
	Dependencies map[string]string
}

// npmPackages gives the packages that the dashboard needs to run. Not each of their
// files is in the build, but no other package's is.
func npmPackages(lockfile string) ([]component, error) {
	text, err := os.ReadFile(lockfile) //nolint:gosec // the caller's own path
	if err != nil {
		return nil, err
	}
	var lock struct {
		LockfileVersion int
		Packages        map[string]lockedPackage
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		return nil, fmt.Errorf("%s: %w", lockfile, err)
	}
	if lock.LockfileVersion != 3 {
		return nil, fmt.Errorf("%s has version %d, this reads 3", lockfile, lock.LockfileVersion)
	}
	seen := map[string]bool{}
	var all []component
	for place, p := range lock.Packages {
		if place == "" || p.Dev || p.DevOptional || p.Link {
			continue
		}
		c, err := npmPackage(place[strings.LastIndex(place, "node_modules/")+len("node_modules/"):], p)
		if err != nil {
			return nil, err
		}
		if !seen[c.Ref] { // one version may be in several places
			seen[c.Ref] = true
			all = append(all, c)
		}
	}
	return all, nil
}

func npmPackage(name string, p lockedPackage) (component, error) {
	c := component{Type: "library", Name: path.Base(name), Version: p.Version, Scope: "required"}
	if group := path.Dir(name); group != "." {
		c.Group = group
	}
	if p.Optional {
		c.Scope = "optional"
	}
	c.PURL = "pkg:npm/" + strings.Replace(name, "@", "%40", 1) + "@" + strings.ReplaceAll(p.Version, "+", "%2B")
	c.Ref = c.PURL
	if p.License != "" {
		c.Licenses = []license{{p.License}}
	}
	encoded, ok := strings.CutPrefix(p.Integrity, "sha512-")
	sum, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || p.Version == "" {
		return c, fmt.Errorf("package-lock.json: %s has no version or no sha512", name)
	}
	c.Hashes = []hash{{"SHA-512", hex.EncodeToString(sum)}}
	return c, nil
}

// debianPackages reads the list that images/frontend/rootfs.sh writes.
func debianPackages(list string) ([]component, error) {
	text, err := os.ReadFile(list) //nolint:gosec // the caller's own path
	if err != nil {
		return nil, err
	}
	var all []component
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			return nil, fmt.Errorf("%s: %q is no package, version and architecture", list, line)
		}
		purl := "pkg:deb/debian/" + fields[0] + "@" + strings.NewReplacer("+", "%2B", ":", "%3A", "~", "%7E").Replace(fields[1]) + "?arch=" + fields[2]
		all = append(all, component{Type: "library", Ref: purl, Name: fields[0], Version: fields[1], Scope: "required", PURL: purl})
	}
	return all, nil
}
