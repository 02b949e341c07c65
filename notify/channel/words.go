package channel

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// usualSubject says in one line what happened.
func usualSubject(n *monitor.Notice) string {
	var b strings.Builder
	if n.Test {
		b.WriteString("TEST: ")
	}
	if n.Trigger == monitor.TriggerUnacknowledged {
		b.WriteString("Unacknowledged for " + lasting(n.AfterMinutes) + ": ")
	}
	if a := only(n); a != nil {
		fmt.Fprintf(&b, "%s: %s", severity(a.Severity), cut(a.Title, 200))
		if a.Host != "" {
			b.WriteString(" on " + cut(a.Host, 100))
		}
		return b.String()
	}
	b.WriteString(alerts(n.Total))
	if counts := severities(n); counts != "" {
		b.WriteString(" (" + counts + ")")
	}
	if len(n.Titles) > 0 {
		b.WriteString(": " + cut(n.Titles[0].Value, 150))
		if len(n.Titles) > 1 {
			b.WriteString(" and others")
		}
	}
	return b.String()
}

// usual says all of it.
func usual(n *monitor.Notice) document {
	var d document
	if n.Test {
		d = append(d, paragraph(boldly("TEST"), plainly(" of the channel “"+n.Channel+"”: nothing happened, nothing is to be done.")))
	}
	if n.Trigger == monitor.TriggerUnacknowledged {
		these := "these " + strconv.Itoa(n.Total) + " alerts"
		if n.Total == 1 {
			these = "this alert"
		}
		d = append(d, paragraph(boldly("Nobody has acknowledged "+these+" for "+lasting(n.AfterMinutes)+".")))
	}
	if a := only(n); a != nil {
		d = append(d, about(a))
	} else {
		d = append(d, sum(n)...)
	}
	if n.URL != "" {
		d = append(d, leads(n))
	}
	return d
}

// about tells of one alert.
func about(a *monitor.NoticeAlert) block {
	b := block{list: true}
	fact := func(name, value string) {
		if value != "" {
			b.lines = append(b.lines, spans{boldly(name + ": "), plainly(value)})
		}
	}
	b.lines = append(b.lines, spans{boldly("Alert: "), {text: a.Title, url: a.URL}})
	fact("Severity", severity(a.Severity))
	fact("Status", strings.ToLower(strings.ReplaceAll(string(a.Status), "_", " ")))
	fact("Host", a.Host)
	fact("User", a.User)
	fact("Process", a.Process)
	fact("Source", a.Source)
	fact("Destination", a.Destination)
	fact("Techniques", strings.Join(a.Techniques, ", "))
	fact("Tags", strings.Join(a.Tags, ", "))
	if a.Matches > 1 {
		fact("Matches", strconv.Itoa(a.Matches))
	}
	fact("First seen", moment{a.FirstSeen}.read())
	if !a.LastSeen.Equal(a.FirstSeen) {
		fact("Last seen", moment{a.LastSeen}.read())
	}
	return b
}

// sum tells of many.
func sum(n *monitor.Notice) document {
	head := spans{boldly(alerts(n.Total))}
	if !n.From.IsZero() {
		head = head.with(plainly(" from " + moment{n.From}.read() + " to " + moment{n.To}.read()))
	}
	if counts := severities(n); counts != "" {
		head = head.with(plainly(": " + counts))
	}
	d := document{paragraph(head.with(plainly("."))...)}
	d = append(d, counted("Most frequent", n.Titles)...)
	d = append(d, counted("Hosts", n.Hosts)...)
	if len(n.Alerts) == 0 {
		return d
	}
	list := block{list: true}
	for i := range n.Alerts {
		list.lines = append(list.lines, brief(&n.Alerts[i]))
	}
	title := "Alerts"
	if more := n.Total - len(n.Alerts); more > 0 {
		title = fmt.Sprintf("The first %d, worst first", len(n.Alerts))
		list.lines = append(list.lines, spans{plainly(fmt.Sprintf("… and %d more.", more))})
	}
	return append(d, paragraph(boldly(title)), list)
}

func counted(title string, counts []monitor.NoticeCount) document {
	if len(counts) == 0 {
		return nil
	}
	list := block{list: true}
	for _, c := range counts {
		value := c.Value
		if value == "" {
			value = "(none)"
		}
		list.lines = append(list.lines, spans{plainly(strconv.Itoa(c.Count) + " × "), plainly(cut(value, 150))})
	}
	return document{paragraph(boldly(title)), list}
}

// brief tells of an alert among others.
func brief(a *monitor.NoticeAlert) spans {
	s := spans{boldly(severity(a.Severity)), plainly(" "), {text: cut(a.Title, 150), url: a.URL}}
	for _, each := range []struct{ name, value string }{{"host", a.Host}, {"user", a.User}, {"process", a.Process}} {
		if each.value != "" {
			s = s.with(plainly(", " + each.name + " " + cut(each.value, 80)))
		}
	}
	if !a.CreatedAt.IsZero() {
		s = s.with(plainly(", " + moment{a.CreatedAt}.read()))
	}
	return s
}

// only is the alert of a notice that has no other.
func only(n *monitor.Notice) *monitor.NoticeAlert {
	if n.Total == 1 && len(n.Alerts) == 1 {
		return &n.Alerts[0]
	}
	return nil
}

func alerts(n int) string {
	if n == 1 {
		return "1 alert"
	}
	return strconv.Itoa(n) + " alerts"
}

// severities is "3 critical, 20 high".
func severities(n *monitor.Notice) string {
	parts := make([]string, len(n.Severities))
	for i, c := range n.Severities {
		parts[i] = strconv.Itoa(c.Count) + " " + strings.ToLower(c.Value)
	}
	return strings.Join(parts, ", ")
}

// severity is a severity in words: Critical.
func severity(s monitor.Severity) string {
	if s == "" {
		return "Unknown"
	}
	return string(s[:1]) + strings.ToLower(string(s[1:]))
}

// lasting is a number of minutes in words.
func lasting(minutes int) string {
	for _, unit := range []struct {
		name    string
		minutes int
	}{{"day", 24 * 60}, {"hour", 60}, {"minute", 1}} {
		if count := minutes / unit.minutes; count > 0 && minutes%unit.minutes == 0 {
			if count == 1 {
				return "1 " + unit.name
			}
			return strconv.Itoa(count) + " " + unit.name + "s"
		}
	}
	return "0 minutes"
}

// moment is a time that templates may show, and do nothing else with.
type moment struct{ at time.Time }

// String is what a template shows: RFC 3339 in UTC.
func (m moment) String() string {
	if m.at.IsZero() {
		return ""
	}
	return m.at.UTC().Format(time.RFC3339)
}

func (m moment) read() string {
	if m.at.IsZero() {
		return ""
	}
	return m.at.UTC().Format("2006-01-02 15:04 UTC")
}
