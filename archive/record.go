// Package archive owns the files of events that have left the database: their format,
// how a day is written, verified and only then removed, and how it comes back. Where
// files are kept is package backup's shelf, what is in the database comes and goes
// through interfaces. docs/archive.md has the format.
package archive

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// record is a line of an object. The names are those of the schema's Event. Raw is a
// text that holds JSON, not JSON itself, so that it comes back byte by byte.
type record struct {
	ID              monitor.EventID `json:"id"`
	OccurredAt      time.Time       `json:"occurredAt"`
	ReceivedAt      time.Time       `json:"receivedAt"`
	Class           string          `json:"class"`
	Action          string          `json:"action,omitempty"`
	Outcome         string          `json:"outcome"`
	Severity        string          `json:"severity"`
	Product         string          `json:"product,omitempty"`
	Category        string          `json:"category,omitempty"`
	Service         string          `json:"service,omitempty"`
	Format          string          `json:"format,omitempty"`
	Host            string          `json:"host,omitempty"`
	User            string          `json:"user,omitempty"`
	SourceIP        netip.Addr      `json:"sourceIp,omitzero"`
	SourcePort      uint16          `json:"sourcePort,omitempty"`
	DestinationIP   netip.Addr      `json:"destinationIp,omitzero"`
	DestinationPort uint16          `json:"destinationPort,omitempty"`
	Process         string          `json:"process,omitempty"`
	Command         string          `json:"command,omitempty"`
	FileHash        string          `json:"fileHash,omitempty"`
	FilePath        string          `json:"filePath,omitempty"`
	Domain          string          `json:"domain,omitempty"`
	URL             string          `json:"url,omitempty"`
	Message         string          `json:"message,omitempty"`
	Raw             string          `json:"raw"`
}

func recordOf(e *monitor.Event) *record {
	return &record{
		ID: e.ID, OccurredAt: e.OccurredAt, ReceivedAt: e.ReceivedAt, Class: string(e.Class), Action: e.Action, Outcome: string(e.Outcome),
		Severity: string(e.Severity), Product: e.LogSource.Product, Category: e.LogSource.Category, Service: e.LogSource.Service, Format: e.Format,
		Host: e.Host, User: e.User, SourceIP: e.SrcIP, SourcePort: e.SrcPort, DestinationIP: e.DstIP, DestinationPort: e.DstPort,
		Process: e.Process, Command: e.Command, FileHash: e.FileHash, FilePath: e.FilePath, Domain: e.Domain, URL: e.URL, Message: e.Message, Raw: string(e.Raw),
	}
}

func (r *record) event() *monitor.Event {
	return &monitor.Event{
		ID: r.ID, OccurredAt: r.OccurredAt, ReceivedAt: r.ReceivedAt, Class: monitor.EventClass(r.Class), Action: r.Action, Outcome: monitor.Outcome(r.Outcome),
		Severity: monitor.Severity(r.Severity), LogSource: monitor.LogSource{Product: r.Product, Category: r.Category, Service: r.Service}, Format: r.Format,
		Host: r.Host, User: r.User, SrcIP: r.SourceIP, SrcPort: r.SourcePort, DstIP: r.DestinationIP, DstPort: r.DestinationPort,
		Process: r.Process, Command: r.Command, FileHash: r.FileHash, FilePath: r.FilePath, Domain: r.Domain, URL: r.URL, Message: r.Message, Raw: monitor.RawJSON(r.Raw),
	}
}

// parseRecord reads a line.
func parseRecord(line []byte) (*monitor.Event, error) {
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, fmt.Errorf("read archived event: %w", err)
	}
	if r.ID.Batch.IsZero() || !json.Valid([]byte(r.Raw)) {
		return nil, fmt.Errorf("read archived event: %q is no event", r.ID)
	}
	return r.event(), nil
}
