package detect

import (
	"fmt"
	"io"
)

// printTable writes the table of docs/benchmarks.md. The last column of a set
// is how many times as fast the first engine is.
func printTable(w io.Writer, c *corpus, all []result) {
	labelled, cases := 0, map[string]bool{}
	for _, s := range c.sets {
		for _, e := range s.events {
			if e.rule != "" {
				labelled++
				cases[e.rule] = true
			}
		}
	}
	_, _ = fmt.Fprintf(w, "| engine | rules of %d | loading, s of CPU | heap of the rules, MiB | labelled events of %d | labelled cases of %d |\n|---|---|---|---|---|---|\n", len(c.rules), labelled, len(cases))
	for _, r := range all {
		_, _ = fmt.Fprintf(w, "| %s | %d | %.2f | %.0f | %d | %d |\n", r.Name, r.Rules, r.LoadTime.Seconds(), float64(r.Heap)/(1<<20), r.Labelled, r.Cases)
	}
	_, _ = fmt.Fprint(w, "\n| events | engine | events a CPU-second | secmon is faster by | hits an event | allocations an event | bytes an event | events measured |\n|---|---|---|---|---|---|---|---|\n")
	for _, s := range c.sets {
		var ours float64
		for _, r := range all {
			for _, found := range r.Sets {
				if found.Set != s.name {
					continue
				}
				name, ratio := r.Name, ""
				switch {
				case found.Raw:
					name += ", from JSON"
				case r.Name == engines[0].name:
					ours = found.perSecond()
				case ours > 0:
					ratio = fmt.Sprintf("%.0f", ours/found.perSecond())
				}
				_, _ = fmt.Fprintf(w, "| %s (%d) | %s | %.0f | %s | %.2f | %.1f | %.0f | %d |\n", s.name, len(s.events), name, found.perSecond(), ratio, found.Hits, found.Allocs, found.Bytes, found.Events)
			}
		}
	}
}
