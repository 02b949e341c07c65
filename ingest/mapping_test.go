package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// gate is a mapping for the alerts of a made-up door controller.
func gate() *monitor.Mapping {
	kind := "door"
	return &monitor.Mapping{Name: "gate", Enabled: true, MappingRules: monitor.MappingRules{
		Tests:     []monitor.MappingTest{{Path: "device.kind", Equals: &kind}, {Path: "badge"}},
		LogSource: monitor.LogSource{Product: "gatekeeper", Service: "doors"}, Class: monitor.ClassAuthentication,
		Fields: []monitor.MappingField{
			{Target: monitor.TargetTime, Path: "at.unix"},
			{Target: monitor.TargetHost, Path: "device.name", Required: true},
			{Target: monitor.TargetUser, Path: "badge.holder"},
			{Target: monitor.TargetSrcIP, Path: "device.ip"},
			{Target: monitor.TargetSeverity, Path: "grade"},
		},
		Severities: []monitor.MappingSeverity{{Value: "Red", Severity: monitor.SeverityCritical}},
		Renames:    []monitor.MappingRename{{From: "badge.holder", To: "TargetUserName"}},
	}}
}

const doorOpened = `{"device":{"kind":"door","name":"Gate-1","ip":"10.0.0.9"},"badge":{"holder":"Ana"},"at":{"unix":1777888800},"grade":"red"}`

func TestAMappingReadsWhatNoNormaliserKnows(t *testing.T) {
	n := NewNormaliser()
	n.SetMappings([]*monitor.Mapping{gate()})
	read := func(named, raw string) (*monitor.Event, *monitor.Record, error) {
		ev, rec := &monitor.Event{}, &monitor.Record{}
		err := n.normaliseBy(named, []byte(raw), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), ev, rec)
		return ev, rec, err
	}
	ev, rec, err := read("", doorOpened)
	if err != nil || ev.Format != "map:gate" || ev.Host != "gate-1" || ev.User != "ana" || ev.SrcIP.String() != "10.0.0.9" || ev.Severity != monitor.SeverityCritical ||
		ev.Class != monitor.ClassAuthentication || ev.OccurredAt.Unix() != 1777888800 || ev.LogSource.Product != "gatekeeper" || rec.LogSource.Service != "doors" {
		t.Fatalf("%+v %v", ev, err)
	}
	if got := rec.Text("TargetUserName"); got != "Ana" {
		t.Errorf("renamed: %q", got)
	}
	if ev, _, err := read("", strings.Replace(doorOpened, "door", "window", 1)); err != nil || ev.Format != "generic" {
		t.Errorf("a window: %s, %v", ev.Format, err)
	}
	if _, _, err := read("", strings.Replace(doorOpened, `"name"`, `"n"`, 1)); rejectionOf(1, nil, err).Code != CodeMappingFailed {
		t.Errorf("without a host: %v", err)
	}
	if ev, _, err := read("", `{"rule":"Terminal shell","priority":"Notice","output":"x","device":{"kind":"door"},"badge":1}`); err != nil || ev.Format != "falco" {
		t.Errorf("what a normaliser knows: %s, %v", ev.Format, err)
	}
	if ev, _, err := read("gate", `{"device":{"name":"x"}}`); err != nil || ev.Format != "map:gate" {
		t.Errorf("of its webhook: %s, %v", ev.Format, err)
	}
}

func TestAMappingChangesUnderIngest(t *testing.T) {
	n := NewNormaliser()
	other := gate()
	other.LogSource.Product = "other"
	n.SetMappings([]*monitor.Mapping{gate()})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 2_000 {
				ev, rec := &monitor.Event{}, &monitor.Record{}
				if err := n.Normalise([]byte(doorOpened), time.Now(), ev, rec); err != nil || ev.Format != "map:gate" || ev.LogSource.Product != "gatekeeper" && ev.LogSource.Product != "other" {
					t.Errorf("%+v %v", ev, err)
					return
				}
			}
		})
	}
	for i := range 200 {
		n.SetMappings([]*monitor.Mapping{[]*monitor.Mapping{gate(), other}[i%2]})
	}
	all.Wait()
}

// FuzzMapping: whatever a mapping says of whatever record, nothing breaks, and the
// event keeps the envelope's bounds.
func FuzzMapping(f *testing.F) {
	f.Add(doorOpened, "device.name", "device.kind", "x")
	f.Add(`{"a":[{"b":[1]}],"a.b":"\ud800"}`, "a.b", "a", "a.b.c")
	f.Fuzz(func(t *testing.T, raw, path, test, to string) {
		m := &monitor.Mapping{Name: "fuzz", Enabled: true, MappingRules: monitor.MappingRules{Tests: []monitor.MappingTest{{Path: test}}, Renames: []monitor.MappingRename{{From: path, To: to}}}}
		for _, target := range monitor.MappingTargets {
			m.Fields = append(m.Fields, monitor.MappingField{Target: target, Path: path, Required: target == monitor.TargetHost})
		}
		if m.Check() != nil || (&splitter{limits: DefaultLimits}).check0(raw) {
			return
		}
		n := NewNormaliser()
		n.SetMappings([]*monitor.Mapping{m})
		for _, named := range []string{"", "fuzz"} {
			ev, rec := &monitor.Event{}, &monitor.Record{}
			if n.normaliseBy(named, []byte(raw), time.Now(), ev, rec) != nil {
				continue
			}
			if len([]rune(ev.Host)) > maxName || len(ev.Message) > maxText || strings.ContainsRune(ev.User, 0) || len(ev.Format) > 32 {
				t.Errorf("%+v", ev)
			}
		}
		n.Preview(m, []byte(raw), time.Now(), DefaultLimits)
	})
}

