package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

// aMinute of a channel's settings, in tests.
const aMinute = 400 * time.Millisecond

// heardNotices is what the channels of a test said, each message once.
type heardNotices struct {
	mu     sync.Mutex
	known  map[monitor.ID]bool
	said   []monitor.Notice
	tries  int
	refuse func(monitor.Notice) string // why a message is not taken; nil: all are
}

// Send makes it the Sender.
func (h *heardNotices) Send(_ context.Context, d *monitor.Delivery) Result {
	var n monitor.Notice
	if err := json.Unmarshal(d.Body, &n); err != nil {
		return failed(err.Error())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tries++
	if h.refuse != nil {
		if why := h.refuse(n); why != "" {
			return failed(why)
		}
	}
	if h.known == nil {
		h.known = map[monitor.ID]bool{}
	}
	if !h.known[d.ID] {
		h.known[d.ID], h.said = true, append(h.said, n)
	}
	return failed("")
}

// all gives the messages, and how many alerts they tell of.
func (h *heardNotices) all() (said []monitor.Notice, alerts int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.said {
		alerts += n.Total
	}
	return append(said, h.said...), alerts
}

func (s *site) channels() *Channels {
	return &Channels{
		Store: s.store, Base: "https://secmon.example.com/", Log: slog.New(slog.DiscardHandler), minute: aMinute,
		Compose: func(c *monitor.Channel, n *monitor.Notice) (Message, error) {
			if c.Template.Text == "broken" {
				return Message{}, monitor.InputErrorf("template.text", "it fails")
			}
			body, err := json.Marshal(n)
			return Message{Body: body}, err
		},
		Example: func(string) *monitor.Notice { return &monitor.Notice{Total: 1} },
		Sender:  func(*monitor.Channel, string) Sender { return &s.heard },
		Unseal:  func(_ monitor.ID, sealed []byte) (string, error) { return string(sealed), nil },
	}
}

func (s *site) channel(change func(*monitor.Channel)) *monitor.Channel {
	s.t.Helper()
	head, err := s.store.Head(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	c := monitor.Channel{
		Name: "SOC", Kind: monitor.ChannelSlack, OwnerID: s.owner.ID, Role: monitor.RoleAnalyst, Trigger: monitor.TriggerAlert, Enabled: true,
	}
	change(&c)
	made, err := s.store.CreateChannel(s.t.Context(), monitor.SystemActor, c, head, func(monitor.ID) ([]byte, error) { return []byte("secret"), nil })
	if err != nil {
		s.t.Fatal(err)
	}
	return made
}

// raise stores an event for each host in one batch, each of which raises an alert.
func (s *site) raise(level monitor.Severity, hosts ...string) {
	s.t.Helper()
	b := &monitor.Batch{}
	for i, host := range hosts {
		b.Events = append(b.Events, &monitor.Event{
			OccurredAt: time.Now(), Class: monitor.ClassAuthentication, Action: "login", Severity: monitor.SeverityMedium, Format: "json", Host: host, Raw: monitor.RawJSON("{}"),
		})
		b.Findings = append(b.Findings, monitor.Finding{Event: i, Rule: &monitor.Rule{
			ID: monitor.ID{1}, Title: "Brute force", Level: level, Source: "title: x", State: monitor.RuleActive, Enabled: true, Version: 1,
		}})
	}
	if _, err := s.store.StoreBatch(s.t.Context(), b); err != nil {
		s.t.Fatal(err)
	}
}

func hosts(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%d", prefix, i)
	}
	return names
}

func (s *site) hears(alerts int) []monitor.Notice {
	s.t.Helper()
	until(s.t, fmt.Sprintf("%d alerts are told of", alerts), func() bool { _, n := s.heard.all(); return n >= alerts })
	said, n := s.heard.all()
	if n != alerts {
		s.t.Fatalf("%d alerts were told of, want %d: %+v", n, alerts, said)
	}
	return said
}

func TestChannelTellsOfTheAlertsThatMatchAlone(t *testing.T) {
	s := newSite(t)
	s.channel(func(c *monitor.Channel) { c.Query = "severity:>=high host:web*" })
	s.replica(quick)
	s.raise(monitor.SeverityLow, "web-9")
	s.raise(monitor.SeverityHigh, "db-1")
	s.raise(monitor.SeverityHigh, "web-1")
	s.raise(monitor.SeverityHigh, "web-1") // the same alert once more
	s.raise(monitor.SeverityCritical, "web-2")
	said := s.hears(2)
	if len(said) != 2 {
		t.Fatalf("%d messages for two alerts, each by itself: %+v", len(said), said)
	}
	n := said[0]
	a := n.Alerts[0]
	if n.Channel != "SOC" || n.Severity != monitor.SeverityHigh || a.Host != "web-1" || a.Title != "Brute force" || n.URL != a.URL {
		t.Errorf("it says %+v", n)
	}
	if want := "https://secmon.example.com/alerts?alert=" + a.ID; strings.ReplaceAll(a.URL, "%3D", "=") != want {
		t.Errorf("the link is %s, want %s", a.URL, want)
	}
}

func TestChannelSumsUpWhatComesClosely(t *testing.T) {
	s := newSite(t)
	s.channel(func(c *monitor.Channel) { c.GroupMinutes = 10 })
	s.replica(quick)
	s.raise(monitor.SeverityHigh, "first")
	s.hears(1) // the first is told at once
	s.raise(monitor.SeverityMedium, hosts("more", 24)...)
	s.raise(monitor.SeverityCritical, "worst")
	said := s.hears(26)
	if len(said) != 2 {
		t.Fatalf("%d messages, want the first and the sum", len(said))
	}
	sum := said[1]
	if sum.Total != 25 || sum.Severity != monitor.SeverityCritical || len(sum.Alerts) != monitor.MaxNoticeAlerts || sum.Alerts[0].Host != "worst" {
		t.Errorf("the sum is %+v", sum)
	}
	if len(sum.Severities) != 2 || sum.Severities[0] != (monitor.NoticeCount{Value: "CRITICAL", Count: 1}) || sum.Severities[1].Count != 24 {
		t.Errorf("by severity: %v", sum.Severities)
	}
	if !strings.HasSuffix(sum.URL, "/alerts") {
		t.Errorf("the sum leads to %s, want the list", sum.URL)
	}
}

func TestChannelKeepsStillInQuietHoursUnlessItIsBad(t *testing.T) {
	s := newSite(t)
	quiet := &monitor.QuietHours{TimeZone: "UTC", From: "00:00", To: "00:00", Unless: monitor.SeverityCritical} // always
	s.channel(func(c *monitor.Channel) { c.Quiet = quiet })
	s.replica(quick)
	s.raise(monitor.SeverityHigh, "web-1", "web-2")
	s.channel(func(c *monitor.Channel) { c.Query = "host:marker" })
	s.raise(monitor.SeverityHigh, "marker") // by then the first would have been told
	s.hears(1)
	s.raise(monitor.SeverityCritical, "web-3")
	for _, n := range s.hears(5)[1:] {
		if n.Total != 1 {
			t.Errorf("each alert is told by itself, not %+v", n)
		}
	}
}

func TestChannelTellsOfWhatNobodyAcknowledged(t *testing.T) {
	s := newSite(t)
	s.channel(func(c *monitor.Channel) { c.Trigger, c.AfterMinutes = monitor.TriggerUnacknowledged, 5 })
	s.replica(quick)
	begun := time.Now()
	s.raise(monitor.SeverityHigh, "seen", "forgotten", "assigned")
	all, err := s.store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all.Edges {
		a := e.Node
		if a.Host == "forgotten" {
			continue
		}
		if _, err := s.store.UpdateAlert(t.Context(), monitor.SystemActor, monitor.ActionAlertAcknowledge, a.ID, nil, func(a *monitor.Alert, _ time.Time) error {
			if a.Host == "seen" {
				a.Status = monitor.AlertAcknowledged
			}
			a.AssigneeID = s.owner.ID
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	said := s.hears(1)
	if took := time.Since(begun); took < 5*aMinute {
		t.Errorf("told after %s, before it was time", took)
	}
	if n := said[0]; n.Alerts[0].Host != "forgotten" || n.Trigger != monitor.TriggerUnacknowledged || n.AfterMinutes != 5 {
		t.Errorf("it says %+v", n)
	}
}

func TestChannelTellsOfNothingThatWasAcknowledgedWhileItWaited(t *testing.T) {
	s := newSite(t)
	c := s.channel(func(c *monitor.Channel) {
		c.Trigger, c.AfterMinutes, c.GroupMinutes = monitor.TriggerUnacknowledged, 1, 8
	})
	route, err := s.channels().Open(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	renderer, err := route.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer renderer.Close()
	s.raise(monitor.SeverityHigh, "seen", "forgotten")
	from, err := monitor.ParseCursor(c.Queue.Reached)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := s.store.Entries(t.Context(), from.Seq, 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := renderer.Render(t.Context(), monitor.JournalPage{Entries: entries}); err != nil {
		t.Fatal(err)
	}
	all, err := s.store.Alerts(t.Context(), nil, monitor.AlertsByCreated, page.Args{First: 10})
	if err != nil {
		t.Fatal(err)
	}
	take := func() int {
		bodies, err := renderer.(Gatherer).Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(bodies) == 0 {
			return 0
		}
		var n monitor.Notice
		if err := json.Unmarshal(bodies[0], &n); err != nil || n.Alerts[0].Host != "forgotten" {
			t.Fatalf("it says %s, %v", bodies[0], err)
		}
		return n.Total
	}
	for _, e := range all.Edges {
		if e.Node.Host == "seen" {
			if _, err := s.store.UpdateAlert(t.Context(), monitor.SystemActor, monitor.ActionAlertAcknowledge, e.Node.ID, nil, func(a *monitor.Alert, _ time.Time) error {
				a.Status = monitor.AlertAcknowledged
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := take(); n != 1 {
		t.Errorf("%d alerts are told of, want the forgotten one", n)
	}
	if _, due := renderer.(Gatherer).Due(time.Now()); due || take() != 0 {
		t.Error("it is told of again")
	}
}

func TestChannelLosesNothingWhenItsReplicaDiesWithASum(t *testing.T) {
	s := newSite(t)
	c := s.channel(func(c *monitor.Channel) { c.GroupMinutes = 4 })
	total := 0
	for round := range 3 {
		rep := s.replica(quick)
		s.raise(monitor.SeverityHigh, hosts(fmt.Sprint("round-", round), 30)...)
		total += 30
		until(t, "something is told", func() bool { _, n := s.heard.all(); return n > total-30 })
		s.raise(monitor.SeverityHigh, hosts(fmt.Sprint("later-", round), 30)...) // stands in the sum, in memory alone
		total += 30
		rep.dead.Store(true)
		rep.stop()
	}
	s.replica(quick)
	s.hears(total)
	until(t, "the queue is empty", func() bool {
		found, err := s.store.ChannelsByID(t.Context(), []monitor.ID{c.ID})
		return err == nil && found[0].Queue.Waiting == 0
	})
}

func TestChannelOneRefusedMessageHoldsUpNoOther(t *testing.T) {
	s := newSite(t)
	s.heard.refuse = func(n monitor.Notice) string {
		if n.Alerts[0].Host == "bad" {
			return "400 invalid_blocks"
		}
		return ""
	}
	c := s.channel(func(*monitor.Channel) {})
	s.replica(quick)
	s.raise(monitor.SeverityHigh, "bad")
	s.raise(monitor.SeverityHigh, "good-1")
	s.raise(monitor.SeverityHigh, "good-2")
	s.hears(2)
	until(t, "the bad one alone waits", func() bool { // a message is heard before it is settled
		found, err := s.store.ChannelsByID(t.Context(), []monitor.ID{c.ID})
		return err == nil && found[0].Queue.Waiting == 1
	})
}

func TestChannelChangedMeanwhileTellsAsItIsNow(t *testing.T) {
	s := newSite(t)
	c := s.channel(func(c *monitor.Channel) { c.GroupMinutes = 1440 })
	s.replica(quick)
	s.raise(monitor.SeverityHigh, "first")
	s.hears(1)
	s.raise(monitor.SeverityHigh, hosts("sum", 3)...)
	change := func(c *monitor.Channel) error {
		c.GroupMinutes, c.Template.Text = 0, "broken" // which is told in the usual words
		return nil
	}
	if _, err := s.store.UpdateChannel(t.Context(), monitor.SystemActor, c.ID, nil, change, nil); err != nil {
		t.Fatal(err)
	}
	if said := s.hears(4); len(said) != 4 {
		t.Errorf("%d messages for four alerts, each by itself", len(said))
	}
}

func TestChannelWhoseJournalIsGoneGoesOnFromNow(t *testing.T) {
	s := newSite(t)
	c := s.channel(func(*monitor.Channel) {})
	gone := monitor.Position{Epoch: 77, Seq: 1, Tag: 5} // of another journal
	lease := monitor.Lease{Queue: c.ID, Kind: monitor.KindChannel, Owner: "test"}
	leases, err := s.store.LeaseQueues(t.Context(), lease.Owner, []monitor.Kind{monitor.KindChannel}, time.Minute, 1)
	if err != nil || len(leases) != 1 {
		t.Fatal(leases, err)
	}
	from, err := monitor.ParseCursor(c.Queue.Reached)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.Enqueue(t.Context(), leases[0], from, gone, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.store.ReleaseQueues(t.Context(), lease.Owner); err != nil {
		t.Fatal(err)
	}
	now := func() *monitor.Channel {
		found, err := s.store.ChannelsByID(t.Context(), []monitor.ID{c.ID})
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		return found[0]
	}
	s.replica(quick)
	until(t, "it says so", func() bool { return now().Pause == monitor.PauseExpired })
	if text := now().PauseText; !strings.Contains(text, "enable") {
		t.Errorf("what to do is not told: %s", text)
	}
	s.raise(monitor.SeverityHigh, "missed")
	head, err := s.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.ResumeChannel(t.Context(), monitor.SystemActor, c.ID, nil, func(*monitor.Channel) error { return nil }, head); err != nil {
		t.Fatal(err)
	}
	s.raise(monitor.SeverityHigh, "told")
	if said := s.hears(1); said[0].Alerts[0].Host != "told" {
		t.Errorf("it says %+v", said)
	}
}

func TestNewSecretOfAChannelIsNotSentToItsOldReceiver(t *testing.T) {
	s := newSite(t)
	c := s.channel(func(c *monitor.Channel) {
		c.Kind, c.Settings = monitor.ChannelGeneric, monitor.ChannelSettings{URL: "https://old.example.com/", Header: "Authorization"}
	})
	route, err := s.channels().Open(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	change := func(c *monitor.Channel) error {
		c.Settings.URL = "https://new.example.com/"
		return nil
	}
	seal := func(monitor.ID) ([]byte, error) { return []byte("new"), nil }
	if _, err := s.store.UpdateChannel(t.Context(), monitor.SystemActor, c.ID, nil, change, seal); err != nil {
		t.Fatal(err)
	}
	if r := route.Sender.Send(t.Context(), &monitor.Delivery{ID: c.ID, Body: []byte("{}")}); r.Error == "" {
		t.Error("it was sent with the settings of before")
	}
	if said, _ := s.heard.all(); len(said) > 0 {
		t.Errorf("the old receiver was sent %+v", said)
	}
}

// A storm becomes few messages that tell of all of it. STORM_ALERTS makes it larger.
func TestChannelStorm(t *testing.T) {
	alerts := 3_000
	if n, err := strconv.Atoi(os.Getenv("STORM_ALERTS")); err == nil {
		alerts = n
	}
	s := newSite(t)
	s.channel(func(c *monitor.Channel) { c.GroupMinutes = 10 })
	s.channel(func(*monitor.Channel) {}) // each by itself, but for storms
	s.replica(quick)
	begun := time.Now()
	for i := 0; i < alerts; i += 500 {
		s.raise(monitor.SeverityHigh, hosts(fmt.Sprint("storm-", i), min(500, alerts-i))...)
	}
	raised := time.Since(begun)
	deadline := time.Now().Add(5 * time.Minute)
	for _, n := s.heard.all(); n < 2*alerts && time.Now().Before(deadline); _, n = s.heard.all() {
		time.Sleep(10 * time.Millisecond) // polls for the end
	}
	said, told := s.heard.all()
	if told != 2*alerts {
		t.Fatalf("%d alerts told of, want %d", told, 2*alerts)
	}
	// A batch of 500 is one entry: no channel has more messages than there are entries.
	if most := 2 * (alerts/500 + 2); len(said) > most {
		t.Errorf("%d messages of %d alerts, want at most %d", len(said), alerts, most)
	}
	t.Logf("%d alerts raised in %s, all told by two channels in %d messages after %s", alerts, raised.Round(time.Millisecond), len(said), time.Since(begun).Round(time.Millisecond))
}
