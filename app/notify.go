package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/notify"
)

// testTime bounds a test of a webhook or a channel, within a request's deadline.
const testTime = 8 * time.Second

// outbound is what everything that is sent by itself is sent with.
type outbound struct {
	allowed notify.Allowed
	roots   *x509.CertPool // nil: the system's
	poster  *notify.Poster
}

func (a *App) openOutbound() (outbound, error) {
	allowed, err := notify.ParseAllowed(a.cfg.WebhookAllow)
	if err != nil {
		return outbound{}, fmt.Errorf("webhook-allow: %w", err)
	}
	roots, err := certificates(a.cfg.WebhookCAFile)
	if err != nil {
		return outbound{}, fmt.Errorf("webhook-ca-file: %w", err)
	}
	out := outbound{allowed, roots, notify.NewPoster(allowed, roots, "secmon/"+Version)}
	a.closers = append(a.closers, func() error { out.poster.Close(); return nil })
	return out, nil
}

// openNotifying prepares what sends; it begins with the background.
func (a *App) openNotifying(destinations map[monitor.Kind]notify.Destination) {
	a.notifying = notify.NewDispatcher(notify.Options{
		Owner: a.name, Leases: a.Store, Deliveries: a.Store, Journal: notifyJournal{a.hub, a.tail},
		Destinations: destinations, Limits: notify.DefaultLimits, Meter: notifyMeter{a}, Log: a.lg,
	})
}

// certificates gives the system's with those of a file; nil, the system's, without one.
func certificates(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // the system's
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("there is no certificate in it")
	}
	return pool, nil
}

// notifyJournal is the journal as subscribers follow it: who loses a right has lost
// it before the entry that says so comes.
type notifyJournal struct {
	*feed.Hub
	tail *feed.Tail
}

func (j notifyJournal) PositionOf(e monitor.Entry) monitor.Position { return j.tail.PositionOf(e) }

type notifyMeter struct{ app *App }

func (m notifyMeter) Sent(kind monitor.Kind, outcome string, took time.Duration) {
	m.app.metrics.Notify.Sent(string(kind), outcome, took)
}

func (m notifyMeter) Paused(kind monitor.Kind, reason monitor.PauseReason) {
	m.app.metrics.Notify.Paused(string(kind), string(reason))
}

func (m notifyMeter) Holding(n int) { m.app.metrics.Notify.Holding(n) }

// alone gives a context that has nothing of a request but its end, and the time of a
// test: what runs in it runs as nobody, and loads for itself.
func alone(ctx context.Context) (context.Context, context.CancelFunc) {
	apart, cancel := context.WithTimeout(context.Background(), testTime)
	stop := context.AfterFunc(ctx, cancel)
	return apart, func() {
		stop()
		cancel()
	}
}

func (a *App) trimDeliveries(ctx context.Context) {
	if err := a.Store.TrimDeliveries(ctx); err != nil && ctx.Err() == nil {
		a.upkeepFailed("deliveries", "trim deliveries", err)
	}
}
