package channel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/security-monitor/secmon/monitor"
)

// FuzzCompose says hostile things by each kind.
func FuzzCompose(f *testing.F) {
	for _, text := range []string{
		"<!everyone> <!channel> <@U123> <https://evil.example|click> &lt;!here&gt;", "@here @channel @everyone @octocat #1 GH-1 acme/x#2 https://evil.example www.evil.example",
		"[click](https://evil.example) ![x](https://evil.example/x.png) `code` **bold** <img src=x onerror=alert(1)>", "```\n</script><script>alert(1)</script>\n<!-- secmon:msg_1 -->",
		"a\r\nBcc: eve@example.com\r\n\r\nbody", "{{.}} {{range 10000}}", "\x00\x1b[31m\u202ecod.exe\u2066", "\xff\xfe\xed\xa0\x80", strings.Repeat("&<>*\\", 4000), strings.Repeat("🔥", 9000), "",
		"h{panel}x{panel} [~admin] {noformat}", "<at>Ana</at>", "-1. \n# title\n> quote\n    code\n===\n|a|b|", "javascript:alert(1)", "https://evil.example/)\">'`|x",
	} {
		f.Add(text, text, true, 1)
		f.Add(text, "https://secmon.example.com/?a=1&b=2", false, 128)
	}
	f.Fuzz(func(t *testing.T, text, link string, templated bool, total int) {
		for _, kind := range kinds {
			c, n := channelOf(kind), hostile(text, link, total)
			if templated {
				c.Template = monitor.NoticeFormat{Subject: "{{.Severity}} {{range .Alerts}}{{.Title}}{{end}}", Text: "{{range .Alerts}}{{.Title}}\n\n{{.Host}} {{join \", \" .Tags}}\n{{end}}"}
			}
			m, err := Compose(c, n)
			if err != nil {
				if monitor.CodeOf(err) != monitor.CodeBadInput || !templated {
					t.Fatalf("%s: %v", kind, err)
				}
				continue
			}
			if strings.ContainsAny(m.Subject, "\r\n") || m.Subject == "" || m.Text == "" || !utf8.ValidString(m.Text) {
				t.Fatalf("%s: subject %q", kind, m.Subject)
			}
			valid(t, kind, m.Body)
		}
	})
}

// hostile is a notice that says a text wherever events can.
func hostile(text, link string, total int) *monitor.Notice {
	n := &monitor.Notice{Channel: text, Trigger: monitor.TriggerAlert, Total: max(total, 1), Severity: monitor.Severity(text), URL: link, From: exampleAt, To: exampleAt}
	if total%2 == 0 {
		n.Trigger, n.AfterMinutes, n.Severity = monitor.TriggerUnacknowledged, total, monitor.SeverityHigh
	}
	counts := []monitor.NoticeCount{{Value: text, Count: total}, {Value: text + text, Count: 1}}
	n.Severities, n.Titles, n.Hosts = counts, counts, counts
	for range min(n.Total, 12) {
		n.Alerts = append(n.Alerts, monitor.NoticeAlert{
			ID: text, Title: text, Severity: monitor.Severity(text), Status: monitor.AlertStatus(text), Host: text, User: text, Process: text, Source: text, Destination: text,
			Techniques: []string{text, text}, Tags: []string{text}, Matches: total, FirstSeen: exampleAt, LastSeen: exampleAt.Add(1), CreatedAt: exampleAt, URL: link,
		})
	}
	return n
}

