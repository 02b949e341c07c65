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
	"sync"
	"time"
)

// podRun is one replica with its cgroup and its subscribers.
type podRun struct {
	pod    *Pod
	data   *dataset
	ops    []*operation
	redis  string
	tokens tokens

	limits *cgroup
	server *replica
	known  variables
	crowd  crowd
	sent   int // batches of events
}

// podStep is what a load did.
type podStep struct {
	what       string
	load       podLoad
	answers    figures
	ingest     figures // batches
	delay      figures // from the commit to the subscriber
	deliveries float64 // a second
	lost       int     // connections
	lostBy     error
	cores      float64
	throttled  float64
	memory     int64 // of the cgroup: with the kernel's, for sockets and files
	rss        int64
	dead       bool
	broken     string
}

func (r *podRun) start(ctx context.Context) (err error) {
	if !r.pod.Unlimited {
		if r.limits, err = newCgroup(); err != nil {
			return fmt.Errorf("this machine does not let us make a cgroup (run as root, or where one is delegated; --unlimited tries the program out): %w", err)
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	if r.server, err = startReplica(ctx, r.pod.Program, r.data, r.redis, r.limits, "--max-connections", "1000000", "--max-subscriptions", "1000000"); err != nil {
		return err
	}
	c, err := newClient(ctx, r.server.url)
	if err != nil {
		return err
	}
	r.known, err = learn(ctx, c, 10)
	return err
}

func (r *podRun) close() error {
	r.crowd.close()
	if r.server != nil {
		_ = r.server.stop() // it may have been ended by the kernel
	}
	if r.limits != nil {
		return r.limits.remove()
	}
	return nil
}

// step brings a load for a while.
func (r *podRun) step(ctx context.Context, load podLoad, duration time.Duration) (s podStep, err error) {
	s.load = load
	if err := r.crowd.grow(ctx, r.server.url, r.tokens.read, load.subscribers); err != nil {
		s.lost, s.lostBy = load.subscribers-r.crowd.size(), err
		s.dead = r.ended()
		return s, nil //nolint:nilerr // that many do not fit: the step's result
	}
	c, err := newClient(ctx, r.server.url) // tokens of logins do not last for all steps
	if err != nil {
		s.dead = r.ended()
		s.answers = figures{requests: 1, errors: 1, firstError: err}
		return s, nil //nolint:nilerr // the step's result
	}
	_, _, _ = r.crowd.take() // what came while the step was prepared does not count
	pid := r.server.command.Process.Pid
	before, err := cpuOf(pid)
	if err != nil {
		return s, err
	}
	var throttled, periods int
	if r.limits != nil {
		throttled, periods = r.limits.throttled()
	}
	begun := time.Now()
	var both sync.WaitGroup
	both.Go(func() { s.ingest = sumUp(r.send(ctx, load.events, duration)) })
	s.answers = sumUp(openLoop(ctx, c, r.ops, r.known, load.requests/60, duration, r.pod.Seed+uint64(load.requests)))
	both.Wait()
	took := time.Since(begun)
	delays, lost, by := r.crowd.take()
	s.delay, s.lost, s.lostBy = sumUp(delays), lost, by
	s.deliveries = float64(len(delays)) / took.Seconds()
	if s.dead = r.ended(); s.dead {
		return s, nil
	}
	after, err := cpuOf(pid)
	if err != nil {
		return s, err
	}
	s.cores, s.rss = (after-before).Seconds()/took.Seconds(), peakMemory(pid)
	if r.limits != nil {
		n, all := r.limits.throttled()
		s.throttled, s.memory = float64(n-throttled)/float64(max(all-periods, 1)), r.limits.peak()
	}
	return s, ctx.Err()
}

// ended tells whether the replica is gone or a zombie: what a kill for memory leaves.
func (r *podRun) ended() bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.server.command.Process.Pid))
	return err != nil || bytes.Contains(text[bytes.LastIndexByte(text, ')')+1:], []byte(" Z "))
}

// period is how often events are sent; each batch is counted from when it was due.
const period = 200 * time.Millisecond

// send sends events at a rate, whether answers come or not.
func (r *podRun) send(ctx context.Context, rate float64, duration time.Duration) []sample {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	defer client.CloseIdleConnections()
	random := rand.New(rand.NewPCG(r.pod.Seed, uint64(r.sent))) //nolint:gosec // a load
	n := int(duration / period)
	samples := make([]sample, n)
	var all sync.WaitGroup
	begun, owed := time.Now(), 0.0
	for i := range n {
		var body bytes.Buffer
		for owed += rate * period.Seconds(); owed >= 1; owed-- {
			body.WriteString(podRecord(random))
		}
		r.sent++
		due := begun.Add(time.Duration(i) * period)
		select {
		case <-ctx.Done():
		case <-time.After(time.Until(due)):
		}
		if body.Len() == 0 {
			samples[i] = sample{} // less than one event is due
			continue
		}
		all.Go(func() {
			err := r.ingest(ctx, client, &body)
			samples[i] = sample{took: time.Since(due), err: err}
		})
	}
	all.Wait()
	return samples
}

func (r *podRun) ingest(ctx context.Context, client *http.Client, body io.Reader) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.server.url+"/api/ingest", body)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+r.tokens.ingest)
	request.Header.Set("Content-Type", "application/x-ndjson")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // read whole
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %.200s", response.Status, text)
	}
	return err
}

// podRecord is a process creation of Sysmon, about 600 bytes; one in a hundred
// fires a rule.
func podRecord(r *rand.Rand) string {
	image, command := `svchost.exe`, `C:\\Windows\\System32\\svchost.exe -k netsvcs -p -s Schedule`
	if r.IntN(100) == 0 {
		image, command = `net.exe`, `net localgroup administrators eve /add`
	}
	return fmt.Sprintf(`{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":%q},`+
		`"EventData":{"UtcTime":%q,"ProcessId":%d,"Image":"C:\\Windows\\System32\\%s","OriginalFileName":%q,"CommandLine":"%s","CurrentDirectory":"C:\\Windows\\system32\\","User":"CORP\\%s",`+
		`"LogonId":"0x3e7","IntegrityLevel":"System","ParentImage":"C:\\Windows\\System32\\services.exe","ParentCommandLine":"C:\\Windows\\System32\\services.exe"}}}`+"\n",
		hostName(r.IntN(hosts)), time.Now().UTC().Format("2006-01-02 15:04:05.000"), r.IntN(60_000), image, image, command, userName(r.IntN(people)))
}
