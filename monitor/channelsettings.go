package monitor

import (
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// ChannelSettings say where a channel leads; each kind has its own of them. The
// secret beside them is: the incoming webhook's address (SLACK, TEAMS), the password
// (EMAIL, none without a user name), the integration key (PAGERDUTY), the API token
// (JIRA, GITHUB), the value of the header (GENERIC, none without one).
type ChannelSettings struct {
	// URL is the site for JIRA, the API for GITHUB (empty: api.github.com), the Events
	// API for PAGERDUTY (empty: the US one), and where GENERIC posts.
	URL string `json:"url,omitempty"`
	// Host, Port, Security, Username, From and To are of EMAIL.
	Host     string       `json:"host,omitempty"`
	Port     int          `json:"port,omitempty"`
	Security MailSecurity `json:"security,omitempty"`
	Username string       `json:"username,omitempty"` // of JIRA too
	From     string       `json:"from,omitempty"`
	To       []string     `json:"to,omitempty"`
	// Project and IssueType are of JIRA, Repository (owner/name) of GITHUB, Labels of both.
	Project    string   `json:"project,omitempty"`
	IssueType  string   `json:"issueType,omitempty"`
	Repository string   `json:"repository,omitempty"`
	Labels     []string `json:"labels,omitempty"`
	// Header of GENERIC carries the secret, such as Authorization.
	Header string `json:"header,omitempty"`
}

// MailSecurity is how the way to a mail server is protected.
type MailSecurity string

// How, as in the schema. Without either nothing is sent.
const (
	MailTLS      MailSecurity = "TLS"      // from the beginning: RFC 8314
	MailSTARTTLS MailSecurity = "STARTTLS" // required, RFC 3207
)

// The usual addresses.
const (
	GitHubAPI       = "https://api.github.com"
	PagerDutyEvents = "https://events.pagerduty.com/v2/enqueue"
)

var (
	jiraProject = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,49}$`)
	repository  = regexp.MustCompile(`^[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}$`)
	label       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,49}$`)
	headerName  = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
	hostName    = regexp.MustCompile(`^[A-Za-z0-9.:_-]{1,253}$`)
)

// SameReceiver tells whether a secret goes to where it went with other settings.
func (s *ChannelSettings) SameReceiver(other ChannelSettings) bool {
	return s.URL == other.URL && s.Host == other.Host && s.Port == other.Port && s.Security == other.Security && s.Header == other.Header
}

// NullableSecurity is Security, nil for other kinds than EMAIL.
func (s *ChannelSettings) NullableSecurity() *MailSecurity { return nullable(s.Security) }

// check gives BAD_INPUT for settings that do not suit a kind, and takes away those of
// other kinds.
func (s *ChannelSettings) check(kind ChannelKind) error {
	given := *s
	*s = ChannelSettings{}
	switch kind {
	case ChannelSlack, ChannelTeams: // the address is the secret
		return nil
	case ChannelEmail:
		s.Host, s.Port, s.Security, s.Username = strings.TrimSpace(given.Host), given.Port, given.Security, strings.TrimSpace(given.Username)
		s.From, s.To = given.From, given.To
		return s.checkMail()
	case ChannelPagerDuty:
		s.URL = given.URL
		return s.checkURL(PagerDutyEvents)
	case ChannelJira:
		s.URL, s.Username, s.Project, s.IssueType, s.Labels = given.URL, strings.TrimSpace(given.Username), given.Project, strings.TrimSpace(given.IssueType), given.Labels
		return s.checkJira()
	case ChannelGitHub:
		s.URL, s.Repository, s.Labels = given.URL, given.Repository, given.Labels
		if !repository.MatchString(s.Repository) {
			return InputErrorf("settings.repository", "owner/name, such as acme/incidents")
		}
		if err := s.checkURL(GitHubAPI); err != nil {
			return err
		}
		return s.checkLabels()
	case ChannelGeneric:
		s.URL, s.Header = given.URL, given.Header
		if s.Header != "" && !headerName.MatchString(s.Header) {
			return InputErrorf("settings.header", "a header's name, such as Authorization")
		}
		return s.checkURL("")
	default:
		return InputErrorf("kind", "there is no kind %q", kind)
	}
}

func (s *ChannelSettings) checkMail() error {
	switch {
	case !hostName.MatchString(s.Host):
		return InputErrorf("settings.host", "the name of a mail server, such as smtp.example.com")
	case s.Port < 1 || s.Port > 65_535:
		return InputErrorf("settings.port", "1 to 65535: usually 465 for TLS, 587 for STARTTLS")
	case s.Security != MailTLS && s.Security != MailSTARTTLS:
		return InputErrorf("settings.security", "TLS or STARTTLS")
	case len(s.To) == 0 || len(s.To) > maxChannelRecipients:
		return InputErrorf("settings.to", "1 to %d addresses", maxChannelRecipients)
	}
	for i, address := range append([]string{s.From}, s.To...) {
		if _, err := mail.ParseAddress(address); err != nil || len(address) > 320 {
			path := "settings.from"
			if i > 0 {
				path = "settings.to"
			}
			return InputErrorf(path, "%q is no address such as soc@example.com", address)
		}
	}
	return nil
}

func (s *ChannelSettings) checkJira() error {
	switch {
	case s.Username == "":
		return InputErrorf("settings.username", "the account's e-mail address, which the API token belongs to")
	case !jiraProject.MatchString(s.Project):
		return InputErrorf("settings.project", "a project's key, such as SEC")
	case s.IssueType == "" || len(s.IssueType) > 100:
		return InputErrorf("settings.issueType", "the name of an issue type of the project, such as Task")
	}
	if err := s.checkURL(""); err != nil {
		return err
	}
	return s.checkLabels()
}

func (s *ChannelSettings) checkLabels() error {
	if len(s.Labels) > 20 {
		return InputErrorf("settings.labels", "at most 20 labels")
	}
	if i := slices.IndexFunc(s.Labels, func(l string) bool { return !label.MatchString(l) }); i >= 0 {
		return InputErrorf("settings.labels", "%q is no label: letters, digits and ._:/-", s.Labels[i])
	}
	return nil
}

// checkURL is checkAddress; without one it is the usual one.
func (s *ChannelSettings) checkURL(usual string) (err error) {
	if s.URL = strings.TrimSpace(s.URL); s.URL == "" {
		s.URL = usual
	}
	s.URL, err = checkAddress("settings.url", s.URL)
	return err
}

// checkAddress refuses what is no address, and what would put a secret into logs.
func checkAddress(path, text string) (string, error) {
	text = strings.TrimSpace(text)
	if len(text) > MaxWebhookURL {
		return text, InputErrorf(path, "the address has %d bytes, at most %d are kept", len(text), MaxWebhookURL)
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return text, InputErrorf(path, "that is no address such as https://example.com/hook")
	case u.Scheme != "https" && u.Scheme != "http":
		return text, InputErrorf(path, "the address begins with https://")
	case u.User != nil:
		return text, InputErrorf(path, "the address may not hold a password")
	case u.Fragment != "":
		return text, InputErrorf(path, "the address may not have a part behind #")
	}
	return text, nil
}
