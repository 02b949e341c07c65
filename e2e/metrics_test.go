package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
)

// family is one metric as it is shown or described.
type family struct{ kind, labels string }

// The list in docs/metrics.md is what a running program shows: names, types and
// labels, nothing more and nothing less.
func TestMetricsAreWhatTheirListSays(t *testing.T) {
	r, base := startMeasured(t)
	useEverything(t, r, base)
	var shown map[string]family
	want := describedMetrics(t)
	eventually(t, "every metric to be there", func() bool {
		shown = shownMetrics(t, r.MetricsURL())
		for name := range want {
			if _, ok := shown[name]; !ok && name != "secmon_peer_certificate_expiry_timestamp_seconds" { // needs a server with TLS
				return false
			}
		}
		return true
	})
	for name, is := range shown {
		if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") {
			continue
		}
		if want[name] != is {
			t.Errorf("%s is shown as %+v and described as %+v", name, is, want[name])
		}
	}
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes", "process_open_fds"} {
		if _, ok := shown[name]; !ok {
			t.Errorf("%s is not shown", name)
		}
	}
}

// Names that users make up stand in no label, however many they are.
func TestLabelsHaveNoValuesOfUsers(t *testing.T) {
	r, base := startMeasured(t)
	bearer, token := login(t, base, "admin", testPassword), ingestToken(t, r)
	const planted = "planted9"
	var lines bytes.Buffer
	for i := range 50 {
		name := fmt.Sprintf("%s_%d", planted, i)
		post(t, base, bearer, "query "+name+" { viewer { user { name } } }", nil, nil)
		post(t, base, bearer, "query "+name+" { "+name+" }", nil, nil)
		post(t, base, "", `mutation($n: String!) { sessionLogin(input: {name: $n, password: "x"}) { accessToken } }`, map[string]any{"n": name}, nil)
		fmt.Fprintf(&lines, `{"product":"%[1]s","category":"%[1]s","service":"%[1]s","event":{"action":"%[1]s"},"host":"%[1]s","message":"m"}`+"\n", name)
		response, err := http.Get(base + "/api/" + name)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		request, _ := http.NewRequestWithContext(t.Context(), strings.ToUpper(planted), base+"/"+name, nil)
		if response, err = http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
		}
	}
	if status, a := sendEvents(t, base, token, lines.Bytes()); status != http.StatusOK {
		t.Fatalf("%d %v", status, a)
	}
	text := metricsText(t, r.MetricsURL())
	if !strings.Contains(text, `secmon_ingest_records_total{format="generic",product="other"} 50`) {
		t.Error("the planted records are not counted under other")
	}
	if !strings.Contains(text, `operation="viewer"`) {
		t.Error("the planted operations are not counted under their field")
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(strings.ToLower(line), planted) {
			t.Errorf("a label has what a user made up: %s", line)
		}
	}
}

func startMeasured(t *testing.T) (*replica, string) {
	t.Helper()
	cfg := config(t, dbtest.DSN(t), startRedis(t).URL())
	cfg.MetricsListen, cfg.RateLimit, cfg.RateLimitAddress = "127.0.0.1:0", 600_000, 3_000_000
	r := startReplica(t, cfg)
	return r, r.URL()
}

// useEverything does one of each thing that makes a series.
func useEverything(t *testing.T, r *replica, base string) {
	t.Helper()
	bearer, token := login(t, base, "admin", testPassword), ingestToken(t, r)
	post(t, base, bearer, `{ alerts { nodes { id } } }`, nil, nil)
	live, err := dial(t.Context(), base, bearer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(live.close)
	if err := live.subscribe(`subscription { alertFeed { cursor } }`, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := live.next(); err != nil {
		t.Fatal(err)
	}
	if status, a := sendEvents(t, base, token, []byte(`{"EventID":4625,"Channel":"Security","message":"x"}`)); status != http.StatusOK {
		t.Fatalf("%d %v", status, a)
	}
}

func metricsText(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url) //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // a test
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	sample    = regexp.MustCompile(`^(\w+)(?:\{(.*)\})? \S+$`)
	labelName = regexp.MustCompile(`(\w+)="(?:[^"\\]|\\.)*"`)
)

// shownMetrics reads the exposition format.
func shownMetrics(t *testing.T, url string) map[string]family {
	t.Helper()
	kinds, all := map[string]string{}, map[string]family{}
	for lines := bufio.NewScanner(strings.NewReader(metricsText(t, url))); lines.Scan(); {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(rest, " ")
			kinds[name] = kind
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		name := m[1]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(name, suffix); ok && kinds[base] == "histogram" {
				name = base
			}
		}
		var labels []string
		for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
			if l[1] != "le" {
				labels = append(labels, l[1])
			}
		}
		slices.Sort(labels)
		all[name] = family{kinds[name], strings.Join(labels, ",")}
	}
	return all
}

// describedMetrics reads the tables of docs/metrics.md.
func describedMetrics(t *testing.T) map[string]family {
	t.Helper()
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]family{}
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 7 || !strings.HasPrefix(strings.TrimSpace(cells[1]), "`secmon_") {
			continue
		}
		name := strings.Trim(strings.TrimSpace(cells[1]), "`")
		labels := strings.FieldsFunc(cells[3], func(r rune) bool { return r == ',' || r == ' ' })
		slices.Sort(labels)
		if _, twice := all[name]; twice {
			t.Errorf("%s is described twice", name)
		}
		all[name] = family{strings.TrimSpace(cells[2]), strings.Join(labels, ",")}
	}
	if len(all) < 40 {
		t.Fatalf("only %d metrics are described", len(all))
	}
	return all
}
