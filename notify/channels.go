package notify

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// ChannelStore keeps channels, those whom they belong to, and what they tell of.
type ChannelStore interface {
	Owners
	ChannelsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Channel, error)
	// ChannelSecret gives the sealed secret, nil where there is none.
	ChannelSecret(ctx context.Context, id monitor.ID) ([]byte, error)
	AlertsByID(ctx context.Context, ids []monitor.ID) ([]*monitor.Alert, error)
}

// Message is what a channel says.
type Message struct {
	Subject, Text string // as people read it
	Body          []byte // what is sent but the secret
}

// Channels is the destination of channels: alerts in words.
type Channels struct {
	Store ChannelStore
	// Latest gives the newest alerts that a query line matches.
	Latest func(ctx context.Context, line string, limit int) ([]*monitor.Alert, error)
	// Compose puts a notice into a channel's words; BAD_INPUT where its templates fail.
	Compose func(c *monitor.Channel, n *monitor.Notice) (Message, error)
	// Example is a notice where there is no alert yet.
	Example func(channel string) *monitor.Notice
	// Sender sends what Compose made.
	Sender func(c *monitor.Channel, secret string) Sender
	// Unseal opens a secret that is bound to a channel's id.
	Unseal func(id monitor.ID, sealed []byte) (string, error)
	// Base is the dashboard's address; empty: there are no links.
	Base string
	Log  *slog.Logger

	minute time.Duration // of the settings; 0: a minute (tests do not wait for it)
}

// channelSends is how many messages of a channel are under way at once: one that its
// receiver refuses for ever does not hold up those behind it.
const channelSends = 4

// Open says how a channel's messages are made and sent now.
func (h *Channels) Open(ctx context.Context, id monitor.ID) (Route, error) {
	found, err := h.Store.ChannelsByID(ctx, []monitor.ID{id})
	if err != nil {
		return Route{}, err
	}
	if len(found) == 0 {
		return Route{}, monitor.ErrLeaseLost // it was taken away just now
	}
	c := found[0]
	if err := mayRead(ctx, h.Store, c.OwnerID, c.Role); err != nil {
		return Route{}, err
	}
	return Route{
		Version: strconv.Itoa(c.Version), Concurrency: channelSends, Sender: channelSender{h, c},
		Delay: h.minutes(c.AfterMinutes),
		Start: func(context.Context) (feed.Renderer, error) { return h.start(c) },
	}, nil
}

func (h *Channels) minutes(n int) time.Duration {
	return time.Duration(n) * cmp.Or(h.minute, time.Minute)
}

func (h *Channels) start(c *monitor.Channel) (*channelRenderer, error) {
	filter := &monitor.AlertFilter{Query: &c.Query}
	matching, err := filter.Compile()
	if err != nil {
		return nil, err
	}
	// Another replica may have told something just now.
	return &channelRenderer{h: h, c: c, matching: matching, told: c.Queue.LastSuccess, sum: newDigest()}, nil
}

// Preview gives what a channel would say of the newest alerts that it tells of: of
// all of them, or of one; alerts is their number, 0 for an example.
func (h *Channels) Preview(ctx context.Context, c *monitor.Channel, grouped bool) (m Message, alerts int, err error) {
	n, alerts, err := h.latest(ctx, c, grouped)
	if err != nil {
		return m, 0, err
	}
	m, err = h.Compose(c, n)
	return m, alerts, err
}

// Test sends what a channel would say, once, and gives what became of it.
func (h *Channels) Test(ctx context.Context, c *monitor.Channel) (*monitor.Delivery, error) {
	if err := mayRead(ctx, h.Store, c.OwnerID, c.Role); err != nil {
		return nil, refused(err)
	}
	n, _, err := h.latest(ctx, c, false)
	if err != nil {
		return nil, err
	}
	n.Test = true
	m, err := h.Compose(c, n)
	if err != nil {
		return nil, err
	}
	return sendTest(ctx, c.ID, m.Body, channelSender{h, c}), nil
}

