package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
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
	"github.com/security-monitor/secmon/bench/machine"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/rulepack"
)

// Indicators measures what indicators cost the whole of ingest, from the request to
// the answer after the commit: two replicas with a database each on one server, one
// with many indicators and one with none, take turns with the same events. What
// counts is the program's CPU for an event: the rate depends on who else uses the
// machine.
type Indicators struct {
	Indicators int     `help:"Indicators that one of the replicas has." default:"1000000"`
	Rounds     int     `help:"Turns of each replica." default:"12"`
	Batches    int     `help:"Requests of a turn." default:"60"`
	Batch      int     `help:"Events of a request." default:"500"`
	Senders    int     `help:"Requests at once." default:"4"`
	Seed       uint64  `help:"Of everything random." default:"1"`
	Limit      float64 `help:"Ratio of CPU for an event above which it fails; 0: never." default:"1.1"`
	Program    string  `help:"The program to measure." default:"bin/secmon" type:"path"`
	Short      bool    `help:"20,000 indicators and a few seconds, without a limit: for trying the program out."`
}

// side is one of the two replicas.
type side struct {
	name   string
	server *replica
	token  string
	cpu    []float64 // µs for an event, by turn
	rate   []float64 // events a second, by turn
}

// Run loads, measures and prints. It fails where the ratio is above the limit.
func (b *Indicators) Run(ctx context.Context) (err error) {
	if b.Short {
		b.Indicators, b.Rounds, b.Batches, b.Limit = 20_000, 2, 10, 0
	}
	on, err := startServers(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, on.close()) }()
	var sides []*side
	for _, each := range []struct {
		name string
		n    int
	}{{"none", 0}, {"many", b.Indicators}} {
		s := &side{name: each.name}
		data := &dataset{dir: filepath.Join(on.dir, each.name), server: on.database, database: "bench_" + each.name}
		if err := b.fill(ctx, data.dsn(), each.n); err != nil {
			return err
		}
		made, err := makeTokens(ctx, data.dsn())
		if err != nil {
			return err
		}
		s.token = made.ingest
		metrics, err := freeAddress(ctx)
		if err != nil {
			return err
		}
		if s.server, err = startReplica(ctx, b.Program, data, on.redis.URL(), nil, "--metrics-listen", metrics); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.server.stop()) }()
		if held, err := held(ctx, metrics); err != nil || held < each.n*99/100 || each.n == 0 && held > 0 { // a few stand twice in the list
			return errors.Join(err, fmt.Errorf("the replica holds %d indicators, not %d", held, each.n))
		}
		sides = append(sides, s)
	}
	fmt.Printf("%s%d indicators against none; %d turns of %d requests with %d events each, %d at once\n\n",
		machine.Line(machine.Cores()), b.Indicators, b.Rounds, b.Batches, b.Batch, b.Senders)
	for round := -1; round < b.Rounds; round++ { // the first warms up
		for i := range sides {
			s := sides[(i+round+1)%2]                                           // neither is always the first
			if err := b.turn(ctx, s, uint64(round+1), round >= 0); err != nil { //nolint:gosec // not negative
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	return b.print(sides)
}

// held asks a replica how many indicators are in force.
func held(ctx context.Context, metrics string) (int, error) {
	text, err := scrape(ctx, metrics)
	sum := 0.0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "secmon_indicators{") {
			n, _ := strconv.ParseFloat(strings.Fields(line)[1], 64) // 0 fails the caller
			sum += n
		}
	}
	return int(sum), err
}

