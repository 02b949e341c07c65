package channel

import "github.com/security-monitor/secmon/monitor"

// fields are what templates know of a notice. They hold no types with methods but
// moment, so that a template reaches nothing else. docs/channels.md lists them.
type fields struct {
	Channel      string        // its name
	Trigger      string        // ALERT or UNACKNOWLEDGED
	AfterMinutes int           // how long nobody acknowledged them, for UNACKNOWLEDGED
	Total        int           // alerts, at least 1
	More         int           // those that are not among Alerts
	Severity     string        // the worst of them, such as CRITICAL
	Severities   []countFields // the worst first
	Titles       []countFields // the most frequent first, at most 5
	Hosts        []countFields // likewise
	Alerts       []alertFields // the worst first, then the oldest; at most 10
	From         moment        // when the first came
	To           moment        // when the last came
	URL          string        // of the list, or of the alert where there is one
	Test         bool          // a trial
}

type countFields struct {
	Value string // what is counted
	Count int    // alerts that have it
}

type alertFields struct {
	ID          string
	Title       string   // of the rule
	Severity    string   // such as HIGH
	Status      string   // such as NEW
	Host        string   // where it happened
	User        string   // who did it
	Process     string   // what did it
	Source      string   // address; empty for none
	Destination string   // likewise
	Techniques  []string // of MITRE ATT&CK, such as T1059.001
	Tags        []string // of the rule
	Matches     int      // how many events matched
	FirstSeen   moment   // the first of them
	LastSeen    moment   // the last of them
	CreatedAt   moment   // when the alert was raised
	URL         string   // of the alert in the dashboard
}

func fieldsOf(n *monitor.Notice) fields {
	f := fields{
		Channel: n.Channel, Trigger: string(n.Trigger), AfterMinutes: n.AfterMinutes, Total: n.Total, More: max(0, n.Total-len(n.Alerts)),
		Severity: string(n.Severity), Severities: countsOf(n.Severities), Titles: countsOf(n.Titles), Hosts: countsOf(n.Hosts),
		Alerts: make([]alertFields, len(n.Alerts)), From: moment{n.From}, To: moment{n.To}, URL: n.URL, Test: n.Test,
	}
	for i, a := range n.Alerts {
		f.Alerts[i] = alertFields{
			ID: a.ID, Title: a.Title, Severity: string(a.Severity), Status: string(a.Status), Host: a.Host, User: a.User, Process: a.Process,
			Source: a.Source, Destination: a.Destination, Techniques: a.Techniques, Tags: a.Tags, Matches: a.Matches,
			FirstSeen: moment{a.FirstSeen}, LastSeen: moment{a.LastSeen}, CreatedAt: moment{a.CreatedAt}, URL: a.URL,
		}
	}
	return f
}

func countsOf(all []monitor.NoticeCount) []countFields {
	out := make([]countFields, len(all))
	for i, c := range all {
		out[i] = countFields(c)
	}
	return out
}
