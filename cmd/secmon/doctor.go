package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/monitor"
)

// doctorCommand takes the flags, the environment and the file of serve.
type doctorCommand struct {
	app.Config `embed:""`
	Output     string `short:"o" enum:"text,json" default:"text" help:"text or json."`

	faults []monitor.Diagnosis // of the configuration file, which do not keep the doctor from the rest
}

// errSick is the error of a doctor that found a failure: it leaves with 1.
var errSick = errors.New("something is wrong; see the lines marked with failure")

// Run looks at everything and prints a line for each.
func (c *doctorCommand) Run(ctx context.Context) error {
	return report(os.Stdout, c.Output, append(c.faults, app.Examine(ctx, c.Config)...))
}

func report(w io.Writer, output string, all []monitor.Diagnosis) error {
	if output == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		if err := e.Encode(all); err != nil {
			return err
		}
	} else if _, err := io.WriteString(w, lines(all)); err != nil {
		return err
	}
	for _, d := range all {
		if d.State == monitor.StateFailure {
			return errSick
		}
	}
	return nil
}

// lines are for people: a line for each check, and below it what to do.
func lines(all []monitor.Diagnosis) string {
	var b strings.Builder
	for _, d := range all {
		fmt.Fprintf(&b, "%-8s %-28s %s\n", d.State, d.Check, d.Message)
		if d.Advice != "" {
			fmt.Fprintf(&b, "%-37s → %s\n", "", d.Advice)
		}
	}
	return b.String()
}

// isDoctor tells whether the command is doctor: it reports faults of the
// configuration file where others refuse it.
func isDoctor(args []string) bool {
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--config":
			i++
		case !strings.HasPrefix(args[i], "-"):
			return args[i] == "doctor"
		}
	}
	return false
}

// secretKeys are the keys of a file that hold secrets.
var secretKeys = []string{"database-dsn", "redis-url", "jwt-keys", "sealing-keys", "admin-password", "oidc-client-secret"}

// forgivingFile reads a configuration file as well as it can, and notes its faults.
func forgivingFile(path string, faults *[]monitor.Diagnosis) *fileResolver {
	const check = "config.file"
	r, err := readConfigFile(path)
	if err != nil {
		*faults = append(*faults, monitor.Fault(check, err.Error(), "It is YAML: one flag's name and value a line."))
		return &fileResolver{path: path}
	}
	r.note = func(unknown []string) {
		*faults = append(*faults, monitor.Fault(check, path+": unknown keys: "+strings.Join(unknown, ", "), "No flag has these names (secmon serve --help); the server does not start with them."))
	}
	is, err := os.Stat(path) //nolint:gosec // the operator's own path
	if err != nil || is.Mode().Perm()&0o007 == 0 {
		return r
	}
	for _, key := range secretKeys {
		if _, ok := r.values[key]; ok {
			*faults = append(*faults, monitor.Fault(check, fmt.Sprintf("%s holds %s, and all users may read it (%o)", path, key, is.Mode().Perm()), "chmod 600 "+path+", or put the secret into the environment or a file of its own."))
			break
		}
	}
	return r
}
