// Package contract measures the queries of the contract: the dashboard's own
// operations against the real program and a MariaDB with millions of rows. See
// docs/benchmarks.md.
package contract

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/monitor"
)

// plan is what a database is made of. The same plan makes the same rows, but for
// the ids of rules and users, which the server has made.
type plan struct {
	Seed   uint64    `json:"seed"`
	Events int       `json:"events"`
	Alerts int       `json:"alerts"`
	End    time.Time `json:"end"` // the newest event
	Rows   string    `json:"rows"`

	rules []*monitor.Rule
	users []*monitor.User
}

const (
	span        = 30 * 24 * time.Hour
	batchEvents = 500
	// rowsVersion changes with what is generated: data of another is made anew.
	rowsVersion = "1"
)

func (p *plan) batches() int { return (p.Events + batchEvents - 1) / batchEvents }

// at is when batch i came: days are busier than nights.
func (p *plan) at(i int) time.Time {
	days := span.Hours() / 24
	u := float64(i+1) / float64(p.batches())
	u += 0.5 * math.Sin(2*math.Pi*u*days) / (2 * math.Pi * days)
	return p.End.Add(-span + time.Duration(u*float64(span))).Truncate(time.Microsecond)
}

// random gives the random numbers of one thing alone, so that things can be made
// in any order.
func (p *plan) random(what string, i int) *rand.Rand {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %d", p.Seed, what, i))
	return rand.New(rand.NewChaCha8(sum)) //nolint:gosec // test data
}

// id makes a version 7 UUID.
func id(r *rand.Rand, at time.Time) monitor.ID {
	made := monitor.NewID(at)
	for i := 6; i < len(made); i++ {
		made[i] = byte(r.Uint32())
	}
	made[6], made[8] = made[6]&0x0f|0x70, made[8]&0x3f|0x80
	return made
}

func (p *plan) batchID(i int) monitor.ID { return id(p.random("batch", i), p.at(i)) }

// alertsBefore counts the alerts that come from batches before i.
func (p *plan) alertsBefore(i int) int {
	return int(int64(p.Alerts) * int64(i) / int64(p.batches()))
}

const hosts, people = 4_000, 1_500

// hostName: the first are servers with much traffic, the rest workstations.
func hostName(n int) string {
	if n < 200 {
		return fmt.Sprintf("%s-%02d.corp.example", [...]string{"web", "db", "k8s", "mail", "ci", "dc", "vpn", "fs"}[n%8], n/8)
	}
	return fmt.Sprintf("ws-%04d.corp.example", n)
}

func userName(n int) string {
	return [...]string{"ana", "bob", "carol", "dan", "erin", "farid", "grace", "hugo", "ines", "jon"}[n%10] + fmt.Sprintf(".%03d", n/10)
}

