package monitor

import (
	"cmp"
	"time"
)

// Replica is one server process as it sees itself at this moment.
type Replica struct {
	Name      string    `json:"name"`
	Version   string    `json:"version"`
	StartedAt time.Time `json:"startedAt"`
	// Database is how long the database took to say where the journal ends; nil
	// where it did not answer in time.
	Database *time.Duration `json:"database"`
	Behind   int            `json:"behind"` // entries of the journal that it has not seen yet
	Redis    bool           `json:"redis"`  // entries of other replicas reach it at once

	Subscriptions  int `json:"subscriptions"`
	Connections    int `json:"connections"`
	IngestWaiting  int `json:"ingestWaiting"`  // requests with events that wait to be stored
	IngestPlaces   int `json:"ingestPlaces"`   // how many may wait
	JobsRunning    int `json:"jobsRunning"`    // of JobPlaces
	JobPlaces      int `json:"jobPlaces"`      // jobs that it works on at once
	ExportsRunning int `json:"exportsRunning"` // of ExportPlaces
	ExportPlaces   int `json:"exportPlaces"`   // files that it writes at once
	RulesRunning   int `json:"rulesRunning"`   // rules that each event is held against
}

// DatabaseSeconds is Database in seconds.
func (r *Replica) DatabaseSeconds() *float64 {
	if r.Database == nil {
		return nil
	}
	seconds := r.Database.Seconds()
	return &seconds
}

// CompareReplicas orders the longest running first.
func CompareReplicas(a, b *Replica) int {
	return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.Name, b.Name))
}

// ServerHealth is how the replicas are that answered.
type ServerHealth struct {
	Replicas []*Replica
	// Complete is false when a replica did not answer.
	Complete bool
}
