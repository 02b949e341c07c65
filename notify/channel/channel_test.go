package channel

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

var update = flag.Bool("update", false, "write the golden files anew")

var kinds = []monitor.ChannelKind{
	monitor.ChannelSlack, monitor.ChannelTeams, monitor.ChannelEmail, monitor.ChannelPagerDuty, monitor.ChannelJira, monitor.ChannelGitHub, monitor.ChannelGeneric,
}

// channelOf is a channel of a kind, with what its message needs.
func channelOf(kind monitor.ChannelKind) *monitor.Channel {
	c := &monitor.Channel{ID: monitor.NewID(exampleAt), Name: "Night shift", Kind: kind, Trigger: monitor.TriggerAlert}
	switch kind {
	case monitor.ChannelJira:
		c.Settings = monitor.ChannelSettings{URL: "https://acme.atlassian.net", Username: "soc@example.com", Project: "SEC", IssueType: "Task", Labels: []string{"secmon"}}
	case monitor.ChannelGitHub:
		c.Settings = monitor.ChannelSettings{URL: monitor.GitHubAPI, Repository: "acme/incidents", Labels: []string{"secmon"}}
	case monitor.ChannelPagerDuty:
		c.Settings = monitor.ChannelSettings{URL: monitor.PagerDutyEvents}
	case monitor.ChannelEmail:
		c.Settings = monitor.ChannelSettings{Host: "127.0.0.1", From: "Security Monitor <soc@example.com>", To: []string{"ana@example.com", "ben@example.com"}}
	}
	return c
}

// one is a notice of one alert that stands in the dashboard.
func one() *monitor.Notice {
	n := Example("Night shift")
	n.Test = false
	n.URL = "https://secmon.example.com/alerts/1"
	n.Alerts[0].URL = n.URL
	return n
}

// many is a notice of a storm.
func many() *monitor.Notice {
	n := exampleSum("Night shift")
	n.Test, n.Trigger, n.AfterMinutes = false, monitor.TriggerAlert, 0
	n.URL = "https://secmon.example.com/alerts?query=severity%3A%3E%3Dhigh&sort=new"
	for i := range n.Alerts {
		n.Alerts[i].URL = "https://secmon.example.com/alerts/" + string(rune('a'+i))
	}
	return n
}

