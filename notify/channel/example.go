package channel

import (
	"fmt"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// exampleAt is a time in the past, so that nobody takes an example for news.
var exampleAt = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// Example is a notice of one alert to try templates with.
func Example(channel string) *monitor.Notice {
	a := exampleAlert(0, monitor.SeverityHigh)
	return &monitor.Notice{
		Channel: channel, Trigger: monitor.TriggerAlert, Total: 1, Severity: a.Severity, Severities: []monitor.NoticeCount{{Value: string(a.Severity), Count: 1}},
		Titles: []monitor.NoticeCount{{Value: a.Title, Count: 1}}, Hosts: []monitor.NoticeCount{{Value: a.Host, Count: 1}},
		Alerts: []monitor.NoticeAlert{a}, From: a.CreatedAt, To: a.CreatedAt, Test: true,
	}
}

// exampleSum is likewise, of many that nobody acknowledged.
func exampleSum(channel string) *monitor.Notice {
	n := &monitor.Notice{
		Channel: channel, Trigger: monitor.TriggerUnacknowledged, AfterMinutes: 15, Total: 128, Severity: monitor.SeverityCritical,
		Severities: []monitor.NoticeCount{{Value: "CRITICAL", Count: 3}, {Value: "HIGH", Count: 20}, {Value: "MEDIUM", Count: 105}},
		From:       exampleAt, To: exampleAt.Add(15 * time.Minute), Test: true,
	}
	for i := range monitor.MaxNoticeAlerts {
		severity := monitor.SeverityHigh
		if i < 3 {
			severity = monitor.SeverityCritical
		}
		n.Alerts = append(n.Alerts, exampleAlert(i, severity))
	}
	for i := range monitor.MaxNoticeCounts {
		n.Titles = append(n.Titles, monitor.NoticeCount{Value: exampleTitles[i], Count: 60 - 14*i})
		n.Hosts = append(n.Hosts, monitor.NoticeCount{Value: n.Alerts[i].Host, Count: 40 - 8*i})
	}
	return n
}

var exampleTitles = [monitor.MaxNoticeCounts]string{
	"Suspicious Encoded PowerShell Command Line", "Credential Dumping via LSASS Access", "Service Installed from a Temporary Folder", "Scheduled Task by Command Line",
	"Connection to a Rare Port",
}

func exampleAlert(i int, severity monitor.Severity) monitor.NoticeAlert {
	at := exampleAt.Add(time.Duration(i) * time.Minute)
	return monitor.NoticeAlert{
		ID: "QWxlcnQ6ZXhhbXBsZQ", Title: exampleTitles[i%len(exampleTitles)], Severity: severity, Status: monitor.AlertNew, Host: fmt.Sprintf("web-%d.example.com", i+1),
		User: `EXAMPLE\ana`, Process: `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, Source: "192.0.2.7", Destination: "198.51.100.20",
		Techniques: []string{"T1059.001", "T1027"}, Tags: []string{"attack.execution"}, Matches: 3, FirstSeen: at.Add(-time.Minute), LastSeen: at, CreatedAt: at,
	}
}