func internal(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

func outside(r *rand.Rand) netip.Addr {
	n := uint32(r.ExpFloat64() * 20_000)
	return netip.AddrFrom4([4]byte{byte(20 + n%150), byte(n >> 16), byte(n >> 8), byte(n)})
}

// zipfs are made once for a source of random numbers.
type zipfs struct{ host, user *rand.Zipf }

func newZipfs(r *rand.Rand) zipfs {
	return zipfs{rand.NewZipf(r, 1.15, 8, hosts-1), rand.NewZipf(r, 1.2, 5, people-1)}
}

// weighted gives the index of a share, in tenths of a percent.
func weighted(r *rand.Rand, shares ...int) int {
	n := r.IntN(1_000)
	for i, share := range shares {
		if n -= share; n < 0 {
			return i
		}
	}
	return len(shares) - 1
}

func severity(r *rand.Rand, shares ...int) monitor.Severity {
	return monitor.Severities[weighted(r, shares...)]
}

// batch makes everything that comes with batch i: its events, and the alerts
// that they raised with what became of those.
func (p *plan) batch(i int) *db.Filling {
	f := &db.Filling{}
	at, name, r := p.at(i), p.batchID(i), p.random("events", i)
	z := newZipfs(r)
	for n := range min(batchEvents, p.Events-i*batchEvents) {
		f.Events = append(f.Events, event(r, z, monitor.EventID{Batch: name, Ordinal: uint32(n)}, at)) //nolint:gosec // small
	}
	entry := monitor.EntryBody{At: at, Actor: monitor.SystemActor, Action: monitor.ActionIngest, Batch: name, Events: len(f.Events)}
	var later []monitor.EntryBody
	for n := p.alertsBefore(i); n < p.alertsBefore(i+1); n++ {
		raised, story := p.alert(f, i, n, p.random("alert", n))
		entry.Changes = append(entry.Changes, raised)
		later = append(later, story...)
	}
	f.Journal = append([]monitor.EntryBody{entry}, later...)
	return f
}

var classes = []struct {
	class             monitor.EventClass
	action, service   string
	product, category string
	format            string
}{
	{monitor.ClassProcessActivity, "Process creation", "sysmon", "windows", "process_creation", "evtx"},
	{monitor.ClassNetworkActivity, "flow", "", "suricata", "network_connection", "suricata"},
	{monitor.ClassAuthentication, "ssh_login", "sshd", "linux", "", "journald"},
	{monitor.ClassDNSActivity, "dns_query", "", "zeek", "dns", "zeek"},
	{monitor.ClassFileActivity, "File created", "sysmon", "windows", "file_event", "evtx"},
	{monitor.ClassHTTPActivity, "GET", "", "", "webserver", "webaccess"},
	{monitor.ClassRegistryActivity, "RegistryEvent (Value Set)", "sysmon", "windows", "registry_set", "evtx"},
	{monitor.ClassAPIActivity, "AssumeRole", "cloudtrail", "aws", "", "cloudtrail"},
	{monitor.ClassModuleActivity, "Image loaded", "sysmon", "windows", "image_load", "evtx"},
	{monitor.ClassScriptActivity, "ScriptBlock", "powershell", "windows", "ps_script", "evtx"},
	{monitor.ClassDetectionFinding, "alert", "", "suricata", "ids", "suricata"},
}

var images = []string{
	`C:\Windows\System32\svchost.exe`, `C:\Windows\System32\cmd.exe`, `C:\Program Files\Google\Chrome\Application\chrome.exe`,
	`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, `/usr/bin/bash`, `/usr/sbin/sshd`, `/usr/bin/python3`, `C:\Windows\System32\rundll32.exe`,
}

func event(r *rand.Rand, z zipfs, name monitor.EventID, at time.Time) *monitor.Event {
	host, user := int(z.host.Uint64()), int(z.user.Uint64())                                 //nolint:gosec // small
	kind := classes[weighted(r, 300, 250, 150, 120, 80, 50, 20, 20, 7, 2, 1)]                //
	lag := time.Duration(r.ExpFloat64() * float64(2*time.Second)).Truncate(time.Microsecond) // and some come hours late
	if r.IntN(200) == 0 {
		lag *= 2_000
	}
	e := &monitor.Event{
		ID: name, OccurredAt: at.Add(-lag), ReceivedAt: at, Class: kind.class, Action: kind.action,
		Outcome:  []monitor.Outcome{monitor.OutcomeSuccess, monitor.OutcomeUnknown, monitor.OutcomeFailure}[weighted(r, 700, 250, 50)],
		Severity: severity(r, 870, 100, 24, 5, 1), Format: kind.format,
		LogSource: monitor.LogSource{Product: kind.product, Category: kind.category, Service: kind.service},
		Host:      hostName(host), User: userName(user), SrcIP: internal(host), SrcPort: uint16(1_024 + r.IntN(60_000)), //nolint:gosec // a port
	}
	switch kind.class {
	case monitor.ClassNetworkActivity, monitor.ClassHTTPActivity, monitor.ClassDetectionFinding, monitor.ClassAPIActivity:
		e.DstIP, e.DstPort = outside(r), 443
		e.Domain = fmt.Sprintf("cdn%d.example.net", int(r.ExpFloat64()*2_000))
		e.URL = "https://" + e.Domain + fmt.Sprintf("/v1/items/%d?session=%x", r.IntN(1e6), r.Uint64())
	case monitor.ClassDNSActivity:
		e.Domain = fmt.Sprintf("host%d.example.org", int(r.ExpFloat64()*5_000))
	default:
		e.Process = images[weighted(r, 400, 150, 200, 50, 100, 50, 40, 10)]
		e.Command = fmt.Sprintf(`"%s" --task %d --config C:\ProgramData\agent\%x.json`, e.Process, r.IntN(5_000), r.Uint64())
	}
	if kind.class == monitor.ClassFileActivity {
		e.FilePath = fmt.Sprintf(`C:\Users\%s\AppData\Local\Temp\%x.tmp`, e.User, r.Uint32())
		e.FileHash = fmt.Sprintf("%064x", r.Uint64())
	}
	e.Message = fmt.Sprintf("%s on %s by %s: %s", e.Action, e.Host, e.User, e.Process+e.Domain)
	e.Raw = raw(r, e)
	return e
}

// raw is a record of 400 to 900 bytes; with it a row has about 1 KB.
func raw(r *rand.Rand, e *monitor.Event) monitor.RawJSON {
	text, err := json.Marshal(map[string]any{
		"@timestamp": e.OccurredAt, "event": map[string]any{"action": e.Action, "provider": e.LogSource.Service, "sequence": r.Uint32()},
		"host": map[string]any{"name": e.Host, "ip": e.SrcIP, "os": "Windows 11 Enterprise 10.0.22631"}, "user": map[string]any{"name": e.User, "domain": "CORP"},
		"process":     map[string]any{"pid": r.IntN(65_536), "executable": e.Process, "command_line": e.Command, "entity_id": fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())},
		"destination": map[string]any{"ip": e.DstIP, "port": e.DstPort, "domain": e.Domain}, "url": e.URL, "message": e.Message,
		"labels": fmt.Sprintf("%x%x", r.Uint64(), r.Uint64()),
	})
	if err != nil {
		panic(err) // strings and numbers
	}
	return text
}