func (b *Indicators) fill(ctx context.Context, dsn string, n int) error {
	if _, err := db.Migrate(ctx, dsn); err != nil {
		return err
	}
	store, err := db.Open(ctx, db.Options{DSN: dsn})
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // see there
	if _, err := app.ImportRules(ctx, store, rulepack.Rules, monitor.SystemActor, true); err != nil || n == 0 {
		return err
	}
	fmt.Fprintf(os.Stderr, "importing %d indicators\n", n)
	r, w := io.Pipe()
	go func() { w.CloseWithError(b.list(w, n)) }()
	report, err := app.ImportIndicators(ctx, store, monitor.SystemActor, monitor.IndicatorList{Format: "CSV", Source: "bench", Severity: monitor.SeverityHigh}, r)
	if err == nil && report.Refused > 0 {
		err = fmt.Errorf("%d lines were refused: line %d: %s", report.Refused, report.Problems[0].Position, report.Problems[0].Message)
	}
	return errors.Join(err, r.Close())
}

// list writes indicators of each kind, as large feeds have them; none is in an event.
func (b *Indicators) list(w io.Writer, n int) error {
	random := rand.New(rand.NewPCG(b.Seed, 1)) //nolint:gosec // a load
	var out bytes.Buffer
	out.WriteString("value,subdomains\n")
	for i := range n {
		switch k := i % 100; {
		case k < 35:
			fmt.Fprintf(&out, "%d.%d.%d.%d,\n", 60+random.IntN(60), random.IntN(256), random.IntN(256), random.IntN(256))
		case k < 37:
			fmt.Fprintf(&out, "%d.%d.%d.0/%d,\n", 160+random.IntN(60), random.IntN(256), random.IntN(256), 20+random.IntN(9))
		case k < 38:
			fmt.Fprintf(&out, "2a00:%x:%x::/%d,\n", random.IntN(1<<16), random.IntN(1<<16), 32+random.IntN(17))
		case k < 68:
			fmt.Fprintf(&out, "bad-%d.example%d.net,%d\n", i, random.IntN(1_000), k%2)
		case k < 83:
			fmt.Fprintf(&out, "http://bad-%d.example.org/%x/payload.exe,\n", i, random.Uint64())
		case k < 98:
			fmt.Fprintf(&out, "%016x%016x%016x%016x,\n", random.Uint64(), random.Uint64(), random.Uint64(), random.Uint64())
		default:
			fmt.Fprintf(&out, "bad-%d@mail%d.example.org,\n", i, random.IntN(1_000))
		}
		if out.Len() > 64<<10 || i == n-1 {
			if _, err := w.Write(out.Bytes()); err != nil {
				return err
			}
			out.Reset()
		}
	}
	return nil
}

// indicatorRecord is one of four records that hold what indicators are compared with:
// a process with its hashes, a page, a question to the DNS, a connection.
func indicatorRecord(out *bytes.Buffer, r *rand.Rand) {
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000000-0700")
	from, to := fmt.Sprintf("10.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256)), fmt.Sprintf("23.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256))
	name := fmt.Sprintf("www%d.shop%d.example.com", r.IntN(100), r.IntN(10_000))
	switch r.IntN(4) {
	case 0:
		fmt.Fprintf(out, `{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"pc-%d"},`+
			`"EventData":{"UtcTime":%q,"ProcessId":%d,"Image":"C:\\Windows\\System32\\svchost.exe","CommandLine":"C:\\Windows\\System32\\svchost.exe -k netsvcs -p -s Schedule","User":"CORP\\u%d",`+
			`"Hashes":"SHA1=%016x%016x%08x,MD5=%016x%016x,SHA256=%016x%016x%016x%016x","ParentImage":"C:\\Windows\\System32\\services.exe"}}}`+"\n",
			r.IntN(1_000), time.Now().UTC().Format("2006-01-02 15:04:05.000"), r.IntN(60_000), r.IntN(1_000),
			r.Uint64(), r.Uint64(), r.Uint32(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64())
	case 1:
		fmt.Fprintf(out, `{"timestamp":%q,"event_type":"http","src_ip":%q,"src_port":%d,"dest_ip":%q,"dest_port":80,"proto":"TCP","http":{"hostname":%q,"url":"/p/%x?q=%d","http_user_agent":"Mozilla/5.0","http_method":"GET","http_refer":"https://www.example.com/","status":200,"length":512}}`+"\n",
			now, from, 1_024+r.IntN(60_000), to, name, r.Uint32(), r.IntN(1_000))
	case 2:
		fmt.Fprintf(out, `{"timestamp":%q,"event_type":"dns","src_ip":%q,"src_port":%d,"dest_ip":"10.0.0.53","dest_port":53,"proto":"UDP","dns":{"type":"query","id":%d,"rrname":%q,"rrtype":"A"}}`+"\n",
			now, from, 1_024+r.IntN(60_000), r.IntN(65_536), name)
	default:
		fmt.Fprintf(out, `{"timestamp":%q,"event_type":"flow","src_ip":%q,"src_port":%d,"dest_ip":%q,"dest_port":443,"proto":"TCP","flow":{"pkts_toserver":%d,"bytes_toserver":%d,"state":"closed"}}`+"\n",
			now, from, 1_024+r.IntN(60_000), to, r.IntN(100), r.IntN(100_000))
	}
}

