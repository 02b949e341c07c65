package channel

import (
	"github.com/security-monitor/secmon/monitor"
)

// maxTeams is what Teams takes of a message from a workflow, in bytes.
const maxTeams = 28 << 10

// teams is a message with an Adaptive Card. Its texts are TextRuns: a TextBlock would
// read Markdown in them. https://adaptivecards.io/explorer/TextRun.html
type teams struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string    `json:"contentType"`
	Content     teamsCard `json:"content"`
}

type teamsCard struct {
	Schema  string        `json:"$schema"`
	Type    string        `json:"type"`
	Version string        `json:"version"`
	Body    []any         `json:"body"`
	Actions []teamsAction `json:"actions,omitempty"`
	Teams   teamsLook     `json:"msteams"`
}

type teamsLook struct {
	Width string `json:"width"`
}

type teamsAction struct {
	Type  string `json:"type"`
	Title string `json:"title,omitempty"`
	URL   string `json:"url"`
}

type teamsContainer struct {
	Type  string      `json:"type"`
	Style string      `json:"style"`
	Bleed bool        `json:"bleed"`
	Items []teamsText `json:"items"`
}

type teamsText struct {
	Type    string     `json:"type"`
	Spacing string     `json:"spacing,omitempty"`
	Inlines []teamsRun `json:"inlines"`
}

type teamsRun struct {
	Type   string       `json:"type"`
	Text   string       `json:"text"`
	Size   string       `json:"size,omitempty"`
	Weight string       `json:"weight,omitempty"`
	Select *teamsAction `json:"selectAction,omitempty"`
}

func teamsMessage(n *monitor.Notice, subject string, d document) teams {
	head := teamsText{Type: "RichTextBlock", Inlines: []teamsRun{{Type: "TextRun", Text: icon(n.Severity) + " " + subject, Size: "Large", Weight: "Bolder"}}}
	card := teamsCard{
		Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.5", Teams: teamsLook{"Full"},
		Body: []any{teamsContainer{Type: "Container", Style: teamsStyle(n.Severity), Bleed: true, Items: []teamsText{head}}},
	}
	if n.URL != "" {
		card.Actions = []teamsAction{{Type: "Action.OpenUrl", Title: "Open in Security Monitor", URL: n.URL}}
	}
	m := teams{Type: "message", Attachments: []teamsAttachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: card}}}
	body := &m.Attachments[0].Content.Body
	const end = 200 // bytes that the last line takes
	left := maxTeams - end - size(m)
	for _, text := range d.teams(n) {
		if left -= size(text) + 1; left < 0 {
			*body = append(*body, teamsText{Type: "RichTextBlock", Inlines: []teamsRun{{Type: "TextRun", Text: "…"}}})
			break
		}
		*body = append(*body, text)
	}
	return m
}

// size is how many bytes something takes as JSON.
func size(v any) int {
	b, err := encode(v)
	if err != nil {
		return maxTeams
	}
	return len(b)
}

func (d document) teams(n *monitor.Notice) []teamsText {
	var texts []teamsText
	for _, b := range d {
		rows := b.lines
		if !b.list {
			rows = b.lines[0].rows()
		}
		for i, row := range rows {
			t := teamsText{Type: "RichTextBlock"}
			if i > 0 {
				t.Spacing = "None"
			}
			if b.list {
				t.Inlines = append(t.Inlines, teamsRun{Type: "TextRun", Text: "• "})
			}
			for _, s := range row {
				if s.url == n.URL && s.url != "" && !b.list {
					continue // the button leads there
				}
				t.Inlines = append(t.Inlines, s.teams())
			}
			if len(t.Inlines) > 0 {
				texts = append(texts, t)
			}
		}
	}
	return texts
}

func (s span) teams() teamsRun {
	run := teamsRun{Type: "TextRun", Text: cut(s.text, maxTeamsRun)}
	if s.bold {
		run.Weight = "Bolder"
	}
	if s.url != "" {
		run.Select = &teamsAction{Type: "Action.OpenUrl", URL: s.url}
	}
	return run
}

// maxTeamsRun is in characters of one text, which may be bytes four times as many.
const maxTeamsRun = 5_000

func teamsStyle(s monitor.Severity) string {
	switch s {
	case monitor.SeverityCritical, monitor.SeverityHigh:
		return "attention"
	case monitor.SeverityMedium:
		return "warning"
	default:
		return "accent"
	}
}
