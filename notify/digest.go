package notify

import (
	"cmp"
	"slices"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// digest sums alerts up. What it holds is bounded, however many there are.
type digest struct {
	total      int
	severities map[monitor.Severity]int
	titles     map[string]int
	hosts      map[string]int
	alerts     []monitor.NoticeAlert // the worst, then the oldest: at most monitor.MaxNoticeAlerts
	known      map[monitor.ID]bool
	from, to   time.Time
}

// maxDigestValues bounds how many different values, and alerts, a digest tells apart.
const maxDigestValues = 5_000

func newDigest() *digest {
	return &digest{severities: map[monitor.Severity]int{}, titles: map[string]int{}, hosts: map[string]int{}, known: map[monitor.ID]bool{}}
}

// add takes in an alert that came at a time. One that came before counts once.
func (g *digest) add(a *monitor.Alert, at time.Time, base string) {
	if g.known[a.ID] {
		return
	}
	if len(g.known) < maxDigestValues {
		g.known[a.ID] = true
	}
	if g.total++; g.total == 1 {
		g.from = at
	}
	g.to = at
	g.severities[a.Severity]++
	count(g.titles, a.Title)
	count(g.hosts, a.Host)
	g.alerts = append(g.alerts, noticeAlert(a, base))
	slices.SortStableFunc(g.alerts, func(a, b monitor.NoticeAlert) int { return b.Severity.Rank() - a.Severity.Rank() })
	g.alerts = g.alerts[:min(len(g.alerts), monitor.MaxNoticeAlerts)]
}

func count(values map[string]int, value string) {
	if _, ok := values[value]; value != "" && (ok || len(values) < maxDigestValues) {
		values[value]++
	}
}

// worst is the severity of the worst alert.
func (g *digest) worst() monitor.Severity {
	if len(g.alerts) == 0 {
		return ""
	}
	return g.alerts[0].Severity
}

// notice tells of all, with the list's address.
func (g *digest) notice(list string) *monitor.Notice {
	n := &monitor.Notice{
		Total: g.total, Severity: g.worst(), Titles: most(g.titles), Hosts: most(g.hosts), Alerts: g.alerts, From: g.from, To: g.to, URL: list,
	}
	for _, severity := range slices.Backward(monitor.Severities) {
		if c := g.severities[severity]; c > 0 {
			n.Severities = append(n.Severities, monitor.NoticeCount{Value: string(severity), Count: c})
		}
	}
	if len(g.alerts) == 1 {
		n.URL = g.alerts[0].URL
	}
	return n
}

// each gives a notice for every alert; there are no more than it holds.
func (g *digest) each() []*monitor.Notice {
	notices := make([]*monitor.Notice, len(g.alerts))
	for i, a := range g.alerts {
		notices[i] = &monitor.Notice{
			Total: 1, Severity: a.Severity, Severities: []monitor.NoticeCount{{Value: string(a.Severity), Count: 1}},
			Titles: []monitor.NoticeCount{{Value: a.Title, Count: 1}}, Alerts: []monitor.NoticeAlert{a}, From: g.from, To: g.to, URL: a.URL,
		}
		if a.Host != "" {
			notices[i].Hosts = []monitor.NoticeCount{{Value: a.Host, Count: 1}}
		}
	}
	return notices
}

// most gives the commonest values.
func most(values map[string]int) []monitor.NoticeCount {
	all := make([]monitor.NoticeCount, 0, len(values))
	for value, n := range values {
		all = append(all, monitor.NoticeCount{Value: value, Count: n})
	}
	slices.SortFunc(all, func(a, b monitor.NoticeCount) int {
		return cmp.Or(b.Count-a.Count, cmp.Compare(a.Value, b.Value))
	})
	return all[:min(len(all), monitor.MaxNoticeCounts)]
}

func noticeAlert(a *monitor.Alert, base string) monitor.NoticeAlert {
	n := monitor.NoticeAlert{
		ID: a.GlobalID(), Title: a.Title, Severity: a.Severity, Status: a.Status, Host: a.Host, User: a.User, Process: a.Process,
		Techniques: a.Techniques, Tags: a.Tags, Matches: a.Count, FirstSeen: a.FirstSeen, LastSeen: a.LastSeen, CreatedAt: a.CreatedAt,
	}
	if a.SrcIP.IsValid() {
		n.Source = a.SrcIP.String()
	}
	if a.DstIP.IsValid() {
		n.Destination = a.DstIP.String()
	}
	if base != "" {
		n.URL = link(base, "alert", n.ID)
	}
	return n
}
