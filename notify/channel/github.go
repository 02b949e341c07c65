package channel

import (
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// Bounds of GitHub, in characters.
const (
	maxGitHubTitle = 256
	maxGitHubBody  = 65_536 - 100 // the marker is added
)

// gitHub is an issue of the REST API without the marker that is the message's id.
type gitHub struct {
	Title  string   `json:"title"`
	Body   string   `json:"body"`
	Labels []string `json:"labels,omitempty"`
}

func gitHubIssue(s *monitor.ChannelSettings, subject string, d document) gitHub {
	return gitHub{Title: cut(subject, maxGitHubTitle), Body: d.markdown(), Labels: s.Labels}
}

// markdown writes a document for GitHub.
func (d document) markdown() string {
	var out strings.Builder
	for i, b := range d {
		var part strings.Builder
		if i > 0 {
			part.WriteString("\n\n")
		}
		for j, line := range b.lines {
			if j > 0 {
				part.WriteString("\n")
			}
			if b.list {
				part.WriteString("- ")
			}
			for _, s := range line {
				part.WriteString(s.markdown())
			}
		}
		if out.Len()+part.Len() > maxGitHubBody-10 {
			out.WriteString("\n\n…")
			break
		}
		out.WriteString(part.String())
	}
	return out.String()
}

func (s span) markdown() string {
	text := markdownEscape(s.text)
	if s.bold && strings.TrimSpace(text) != "" {
		trimmed := strings.TrimRight(text, " ")
		text = "**" + trimmed + "**" + text[len(trimmed):]
	}
	if s.url != "" {
		text = "[" + text + "](<" + s.url + ">)"
	}
	return text
}

// markdownEscape takes their meaning from all characters of Markdown and HTML, and
// parts what GitHub makes links of by itself: @people, #numbers, GH-numbers and
// addresses. A word joiner (U+2060) is not seen, and breaks no line.
func markdownEscape(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == '\n':
			b.WriteString("\\\n") // a hard line break
			continue
		case r == '<':
			b.WriteString("&lt;")
			continue
		case r == '>':
			b.WriteString("&gt;")
			continue
		case r == '&':
			b.WriteString("&amp;")
			continue
		case r == '\t':
			b.WriteByte(' ')
			continue
		case strings.ContainsRune("\\`*_{}[]()#+-!|~$'\"^=.:", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		if r == '@' || r == '#' || r == ':' && strings.HasPrefix(text[i+1:], "//") || r == '-' && endsFold(text[:i], "gh") || r == '.' && endsFold(text[:i], "www") {
			b.WriteRune('\u2060')
		}
	}
	return b.String()
}

func endsFold(text, end string) bool {
	return len(text) >= len(end) && strings.EqualFold(text[len(text)-len(end):], end)
}
