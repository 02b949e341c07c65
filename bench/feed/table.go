package feed

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/security-monitor/secmon/bench/machine"
)

// row is one measurement.
type row struct {
	server  string
	setup   setup
	idle    idle
	rss     int64 // the highest, of the server, in bytes
	sockets int64 // the highest, of all sockets, in bytes

	took       time.Duration
	cpu        time.Duration
	executions int64
	commits    int
	report     report
	note       string
	failure    error
}

// host says where and when.
func host() string {
	var name unix.Utsname
	_ = unix.Uname(&name) // the line says less
	return machine.Line(machine.Cores(), "Linux "+unix.ByteSliceToString(name.Release[:]))
}

var columns = []string{
	"scenario", "connections", "groups", "server", "RSS per idle connection, KB", "goroutines per connection", "highest RSS, MiB",
	"highest socket memory, MiB", "deliveries/s", "server CPU per delivery, µs", "p50, ms", "p99, ms", "executions per commit", "missing", "reordered", "notes",
}

// printTable prints the rows, and under those of the same setup how the servers
// compare: secmon is 1.
func printTable(w io.Writer, rows []row) {
	fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat("---|", len(columns))) //nolint:errcheck // the terminal
	same := func(a, b row) bool {
		return a.setup.scenario == b.setup.scenario && a.setup.n == b.setup.n && a.setup.groups == b.setup.groups
	}
	for len(rows) > 0 {
		var together []row
		first := rows[0]
		rest := rows[:0:0]
		for _, r := range rows {
			if same(r, first) {
				together = append(together, r)
			} else {
				rest = append(rest, r)
			}
		}
		for _, r := range together {
			fmt.Fprintf(w, "| %s |\n", strings.Join(r.cells(), " | ")) //nolint:errcheck // the terminal
		}
		if len(together) > 1 {
			fmt.Fprintf(w, "| %s |\n", strings.Join(ratios(together), " | ")) //nolint:errcheck // the terminal
		}
		rows = rest
	}
}

func (r *row) cells() []string {
	out := []string{
		r.setup.scenario, fmt.Sprint(r.setup.n), r.setup.groups, r.server,
		fmt.Sprintf("%.1f", r.idle.memory/1000), fmt.Sprintf("%.1f", r.idle.goroutines), mebibytes(r.rss), mebibytes(r.sockets),
	}
	if r.failure != nil {
		return append(out, "", "", "", "", "", "", "", "failed: "+strings.ReplaceAll(r.failure.Error(), "|", "/"))
	}
	if r.report.Deliveries == 0 {
		return append(out, "", "", "", "", "", "", "", r.notes())
	}
	out = append(out, thousands(r.rate()), fmt.Sprintf("%.1f", r.cpuPerDelivery()), milliseconds(r.report.P50), milliseconds(r.report.P99))
	executions := ""
	if r.executions > 0 && r.commits > 0 {
		executions = fmt.Sprintf("%.1f", float64(r.executions)/float64(r.commits))
	}
	return append(out, executions, fmt.Sprint(r.report.Missing), fmt.Sprint(r.report.Reordered), r.notes())
}

// notes says what else happened.
func (r *row) notes() string {
	var all []string
	if r.note != "" {
		all = append(all, r.note)
	}
	if len(r.report.Closes) > 0 {
		var codes []string
		for _, code := range slices.Sorted(maps.Keys(r.report.Closes)) {
			codes = append(codes, fmt.Sprintf("%d × %s", r.report.Closes[code], code))
		}
		all = append(all, "closed by the server: "+strings.Join(codes, ", "))
	}
	if r.report.Late > 0 {
		all = append(all, fmt.Sprintf("%d had not arrived when time was up", r.report.Late))
	}
	if r.report.Deliveries > 0 {
		all = append(all, fmt.Sprintf("%.1f events a message, %d bytes an event", float64(r.report.Deliveries)/float64(r.report.Messages), r.report.Bytes/r.report.Deliveries))
	}
	return strings.Join(append(all, r.report.Errors...), "; ")
}

func (r *row) rate() float64 { return float64(r.report.Deliveries) / r.took.Seconds() }

func (r *row) cpuPerDelivery() float64 {
	return float64(r.cpu.Microseconds()) / float64(r.report.Deliveries)
}

// ratios compares the servers of one setup, the first being 1.
func ratios(rows []row) []string {
	var names []string
	for _, r := range rows {
		names = append(names, r.server)
	}
	compare := func(of func(*row) float64) string {
		base := of(&rows[0])
		var parts []string
		for i := range rows {
			value := of(&rows[i])
			if !(base > 0 && value > 0) || rows[i].failure != nil {
				return ""
			}
			parts = append(parts, fmt.Sprintf("%.2g", value/base))
		}
		return strings.Join(parts, " : ")
	}
	delivered := func(of func(*row) float64) func(*row) float64 {
		return func(r *row) float64 {
			if r.report.Deliveries == 0 {
				return 0
			}
			return of(r)
		}
	}
	return []string{
		"", "", "", strings.Join(names, " : "),
		compare(func(r *row) float64 { return r.idle.memory }),
		compare(func(r *row) float64 { return r.idle.goroutines }),
		compare(func(r *row) float64 { return float64(r.rss) }),
		"",
		compare(delivered((*row).rate)), compare(delivered((*row).cpuPerDelivery)),
		compare(delivered(func(r *row) float64 { return float64(r.report.P50) })),
		compare(delivered(func(r *row) float64 { return float64(r.report.P99) })),
		"", "", "", "",
	}
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f", float64(n)/(1<<20)) }

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d)/1e6) }

func thousands(n float64) string {
	text := fmt.Sprintf("%.0f", n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
