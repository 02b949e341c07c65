package channel

import (
	"strings"
	"unicode/utf8"

	"github.com/security-monitor/secmon/monitor"
)

// Bounds of Jira, in characters.
const (
	maxJiraSummary     = 255
	maxJiraDescription = 30_000 // of 32,767
)

// jira is an issue of the REST API v3 without the label that is the message's id.
type jira struct {
	Fields jiraFields `json:"fields"`
}

type jiraFields struct {
	Project     jiraProject `json:"project"`
	IssueType   jiraType    `json:"issuetype"`
	Summary     string      `json:"summary"`
	Labels      []string    `json:"labels,omitempty"`
	Description adf         `json:"description"`
}

type jiraProject struct {
	Key string `json:"key"`
}

type jiraType struct {
	Name string `json:"name"`
}

func jiraIssue(s *monitor.ChannelSettings, subject string, d document) jira {
	return jira{jiraFields{
		Project: jiraProject{s.Project}, IssueType: jiraType{s.IssueType}, Summary: cut(subject, maxJiraSummary), Labels: s.Labels, Description: d.adf(),
	}}
}

// adf is a node of the Atlassian Document Format: structures, no mark-up.
// https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
type adf struct {
	Version int       `json:"version,omitempty"`
	Type    string    `json:"type"`
	Content []adf     `json:"content,omitempty"`
	Text    string    `json:"text,omitempty"`
	Marks   []adfMark `json:"marks,omitempty"`
}

type adfMark struct {
	Type  string            `json:"type"`
	Attrs map[string]string `json:"attrs,omitempty"`
}

func (d document) adf() adf {
	doc := adf{Version: 1, Type: "doc"}
	left := maxJiraDescription
	for _, b := range d {
		var lines []adf
		for _, line := range b.lines {
			if p := line.adf(&left); len(p.Content) > 0 {
				lines = append(lines, p)
			}
		}
		switch {
		case len(lines) == 0:
		case b.list:
			list := adf{Type: "bulletList"}
			for _, p := range lines {
				list.Content = append(list.Content, adf{Type: "listItem", Content: []adf{p}})
			}
			doc.Content = append(doc.Content, list)
		default:
			doc.Content = append(doc.Content, lines...)
		}
	}
	return doc
}

// adf writes a line, and takes what it has from what is left.
func (s spans) adf(left *int) adf {
	p := adf{Type: "paragraph"}
	for _, each := range s {
		for i, text := range strings.Split(each.text, "\n") {
			if i > 0 && *left > 0 {
				p.Content = append(p.Content, adf{Type: "hardBreak"})
			}
			if text == "" || *left <= 0 {
				continue
			}
			text = cut(text, *left)
			*left -= utf8.RuneCountInString(text)
			node := adf{Type: "text", Text: text}
			if each.bold {
				node.Marks = append(node.Marks, adfMark{Type: "strong"})
			}
			if each.url != "" {
				node.Marks = append(node.Marks, adfMark{Type: "link", Attrs: map[string]string{"href": each.url}})
			}
			p.Content = append(p.Content, node)
		}
	}
	return p
}