// turn sends the events of a round: the same to both replicas but for their times.
func (b *Indicators) turn(ctx context.Context, s *side, round uint64, counts bool) error {
	random := rand.New(rand.NewPCG(b.Seed+1, round)) //nolint:gosec // a load
	bodies := make([][]byte, b.Batches)
	for i := range bodies {
		var body bytes.Buffer
		for range b.Batch {
			indicatorRecord(&body, random)
		}
		bodies[i] = body.Bytes()
	}
	run := &podRun{server: s.server, tokens: tokens{ingest: s.token}}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: b.Senders}}
	defer client.CloseIdleConnections()
	pid := s.server.command.Process.Pid
	before, err := cpuOf(pid)
	if err != nil {
		return err
	}
	var next atomic.Int64
	var all sync.WaitGroup
	failed := make([]error, b.Senders)
	begun := time.Now()
	for sender := range b.Senders {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(bodies) && failed[sender] == nil; i = int(next.Add(1)) - 1 {
				failed[sender] = run.ingest(ctx, client, bytes.NewReader(bodies[i]))
			}
		})
	}
	all.Wait()
	took := time.Since(begun)
	after, err := cpuOf(pid)
	if err = errors.Join(append(failed, err)...); err != nil || !counts {
		return err
	}
	events := float64(b.Batches * b.Batch)
	s.cpu = append(s.cpu, float64((after-before).Microseconds())/events)
	s.rate = append(s.rate, events/took.Seconds())
	return nil
}

func (b *Indicators) print(sides []*side) error {
	fmt.Print("| indicators | CPU for an event, µs: median | lowest | highest | events/s: median | highest RSS, MiB |\n|---|---|---|---|---|---|\n")
	for _, s := range sides {
		fmt.Printf("| %s | %.1f | %.1f | %.1f | %.0f | %d |\n", s.name, median(s.cpu), slices.Min(s.cpu), slices.Max(s.cpu), median(s.rate), peakMemory(s.server.command.Process.Pid)>>20)
	}
	// By rounds: both turns of one had the same neighbours on the machine.
	cpu, rate := make([]float64, b.Rounds), make([]float64, b.Rounds)
	for i := range b.Rounds {
		cpu[i], rate[i] = sides[1].cpu[i]/sides[0].cpu[i], sides[1].rate[i]/sides[0].rate[i]
	}
	ratio := median(cpu)
	fmt.Printf("\nRatio of CPU for an event, many to none: %.3f (median of %d rounds, %.3f to %.3f); of the rate: %.3f\n", ratio, b.Rounds, slices.Min(cpu), slices.Max(cpu), median(rate))
	if b.Limit > 0 && ratio > b.Limit {
		return fmt.Errorf("indicators cost %.1f %% of CPU, more than %.1f %%", 100*(ratio-1), 100*(b.Limit-1))
	}
	return nil
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
