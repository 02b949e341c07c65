// Package detect measures the product's detection engine beside the other ones
// that are written in Go: the same rules, the same events, one core.
package detect

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/security-monitor/secmon/bench/machine"
)

// Driver measures one engine after the other, each in a process of its own, so
// that none pays for what another left in the heap.
type Driver struct {
	Corpora string        `help:"Directory of rules and logs." default:"../shared/corpora" env:"SECMON_CORPORA" type:"path"`
	Seconds float64       `help:"Of CPU for each engine and set of events." default:"10"`
	Short   bool          `help:"One second, for a look whether it runs."`
	Engine  []string      `help:"Engines to measure, by the beginning of their names; all without it."`
	Only    string        `hidden:"" help:"Be the process that measures this engine."`
	Timeout time.Duration `help:"After which a process is ended." default:"20m"`
}

// Run measures and prints.
func (d *Driver) Run(ctx context.Context) error {
	if d.Short {
		d.Seconds = 1
	}
	c, err := readCorpus(d.Corpora)
	if err != nil {
		return fmt.Errorf("read the corpora: %w (set SECMON_CORPORA or --corpora to their directory)", err)
	}
	if d.Only != "" {
		return d.runOne(c)
	}
	fmt.Println(machine.Line("one of " + machine.Cores()))
	var all []result
	for _, each := range engines {
		if len(d.Engine) > 0 && !slices.ContainsFunc(d.Engine, func(begin string) bool { return strings.HasPrefix(each.name, begin) }) {
			continue
		}
		fmt.Fprintf(os.Stderr, "== %s\n", each.name)
		r, err := d.runChild(ctx, each.name)
		if err != nil {
			return fmt.Errorf("%s: %w", each.name, err)
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return fmt.Errorf("there is no engine %v", d.Engine)
	}
	printTable(os.Stdout, c, all)
	return nil
}

// runOne measures one engine and prints its result as JSON.
func (d *Driver) runOne(c *corpus) error {
	for _, each := range engines {
		if each.name != d.Only {
			continue
		}
		r, err := measure(each.name, each.make(), c, time.Duration(d.Seconds*float64(time.Second)))
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	return fmt.Errorf("there is no engine %q", d.Only)
}

// childVariable tells a test binary that it is the process of one engine.
const childVariable = "SECMON_BENCH_CHILD"

func (d *Driver) runChild(ctx context.Context, name string) (r result, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	child := exec.CommandContext(ctx, self, "detect", "--only", name, "--corpora", d.Corpora, "--seconds", fmt.Sprint(d.Seconds))
	child.Env = append(os.Environ(), "GOMAXPROCS=1", childVariable+"=1")
	child.Stderr = os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := child.Output()
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(out, &r)
}