// valid checks a body against what the kind's API documents.
func valid(t *testing.T, kind monitor.ChannelKind, body []byte) {
	t.Helper()
	if !json.Valid(body) || !utf8.Valid(body) || len(body) > monitor.MaxDeliveryBody {
		t.Fatalf("%s: no JSON: %s", kind, body)
	}
	var v map[string]any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	switch kind {
	case monitor.ChannelSlack:
		validSlack(t, v)
	case monitor.ChannelTeams:
		validTeams(t, v, len(body))
	case monitor.ChannelEmail:
		validMail(t, v)
	case monitor.ChannelPagerDuty:
		validPagerDuty(t, v, len(body))
	case monitor.ChannelJira:
		fields := v["fields"].(map[string]any)
		summary := fields["summary"].(string)
		if n := utf8.RuneCountInString(summary); n < 1 || n > 255 || strings.ContainsAny(summary, "\r\n") || fields["project"].(map[string]any)["key"] != "SEC" || fields["issuetype"].(map[string]any)["name"] != "Task" {
			t.Fatalf("%v", fields)
		}
		if size := validADF(t, fields["description"].(map[string]any), ""); size > 32_767 {
			t.Fatalf("%d characters", size)
		}
	case monitor.ChannelGitHub:
		title, text := v["title"].(string), v["body"].(string)
		if n := utf8.RuneCountInString(title); n < 1 || n > 256 || utf8.RuneCountInString(text) > 65_536 {
			t.Fatalf("%d, %d characters", n, utf8.RuneCountInString(text))
		}
		validMarkdown(t, text)
	case monitor.ChannelGeneric:
		if v["subject"] == "" || v["text"] == "" || v["notice"].(map[string]any)["total"] == nil {
			t.Fatalf("%v", v)
		}
	}
}

var (
	slackEntity = regexp.MustCompile(`&(amp|lt|gt);`)
	mention     = regexp.MustCompile(`@\w`)
	element     = regexp.MustCompile(`<[^>]*>`)
	ours        = regexp.MustCompile(`^</?(!DOCTYPE|html|head|meta|title|body|div|h1|ul|li|p|br|a|b)\b[^<]*>$`)
	marker      = regexp.MustCompile(`<!-- secmon:msg_[\w-]+ -->$`)
	live        = regexp.MustCompile("(?i)@[\\w-]|#\\d|\\bgh-\\d|https?:/|www\\.\\w|<[!a-z/]|(^|[^\\\\])`|!\\[")
	slackLink   = regexp.MustCompile(`<https?://[^<>|\s]+\|[^<>]*>`)
)

func validSlack(t *testing.T, v map[string]any) {
	t.Helper()
	if text := v["text"].(string); text == "" || strings.ContainsAny(text, "<>") || mention.MatchString(text) {
		t.Fatalf("text %q", text)
	}
	blocks := v["blocks"].([]any)
	if len(blocks) > 50 {
		t.Fatalf("%d blocks", len(blocks))
	}
	for i, each := range blocks {
		b := each.(map[string]any)
		object := b["text"].(map[string]any)
		text := object["text"].(string)
		n := utf8.RuneCountInString(text)
		if i == 0 {
			if b["type"] != "header" || object["type"] != "plain_text" || n < 1 || n > 150 {
				t.Fatalf("%v", b)
			}
			continue
		}
		if b["type"] != "section" || object["type"] != "mrkdwn" || object["verbatim"] != true || n < 1 || n > 3000 {
			t.Fatalf("%d characters: %v", n, b)
		}
		left := slackEntity.ReplaceAllString(slackLink.ReplaceAllString(text, ""), "")
		if strings.ContainsAny(left, "<>&") {
			t.Fatalf("mark-up in %q", left)
		}
	}
}

func validTeams(t *testing.T, v map[string]any, size int) {
	t.Helper()
	attachment := v["attachments"].([]any)[0].(map[string]any)
	card := attachment["content"].(map[string]any)
	if v["type"] != "message" || attachment["contentType"] != "application/vnd.microsoft.card.adaptive" || card["type"] != "AdaptiveCard" || card["version"] != "1.5" || size > 28<<10 {
		t.Fatalf("%d bytes: %v", size, v)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, each := range v {
				walk(each)
			}
		case map[string]any:
			switch v["type"] {
			case "TextRun":
				if _, ok := v["text"].(string); !ok {
					t.Fatalf("%v", v)
				}
			case "RichTextBlock":
				if len(v["inlines"].([]any)) == 0 {
					t.Fatalf("%v", v)
				}
			case "Action.OpenUrl":
				if u := v["url"].(string); !strings.HasPrefix(u, "http://") && !strings.HasPrefix(u, "https://") {
					t.Fatalf("it leads to %q", u)
				}
			case "AdaptiveCard", "Container", nil:
			default:
				t.Fatalf("%v may read Markdown", v["type"])
			}
			for _, each := range v {
				walk(each)
			}
		}
	}
	walk(card)
}