func compose(t *testing.T, c *monitor.Channel, n *monitor.Notice) Message {
	t.Helper()
	m, err := Compose(c, n)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMessagesAreAsInTheGoldenFiles(t *testing.T) {
	unacknowledged := many()
	unacknowledged.Trigger, unacknowledged.AfterMinutes = monitor.TriggerUnacknowledged, 15
	notices := map[string]*monitor.Notice{"one": one(), "many": many(), "unacknowledged": unacknowledged, "test": Example("Night shift")}
	for _, kind := range kinds {
		for name, n := range notices {
			m := compose(t, channelOf(kind), n)
			var body bytes.Buffer
			if err := json.Indent(&body, m.Body, "", "  "); err != nil {
				t.Fatalf("%s %s: %v", kind, name, err)
			}
			golden(t, strings.ToLower(string(kind))+"-"+name+".json", append(body.Bytes(), '\n'))
			if kind == monitor.ChannelGeneric {
				golden(t, name+".txt", []byte(m.Subject+"\n\n"+m.Text+"\n"))
			}
			if kind == monitor.ChannelGitHub {
				var issue gitHub
				if err := json.Unmarshal(m.Body, &issue); err != nil {
					t.Fatal(err)
				}
				golden(t, "github-"+name+".md", []byte(issue.Body+"\n"))
			}
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s\n(go test ./notify/channel -update writes them anew)", name, got, want)
	}
}

func TestNoticeSaysWhatItIsAbout(t *testing.T) {
	unacknowledged := one()
	unacknowledged.Trigger, unacknowledged.AfterMinutes = monitor.TriggerUnacknowledged, 15
	for name, c := range map[string]struct {
		n     *monitor.Notice
		says  []string
		never []string
	}{
		"one":            {one(), []string{"High: Suspicious Encoded PowerShell Command Line on web-1.example.com", "https://secmon.example.com/alerts/1", `EXAMPLE\ana`, "T1059.001, T1027"}, []string{"TEST", "Nobody"}},
		"storm":          {many(), []string{"128 alerts (3 critical, 20 high, 105 medium)", "2026-03-14 09:26 UTC to 2026-03-14 09:41 UTC", "60 × Suspicious", "web-10.example.com", "… and 118 more."}, []string{"TEST", "Nobody"}},
		"unacknowledged": {unacknowledged, []string{"Unacknowledged for 15 minutes: ", "Nobody has acknowledged this alert for 15 minutes."}, []string{"TEST"}},
		"test":           {Example("x"), []string{"TEST: ", "nothing happened"}, []string{"Open in"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, kind := range kinds {
				m := compose(t, channelOf(kind), c.n)
				for _, words := range c.says {
					if !strings.Contains(m.Subject+"\n"+m.Text, words) {
						t.Errorf("%s: %q is not in %s\n%s", kind, words, m.Subject, m.Text)
					}
				}
				for _, words := range c.never {
					if strings.Contains(m.Subject+"\n"+m.Text, words) {
						t.Errorf("%s: %q is in %s\n%s", kind, words, m.Subject, m.Text)
					}
				}
				if c.n.URL != "" && !bytes.Contains(m.Body, []byte(strings.SplitN(c.n.URL, "?", 2)[0])) {
					t.Errorf("%s: no way to the dashboard in %s", kind, m.Body)
				}
			}
		})
	}
}

func TestTemplatesOfAChannelAreWhatIsSaid(t *testing.T) {
	for _, kind := range kinds {
		c := channelOf(kind)
		c.Template = monitor.NoticeFormat{
			Subject: "{{.Severity | lower}}\n: {{(index .Alerts 0).Title | truncate 10}}",
			Text:    "Zeile <eins> & {{range .Alerts}}{{.Host}} um {{time \"Europe/Berlin\" .CreatedAt}}, {{join \"+\" .Techniques}}{{end}}",
		}
		m := compose(t, c, one())
		if want := "high : Suspiciou…"; m.Subject != want {
			t.Errorf("%s: subject %q, want %q", kind, m.Subject, want)
		}
		if want := "Zeile <eins> & web-1.example.com um 2026-03-14 10:26 CET, T1059.001+T1027\n\nOpen in Security Monitor (https://secmon.example.com/alerts/1)"; m.Text != want {
			t.Errorf("%s: text %q, want %q", kind, m.Text, want)
		}
		if bytes.Contains(m.Body, []byte("Most frequent")) {
			t.Errorf("%s: the usual words stand beside those of the template: %s", kind, m.Body)
		}
	}
}

func TestTemplateOfNothingGivesTheUsualWords(t *testing.T) {
	c := channelOf(monitor.ChannelSlack)
	c.Template = monitor.NoticeFormat{Subject: "{{if .Test}}x{{end}}", Text: " \n{{/* nothing */}}"}
	got, want := compose(t, c, one()), compose(t, channelOf(monitor.ChannelSlack), one())
	if got.Subject != want.Subject || got.Text != want.Text {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestLinesOfATemplateStayLines(t *testing.T) {
	for kind, want := range map[monitor.ChannelKind]string{
		monitor.ChannelSlack: `"text":"one\ntwo"`, monitor.ChannelTeams: `"text":"one"}]},{"type":"RichTextBlock","spacing":"None","inlines":[{"type":"TextRun","text":"two"}]}`,
		monitor.ChannelEmail: `<p>one<br>\ntwo</p>`, monitor.ChannelJira: `{"type":"text","text":"one"},{"type":"hardBreak"},{"type":"text","text":"two"}`,
		monitor.ChannelGitHub: `"body":"one\\\ntwo`, monitor.ChannelPagerDuty: `"text":"one\ntwo`,
	} {
		c := channelOf(kind)
		c.Template.Text = "one\r\ntwo"
		if m := compose(t, c, one()); !bytes.Contains(m.Body, []byte(want)) {
			t.Errorf("%s: %s is not in %s", kind, want, m.Body)
		}
	}
}

func TestDurationsInWords(t *testing.T) {
	for minutes, want := range map[int]string{0: "0 minutes", 1: "1 minute", 15: "15 minutes", 60: "1 hour", 90: "90 minutes", 1440: "1 day", 4320: "3 days"} {
		if got := lasting(minutes); got != want {
			t.Errorf("%d: %q, want %q", minutes, got, want)
		}
	}
	if got := (moment{time.Time{}}).String(); got != "" {
		t.Errorf("no time is %q", got)
	}
}
