package app

import (
	"context"
	"net/http"
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
	hooks := webhooks{}
	for _, m := range all {
		if !m.Enabled {
			continue
		}
		hook := webhook{}
		if m.Signed() {
			secret, err := a.Auth.Open(m.ID, m.Secret)
			if err != nil {
				a.lg.Error("webhook takes nothing", "webhook", m.Name, "error", err)
				hook.err = monitor.Errorf(monitor.CodeUnavailable, "the webhook's secret cannot be read; set it anew")
			}
			hook.signature = &ingest.Signature{Header: m.SignatureHeader, Secret: secret}
		}
		hooks[m.Name] = hook
	}
	a.webhooks.Store(&hooks)
	return nil
}

// webhooks are those in force, by name.
type webhooks map[string]webhook

type webhook struct {
	signature *ingest.Signature
	err       error // why nothing is taken
}

// hooksInForce are the webhooks of the moment.
type hooksInForce struct{ app *App }

// Signature gives what a webhook's requests are signed with.
func (h hooksInForce) Signature(name string) (*ingest.Signature, bool, error) {
	all := h.app.webhooks.Load()
	if all == nil {
		return nil, false, nil
	}
	hook, found := (*all)[name]
	return hook.signature, found, hook.err
}

// keyHeader lets a token stand in X-Api-Key: some products can set no Authorization.
func keyHeader(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if key := r.Header.Get("X-Api-Key"); key != "" && r.Header.Get("Authorization") == "" {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+key)
		}
		next.ServeHTTP(w, r)
	})
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
