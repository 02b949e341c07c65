package monitor

import "time"

// Notice is what a channel says: one alert, or the sum of many.
type Notice struct {
	Channel string         `json:"channel"` // its name
	Trigger ChannelTrigger `json:"trigger"`
	// AfterMinutes is how long nobody acknowledged them, for TriggerUnacknowledged.
	AfterMinutes int           `json:"afterMinutes,omitempty"`
	Total        int           `json:"total"`      // alerts, at least 1
	Severity     Severity      `json:"severity"`   // the worst of them
	Severities   []NoticeCount `json:"severities"` // the worst first
	Titles       []NoticeCount `json:"titles"`     // the most frequent first, at most MaxNoticeCounts
	Hosts        []NoticeCount `json:"hosts"`      // likewise
	Alerts       []NoticeAlert `json:"alerts"`     // the worst first, then the oldest; at most MaxNoticeAlerts
	From         time.Time     `json:"from"`       // when the first came
	To           time.Time     `json:"to"`         // when the last came
	URL          string        `json:"url"`        // of the list, or of the alert where there is one; empty: the server's address is not configured
	Test         bool          `json:"test,omitempty"`
}

// NoticeCount is how many alerts of a notice have a value.
type NoticeCount struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// NoticeAlert is what a notice tells of an alert.
type NoticeAlert struct {
	ID          string      `json:"id"` // its global id
	Title       string      `json:"title"`
	Severity    Severity    `json:"severity"`
	Status      AlertStatus `json:"status"`
	Host        string      `json:"host"`
	User        string      `json:"user"`
	Process     string      `json:"process"`
	Source      string      `json:"source"`      // address; empty for none
	Destination string      `json:"destination"` // likewise
	Techniques  []string    `json:"techniques"`
	Tags        []string    `json:"tags"`
	Matches     int         `json:"matches"`
	FirstSeen   time.Time   `json:"firstSeen"`
	LastSeen    time.Time   `json:"lastSeen"`
	CreatedAt   time.Time   `json:"createdAt"`
	URL         string      `json:"url"` // empty: the server's address is not configured
}

// Bounds of notices.
const (
	MaxNoticeAlerts = 10
	MaxNoticeCounts = 5
)
