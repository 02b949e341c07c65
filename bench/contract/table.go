package contract

import (
	"fmt"
	"time"
)

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1e3) }

func printMix(samples []sample, ops []*operation) {
	fmt.Print("| operation | requests | errors | p50, ms | p95, ms | p99, ms | max, ms |\n|---|---|---|---|---|---|---|\n")
	row := func(name string, f figures) {
		fmt.Printf("| %s | %d | %d | %s | %s | %s | %s |\n", name, f.requests, f.errors, ms(f.p50), ms(f.p95), ms(f.p99), ms(f.max))
	}
	for _, op := range ops {
		row(op.Name, sumUp(of(samples, op)))
	}
	row("**all**", sumUp(samples))
}

func printCosts(all []cost) {
	fmt.Print("| operation | answer, KB | CPU of secmon, ms | CPU of MariaDB, ms | median alone, ms |\n|---|---|---|---|---|\n")
	for _, c := range all {
		fmt.Printf("| %s | %.1f | %s | %s | %s |\n", c.operation.Name, float64(c.bytes)/1e3, ms(c.server), ms(c.database), ms(c.took))
	}
	fmt.Println()
}

func printDepths(all []depth) {
	fmt.Print("| list | page size | page | page 1, ms | that page, ms | ratio |\n|---|---|---|---|---|---|\n")
	for _, d := range all {
		fmt.Printf("| %s | %d | %d | %s | %s | %.2f |\n", d.name, d.size, d.page, ms(d.first), ms(d.deep), float64(d.deep)/float64(d.first))
	}
	fmt.Println()
}

// step is one rate under limits.
type step struct {
	figures

	perMinute float64
	server    float64 // cores
	throttled float64 // share of the periods
	memory    int64
}

func printSteps(steps []step, version int) {
	fmt.Printf("One replica in a cgroup (version %d) of 200 m CPU and %d MiB:\n\n", version, limitMemory>>20)
	fmt.Print("| requests a minute | errors | p50, ms | p95, ms | p99, ms | max, ms | CPU, cores | periods throttled | highest RSS, MiB |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range steps {
		fmt.Printf("| %.0f | %d | %s | %s | %s | %s | %.3f | %.0f %% | %d |\n", s.perMinute, s.errors, ms(s.p50), ms(s.p95), ms(s.p99), ms(s.max), s.server, 100*s.throttled, s.memory>>20)
	}
	fmt.Println()
}
