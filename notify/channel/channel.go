// Package channel owns what channels say and how each kind is told it: the words, the
// templates, the messages that the APIs of Slack, Microsoft Teams, PagerDuty, Jira and
// GitHub take, and mail. It knows nothing of which alerts a notice is about, nor when
// one is due.
//
// A notice is words of attackers: titles, hosts and command lines come from events. No
// kind is given text that it would read as mark-up. A notice becomes a document of
// paragraphs and lists first, which each kind renders in structures of its own where it
// has them, and escaped where it has not.
package channel

import (
	"bytes"
	"encoding/json"

	"github.com/security-monitor/secmon/monitor"
)

// Message is what a channel says. Body is JSON: what the kind's API takes, without the
// secret and the message's id, which are added when it is sent.
type Message struct {
	Subject, Text string // as people read them
	Body          []byte
}

// Compose gives what a channel says of a notice, in the words of its templates or the
// usual ones. It is BAD_INPUT where a template fails.
func Compose(c *monitor.Channel, n *monitor.Notice) (Message, error) {
	n = clean(n)
	subject, d := usualSubject(n), usual(n)
	if text, err := execute("template.subject", c.Template.Subject, n); err != nil {
		return Message{}, err
	} else if text = line(text, maxSubject); text != "" {
		subject = text
		if n.Test {
			subject = line("TEST: "+text, maxSubject)
		}
	}
	if text, err := execute("template.text", c.Template.Text, n); err != nil {
		return Message{}, err
	} else if text != "" {
		d = written(text, n)
	}
	m := Message{Subject: subject, Text: d.plain()}
	body, err := encode(render(c, n, subject, d))
	m.Body = body
	return m, err
}

// maxSubject is in characters; a kind may bear less.
const maxSubject = 500

// render gives what the kind's API takes.
func render(c *monitor.Channel, n *monitor.Notice, subject string, d document) any {
	switch c.Kind {
	case monitor.ChannelSlack:
		return slackMessage(n, subject, d)
	case monitor.ChannelTeams:
		return teamsMessage(n, subject, d)
	case monitor.ChannelEmail:
		return mailMessage(n, subject, d)
	case monitor.ChannelPagerDuty:
		return pagerDutyEvent(n, subject, d)
	case monitor.ChannelJira:
		return jiraIssue(&c.Settings, subject, d)
	case monitor.ChannelGitHub:
		return gitHubIssue(&c.Settings, subject, d)
	default:
		return genericMessage{Subject: subject, Text: d.plain(), Notice: n}
	}
}

// genericMessage is what a receiver of its own making gets.
type genericMessage struct {
	Subject string          `json:"subject"`
	Text    string          `json:"text"`
	Notice  *monitor.Notice `json:"notice"`
}

// encode writes JSON for people too: < and & stand as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}
