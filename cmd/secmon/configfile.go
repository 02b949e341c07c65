package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// configFile finds --config before kong parses, because what stands in the file
// is part of the parsing.
func configFile(args []string) string {
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--config="); ok {
			return value
		}
		if arg == "--config" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return os.Getenv("SECMON_CONFIG")
}

// fileResolver answers flags from a YAML file whose keys are the flags' names.
type fileResolver struct {
	path   string
	values map[string]any
	// note, where it is set, is told of unknown keys in place of refusing them.
	note func(unknown []string)
}

func readConfigFile(path string) (*fileResolver, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // the operator's own path
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	r := &fileResolver{path: path, values: map[string]any{}}
	if err := yaml.Unmarshal(raw, &r.values); err != nil {
		return nil, fmt.Errorf("configuration %s: %w", path, err)
	}
	return r, nil
}

// Validate refuses keys that no flag of any command has: a misspelt key must
// not be silently without effect.
func (r *fileResolver) Validate(application *kong.Application) error {
	known := map[string]bool{}
	_ = kong.Visit(application.Node, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known[flag.Name] = true
		}
		return next(nil)
	})
	var unknown []string
	for key := range r.values {
		if !known[key] {
			unknown = append(unknown, key)
		}
	}
	slices.Sort(unknown)
	if len(unknown) > 0 && r.note != nil {
		r.note(unknown)
		return nil
	}
	if len(unknown) > 0 {
		return fmt.Errorf("configuration %s: unknown keys: %s", r.path, strings.Join(unknown, ", "))
	}
	return nil
}

// Resolve gives the value of a flag, nil where the file has none.
func (r *fileResolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, ok := r.values[flag.Name]
	if !ok {
		return nil, nil //nolint:nilnil // kong's way to say "not here"
	}
	return fmt.Sprint(value), nil
}
