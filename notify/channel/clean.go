package channel

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/security-monitor/secmon/monitor"
)

// Bounds of what a notice tells, in characters and entries: events may be far longer
// than any message.
const (
	maxValue = 300
	maxList  = 20
	maxURL   = 2_000 // an address that is cut leads nowhere: longer ones are left out
)

// clean gives a copy whose texts are lines of valid characters within bounds.
func clean(n *monitor.Notice) *monitor.Notice {
	c := *n
	c.Channel = line(c.Channel, maxValue)
	c.URL = address(c.URL)
	c.Severity = cleanSeverity(c.Severity)
	c.Severities, c.Titles, c.Hosts = cleanCounts(n.Severities), cleanCounts(n.Titles), cleanCounts(n.Hosts)
	c.Alerts = make([]monitor.NoticeAlert, min(len(n.Alerts), monitor.MaxNoticeAlerts))
	for i := range c.Alerts {
		a := n.Alerts[i]
		for _, text := range []*string{&a.ID, &a.Title, &a.Host, &a.User, &a.Process, &a.Source, &a.Destination} {
			*text = line(*text, maxValue)
		}
		a.Severity, a.Status = cleanSeverity(a.Severity), monitor.AlertStatus(line(string(a.Status), 30))
		a.Techniques, a.Tags, a.URL = cleanList(a.Techniques), cleanList(a.Tags), address(a.URL)
		c.Alerts[i] = a
	}
	return &c
}

func cleanSeverity(s monitor.Severity) monitor.Severity {
	if s.Rank() < 0 {
		return ""
	}
	return s
}

func cleanCounts(all []monitor.NoticeCount) []monitor.NoticeCount {
	out := make([]monitor.NoticeCount, min(len(all), maxList))
	for i := range out {
		out[i] = monitor.NoticeCount{Value: line(all[i].Value, maxValue), Count: all[i].Count}
	}
	return out
}

func cleanList(all []string) []string {
	out := make([]string, min(len(all), maxList))
	for i := range out {
		out[i] = line(all[i], maxValue)
	}
	return out
}

// address gives what may be linked to, "" for anything else.
func address(text string) string {
	http := strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://")
	bad := strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r >= utf8.RuneSelf || r == 0x7f || strings.ContainsRune("<>\"'`|\\()[]{}", r)
	})
	if !http || bad || len(text) > maxURL {
		return ""
	}
	return text
}

// line makes one line of at most a number of characters.
func line(text string, most int) string {
	if long := 16 * most; len(text) > long { // no megabytes are looked through for a line
		text = text[:long] + "…"
	}
	return cut(strings.Join(strings.Fields(visible(text)), " "), most)
}

var breaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n")

// visible takes away what is not shown, or shows something else than is there: control
// characters but line breaks, and those that turn the direction of writing.
func visible(text string) string {
	text = breaks.Replace(strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x200E, r == 0x200F, r == 0x061C, r == 0xFEFF,
			r == 0xFFFE, r == 0xFFFF: // the last two are no characters, which XML and some APIs refuse
			return -1
		}
		return r
	}, text)
}

// cut gives at most a number of characters; … stands for what is gone.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
