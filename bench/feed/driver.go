package feed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Driver measures servers in turn and prints a table in Markdown.
type Driver struct {
	Server   []string      `help:"${enum}" default:"all" enum:"all,secmon,gqlgen,centrifuge,centrifuge-batched"`
	N        int           `name:"n" help:"Connections." default:"5000"`
	Groups   []string      `help:"Numbers of groups, each measured in turn: subscriptions of one group are alike. N: no two are." default:"1,100,200,N"`
	Scenario []string      `help:"${enum}" default:"idle,paced,burst" enum:"idle,paced,burst,mixed,storm,slow,scale"`
	Duration time.Duration `help:"How long events come in each measurement." default:"5s"`
	Rate     float64       `help:"Events a second in paced." default:"2"`
	Batch    int           `help:"Events a write in burst." default:"16"`
	Window   int           `help:"Events under way in burst: the next are written when the slowest subscriber has the ones before. Up to 256 with few connections." default:"64"`
	Storm    int           `help:"Connections of storm." default:"10000"`
	Short    bool          `help:"A minute for everything: 500 connections, one second each, 1 and 20 groups."`
	Timeout  time.Duration `help:"Ends the whole run." default:"45m"`
}

// servers are measured in this order. centrifuge gets each event as a
// publication, as applications use it; centrifuge-batched gets all events of a
// commit in one, as if the application gathered them as our feeds do.
var servers = []string{"secmon", "gqlgen", "centrifuge", "centrifuge-batched"}

func isCentrifuge(server string) bool { return strings.HasPrefix(server, "centrifuge") }

// Run measures and prints.
func (d *Driver) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	d.settle()
	fmt.Println(host())
	rows := d.measureAll(ctx)
	printTable(os.Stdout, rows)
	return errors.Join(failures(rows), ctx.Err())
}

// measureAll goes on when a server fails, and ends with ctx; it gives what it has.
func (d *Driver) measureAll(ctx context.Context) (rows []row) {
	for _, s := range d.setups() {
		for _, server := range d.Server {
			s := s.on(server)
			if s.scenario == "" {
				continue
			}
			if ctx.Err() != nil {
				return rows
			}
			fmt.Fprintf(os.Stderr, "%s %s: %d connections, %s groups, %s\n", time.Now().Format(time.TimeOnly), server, s.n, s.groups, s.scenario)
			got, err := d.measure(ctx, server, s)
			if err != nil {
				got = append(got, row{server: server, setup: s, failure: err})
			}
			rows = append(rows, got...)
		}
	}
	return rows
}

// settle applies what the flags imply.
func (d *Driver) settle() {
	if d.Short {
		d.N, d.Groups, d.Duration, d.Storm = 500, []string{"1", "20"}, time.Second, 500
	}
	if slices.Contains(d.Server, "all") {
		d.Server = servers
	}
	if most := mostConnections(); d.N > most || d.Storm > most {
		fmt.Fprintf(os.Stderr, "the limit of open files allows %d connections\n", most)
		d.N, d.Storm = min(d.N, most), min(d.Storm, most)
	}
}

// setup is what one server process is measured with.
type setup struct {
	scenario string // idle, paced and burst share a setup, joined by +
	n        int
	groups   string // for people
	groupOf  func(i int) int
}

// on leaves out of the scenario what does not apply to a server.
func (s setup) on(server string) setup {
	switch {
	case isCentrifuge(server) && s.scenario == "storm":
		s.scenario = "" // it keeps no history by itself
	case server == "centrifuge-batched" && !strings.Contains(s.scenario, "burst") && (strings.Contains(s.scenario, "idle") || strings.Contains(s.scenario, "paced")):
		s.scenario = "" // single events: the same as centrifuge
	case server == "centrifuge-batched" && strings.Contains(s.scenario, "burst"):
		s.scenario = "burst"
	}
	return s
}

// setups gives what is to be measured, one after the other.
func (d *Driver) setups() (all []setup) {
	wants := func(s string) bool { return slices.Contains(d.Scenario, s) }
	var plain []string
	for _, s := range []string{"idle", "paced", "burst"} {
		if wants(s) {
			plain = append(plain, s)
		}
	}
	if len(plain) > 0 {
		for _, groups := range d.Groups {
			all = append(all, alike(strings.Join(plain, "+"), d.N, groups))
		}
	}
	if wants("mixed") {
		all = append(all, setup{scenario: "mixed", n: d.N, groups: "1/3 in 1, 1/3 in 200, 1/3 unique", groupOf: mixed})
	}
	if wants("storm") {
		all = append(all, alike("storm", d.Storm, "200"))
	}
	if wants("slow") {
		all = append(all, alike("slow", min(d.N, 1_000), "200"))
	}
	if wants("scale") {
		for _, n := range []int{100, 1_000, 5_000, 10_000, 20_000} {
			all = append(all, alike("paced+burst", min(n, mostConnections()), "200"))
		}
	}
	return all
}

func alike(scenario string, n int, groups string) setup {
	count, err := strconv.Atoi(groups)
	if err != nil { // N
		count = n
	}
	count = max(min(count, n), 1)
	return setup{scenario: scenario, n: n, groups: strconv.Itoa(count), groupOf: func(i int) int { return i % count }}
}

// mixed: a third of the subscriptions are all alike, a third of 200 kinds, and
// of a third no two are alike.
func mixed(i int) int {
	switch i % 3 {
	case 0:
		return 0
	case 1:
		return 1 + i/3%200
	default:
		return 1_000 + i
	}
}

// measure starts a server and the client, connects, and goes through the
// scenario.
func (d *Driver) measure(ctx context.Context, server string, s setup) ([]row, error) {
	target, err := start(ctx, "serve", server)
	if err != nil {
		return nil, err
	}
	defer target.stop() //nolint:errcheck // it is gone
	load, err := start(ctx, "load")
	if err != nil {
		return nil, err
	}
	defer load.stop() //nolint:errcheck // it is gone
	r := &run{driver: d, target: target, load: load, setup: s, server: server}
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	var rows []row
	for name := range strings.SplitSeq(s.scenario, "+") {
		got, err := r.scenario(ctx, name)
		if err != nil {
			return rows, fmt.Errorf("%s: %w", name, err)
		}
		rows = append(rows, got)
	}
	return rows, nil
}
