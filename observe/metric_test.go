package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// others are metrics that are not ours, and what we may ask them for.
var others = map[string][]string{
	"up": nil, "kube_deployment_spec_replicas": {"deployment"}, "kube_deployment_status_replicas_available": {"deployment"},
	"process_open_fds": nil, "process_max_fds": nil, "process_cpu_seconds_total": nil, "process_resident_memory_bytes": nil,
	"go_goroutines": nil, "go_memstats_heap_alloc_bytes": nil, "go_gc_duration_seconds": {"quantile"}, "go_memstats_alloc_bytes_total": nil,
}

// described gives the metrics of docs/metrics.md with their labels.
func described(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, line := range strings.Split(string(text(t, "../docs/metrics.md")), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 7 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`secmon_") {
			continue
		}
		name := strings.Trim(strings.TrimSpace(cells[1]), "`")
		labels := strings.FieldsFunc(cells[3], func(r rune) bool { return r == ',' || r == ' ' })
		all[name] = labels
		if strings.TrimSpace(cells[2]) == "histogram" {
			all[name+"_bucket"], all[name+"_count"], all[name+"_sum"] = append(slices.Clone(labels), "le"), labels, labels
			delete(all, name)
		}
	}
	if len(all) < 40 {
		t.Fatalf("only %d metrics are described", len(all))
	}
	return all
}

var (
	quoted   = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)`)
	selector = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{[^}]*\}|\()?`)
	matcher  = regexp.MustCompile(`([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)`)
	duration = regexp.MustCompile(`\[[^\]]*\]|\$\w+|\boffset \w+|\b\d+[a-z]?\b`)
)

// of every series: the scrape adds them.
var scraped = []string{"namespace", "pod", "instance", "job"}

var words = []string{"and", "or", "unless", "bool", "by", "on"}

// unknown says what an expression asks for that there is not.
func unknown(expr string, known map[string][]string) (problems []string) {
	plain := grouping.ReplaceAllString(quoted.ReplaceAllString(expr, `""`), "")
	plain = duration.ReplaceAllString(plain, "")
	for _, m := range selector.FindAllStringSubmatch(plain, -1) {
		name, rest := m[1], m[2]
		if rest == "(" || slices.Contains(words, name) {
			continue
		}
		labels, ok := known[name]
		if !ok {
			labels, ok = others[name]
		}
		if !ok {
			problems = append(problems, fmt.Sprintf("there is no metric %s", name))
			continue
		}
		for _, l := range matcher.FindAllStringSubmatch(rest, -1) {
			if !slices.Contains(labels, l[1]) && !slices.Contains(scraped, l[1]) {
				problems = append(problems, fmt.Sprintf("%s has no label %s", name, l[1]))
			}
		}
	}
	return problems
}
