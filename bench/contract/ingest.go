package contract

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/bench/detect"
	"github.com/security-monitor/secmon/bench/machine"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/monitor"
)

// Ingest measures how many events a second one replica stores for good, with all of
// SigmaHQ's rules on, and MariaDB, Redis and the senders on the same cores: from the
// request over HTTP to the answer after the commit.
type Ingest struct {
	Corpora  string        `help:"Directory of rules and logs." default:"../shared/corpora" env:"SECMON_CORPORA" type:"path"`
	Set      []string      `help:"Sets of records, one after the other." default:"natural mix,process_creation"`
	Duration time.Duration `help:"Of each set." default:"60s"`
	Batch    int           `help:"Events of a request." default:"500"`
	Senders  int           `help:"Requests at once." default:"6"`
	Rate     int           `help:"Events a second at most; 0: as many as are taken."`
	Window   time.Duration `help:"Memory and rate are shown for each." default:"10s"`
	Program  string        `help:"The program to measure." default:"bin/secmon" type:"path"`
	Profile  bool          `help:"Show the metrics of the stages too."`
	Short    bool          `help:"A few seconds, for trying the program out."`
}

// Run starts the program on an empty database, imports the rules, sends and prints.
func (b *Ingest) Run(ctx context.Context) (err error) {
	if b.Short {
		b.Duration, b.Window = 6*time.Second, 3*time.Second
	}
	sets, err := detect.Records(b.Corpora)
	if err != nil {
		return err
	}
	on, err := startServers(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, on.close()) }()
	fmt.Printf("%severy rule of the archive on, %d senders, %d events a request\n", machine.Line(machine.Cores()), b.Senders, b.Batch)
	for i, name := range b.Set {
		if sets[name] == nil {
			return fmt.Errorf("there is no set %q", name)
		}
		data := &dataset{dir: filepath.Join(on.dir, strconv.Itoa(i)), server: on.database, database: fmt.Sprintf("bench_%d", i)}
		if err := b.measure(ctx, name, sets[name], data, on.redis.URL()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (b *Ingest) measure(ctx context.Context, name string, records [][]byte, data *dataset, redis string) (err error) {
	rules, err := importArchive(ctx, data.dsn(), filepath.Join(b.Corpora, "sigma", "sigma-rules.zip"))
	if err != nil {
		return err
	}
	made, err := makeTokens(ctx, data.dsn())
	if err != nil {
		return err
	}
	metrics, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	replica, err := startReplica(ctx, b.Program, data, redis, nil, "--metrics-listen", metrics)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, replica.stop()) }()
	run := &ingestRun{
		podRun: &podRun{server: replica, tokens: made}, records: records, batch: b.Batch, rate: b.Rate, window: b.Window,
		pids: map[string]int{"secmon": replica.command.Process.Pid, "bench": os.Getpid()},
	}
	if run.pids["mariadbd"], err = childCalled("mariadbd"); err != nil {
		return err
	}
	fmt.Printf("\n## %s: %d records, %d rules\n\n", name, len(records), rules)
	if err := run.send(ctx, b.Senders, b.Duration); err != nil {
		return fmt.Errorf("%w\n%s", err, replica.log.String())
	}
	if b.Profile {
		text, err := stages(ctx, metrics)
		if err != nil {
			return err
		}
		fmt.Println(text)
	}
	return nil
}

// importArchive makes a database whose rules are those of an archive, and tells how
// many are on.
func importArchive(ctx context.Context, dsn, path string) (int, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return 0, err
	}
	defer archive.Close() //nolint:errcheck // it was read
	if _, err := db.Migrate(ctx, dsn); err != nil {
		return 0, err
	}
	store, err := db.Open(ctx, db.Options{DSN: dsn})
	if err != nil {
		return 0, err
	}
	defer store.Close() //nolint:errcheck // see there
	report, err := app.ImportRules(ctx, store, archive, monitor.SystemActor, true)
	if err != nil {
		return 0, err
	}
	return report.Added - len(report.Inactive), nil
}

// ingestRun sends records in a loop.
type ingestRun struct {
	*podRun
	records [][]byte
	batch   int
	rate    int // events a second at most; 0: no bound
	window  time.Duration
	pids    map[string]int

	next  atomic.Int64 // request
	sent  atomic.Int64 // events that were answered for
	mu    sync.Mutex
	times []time.Duration // of requests
}

// body gives the records of a request: each goes on where the one before ended.
func (r *ingestRun) body(n int) []byte {
	var body bytes.Buffer
	for i := range r.batch {
		body.Write(r.records[(n*r.batch+i)%len(r.records)])
		body.WriteByte('\n')
	}
	return body.Bytes()
}

