package monitor

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var lineNow = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func lineEvents() map[string]*Event {
	return map[string]*Event{
		"logon":    {Host: "web-1", User: "SVC_backup", Action: "logon", Class: EventClasses[0], Outcome: OutcomeFailure, Severity: SeverityHigh, SrcIP: netip.MustParseAddr("10.1.2.3"), SrcPort: 4711, OccurredAt: lineNow.Add(-time.Hour), Message: "An account failed to log on"},
		"mimikatz": {Host: "db-2", User: "ana", Action: "start", Class: EventClasses[0], Outcome: OutcomeSuccess, Severity: SeverityCritical, Command: `C:\Tools\Mimikatz.exe "a b"`, OccurredAt: lineNow.Add(-48 * time.Hour), Raw: []byte(`{"EventID":1}`)},
		"quiet":    {Host: "", Severity: SeverityInformational, Outcome: OutcomeUnknown, OccurredAt: lineNow},
	}
}

func TestQueryLineMeansWhatItSays(t *testing.T) {
	for text, want := range map[string]string{
		``:                   "logon mimikatz quiet",
		`host:web-1`:         "logon",
		`HOST:WEB-*`:         "logon",
		`host:*`:             "logon mimikatz",
		`-host:*`:            "quiet",
		`NOT host:web-1`:     "mimikatz quiet",
		`command:*mimikatz*`: "mimikatz",
		`command:"C:\\Tools\\Mimikatz.exe \"a b\""`: "mimikatz",
		`mimikatz`:                                 "mimikatz",
		`"failed to log"`:                          "logon",
		`failed to log`:                            "logon",
		`severity:>=high`:                          "logon mimikatz",
		`severity:>high`:                           "mimikatz",
		`severity:<=low`:                           "quiet",
		`severity:high,critical`:                   "logon mimikatz",
		`outcome:(failure OR success)`:             "logon mimikatz",
		`outcome:(failure unknown)`:                "logon quiet",
		`action:logon OR action:start`:             "logon mimikatz",
		`action:logon AND outcome:success`:         "",
		`action:logon OR action:start host:db-2`:   "logon mimikatz", // AND binds closer
		`(action:logon OR action:start) host:db-2`: "mimikatz",
		`src:10.0.0.0/8`:                           "logon",
		`source.ip:10.1.2.3,192.0.2.1`:             "logon",
		`sourceIp:*`:                               "logon",
		`source.port:>4000 source.port:<5000`:      "logon",
		`time:>=now-24h`:                           "logon quiet",
		`occurred:<2026-05-03T00:00:00Z`:           "mimikatz",
		`user:svc_*`:                               "logon",
		`-(host:web-1 OR host:db-2)`:               "quiet",
		`NOT NOT host:web-1`:                       "logon",
		`raw:*EventID*`:                            "mimikatz",
		`raw.EventID:1`:                            "mimikatz",
		`RAW.EventID:*`:                            "mimikatz",
		`raw.eventid:1`:                            "", // names are compared as they are
		`NOT raw.k8s-app/@x:1`:                     "logon mimikatz quiet",
		"NOT\"mimikatz\"":                          "logon quiet",
		"action:logon OR\u00a0action:start":        "logon mimikatz",
		`ORacle`:                                   "", // a word, no operator
		`host:"*"`:                                 "",
	} {
		f := &EventFilter{Query: &text}
		p, err := f.Compile()
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, name := range []string{"logon", "mimikatz", "quiet"} {
			if p.Matches(lineEvents()[name], lineNow) {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s finds %v, want %s", text, got, want)
		}
	}
}

func TestQueryLineSaysWhereItIsWrong(t *testing.T) {
	for text, want := range map[string]struct {
		position int
		hint     string
	}{
		`hots:web-1`:                   {1, "host"},
		`http://x`:                     {1, ""},
		`ü hots:web-1`:                 {3, "host"},
		`host:`:                        {5, ""},
		`host:web-1 (`:                 {12, ""},
		`(host:web-1`:                  {1, ""},
		`host:web-1)`:                  {11, ""},
		`()`:                           {2, ""},
		`"open`:                        {1, ""},
		`a OR`:                         {4, ""},
		`OR a`:                         {1, ""},
		`a AND`:                        {6, ""},
		`a NOT`:                        {3, ""},
		`severity:>=hgih`:              {12, ""},
		`host:>web`:                    {7, ""},
		`src:10.0.0.0/99`:              {5, ""},
		`src:nowhere`:                  {5, ""},
		`time:now-24h`:                 {6, ">now-24h"},
		`time:>yesterday`:              {7, "now-24h"},
		`source.port:>x`:               {14, ""},
		`host:w*b`:                     {6, "*wb*"},
		`host:*b`:                      {6, "*b*"},
		`outcome:(failure`:             {9, ""},
		`outcome:()`:                   {9, ""},
		`host:web-1,`:                  {11, ""},
		`*`:                            {1, ""},
		`AND a`:                        {1, ""},
		`a AND AND b`:                  {7, ""},
		`action:(a AND b)`:             {11, ""},
		`action:(NOT a)`:               {9, ""},
		`action:(-a)`:                  {9, ""},
		`severity:>=high,low`:          {16, ""},
		`host2:x`:                      {1, "host"},
		strings.Repeat("(", 30):        {21, ""},
		`raw.a..b:x`:                   {1, ""},
		`raw.:x`:                       {1, "raw"},
		strings.Repeat("raw.a:x ", 21): {167, ""},
		strings.Repeat("a ", 300):      {1, ""},
		strings.Repeat("x", 2001):      {1, ""},
	} {
		err := CheckLine(LineEvents, text)
		var known *Error
		if !errors.As(err, &known) || known.Code != CodeBadInput {
			t.Errorf("%s: %v", text, err)
			continue
		}
		hint, _ := known.Details["hint"].(string)
		if at, _ := known.Details["position"].(int); at != want.position && len(text) < 300 || hint != want.hint {
			t.Errorf("%s: at %v, hint %q: %s; want %v", text, known.Details["position"], hint, known.Message, want)
		}
	}
}

// Every field of every noun that has feeds can be asked for: the predicate knows it.
func TestQueryLineFieldsAreFilterFields(t *testing.T) {
	subjects := map[LineNoun]Subject{LineEvents: &Event{}, LineAlerts: &Alert{}, LineIncidents: &Incident{}}
	for noun, subject := range subjects {
		for _, f := range LineFields(noun) {
			value := map[LineKind]string{LineText: "x", LineNumber: "1", LineTime: ">now-1h", LineIP: "10.0.0.1", LineList: "x", LineID: "none"}[f.Kind]
			if f.Kind == LineEnum {
				value = f.Values[0]
			}
			for _, name := range append(f.Aliases, f.Name) {
				b := &filterBuilder{}
				p, err := parseLine(b, lineNouns[noun], name+":"+value+" OR word")
				if err != nil {
					t.Errorf("%s %s: %v", noun, name, err)
					continue
				}
				p.Matches(subject, lineNow) // panics for a field that it does not know
			}
		}
	}
}

func FuzzQueryLine(f *testing.F) {
	for _, seed := range []string{`severity:>=high host:web-* "mimikatz" NOT user:svc_*`, `(a OR -b) src:10.0.0.0/8,::1`, `host:("a b" c OR d)`, `time:>now-24h AND "\\\""`, `((`, `host:`, `-`, `a)`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for noun, subject := range map[LineNoun]Subject{LineEvents: &Event{}, LineAlerts: &Alert{}} {
			b := &filterBuilder{}
			p, err := parseLine(b, lineNouns[noun], text)
			var known *Error
			switch {
			case err == nil:
				p.Matches(subject, lineNow)
				if b.tests > maxFilterTests {
					t.Errorf("%d conditions", b.tests)
				}
			case !errors.As(err, &known) || known.Code != CodeBadInput:
				t.Errorf("%q: %v", text, err)
			default:
				if at, ok := known.Details["position"].(int); ok && (at < 1 || at > len(text)+1) {
					t.Errorf("%q: position %d", text, at)
				}
			}
		}
	})
}
