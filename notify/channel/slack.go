package channel

import (
	"strings"
	"unicode/utf8"

	"github.com/security-monitor/secmon/monitor"
)

// Bounds of Slack, in characters and blocks:
// https://docs.slack.dev/reference/block-kit/blocks
const (
	maxSlackBlocks  = 50
	maxSlackHeader  = 150
	maxSlackSection = 3_000
)

// slack is a message with blocks. Text is what a notification shows.
type slack struct {
	Text   string       `json:"text"`
	Blocks []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type string    `json:"type"`
	Text slackText `json:"text"`
}

// slackText is plain_text, or mrkdwn that is taken word by word: names of people and
// channels in it mean nobody.
type slackText struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Emoji    *bool  `json:"emoji,omitempty"`
	Verbatim bool   `json:"verbatim,omitempty"`
}

func slackMessage(n *monitor.Notice, subject string, d document) slack {
	emoji := false
	m := slack{
		Text:   calling.Replace(slackEscape(subject)),
		Blocks: []slackBlock{{"header", slackText{Type: "plain_text", Text: cut(icon(n.Severity)+" "+subject, maxSlackHeader), Emoji: &emoji}}},
	}
	for _, part := range d.slack() {
		if len(m.Blocks) == maxSlackBlocks {
			m.Blocks[maxSlackBlocks-1] = slackSection("…")
			break
		}
		m.Blocks = append(m.Blocks, slackSection(part))
	}
	return m
}

// calling takes the meaning from what would call everybody, where a text is not taken
// word by word.
var calling = strings.NewReplacer("@", "@\u2060")

// slackSection holds text that is mrkdwn already.
func slackSection(text string) slackBlock {
	return slackBlock{"section", slackText{Type: "mrkdwn", Text: text, Verbatim: true}}
}

// slack writes the texts of sections, each within its bound.
func (d document) slack() []string {
	var parts []string
	for _, b := range d {
		var part strings.Builder
		size := 0
		flush := func() {
			if text := strings.TrimRight(part.String(), "\n"); strings.TrimSpace(text) != "" {
				parts = append(parts, text)
			}
			part.Reset()
			size = 0
		}
		add := func(piece string) {
			if n := utf8.RuneCountInString(piece); size+n > maxSlackSection {
				flush()
				size = n
			} else {
				size += n
			}
			part.WriteString(piece)
		}
		for _, line := range b.lines {
			if b.list {
				add("• ")
			}
			for _, s := range line {
				s.slack(add)
			}
			add("\n")
		}
		flush()
	}
	return parts
}

// slack writes a span in pieces that may not be parted.
func (s span) slack(add func(string)) {
	text := slackEscape(s.text)
	link := "<" + slackEscape(s.url) + "|" + slackEscape(cut(s.text, maxValue)) + ">"
	switch {
	case s.url != "" && len(link) < maxSlackSection: // | ends an address, and > the link: address lets neither in
		add(link)
	case s.bold && len(text) < maxSlackSection && !strings.Contains(text, "*"):
		add("*" + strings.TrimSpace(text) + "*" + strings.Repeat(" ", len(text)-len(strings.TrimRight(text, " "))))
	default:
		for _, r := range s.text {
			add(slackEscape(string(r)))
		}
	}
}

// slackEscape is all that mrkdwn needs so that nothing is a link or a mention:
// https://docs.slack.dev/messaging/formatting-message-text#escaping
func slackEscape(text string) string { return slackEscaper.Replace(text) }

var slackEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// icon shows how bad it is to those who only glance.
func icon(s monitor.Severity) string {
	switch s {
	case monitor.SeverityCritical:
		return "🔴"
	case monitor.SeverityHigh:
		return "🟠"
	case monitor.SeverityMedium:
		return "🟡"
	case monitor.SeverityLow:
		return "🔵"
	default:
		return "⚪"
	}
}
