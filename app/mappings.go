package app

import (
	"context"
	"time"

	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/monitor"
)

// loadMappings puts mappings in force, for records and for webhooks.
func (a *App) loadMappings(ctx context.Context) error {
	all, err := a.Store.AllMappings(ctx)
	if err != nil {
		return err
	}
	a.normaliser.SetMappings(all)
	hooks := inboundHooks{}
	for _, m := range all {
		if !m.Enabled {
			continue
		}
		hook := inboundHook{}
		if m.Signed() {
			secret, err := a.Auth.Unseal(m.ID, m.Secret)
			if err != nil {
				a.lg.Error("webhook takes nothing", "webhook", m.Name, "error", err)
				hook.err = monitor.Errorf(monitor.CodeUnavailable, "the webhook's secret cannot be read; set it anew")
			}
			hook.signature = &ingest.Signature{Header: m.SignatureHeader, Secret: secret}
		}
		hooks[m.Name] = hook
	}
	a.inbound.Store(&hooks)
	return nil
}

// inboundHooks are the webhooks in force that events come in by, by name; what goes out
// is in webhooks.go.
type inboundHooks map[string]inboundHook

type inboundHook struct {
	signature *ingest.Signature
	err       error // why nothing is taken
}

// hooksInForce are the webhooks of the moment.
type hooksInForce struct{ app *App }

// Signature gives what a webhook's requests are signed with.
func (h hooksInForce) Signature(name string) (*ingest.Signature, bool, error) {
	all := h.app.inbound.Load()
	if all == nil {
		return nil, false, nil
	}
	hook, found := (*all)[name]
	return hook.signature, found, hook.err
}

// mapper tells what mappings make of records.
type mapper struct{ app *App }

// Seal encrypts a mapping's secret.
func (m mapper) Seal(of monitor.ID, secret string) ([]byte, error) {
	return m.app.Auth.Seal(of, secret)
}

// Preview tells what a mapping makes of a record, whether or not it is in force.
func (m mapper) Preview(of *monitor.Mapping, raw []byte) *monitor.MappingPreview {
	return m.app.normaliser.Preview(of, raw, time.Now().UTC().Truncate(time.Microsecond), m.app.in.Limits)
}

// Shapes groups events of unknown shape.
func (m mapper) Shapes(events []*monitor.Event) []*monitor.UnknownShape { return ingest.Shapes(events) }
