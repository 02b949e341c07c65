package channel

import (
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// document is what a message says, before a kind writes it in its own way.
type document []block

// block is a paragraph, or a list where it has bullets.
type block struct {
	list  bool
	lines []spans // one of a paragraph
}

// spans make a line.
type spans []span

// span is text that looks alike. It is never read as mark-up.
type span struct {
	text string
	bold bool
	url  string // where it leads; empty: nowhere
}

func plainly(text string) span { return span{text: text} }
func boldly(text string) span  { return span{text: text, bold: true} }

func paragraph(line ...span) block      { return block{lines: []spans{line}} }
func (s spans) with(more ...span) spans { return append(s, more...) }

// maxText bounds a text that is read, in bytes: those of a template too.
const maxText = 16 << 10

// plain writes a document for those who have no more than letters.
func (d document) plain() string {
	parts := make([]string, len(d))
	for i, b := range d {
		lines := make([]string, len(b.lines))
		for j, line := range b.lines {
			if b.list {
				lines[j] = "- "
			}
			lines[j] += line.plain()
		}
		parts[i] = strings.Join(lines, "\n")
	}
	return strings.Join(parts, "\n\n")
}

func (s spans) plain() string {
	var b strings.Builder
	for _, each := range s {
		b.WriteString(each.text)
		if each.url != "" && each.url != each.text {
			b.WriteString(" (" + each.url + ")")
		}
	}
	return b.String()
}

// rows are the lines of a paragraph, for those who know no line break within one.
func (s spans) rows() []spans {
	rows := []spans{nil}
	for _, each := range s {
		for i, text := range strings.Split(each.text, "\n") {
			if i > 0 {
				rows = append(rows, nil)
			}
			if text != "" {
				rows[len(rows)-1] = append(rows[len(rows)-1], span{text: text, bold: each.bold, url: each.url})
			}
		}
	}
	return rows
}

// written makes a document of what a template gave: a paragraph at each empty line,
// and where it leads.
func written(text string, n *monitor.Notice) document {
	var d document
	for part := range strings.SplitSeq(text, "\n\n") {
		if part = strings.TrimSpace(part); part != "" {
			d = append(d, paragraph(plainly(part)))
		}
	}
	if n.URL != "" && !strings.Contains(text, n.URL) {
		d = append(d, leads(n))
	}
	return d
}

// leads is the way to the dashboard.
func leads(n *monitor.Notice) block {
	return paragraph(span{text: "Open in Security Monitor", url: n.URL})
}
