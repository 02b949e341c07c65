package report

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Markdown writes the report for a wiki, a ticket or a mail. Text of the incident
// stays text: it begins no heading, list, table cell, link, image, code or HTML
// (CommonMark 0.31, GitHub's tables, strikethrough and bare links).
func (d *Document) Markdown() string {
	var out strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&out, format, args...) }
	p("# %s\n\n%s\n\n", inline(d.Title), inline(d.Summary))
	quote(&out, d.Description)
	for _, f := range d.Facts {
		p("- **%s:** %s\n", f.Name, inline(f.Value))
	}
	for _, note := range d.Notes {
		p("\n*%s*\n", inline(note))
	}
	p("\n## Timeline\n\n")
	table(&out, []string{"When", "Who", "What", "Alert", "Changes"}, len(d.Timeline), func(i int) []string {
		s := d.Timeline[i]
		return []string{clock(s.At), s.Actor, s.Action, s.Subject, s.Detail}
	})
	p("\n## Alerts\n\n")
	table(&out, []string{"Last seen", "Severity", "Status", "Title", "Host", "User", "Source", "Destination", "Techniques", "Matches"}, len(d.Alerts), func(i int) []string {
		a := d.Alerts[i]
		return []string{
			clock(a.LastSeen), a.Severity, strings.TrimSpace(a.Status + " " + a.Disposition), a.Title, a.Host, a.User, a.Source, a.Destination,
			strings.Join(a.Techniques, " "), fmt.Sprint(a.Count),
		}
	})
	p("\n## Entities\n")
	for _, list := range d.Entities {
		p("\n### %s\n\n", list.Kind)
		table(&out, []string{"Value", "Count"}, len(list.Items), func(i int) []string { return []string{list.Items[i].Value, fmt.Sprint(list.Items[i].Count)} })
	}
	p("\n## Tasks\n\n")
	for _, t := range d.Tasks {
		box := " "
		if t.Done {
			box = "x"
		}
		p("- [%s] %s", box, inline(t.Title))
		if t.Assignee != "" {
			p(" (%s)", inline(t.Assignee))
		}
		if t.Due != nil {
			p(", until %s", clock(*t.Due))
		}
		p("\n")
	}
	p("\n## Comments\n\n")
	for _, c := range d.Comments {
		p("**%s**, %s:\n\n", inline(c.Author), clock(c.At))
		quote(&out, c.Body)
	}
	p("---\n\nWritten %s.\n", clock(d.GeneratedAt))
	return out.String()
}

func table(out *strings.Builder, heads []string, rows int, row func(int) []string) {
	if rows == 0 {
		out.WriteString("None.\n")
		return
	}
	out.WriteString("| " + strings.Join(heads, " | ") + " |\n|" + strings.Repeat(" --- |", len(heads)) + "\n")
	for i := range rows {
		out.WriteString("|")
		for _, cell := range row(i) {
			out.WriteString(" " + inline(cell) + " |")
		}
		out.WriteString("\n")
	}
}

// quote writes a text of several lines as a block quotation.
func quote(out *strings.Builder, text string) {
	if text == "" {
		return
	}
	for _, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		out.WriteString("> " + inline(line) + "  \n") // two spaces: the line ends here
	}
	out.WriteString("\n")
}

var (
	// What has a meaning anywhere in a line.
	special = strings.NewReplacer(
		"&", "&amp;", "<", "&lt;", ">", "&gt;", `\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "$", `\$`,
		"://", `\://`, "www.", `www\.`, "WWW.", `WWW\.`,
	)
	// What has a meaning at the beginning of a line: lists, headings, rules.
	opening = regexp.MustCompile(`^(\d{1,9})([.)]( |$))|^()([-+#=])`)
)

// inline makes a text one line in which nothing is markup.
func inline(text string) string {
	text = strings.Map(visible, text)
	return opening.ReplaceAllString(special.Replace(strings.TrimSpace(text)), `$1$4\$2$5`)
}

// visible makes line breaks spaces and shows where characters stood that a reader
// would not see: controls, and those that turn the direction of the text around.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
		return ' '
	case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
		return unicode.ReplacementChar
	}
	return r
}
