package channel

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

func TestSecretsThatSuitTheirKind(t *testing.T) {
	mail, header := monitor.ChannelSettings{Username: "soc"}, monitor.ChannelSettings{Header: "Authorization"}
	none := monitor.ChannelSettings{}
	const workflow = "https://prod-12.westeurope.logic.azure.com:443/workflows/0a/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Frun&sv=1.0&sig="
	for _, c := range []struct {
		kind   monitor.ChannelKind
		s      monitor.ChannelSettings
		secret string
		path   string // of the field at fault, "" for none
	}{
		{monitor.ChannelSlack, none, "https://hooks.slack.com/services/T0/B0/XXXX", ""},
		{monitor.ChannelSlack, none, "https://hooks.slack-gov.com/services/T0/B0/XXXX", ""},
		{monitor.ChannelSlack, none, "", "secret"},
		{monitor.ChannelSlack, none, "http://hooks.slack.com/services/T0/B0/XXXX", "secret"},
		{monitor.ChannelSlack, none, "https://hooks.slack.com.evil.example/services/T0", "secret"},
		{monitor.ChannelSlack, none, "https://hooks.slack.com@evil.example/services/T0", "secret"},
		{monitor.ChannelSlack, none, "https://hooks.slack.com:8443/services/T0", "secret"},
		{monitor.ChannelSlack, none, "https://hooks.slack.com/services/T0#x", "secret"},
		{monitor.ChannelSlack, none, "https://hooks.slack.com", "secret"},
		{monitor.ChannelTeams, none, workflow + "Abc", ""},
		{monitor.ChannelTeams, none, "https://default0a.b1.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/0a/triggers/manual/paths/invoke?api-version=1&sig=Abc", ""},
		{monitor.ChannelTeams, none, workflow, "secret"},
		{monitor.ChannelTeams, none, "https://acme.webhook.office.com/webhookb2/0a?sig=x", "secret"},
		{monitor.ChannelTeams, none, "https://logic.azure.com.evil.example/?sig=x", "secret"},
		{monitor.ChannelTeams, none, "https://evil.example/?x=.logic.azure.com&sig=x", "secret"},
		{monitor.ChannelTeams, none, "::", "secret"},
		{monitor.ChannelEmail, mail, "password", ""},
		{monitor.ChannelEmail, mail, "", "secret"},
		{monitor.ChannelEmail, none, "", ""},
		{monitor.ChannelEmail, none, "password", "secret"},
		{monitor.ChannelEmail, mail, "pass\r\nword", "secret"},
		{monitor.ChannelPagerDuty, none, strings.Repeat("aB3d", 8), ""},
		{monitor.ChannelPagerDuty, none, strings.Repeat("a", 31), "secret"},
		{monitor.ChannelPagerDuty, none, strings.Repeat("a", 31) + "\"", "secret"},
		{monitor.ChannelJira, none, "ATATT3x", ""},
		{monitor.ChannelJira, none, "", "secret"},
		{monitor.ChannelGitHub, none, "github_pat_1", ""},
		{monitor.ChannelGitHub, none, "two words", "secret"},
		{monitor.ChannelGeneric, header, "Bearer abc", ""},
		{monitor.ChannelGeneric, header, "", "secret"},
		{monitor.ChannelGeneric, none, "", ""},
		{monitor.ChannelGeneric, none, "Bearer abc", "secret"},
		{monitor.ChannelGeneric, header, "Bearer äbc", "secret"},
		{monitor.ChannelGeneric, header, " Bearer", "secret"},
		{monitor.ChannelGeneric, monitor.ChannelSettings{Header: "content-length"}, "1", "settings.header"},
		{monitor.ChannelGeneric, monitor.ChannelSettings{Header: "idempotency-key"}, "1", "settings.header"},
		{monitor.ChannelGitHub, none, strings.Repeat("x", monitor.MaxChannelSecret+1), "secret"},
		{"SMOKE_SIGNS", none, "x", "kind"},
	} {
		err := CheckSecret(c.kind, c.s, c.secret)
		if c.path == "" {
			if err != nil {
				t.Errorf("%s %q: %v", c.kind, c.secret, err)
			}
			continue
		}
		var told *monitor.Error
		if !errors.As(err, &told) || told.Code != monitor.CodeBadInput || !slices.Equal(told.Path, []string{"input", c.path}) {
			t.Errorf("%s %q: %v, want BAD_INPUT of %s", c.kind, c.secret, err, c.path)
			continue
		}
		if len(c.secret) > 24 && strings.Contains(told.Message, c.secret) {
			t.Errorf("%s: the secret is in %q", c.kind, told.Message)
		}
	}
}
