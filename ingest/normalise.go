package ingest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// input is one parsed record on its way through a format.
type input struct {
	v        *fastjson.Value
	received time.Time
	ev       *monitor.Event
	rec      *record
	line     []byte // for putting the line for people together
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
	{"winlog", isWinlog, normaliseWinlog},
	{"evtx", isEVTX, normaliseEVTX},
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
	{"azure", isAzure, normaliseAzure},
	{"m365", isM365, normaliseM365},
	{"okta", isOkta, normaliseOkta},
	{"github", isGitHub, normaliseGitHub},
	{"googlecloud", isGoogleCloud, normaliseGoogleCloud},
	{"onelogin", isOneLogin, normaliseOneLogin},
	{"bitbucket", isBitbucket, normaliseBitbucket},
	{"duo", isDuo, normaliseDuo},
	{"opencanary", isOpenCanary, normaliseOpenCanary},
	{"eslogger", isESLogger, normaliseESLogger},
	{"securityhub", isSecurityHub, normaliseSecurityHub},
	{"cloudwatch", isCloudWatch, normaliseCloudWatch},
	{"eventbridge", isEventBridge, normaliseEventBridge},
	{"webaccess", isWebAccess, normaliseWebAccess},
	{"clamav", isClamAV, normaliseClamAV},
	{"squid", isSquid, normaliseSquid},
	{"fortigate", isFortiGate, normaliseFortiGate},
	{"cisco", isCisco, normaliseCisco},
	{"syslog", isSyslog, normaliseSyslog},
	{"ecs", isECS, normaliseECS},
	{"generic", func(*fastjson.Value) bool { return true }, normaliseGeneric},
}

// Normaliser turns records into the envelope and into Sigma's fields. Safe for
// concurrent use.
type Normaliser struct {
	desks    sync.Pool // of *desk
	mappings atomic.Pointer[mappings]
}

// desk is what one record at a time is worked on with.
type desk struct {
	parser fastjson.Parser
	record record
	input  input
}

// NewNormaliser makes a Normaliser.
func NewNormaliser() *Normaliser { return &Normaliser{} }

// Normalise fills ev and rec from a record of valid JSON. rec must be empty. A
// record that no format knows is kept whole as "generic"; the only errors are
// about JSON that cannot be read. Where a key stands twice, the first counts.
func (n *Normaliser) Normalise(raw []byte, received time.Time, ev *monitor.Event, rec *monitor.Record) error {
	return n.normaliseBy("", raw, received, ev, rec)
}

// normaliseBy is Normalise of a record whose source names the mapping for it; "" where
// it names none.
func (n *Normaliser) normaliseBy(mapping string, raw []byte, received time.Time, ev *monitor.Event, rec *monitor.Record) error {
	d, _ := n.desks.Get().(*desk)
	if d == nil {
		d = &desk{}
	}
	defer n.giveBack(d)
	v, err := d.parser.ParseBytes(raw)
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
	d.record.begin(rec, raw)
	in := &d.input
	*in = input{v: v, received: received, ev: ev, rec: &d.record, line: in.line[:0]}
	if err := n.read(in, mapping); err != nil {
		return err
	}
	in.around(v.Get("splunk"))
	in.aroundLog()
	if ev.Host == "" {
		ev.Host = text(v, peerKey)
	}
	in.finish()
	return nil
}

// read has the format that knows the record read it: the mapping that its source names,
// else the first format, where a mapping comes before "generic".
func (n *Normaliser) read(in *input, named string) error {
	set := n.mappings.Load()
	if m := set.named(named); m != nil && !m.Empty() {
		return m.normalise(in)
	}
	for _, f := range formats {
		if !f.recognises(in.v) {
			continue
		}
		if f.name == "generic" {
			if m := set.find(in.v); m != nil {
				return m.normalise(in)
			}
		}
		in.ev.Format = f.name
		f.normalise(in)
		break
	}
	return nil
}

// around takes what stood around an event (splunk.go) where the event itself says nothing.
func (in *input) around(v *fastjson.Value) {
	if v == nil {
		return
	}
	if in.ev.Host == "" {
		in.ev.Host = text(v, "host")
	}
	if in.ev.OccurredAt.Equal(in.received) {
		in.occurredText(text(v, "time"))
	}
	if in.rec.LogSource == (monitor.LogSource{}) {
		in.rec.LogSource.Service = text(v, "sourcetype")
	}
}

// giveBack keeps nothing of what others own.
func (n *Normaliser) giveBack(d *desk) {
	d.input = input{line: d.input.line[:0]}
	d.record.Record, d.record.texts = nil, strings.Builder{}
	n.desks.Put(d)
}

// finish brings the envelope into its bounds.
func (in *input) finish() {
	ev := in.ev
	ev.LogSource = in.rec.LogSource
	for _, name := range []*string{&ev.Host, &ev.User, &ev.Domain} {
		*name = cutRunes(in.rec.lower(clean(*name)), maxName)
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
