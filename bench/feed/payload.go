// Package feed measures live feeds over WebSockets on one machine: the servers
// and the client that counts are processes of their own, and a driver starts
// them, commits events and prints a table. Linux only: it reads /proc.
package feed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// query is what every GraphQL subscriber asks; its answer to one event is about
// 620 bytes of data.
const query = `subscription Bench($filter: AlertFilter, $after: Cursor) {
  alertFeed(filter: $filter, after: $after) {
    cursor
    entries {
      change
      alert {
        id version title severity status disposition
        assignee { id name displayName }
        count firstSeen lastSeen host user
        source { ip port }
        destination { ip port }
        techniques
      }
    }
  }
}`

// filterOf gives each group another filter, which all events pass.
func filterOf(group int) map[string]any {
	return map[string]any{"not": map[string]any{"host": map[string]any{"eq": fmt.Sprintf("absent-%05d", group)}}}
}

// channelOf is a group in centrifuge.
func channelOf(group int) string { return fmt.Sprintf("alerts-%05d", group) }

// Every payload carries its running number and when it was committed, in Unix
// nanoseconds: [n=0000000042 t=1767225600000000000].
const (
	stampFormat = "[n=%010d t=%019d]"
	stampStart  = "[n="
	stampBytes  = len("[n=0000000042 t=1767225600000000000]")
)

// newAlert makes the alert of event n, the same but for number and times.
func newAlert(n uint64, sent time.Time) *monitor.Alert {
	at := sent.UTC().Truncate(time.Microsecond)
	return &monitor.Alert{
		ID: monitor.ID{6: 0x70, 15: byte(n)}, Version: 1, Severity: monitor.SeverityHigh, Status: monitor.AlertNew, Count: 1,
		Title:     "Encoded PowerShell download cradle " + fmt.Sprintf(stampFormat, n, sent.UnixNano()),
		FirstSeen: at, LastSeen: at, CreatedAt: at, UpdatedAt: at,
		Host: "ws-0231.emea.corp.example", User: `corp\maria.fernandez`,
		SrcIP: netip.MustParseAddr("10.20.30.41"), SrcPort: 50122, DstIP: netip.MustParseAddr("203.0.113.80"), DstPort: 443,
		Process:    `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`,
		Techniques: []string{"T1059.001", "T1105"}, Tags: []string{"attack.execution", "attack.t1059.001"},
		RuleID: monitor.ID{6: 0x70, 15: 1}, RuleVersion: 3, RuleAuthor: "Florian Roth", DedupKey: make([]byte, 32),
	}
}

// stamps calls each for every payload in a message; it gives how many there were.
func stamps(message []byte, each func(n uint64, sent int64)) (count int) {
	for {
		at := bytes.Index(message, []byte(stampStart))
		if at < 0 || len(message) < at+stampBytes {
			return count
		}
		stamp := message[at : at+stampBytes]
		each(uint64(number(stamp[3:13])), number(stamp[16:35]))
		message = message[at+stampBytes:]
		count++
	}
}

// number reads decimal digits.
func number(digits []byte) (n int64) {
	for _, d := range digits {
		n = n*10 + int64(d-'0')
	}
	return n
}

// answerOf is what GraphQL answers to query for these alerts, byte for byte:
// what centrifuge publishes.
func answerOf(cursor string, alerts []*monitor.Alert) []byte {
	b := make([]byte, 0, 64+600*len(alerts))
	b = append(b, `{"alertFeed":{"cursor":`...)
	b = appendJSON(b, cursor)
	b = append(b, `,"entries":[`...)
	for i, a := range alerts {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEntry(b, a)
	}
	return append(b, `]}}`...)
}

func appendEntry(b []byte, a *monitor.Alert) []byte {
	field := func(name string, value any) {
		b = append(b, `,"`+name+`":`...)
		b = appendJSON(b, value)
	}
	b = append(b, `{"change":"ENTERED","alert":{"id":`...)
	b = appendJSON(b, a.GlobalID())
	field("version", a.Version)
	field("title", a.Title)
	b = append(b, `,"severity":"HIGH","status":"NEW","disposition":null,"assignee":null`...)
	field("count", a.Count)
	field("firstSeen", a.FirstSeen)
	field("lastSeen", a.LastSeen)
	field("host", a.Host)
	field("user", a.User)
	b = appendEndpoint(b, "source", netip.AddrPortFrom(a.SrcIP, a.SrcPort))
	b = appendEndpoint(b, "destination", netip.AddrPortFrom(a.DstIP, a.DstPort))
	field("techniques", a.Techniques)
	return append(b, `}}`...)
}

func appendEndpoint(b []byte, name string, end netip.AddrPort) []byte {
	b = append(b, `,"`+name+`":{"ip":"`...)
	b = end.Addr().AppendTo(b)
	b = append(b, `","port":`...)
	return append(strconv.AppendUint(b, uint64(end.Port()), 10), '}')
}

func appendJSON(b []byte, value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // text, numbers and times always have a form
	}
	return append(b, text...)
}