func (h *Channels) latest(ctx context.Context, c *monitor.Channel, grouped bool) (*monitor.Notice, int, error) {
	limit := 1
	if grouped {
		limit = 200
	}
	alerts, err := h.Latest(ctx, c.Query, limit)
	if err != nil {
		return nil, 0, err
	}
	sum := newDigest()
	for _, a := range alerts {
		sum.add(a, a.CreatedAt, h.Base)
	}
	n := sum.notice(h.list(c))
	if len(alerts) == 0 {
		n = h.Example(c.Name)
	}
	h.name(n, c)
	return n, len(alerts), nil
}

// name says whose notice it is.
func (h *Channels) name(n *monitor.Notice, c *monitor.Channel) {
	n.Channel, n.Trigger, n.AfterMinutes = c.Name, c.Trigger, c.AfterMinutes
}

// list is the address of a channel's alerts in the dashboard.
func (h *Channels) list(c *monitor.Channel) string {
	if h.Base == "" {
		return ""
	}
	return link(h.Base, "q", c.Query)
}

func link(base, name, value string) string {
	if value == "" {
		return strings.TrimRight(base, "/") + "/alerts"
	}
	return strings.TrimRight(base, "/") + "/alerts?" + url.Values{name: {value}}.Encode()
}

// channelRenderer sums up the alerts that come to match, and tells of them when it
// is time to.
type channelRenderer struct {
	h        *Channels
	c        *monitor.Channel
	matching monitor.Predicate
	told     time.Time // when the last message was made
	sum      *digest
	waiting  []arrival // for TriggerUnacknowledged: summed up when they are told, as they are then
	urgent   bool      // something of them breaks the quiet
}

// arrival says that an alert came to match at a time.
type arrival struct {
	id monitor.ID
	at time.Time
}

// maxArrivals bounds what waits: with so many no quiet is kept.
const maxArrivals = 100_000

// Render takes the alerts of a page in. Nothing is told yet: see Due.
func (r *channelRenderer) Render(ctx context.Context, page monitor.JournalPage) ([]feed.Payload, error) {
	var came []*monitor.Alert
	var arrived []arrival
	for _, e := range page.Entries {
		some, err := r.entered(e)
		if err == nil && r.c.Trigger == monitor.TriggerUnacknowledged && len(some) > 0 {
			some, err = r.unacknowledged(ctx, idsOf(some))
		}
		if err != nil {
			return nil, err // nothing of the page is taken in: it is rendered again
		}
		for _, a := range some {
			came, arrived = append(came, a), append(arrived, arrival{a.ID, e.Body.At})
		}
	}
	for i, a := range came {
		if q := r.c.Quiet; q != nil && q.Unless != "" && a.Severity.Rank() >= q.Unless.Rank() {
			r.urgent = true
		}
		if r.c.Trigger != monitor.TriggerUnacknowledged {
			r.sum.add(a, arrived[i].at, r.h.Base)
		}
	}
	if r.c.Trigger == monitor.TriggerUnacknowledged {
		r.waiting = append(r.waiting, arrived...)
	}
	return nil, nil
}

// entered gives the alerts that an entry made to match.
func (r *channelRenderer) entered(e monitor.Entry) ([]*monitor.Alert, error) {
	now := time.Now()
	var came []*monitor.Alert
	for _, change := range e.Body.Changes {
		if change.Kind != monitor.KindAlert {
			continue
		}
		after, before, err := monitor.States[monitor.Alert](change)
		if err != nil {
			return nil, err
		}
		if after != nil && after.MergedInto.IsZero() && r.matching.Matches(after, now) && (before == nil || !r.matching.Matches(before, now)) {
			came = append(came, after)
		}
	}
	return came, nil
}

// unacknowledged gives the present state of those that still match and nobody looks
// after, in the order of ids.
func (r *channelRenderer) unacknowledged(ctx context.Context, ids []monitor.ID) ([]*monitor.Alert, error) {
	present, err := r.h.Store.AlertsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	byID := map[monitor.ID]*monitor.Alert{}
	for _, a := range present {
		if a.Status == monitor.AlertNew && a.AssigneeID.IsZero() && a.MergedInto.IsZero() && r.matching.Matches(a, time.Now()) {
			byID[a.ID] = a
		}
	}
	var left []*monitor.Alert
	for _, id := range ids {
		if now := byID[id]; now != nil {
			left = append(left, now)
		}
	}
	return left, nil
}

