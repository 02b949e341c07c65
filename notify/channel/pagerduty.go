package channel

import (
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// maxPagerDutySummary is in characters. An event may have 512 KB, which no notice has:
// https://developer.pagerduty.com/docs/send-alert-event
const maxPagerDutySummary = 1_024

// pagerDuty is an event of the Events API v2 without routing_key and dedup_key.
type pagerDuty struct {
	Action    string           `json:"event_action"`
	Payload   pagerDutyPayload `json:"payload"`
	Links     []pagerDutyLink  `json:"links,omitempty"`
	Client    string           `json:"client"`
	ClientURL string           `json:"client_url,omitempty"`
}

type pagerDutyPayload struct {
	Summary   string           `json:"summary"`
	Source    string           `json:"source"`
	Severity  string           `json:"severity"`
	Timestamp string           `json:"timestamp,omitempty"`
	Component string           `json:"component,omitempty"`
	Group     string           `json:"group,omitempty"`
	Class     string           `json:"class,omitempty"`
	Details   pagerDutyDetails `json:"custom_details"`
}

type pagerDutyDetails struct {
	Text   string          `json:"text"`
	Notice *monitor.Notice `json:"notice"`
}

type pagerDutyLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

func pagerDutyEvent(n *monitor.Notice, subject string, d document) pagerDuty {
	e := pagerDuty{
		Action: "trigger", Client: "Security Monitor", ClientURL: n.URL,
		Payload: pagerDutyPayload{
			Summary: cut(subject, maxPagerDutySummary), Source: pagerDutySource(n), Severity: pagerDutySeverity(n), Group: n.Channel, Class: strings.ToLower(string(n.Trigger)),
			Details: pagerDutyDetails{Text: d.plain(), Notice: n},
		},
	}
	if !n.From.IsZero() {
		e.Payload.Timestamp = n.From.UTC().Format(time.RFC3339)
	}
	if a := only(n); a != nil {
		e.Payload.Component = a.Process
	}
	if n.URL != "" {
		e.Links = append(e.Links, pagerDutyLink{n.URL, "Open in Security Monitor"})
	}
	for _, a := range n.Alerts {
		if a.URL != "" && a.URL != n.URL {
			e.Links = append(e.Links, pagerDutyLink{a.URL, cut(severity(a.Severity)+": "+a.Title, 100)})
		}
	}
	return e
}

// pagerDutySource is the host that most of it happened on.
func pagerDutySource(n *monitor.Notice) string {
	for _, h := range n.Hosts {
		if h.Value != "" {
			return h.Value
		}
	}
	if a := only(n); a != nil && a.Host != "" {
		return a.Host
	}
	return "Security Monitor"
}

// pagerDutySeverity maps ours to theirs. A test wakes nobody where urgency goes by
// severity.
func pagerDutySeverity(n *monitor.Notice) string {
	switch {
	case n.Test:
		return "info"
	case n.Severity == monitor.SeverityCritical:
		return "critical"
	case n.Severity == monitor.SeverityHigh:
		return "error"
	case n.Severity == monitor.SeverityMedium:
		return "warning"
	default:
		return "info"
	}
}
