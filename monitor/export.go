package monitor

import (
	"encoding/json"
	"time"
)

// Export is the right to take a list out as a file, for a while. Its JSON form is
// the snapshot that the journal keeps: who took what.
type Export struct {
	ID        ID              `json:"id"`
	Noun      LineNoun        `json:"noun"`
	Format    ExportFormat    `json:"format"`
	Columns   []string        `json:"columns"`
	Filter    json.RawMessage `json:"filter"` // the noun's filter input; {} for everything
	MaxRows   int             `json:"maxRows"`
	CreatedBy Actor           `json:"createdBy"`
	SessionID ID              `json:"sessionId"` // the login that it ends with; zero for a token's
	CreatedAt time.Time       `json:"createdAt"`
	ExpiresAt time.Time       `json:"expiresAt"`
	Rows      int             `json:"rows"` // of the last file that was taken; -1: none
}

// GlobalID is the export's id in the graph.
func (e *Export) GlobalID() string { return GlobalID(KindExport, e.ID.String()) }

// FileName is what a browser calls the file.
func (e *Export) FileName() string {
	return e.CreatedAt.Format("20060102-150405") + "-" + lineNouns[e.Noun].plural + e.Format.extension()
}

// ExportFormat is the form of a file.
type ExportFormat string

// The formats, as in the schema.
const (
	ExportNDJSON ExportFormat = "NDJSON"
	ExportCSV    ExportFormat = "CSV"
	ExportSTIX   ExportFormat = "STIX" // of indicators
)

func (f ExportFormat) extension() string {
	switch f {
	case ExportCSV:
		return ".csv"
	case ExportSTIX:
		return ".json"
	default:
		return ".ndjson"
	}
}

// Bounds of exports.
const (
	MaxExportRows  = 1_000_000
	ExportLifetime = 10 * time.Minute // of a link
)
