// Package machine says on what a benchmark ran.
package machine

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Cores is how many there are, in words.
func Cores() string { return fmt.Sprintf("%d cores", runtime.NumCPU()) }

// Line is for the head of a table: the day, which cores, the processor, and more, such as
// the kernel's version, before Go's.
func Line(cores string, more ...string) string {
	text, _ := os.ReadFile("/proc/cpuinfo") // the line says less without
	_, model, _ := strings.Cut(string(text), "model name\t: ")
	model, _, _ = strings.Cut(model, "\n")
	text, _ = os.ReadFile("/proc/loadavg")
	load, _, _ := strings.Cut(string(text), " ")
	parts := append([]string{time.Now().UTC().Format(time.DateOnly), fmt.Sprintf("%s (%s)", cores, model)}, more...)
	parts = append(parts, runtime.Version(), "load average before "+load)
	return strings.Join(parts, ", ") + "\n"
}
