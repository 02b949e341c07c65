package app

import (
	"context"
	"net/http"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/monitor"
)

// routeIngest joins the endpoints that events come in by. They share one intake.
func (a *App) routeIngest(mux *http.ServeMux, in *ingest.Intake) error {
	shippers := func(h http.Handler) http.Handler { return auth.Shippers(a.Auth.Middleware(h)) }
	mux.Handle("/api/ingest", a.Auth.Middleware(&ingest.Handler{Intake: in}))
	mux.Handle(monitor.WebhookPath, shippers(&ingest.Webhook{Handler: &ingest.Handler{Intake: in}, Webhooks: hooksInForce{a}}))
	elastic := shippers(&ingest.Elastic{Intake: in})
	mux.Handle(ingest.ElasticPath, elastic)
	mux.Handle(ingest.ElasticPath+"/", elastic)
	mux.Handle(ingest.SplunkPath+"/", shippers(&ingest.Splunk{Intake: in, Acks: ingest.NewAcks(a.Auth.Derive("splunk acks"))}))
	mux.Handle(ingest.OTLPPath, shippers(&ingest.OTLP{Intake: in}))
	mux.Handle(ingest.AWSPath+"/eventbridge", shippers(&ingest.EventBridge{Intake: in}))
	for _, topic := range a.cfg.SNSTopics {
		if err := ingest.CheckSNSTopic(topic); err != nil {
			return err
		}
	}
	// The signature of a message is its credential.
	mux.Handle(ingest.AWSPath+"/sns", &ingest.SNS{Intake: in, Topics: a.cfg.SNSTopics, Signatures: &ingest.SNSSignatures{Client: ingest.NewSNSClient(), Log: a.lg}})
	return nil
}

func (a *App) intake() *ingest.Intake {
	in := &ingest.Intake{
		Pipeline:   a.pipe,
		Detector:   measuredRules{a.engine, a.metrics.Detect},
		Indicators: &a.indicators,
		Normaliser: a.normaliser,
		Limits: ingest.Limits{
			RecordBytes: a.cfg.MaxRecordKB << 10, BodyBytes: int64(a.cfg.MaxBodyMB) << 20,
			Records: ingest.DefaultLimits.Records, Depth: ingest.DefaultLimits.Depth,
		},
		MaxInFlight: int64(a.cfg.MaxInFlightMB) << 20,
		Authorise:   mayIngest,
		Log:         a.lg,
		Meter:       a.metrics.Ingest,
		Ledger:      a.ledger,
	}
	a.metrics.Gauge("secmon_ingest_in_flight_bytes", "Bytes that the records of requests hold, 1 KiB for each beside its own.", func() float64 { return float64(in.InFlight()) })
	return in
}

// mayIngest lets API tokens with the scope ingest through, and nothing else: a
// shipper has no session, and a session is no shipper.
func mayIngest(ctx context.Context) error {
	if err := auth.Failure(ctx); err != nil {
		return err
	}
	viewer := monitor.ViewerFrom(ctx)
	visitOf(ctx).by(viewer, auth.Address(ctx))
	switch {
	case viewer == nil:
		return monitor.Errorf(monitor.CodeUnauthenticated, "send an API token with the scope ingest: Authorization: Bearer smt_...")
	case !viewer.HasScope(monitor.ScopeIngest):
		return monitor.Errorf(monitor.CodeForbidden, "this credential may not send events; it needs the scope ingest")
	}
	return nil
}
