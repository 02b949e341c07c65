package channel

import (
	"html/template"
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// mail is what a mail says, of which the MIME is made when it is sent.
type mail struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
}

func mailMessage(n *monitor.Notice, subject string, d document) mail {
	return mail{Subject: subject, Text: d.plain() + "\n\n-- \nChannel " + n.Channel + " of Security Monitor\n", HTML: d.html(n, subject)}
}

// mailPage is plain: mail programs know little CSS, and that inline.
var mailPage = template.Must(template.New("mail").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Subject}}</title></head>
<body style="margin:0;padding:16px;font-family:sans-serif;font-size:14px;line-height:1.5;color:#1f2937;background:#ffffff">
<div style="max-width:720px;border-top:6px solid {{.Color}};padding-top:8px">
<h1 style="font-size:18px">{{.Subject}}</h1>
{{range .Blocks}}{{if .List}}<ul style="padding-left:20px">
{{range .Lines}}<li>{{template "line" .}}</li>
{{end}}</ul>
{{else}}<p>{{range $i, $row := .Lines}}{{if $i}}<br>
{{end}}{{template "line" $row}}{{end}}</p>
{{end}}{{end}}<p style="color:#6b7280;font-size:12px">Channel {{.Channel}} of Security Monitor</p>
</div></body></html>
{{define "line"}}{{range .}}{{if .URL}}<a href="{{.URL}}">{{.Text}}</a>{{else if .Bold}}<b>{{.Text}}</b>{{else}}{{.Text}}{{end}}{{end}}{{end}}`))

type mailBlock struct {
	List  bool
	Lines [][]mailSpan
}

type mailSpan struct {
	Text, URL string
	Bold      bool
}

// html writes a document for a mail. The library escapes each text for its place.
func (d document) html(n *monitor.Notice, subject string) string {
	page := struct {
		Subject, Channel string
		Color            template.CSS
		Blocks           []mailBlock
	}{Subject: subject, Channel: n.Channel, Color: mailColor(n.Severity)}
	for _, b := range d {
		out, rows := mailBlock{List: b.list}, b.lines
		if !b.list {
			rows = b.lines[0].rows()
		}
		for _, line := range rows {
			var all []mailSpan
			for _, s := range line {
				all = append(all, mailSpan{Text: s.text, URL: s.url, Bold: s.bold})
			}
			out.Lines = append(out.Lines, all)
		}
		page.Blocks = append(page.Blocks, out)
	}
	var text strings.Builder
	if err := mailPage.Execute(&text, page); err != nil {
		return "" // the plain text says it
	}
	return text.String()
}

// mailColor is one of our own constants.
func mailColor(s monitor.Severity) template.CSS {
	switch s {
	case monitor.SeverityCritical:
		return "#b91c1c"
	case monitor.SeverityHigh:
		return "#c2410c"
	case monitor.SeverityMedium:
		return "#a16207"
	case monitor.SeverityLow:
		return "#1d4ed8"
	default:
		return "#6b7280"
	}
}
