package monitor

import "time"

// Job is work that goes on in the background. Its JSON form is the snapshot that
// the journal keeps.
type Job struct {
	ID        ID        `json:"id"`
	Kind      JobKind   `json:"kind"`
	State     JobState  `json:"state"`
	Done      int       `json:"done"`    // of Total
	Total     int       `json:"total"`   // 0 while it is not known
	Message   string    `json:"message"` // how it stands, or ended, in a sentence
	CreatedBy Actor     `json:"createdBy"`
	Failed    int       `json:"failed"`   // of Done
	Bulk      *Bulk     `json:"bulk"`     // what a bulk job does
	UndoneBy  ID        `json:"undoneBy"` // the job that undid it
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// GlobalID is the job's id in the graph.
func (j *Job) GlobalID() string { return GlobalID(KindJob, j.ID.String()) }

// IsNode marks the types of the schema's interface Node.
func (*Job) IsNode() {}

// Finished tells whether nothing more will happen.
func (j *Job) Finished() bool { return j.State != JobRunning }

// JobKind is what a job does.
type JobKind string

// The kinds, as in the schema.
const (
	JobJournalVerify JobKind = "JOURNAL_VERIFY" // checks the journal's chain of hashes
	JobAlertBulk     JobKind = "ALERT_BULK"     // changes many alerts
	JobRuleBacktest  JobKind = "RULE_BACKTEST"  // tries a rule on stored events
	JobEventArchive  JobKind = "EVENT_ARCHIVE"  // moves old events out
	JobEventRestore  JobKind = "EVENT_RESTORE"  // brings archived events back
)

// Resumes tells whether any replica can go on with a job whose server has died.
func (j *Job) Resumes() bool { return j.Kind == JobAlertBulk || j.Kind == JobRuleBacktest }

// JobState is where a job is in its life.
type JobState string

// The states, as in the schema.
const (
	JobRunning JobState = "RUNNING"
	JobDone    JobState = "DONE"
	JobFailed  JobState = "FAILED"

	JobCancelled JobState = "CANCELLED"
)

// Jobs that have ended are kept for so long, and so many of them: backtests are large
// and soon out of date.
const (
	JobMemory        = 90 * 24 * time.Hour
	MaxJobsKept      = 10_000 // of other kinds than backtests
	BacktestMemory   = 30 * 24 * time.Hour
	MaxBacktestsKept = 500
)

// JobStale is after how long without a sign of life a running job counts as
// dead: its process has ended without a word.
const JobStale = time.Minute
