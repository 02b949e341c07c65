package metrics

import "github.com/prometheus/client_golang/prometheus"

// Jobs counts the work in the background.
type Jobs struct {
	ended   *prometheus.CounterVec
	upkeep  *prometheus.CounterVec
	running *prometheus.GaugeVec
}

var (
	jobKinds   = []string{"JOURNAL_VERIFY", "ALERT_BULK", "RULE_BACKTEST", "EVENT_ARCHIVE", "EVENT_RESTORE"}
	jobStates  = []string{"DONE", "FAILED", "CANCELLED"}
	kindNames  = knownOf(jobKinds...)
	stateNames = knownOf(jobStates...)
	upkeeps    = []string{"partitions", "events", "journal", "alert_counts", "groups", "correlations", "parts", "exports", "jobs", "assets", "suppressions", "sources", "deliveries", "holds", "restores"}
)

func newJobs(r *prometheus.Registry) *Jobs {
	j := &Jobs{
		ended:   counters(r, "secmon_jobs_ended_total", "Jobs that ended on this replica.", "kind", "state"),
		running: gauges(r, "secmon_jobs_running", "Jobs that run on this replica.", "kind"),
		upkeep:  counters(r, "secmon_upkeep_failed_total", "Times that a part of the regular upkeep failed.", "task"),
	}
	for _, kind := range jobKinds {
		j.running.WithLabelValues(kind)
		for _, state := range jobStates {
			j.ended.WithLabelValues(kind, state)
		}
	}
	for _, task := range upkeeps {
		j.upkeep.WithLabelValues(task)
	}
	return j
}

// Begun counts a job that runs from now on.
func (j *Jobs) Begun(kind string) { j.running.WithLabelValues(kindNames.or(kind)).Inc() }

// Left counts a job that does not run here any more.
func (j *Jobs) Left(kind string) { j.running.WithLabelValues(kindNames.or(kind)).Dec() }

// Ended counts how a job ended.
func (j *Jobs) Ended(kind, state string) {
	j.ended.WithLabelValues(kindNames.or(kind), stateNames.or(state)).Inc()
}

// UpkeepFailed counts a part of the upkeep that failed.
func (j *Jobs) UpkeepFailed(task string) { j.upkeep.WithLabelValues(task).Inc() }
