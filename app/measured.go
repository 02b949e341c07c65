package app

import (
	"time"

	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/metrics"
	"github.com/security-monitor/secmon/monitor"
)

// measuredRules are rules whose work is measured, by the class of log source.
type measuredRules struct {
	ingest.Detector
	meter *metrics.Detect
}

// Match is the rules'.
func (m measuredRules) Match(rec *monitor.Record, dst []monitor.Match) []monitor.Match {
	before, begun := len(dst), time.Now()
	dst = m.Detector.Match(rec, dst)
	class := metrics.Class(rec.LogSource.Product, rec.LogSource.Category, rec.LogSource.Service)
	m.meter.Event(class, time.Since(begun))
	for _, hit := range dst[before:] {
		m.meter.Hit(class, string(hit.Rule.Level))
	}
	return dst
}