// check0 tells whether a record never comes so far.
func (s *splitter) check0(raw string) bool {
	code, _ := s.check([]byte(raw))
	return code != ""
}

func TestUnknownShapesAreGroupedAndGuessed(t *testing.T) {
	var events []*monitor.Event
	now := time.Now().UTC()
	for i := range 9 {
		raw := fmt.Sprintf(`{"b":%d,"a":1}`, i)
		if i%3 == 0 {
			raw = `{"host":"x","message":"m","a":1}`
		}
		ev := &monitor.Event{}
		if err := NewNormaliser().Normalise([]byte(raw), now, ev, &monitor.Record{}); err != nil {
			t.Fatal(err)
		}
		events = append(events, ev)
	}
	shapes := Shapes(events)
	if len(shapes) != 2 || fmt.Sprint(shapes[0].Names, shapes[0].Events, len(shapes[0].Samples), shapes[1].Confidence, shapes[1].Guess) != "[a b] 6 5 25host, message" {
		t.Errorf("%+v %+v", shapes[0], shapes[1])
	}
}

// oneWebhook is signed.
type oneWebhook struct{}

func (oneWebhook) Signature(name string) (*Signature, bool, error) {
	switch name {
	case "gate":
		return &Signature{Header: "X-Hub-Signature-256", Secret: "s3cret"}, true, nil
	case "falco":
		return nil, true, nil
	}
	return nil, false, nil
}

func TestAWebhookTakesWhatIsSigned(t *testing.T) {
	in, store := testIntake(t)
	in.Limits.RecordBytes = 1_000
	in.Normaliser.SetMappings([]*monitor.Mapping{gate(), {Name: "falco", Enabled: true}})
	hook := &Webhook{Handler: &Handler{Intake: in}, Webhooks: oneWebhook{}}
	post := func(name, body, signature string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, monitor.WebhookPath+name, strings.NewReader(body))
		r.Header.Set("X-Hub-Signature-256", signature)
		w := httptest.NewRecorder()
		hook.ServeHTTP(w, r)
		return w.Code
	}
	mac := hmac.New(sha256.New, []byte("s3cret"))
	mac.Write([]byte(doorOpened))
	sum := hex.EncodeToString(mac.Sum(nil))
	for _, c := range []struct {
		name, body, signature string
		want, stored          int
	}{
		{"gate", doorOpened, "sha256=" + sum, http.StatusOK, 1},
		{"gate", doorOpened, sum, http.StatusOK, 2},
		{"gate", doorOpened + " ", sum, http.StatusForbidden, 2},
		{"gate", doorOpened, "", http.StatusForbidden, 2},
		{"gate", doorOpened, "sha256=zz", http.StatusForbidden, 2},
		{"nobody", doorOpened, sum, http.StatusNotFound, 2},
		{"falco", `[{"rule":"r","priority":"Error","output":"o"},{"rule":"r","priority":"Error","output":"o"}]`, "", http.StatusOK, 4},
		{"falco", "{broken", "", http.StatusUnprocessableEntity, 4},
		{"falco", strings.Repeat(" ", 5_000), "", http.StatusRequestEntityTooLarge, 4},
	} {
		if got := post(c.name, c.body, c.signature); got != c.want || store.events != c.stored {
			t.Errorf("%s %.20q %q: %d with %d events, want %d with %d", c.name, c.body, c.signature, got, store.events, c.want, c.stored)
		}
	}
}

func TestADeadLetterIsReadByItsMendedMapping(t *testing.T) {
	in, kept := withLedger(t)
	in.Limits.RecordBytes = 1_000
	in.Normaliser.SetMappings([]*monitor.Mapping{{Name: "falco", Enabled: true, MappingRules: monitor.MappingRules{Fields: []monitor.MappingField{{Target: monitor.TargetHost, Path: "wrong", Required: true}}}}})
	send(t, &Webhook{Handler: &Handler{Intake: in}, Webhooks: oneWebhook{}}, monitor.WebhookPath+"falco", `{"node":"n-1"}`)
	in.Ledger.Flush(t.Context())
	if len(kept.letters) != 1 || kept.letters[0].Code != CodeMappingFailed || kept.letters[0].Mapping != "falco" || kept.letters[0].Protocol != "webhook" {
		t.Fatalf("%+v", kept.letters)
	}
	if replays, err := in.Replay(t.Context(), kept.letters, false); err != nil || replays[0].Stored {
		t.Errorf("%+v %v", replays[0], err)
	}
	in.Normaliser.SetMappings([]*monitor.Mapping{{Name: "falco", Enabled: true, MappingRules: monitor.MappingRules{Fields: []monitor.MappingField{{Target: monitor.TargetHost, Path: "node", Required: true}}}}})
	if replays, err := in.Replay(t.Context(), kept.letters, false); err != nil || !replays[0].Stored || replays[0].Result != "stored as map:falco" {
		t.Errorf("%+v %v", replays[0], err)
	}
}
