package detect

import (
	"syscall"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// BenchmarkMatch holds real records against all rules of SigmaHQ.
func BenchmarkMatch(b *testing.B) {
	rs := Compile(activeRules(b))
	records := otrfRecords(b)
	var processes []monitor.Record
	for _, r := range records {
		if r.LogSource.Category == "process_creation" {
			processes = append(processes, r)
		}
	}
	for _, c := range []struct {
		name    string
		records []monitor.Record
	}{{"process_creation", processes}, {"natural mix", records}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []monitor.Match
			i, begun := 0, cpuTime(b)
			for b.Loop() {
				dst = rs.Match(&c.records[i], dst[:0])
				if i++; i == len(c.records) {
					i = 0
				}
			}
			b.ReportMetric(float64(b.N)/(cpuTime(b)-begun).Seconds(), "events/CPU-s")
		})
	}
}

// cpuTime is what the process has used so far: what others do on the machine does
// not count.
func cpuTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
