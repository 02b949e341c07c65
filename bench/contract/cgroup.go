package contract

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// What one replica gets in the smallest installation.
const (
	limitCPU    = 0.2
	limitMemory = 256 << 20
	limitPeriod = 100_000 // µs
)

// cgroup is where a process is held to its limits: one directory with version 2,
// two with version 1.
type cgroup struct {
	dirs    []string
	memory  int64
	version int
}

// newCgroup makes groups under those of this process. It needs the right to.
func newCgroup() (*cgroup, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	g := &cgroup{memory: limitMemory, version: 2}
	quota := strconv.Itoa(limitPeriod * limitCPU)
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		_, path, _ := strings.Cut(string(own), "0::")
		path, _, _ = strings.Cut(path, "\n")
		err := g.limit(filepath.Join("/sys/fs/cgroup", path), map[string]string{"cpu.max": quota + " " + strconv.Itoa(limitPeriod), "memory.max": strconv.Itoa(limitMemory), "memory.swap.max": "0"})
		return g, errors.Join(err, g.failed(err))
	}
	g.version = 1
	for controller, files := range map[string]map[string]string{
		"cpu":    {"cpu.cfs_quota_us": quota, "cpu.cfs_period_us": strconv.Itoa(limitPeriod)},
		"memory": {"memory.limit_in_bytes": strconv.Itoa(limitMemory)},
	} {
		_, path, _ := strings.Cut(string(own), ":"+controller+":")
		path, _, _ = strings.Cut(path, "\n")
		if err := g.limit(filepath.Join("/sys/fs/cgroup", controller, path), files); err != nil {
			return nil, errors.Join(err, g.failed(err))
		}
	}
	return g, nil
}

func (g *cgroup) limit(parent string, files map[string]string) error {
	dir := filepath.Join(parent, fmt.Sprintf("secmon-bench-%d", os.Getpid()))
	if err := os.Mkdir(dir, 0o750); err != nil { //nolint:gosec // below the cgroup that the kernel names
		return fmt.Errorf("make a cgroup: %w", err)
	}
	g.dirs = append(g.dirs, dir)
	for name, value := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0o600); err != nil && name != "memory.swap.max" { //nolint:gosec // as above; there is no such file without swap
			return fmt.Errorf("limit a cgroup: %w", err)
		}
	}
	return nil
}

func (g *cgroup) failed(err error) error {
	if err == nil {
		return nil
	}
	return g.remove()
}

// remove takes the groups away; no process may be in them.
func (g *cgroup) remove() error {
	var all []error
	for _, dir := range g.dirs {
		all = append(all, os.Remove(dir))
	}
	return errors.Join(all...)
}

// throttled gives in how many periods the quota was used up, of how many.
func (g *cgroup) throttled() (n, periods int) {
	for _, dir := range g.dirs {
		text, err := os.ReadFile(filepath.Join(dir, "cpu.stat"))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch k, _ := strconv.Atoi(value); name {
			case "nr_throttled":
				n = k
			case "nr_periods":
				periods = k
			}
		}
	}
	return n, periods
}

// peak is the most memory that was used, with what the kernel keeps for sockets
// and files; 0 where the kernel does not say (version 2 before Linux 5.19).
func (g *cgroup) peak() int64 {
	for _, dir := range g.dirs {
		for _, name := range []string{"memory.max_usage_in_bytes", "memory.peak"} {
			if text, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
				n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
				return n
			}
		}
	}
	return 0
}