func validMail(t *testing.T, v map[string]any) {
	t.Helper()
	html := v["html"].(string)
	if v["subject"] == "" || v["text"] == "" || html == "" || strings.ContainsAny(v["subject"].(string), "\r\n") {
		t.Fatalf("%v", v)
	}
	for _, bad := range []string{"<script", "<img", "onerror=alert(1)>", "href=\"javascript"} {
		if strings.Contains(html, bad) {
			t.Fatalf("%s in %s", bad, html)
		}
	}
	for _, open := range element.FindAllString(html, -1) {
		if !ours.MatchString(open) {
			t.Fatalf("element %s", open)
		}
	}
}

func validPagerDuty(t *testing.T, v map[string]any, size int) {
	t.Helper()
	p := v["payload"].(map[string]any)
	severities := map[any]bool{"critical": true, "error": true, "warning": true, "info": true}
	if n := utf8.RuneCountInString(p["summary"].(string)); v["event_action"] != "trigger" || n < 1 || n > 1024 || p["source"] == "" || !severities[p["severity"]] || size > 512<<10 {
		t.Fatalf("%d bytes: %v", size, p)
	}
	if links, ok := v["links"].([]any); ok {
		for _, l := range links {
			if !strings.HasPrefix(l.(map[string]any)["href"].(string), "http") {
				t.Fatalf("%v", l)
			}
		}
	}
}

// validADF knows the nodes that we use, and what may stand in what.
func validADF(t *testing.T, node map[string]any, in string) int {
	t.Helper()
	kind := node["type"].(string)
	may := map[string]string{"doc": "", "paragraph": "doc listItem", "bulletList": "doc", "listItem": "bulletList", "text": "paragraph", "hardBreak": "paragraph"}
	where, known := may[kind]
	if !known || in != "" && !strings.Contains(where, in) {
		t.Fatalf("%s in %s", kind, in)
	}
	size := 0
	if kind == "text" {
		text := node["text"].(string)
		if text == "" || strings.Contains(text, "\n") {
			t.Fatalf("text %q", text)
		}
		size = utf8.RuneCountInString(text)
	}
	if kind == "doc" && (node["version"] != 1.0 || node["content"] == nil) {
		t.Fatalf("%v", node)
	}
	if content, ok := node["content"].([]any); ok {
		for _, each := range content {
			size += validADF(t, each.(map[string]any), kind)
		}
	}
	return size
}

var markdownLink = regexp.MustCompile(`\]\(<https?://[^<>\s]+>\)`)

func validMarkdown(t *testing.T, text string) {
	t.Helper()
	text = marker.ReplaceAllString(text, "")
	text = markdownLink.ReplaceAllString(text, "")
	if found := live.FindString(text); found != "" {
		t.Fatalf("%q in %q", found, text)
	}
}

func TestStormOfHugeValuesFitsEveryKind(t *testing.T) {
	for _, text := range []string{strings.Repeat("\"", 100_000), strings.Repeat("&", 100_000), strings.Repeat("🔥", 50_000), strings.Repeat("w ", 50_000)} {
		n := hostile(text, "https://secmon.example.com/?"+strings.Repeat("a&", 900), 100_000)
		for range 1000 {
			n.Alerts = append(n.Alerts, n.Alerts[0])
			n.Titles = append(n.Titles, n.Titles[0])
		}
		for _, kind := range kinds {
			for _, template := range []string{"", "{{range .Alerts}}{{.Title}}{{.Host}}{{end}}"} {
				c := channelOf(kind)
				c.Template.Text = template
				m := compose(t, c, n)
				valid(t, kind, m.Body)
				if !bytes.Contains(m.Body, []byte("…")) {
					t.Errorf("%s: nothing says that something is gone", kind)
				}
			}
		}
	}
}

func TestExampleSuitsMarkdown(t *testing.T) {
	for text, want := range map[string]string{
		"a_b*c": `a\_b\*c`, "@ana": "@\u2060ana", "#12": "\\#\u206012", "GH-12": "GH\\-\u206012", "https://x.y": "https\\:\u2060//x\\.y", "www.x": "www\\.\u2060x",
		"<b>&": "&lt;b&gt;&amp;", "a\nb": "a\\\nb", `C:\x`: `C\:\\x`,
	} {
		if got := markdownEscape(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := fmt.Sprint(Example("x").Total); got != "1" {
		t.Error(got)
	}
}
