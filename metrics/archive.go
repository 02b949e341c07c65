package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Archive tells whether old events leave the database as they should, and come back.
type Archive struct {
	waiting prometheus.Gauge
	failed  *prometheus.CounterVec
}

// What an archive is worked on for, and why that fails.
const (
	ArchiveWork  = "archive" // events are archived and deleted
	RestoreWork  = "restore"
	notWhole     = "damaged"
	otherFailure = "failed"
)

var archiveWorks = knownOf(ArchiveWork, RestoreWork)

func newArchive(r *prometheus.Registry) *Archive {
	a := &Archive{
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "secmon_archive_waiting_seconds", Help: "For how long the oldest events that are kept no longer have waited to be archived and deleted."}),
		failed:  counters(r, "secmon_archive_failed_total", "Times that events could not be archived and deleted, or restored.", "work", "reason"),
	}
	r.MustRegister(a.waiting)
	for work := range archiveWorks {
		a.failed.WithLabelValues(work, notWhole)
		a.failed.WithLabelValues(work, otherFailure)
	}
	return a
}

// Waiting says for how long the oldest events have been due; 0 where none are.
func (a *Archive) Waiting(d time.Duration) { a.waiting.Set(d.Seconds()) }

// Failed counts a try that failed: because the archive is not what was written, or for
// another reason.
func (a *Archive) Failed(work string, damaged bool) {
	reason := otherFailure
	if damaged {
		reason = notWhole
	}
	a.failed.WithLabelValues(archiveWorks.or(work), reason).Inc()
}
