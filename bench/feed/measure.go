package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// histogram counts durations in steps of 5 %.
type histogram struct{ steps [512]atomic.Int64 }

func (h *histogram) add(ns int64) {
	i := int(math.Log(float64(max(ns, 1_000))/1_000) / math.Log(1.05))
	h.steps[min(max(i, 0), len(h.steps)-1)].Add(1)
}

func (h *histogram) quantile(q float64) time.Duration {
	var total int64
	for i := range h.steps {
		total += h.steps[i].Load()
	}
	if total == 0 {
		return 0
	}
	left := int64(math.Ceil(q * float64(total)))
	for i := range h.steps {
		if left -= h.steps[i].Load(); left <= 0 {
			return time.Duration(1_000 * math.Pow(1.05, float64(i)+0.5))
		}
	}
	return 0
}

// process is a server under measurement.
type process struct {
	cmd     *exec.Cmd
	stdin   io.Closer
	address string
}

func start(kind string, groups int) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "serve", kind, strconv.Itoa(groups)) //nolint:gosec // this program
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	return &process{cmd: cmd, stdin: stdin, address: strings.TrimSpace(line)}, err
}

func (p *process) stop() {
	_ = p.stdin.Close()
	_ = p.cmd.Wait()
}

func (p *process) ask(path string, into any) error {
	response, err := http.Get("http://" + p.address + path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if into == nil {
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	return json.NewDecoder(response.Body).Decode(into)
}

func (p *process) commit(n int) error { return p.ask("/commit?n="+strconv.Itoa(n), nil) }

// sample is what the system says of a process at one moment.
type sample struct {
	rss, peak int64 // bytes
	kernel    int64 // bytes of all TCP sockets of the machine
	cpu       time.Duration
	figures
}

func (p *process) sample() (sample, error) {
	var s sample
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return s, err
	}
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "VmRSS:":
			s.rss = n << 10
		case "VmHWM:":
			s.peak = n << 10
		}
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return s, err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	s.cpu = time.Duration(user+system) * 10 * time.Millisecond // clock ticks of 1/100 s
	sockets, err := os.ReadFile("/proc/net/sockstat")
	if err != nil {
		return s, err
	}
	for line := range strings.Lines(string(sockets)) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] == "TCP:" {
			n, _ := strconv.ParseInt(fields[len(fields)-1], 10, 64)
			s.kernel = n * int64(os.Getpagesize())
		}
	}
	return s, p.ask("/figures", &s.figures)
}
