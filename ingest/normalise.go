package ingest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// input is one parsed record on its way through a format.
type input struct {
	v        *fastjson.Value
	received time.Time
	ev       *monitor.Event
	rec      *monitor.Record
}

// format knows one shape of record. recognises must be cheap and sure: the first
// format of the table that recognises a record gets it.
type format struct {
	name       string
	recognises func(*fastjson.Value) bool
	normalise  func(*input)
}

// formats in the order in which they are asked. A new format is a new file and a
// line here.
var formats = []format{
	{"evtx", isEVTX, normaliseEVTX},
	{"winlog", isWinlog, normaliseWinlog},
	{"cloudtrail", isCloudTrail, normaliseCloudTrail},
	{"guardduty", isGuardDuty, normaliseGuardDuty},
	{"suricata", isSuricata, normaliseSuricata},
	{"auditd", isAuditd, normaliseAuditd},
	{"journald", isJournald, normaliseJournald},
	{"hostreport", isHostReport, normaliseHostReport},
	{"zeek", isZeek, normaliseZeek},
	{"falco", isFalco, normaliseFalco},
	{"kubernetes", isKubernetes, normaliseKubernetes},
	{"osquery", isOsquery, normaliseOsquery},
	{"vpcflow", isVPCFlow, normaliseVPCFlow},
	{"webaccess", isWebAccess, normaliseWebAccess},
	{"clamav", isClamAV, normaliseClamAV},
	{"syslog", isSyslog, normaliseSyslog},
	{"ecs", isECS, normaliseECS},
	{"generic", func(*fastjson.Value) bool { return true }, normaliseGeneric},
}

// Normaliser turns records into the envelope and into Sigma's fields. Safe for
// concurrent use.
type Normaliser struct {
	parsers fastjson.ParserPool
}

// NewNormaliser makes a Normaliser.
func NewNormaliser() *Normaliser { return &Normaliser{} }

// Normalise fills ev and rec from a record of valid JSON. rec must be empty. A
// record that no format knows is kept whole as "generic"; the only errors are
// about JSON that cannot be read. Where a key stands twice, the first counts.
func (n *Normaliser) Normalise(raw []byte, received time.Time, ev *monitor.Event, rec *monitor.Record) error {
	parser := n.parsers.Get()
	defer n.parsers.Put(parser)
	v, err := parser.ParseBytes(raw)
	if err != nil {
		return fmt.Errorf("read JSON: %w", err)
	}
	if v.Type() != fastjson.TypeObject {
		return errors.New("the record is no JSON object")
	}
	*ev = monitor.Event{
		OccurredAt: received, ReceivedAt: received, Class: monitor.ClassBase, Outcome: monitor.OutcomeUnknown,
		Severity: monitor.SeverityInformational, Raw: raw,
	}
	in := &input{v: v, received: received, ev: ev, rec: rec}
	for _, f := range formats {
		if f.recognises(v) {
			ev.Format = f.name
			f.normalise(in)
			break
		}
	}
	in.finish()
	return nil
}

// finish brings the envelope into its bounds.
func (in *input) finish() {
	ev := in.ev
	ev.LogSource = in.rec.LogSource
	for _, name := range []*string{&ev.Host, &ev.User, &ev.Domain} {
		*name = cutRunes(strings.ToLower(clean(*name)), maxName)
	}
	ev.Action = cutRunes(clean(ev.Action), maxName)
	ev.FileHash = cutRunes(strings.ToLower(clean(ev.FileHash)), maxHash)
	for _, long := range []*string{&ev.Process, &ev.Command, &ev.FilePath, &ev.URL, &ev.Message} {
		*long = cutBytes(clean(*long), maxText)
	}
	ls := &ev.LogSource
	ls.Product, ls.Category, ls.Service = cutRunes(ls.Product, 64), cutRunes(ls.Category, 64), cutRunes(ls.Service, 128)
	if ev.Message == "" {
		ev.Message = strings.TrimSpace(cutBytes(ev.Action+" "+ev.Process+" "+ev.Host, maxText))
	}
}

// occurred takes the first of the values at the paths that is a time.
func (in *input) occurred(paths ...string) {
	for _, path := range paths {
		if in.occurredText(text(in.v, path)) {
			return
		}
	}
}

func (in *input) occurredText(s string) bool {
	if s == "" {
		return false
	}
	at, ok := parseTime(s, in.received)
	if ok {
		in.ev.OccurredAt = at
	}
	return ok
}

// occurredAt takes a time, unless it cannot be that of an event.
func (in *input) occurredAt(at time.Time) {
	if past(at, in.received) {
		in.ev.OccurredAt = at.UTC().Truncate(time.Microsecond)
	}
}
