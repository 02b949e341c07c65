// Command sbom prints the bill of materials of an image in CycloneDX 1.6 (JSON):
// the Go modules that are linked into the program, the npm packages that are in
// the dashboard, and the Debian packages that the frontend's NGINX comes from. The
// same inputs give the same bytes: it has no date, and its serial number is made of
// its content.
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	image := flag.String("image", "secmon-backend", "name of the image")
	version := flag.String("version", "dev", "its version")
	binary := flag.String("binary", "", "the program, a file that go build made")
	lockfile := flag.String("lockfile", "", "the dashboard's package-lock.json")
	debian := flag.String("debian", "", "a file with a Debian package, its version and its architecture in each line")
	flag.Parse()
	if err := run(*image, *version, *binary, *lockfile, *debian); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run(image, version, binary, lockfile, debian string) error {
	var all []component
	if binary != "" {
		info, err := buildinfo.ReadFile(binary)
		if err != nil {
			return err
		}
		modules, err := goModules(info)
		if err != nil {
			return err
		}
		all = append(all, modules...)
	}
	if lockfile != "" {
		packages, err := npmPackages(lockfile)
		if err != nil {
			return err
		}
		all = append(all, packages...)
	}
	if debian != "" {
		packages, err := debianPackages(debian)
		if err != nil {
			return err
		}
		all = append(all, packages...)
	}
	if len(all) == 0 {
		return errors.New("nothing to list: give --binary, --lockfile or --debian")
	}
	b, err := newBOM(image, version, all)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(b)
}