func idsOf(alerts []*monitor.Alert) []monitor.ID {
	ids := make([]monitor.ID, len(alerts))
	for i, a := range alerts {
		ids[i] = a.ID
	}
	return ids
}

// Due tells when what was taken in is to be told: when the last message is long
// enough ago, and the quiet is over.
func (r *channelRenderer) Due(now time.Time) (at time.Time, ok bool) {
	if r.sum.total == 0 && len(r.waiting) == 0 {
		return at, false
	}
	at = r.told.Add(r.h.minutes(r.c.GroupMinutes))
	if r.c.Quiet == nil || r.urgent || len(r.waiting) >= maxArrivals {
		return at, true
	}
	if end, quiet := r.c.Quiet.Until(now); quiet && end.After(at) {
		at = end
	}
	return at, true
}

// sumUp sums up what waits and is still unacknowledged: somebody may have looked after
// an alert meanwhile.
func (r *channelRenderer) sumUp(ctx context.Context) error {
	for some := range slices.Chunk(r.waiting, 500) {
		at := make(map[monitor.ID]time.Time, len(some))
		ids := make([]monitor.ID, len(some))
		for i, a := range some {
			at[a.id], ids[i] = a.at, a.id
		}
		left, err := r.unacknowledged(ctx, ids)
		if err != nil {
			return err
		}
		for _, a := range left {
			r.sum.add(a, at[a.ID], r.h.Base)
		}
	}
	r.waiting = nil
	return nil
}

// Take gives the messages of what was taken in, and begins anew.
func (r *channelRenderer) Take(ctx context.Context) ([][]byte, error) {
	if err := r.sumUp(ctx); err != nil {
		return nil, err
	}
	if r.sum.total == 0 {
		r.urgent = false
		return nil, nil
	}
	notices := []*monitor.Notice{r.sum.notice(r.h.list(r.c))}
	if r.c.GroupMinutes == 0 && r.sum.total == len(r.sum.alerts) {
		notices = r.sum.each()
	}
	bodies := make([][]byte, len(notices))
	for i, n := range notices {
		r.h.name(n, r.c)
		m, err := r.h.Compose(r.c, n)
		if monitor.CodeOf(err) == monitor.CodeBadInput { // plain words rather than silence
			r.h.Log.Warn("notify: a channel's template fails; the usual words are sent", "channel", r.c.ID.String(), "error", err)
			plain := *r.c
			plain.Template = monitor.NoticeFormat{}
			m, err = r.h.Compose(&plain, n)
		}
		if err != nil {
			return nil, err
		}
		bodies[i] = m.Body
	}
	r.sum, r.urgent, r.told = newDigest(), false, time.Now()
	return bodies, nil
}

// Close has nothing to end.
func (*channelRenderer) Close() {}

// channelSender opens the secret and sends.
type channelSender struct {
	h *Channels
	c *monitor.Channel
}

// Send sends a message.
func (s channelSender) Send(ctx context.Context, d *monitor.Delivery) Result {
	sealed, err := s.h.Store.ChannelSecret(ctx, s.c.ID)
	if err != nil {
		return failed("the secret could not be read")
	}
	// Read behind the secret, which may be a newer one: it is for where that leads.
	found, err := s.h.Store.ChannelsByID(ctx, []monitor.ID{s.c.ID})
	if err != nil || len(found) == 0 || !found[0].Settings.SameReceiver(s.c.Settings) {
		return failed("the channel was led elsewhere just now, or could not be read")
	}
	secret := ""
	if len(sealed) > 0 {
		if secret, err = s.h.Unseal(s.c.ID, sealed); err != nil {
			return failed("the secret cannot be opened: its sealing key is gone; give it again")
		}
	}
	return s.h.Sender(s.c, secret).Send(ctx, d)
}