func (r *ingestRun) send(ctx context.Context, senders int, duration time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, duration+time.Minute)
	defer cancel()
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	defer client.CloseIdleConnections()
	begun := time.Now()
	var all sync.WaitGroup
	failed := make([]error, senders)
	for sender := range senders {
		all.Go(func() {
			for failed[sender] == nil && time.Since(begun) < duration {
				n := int(r.next.Add(1)) - 1
				if r.rate > 0 {
					time.Sleep(time.Until(begun.Add(time.Duration(n) * time.Duration(r.batch) * time.Second / time.Duration(r.rate))))
				}
				body := r.body(n)
				from := time.Now()
				failed[sender] = r.ingest(ctx, client, bytes.NewReader(body))
				took := time.Since(from)
				r.sent.Add(int64(r.batch))
				r.mu.Lock()
				r.times = append(r.times, took)
				r.mu.Unlock()
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	err := r.watch(done, begun)
	<-done
	return errors.Join(append(failed, err)...)
}

// watch prints a line for each window until the senders are done, and then the whole.
func (r *ingestRun) watch(done <-chan struct{}, begun time.Time) error {
	names := []string{"secmon", "mariadbd", "bench"}
	fmt.Println("| seconds | events/s | p50 ms | p99 ms | longest ms | CPU secmon | mariadbd | bench | RSS secmon MiB |\n|---|---|---|---|---|---|---|---|---|")
	ticks := time.NewTicker(r.window)
	defer ticks.Stop()
	first, err := r.cpu(names)
	before, at, sent, shown := first, begun, int64(0), 0
	line := func(label string, was []time.Duration, since time.Time, events int64, times []time.Duration) error {
		now, err := r.cpu(names)
		if err != nil {
			return err
		}
		took := time.Since(since)
		slices.Sort(times)
		fmt.Printf("| %s | %.0f | %s | %s | %s", label, float64(events)/took.Seconds(), ms(quantile(times, 0.5)), ms(quantile(times, 0.99)), ms(quantile(times, 1)))
		for i := range names {
			fmt.Printf(" | %.2f", (now[i]-was[i]).Seconds()/took.Seconds())
		}
		fmt.Printf(" | %d |\n", memoryOf(r.pids["secmon"], "VmRSS")>>20)
		before, at = now, time.Now()
		return nil
	}
	for err == nil {
		select {
		case <-ticks.C:
			r.mu.Lock()
			times := slices.Clone(r.times[shown:])
			shown = len(r.times)
			r.mu.Unlock()
			now := r.sent.Load()
			err = line(fmt.Sprintf("%.0f", time.Since(begun).Seconds()), before, at, now-sent, times)
			sent = now
		case <-done:
			if err = line("all", first, begun, r.sent.Load(), r.times); err == nil {
				fmt.Printf("\nHighest RSS of secmon: %d MiB\n", peakMemory(r.pids["secmon"])>>20)
			}
			return err
		}
	}
	return err
}

func (r *ingestRun) cpu(names []string) ([]time.Duration, error) {
	var list []time.Duration
	for _, name := range names {
		used, err := cpuOf(r.pids[name])
		if err != nil {
			return nil, err
		}
		list = append(list, used)
	}
	return list, nil
}

// quantile is of sorted times.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// childCalled finds the child process of this one that runs a program.
func childCalled(program string) (int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has ended
		}
		name, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); strings.HasSuffix(name, "("+program) && len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("no child runs %s", program)
}

// stages sums up the metrics that tell where the time goes.
func stages(ctx context.Context, metrics string) (string, error) {
	text, err := scrape(ctx, metrics)
	if err != nil {
		return "", err
	}
	sums, counts := map[string]float64{}, map[string]float64{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseFloat(value, 64)
		base, labels, _ := strings.Cut(name, "{")
		if err != nil || strings.HasPrefix(line, "#") {
			continue
		}
		for _, of := range []string{"secmon_db_statement_seconds", "secmon_db_transaction_seconds", "secmon_detect_seconds", "secmon_ingest_batch_events", "secmon_ingest_commit_seconds"} {
			key := of + " " + strings.TrimSuffix(labels, "}")
			switch base {
			case of + "_sum":
				sums[key] += n
			case of + "_count":
				counts[key] += n
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b string) int { return cmp.Compare(sums[b], sums[a]) })
	var out strings.Builder
	for _, key := range keys[:min(len(keys), 40)] {
		fmt.Fprintf(&out, "%10.3f in %8.0f  %s\n", sums[key], counts[key], key)
	}
	return out.String(), nil
}
