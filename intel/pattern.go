package intel

import (
	"slices"
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// Named is a value that a STIX pattern compares with.
type Named struct {
	Kind       monitor.IndicatorKind
	Value      string
	Subdomains bool // it stands for what is below it too
}

// paths are the object paths that are read, without quotes and in lower case.
var paths = map[string]monitor.IndicatorKind{
	"ipv4-addr:value": monitor.IndicatorAddress, "ipv6-addr:value": monitor.IndicatorAddress, "domain-name:value": monitor.IndicatorDomain,
	"url:value": monitor.IndicatorURL, "email-addr:value": monitor.IndicatorEmail, "email-message:from_ref.value": monitor.IndicatorEmail,
	"email-message:sender_ref.value": monitor.IndicatorEmail, "file:hashes.md5": monitor.IndicatorMD5, "file:hashes.sha-1": monitor.IndicatorSHA1,
	"file:hashes.sha1": monitor.IndicatorSHA1, "file:hashes.sha-256": monitor.IndicatorSHA256, "file:hashes.sha256": monitor.IndicatorSHA256,
	"network-traffic:dst_ref.value": "", "network-traffic:src_ref.value": "", // an address or a name
}

// maxNamed bounds the values of one pattern.
const maxNamed = 1_000

// ParsePattern reads the simple patterns of STIX 2.1: comparisons for equality, with
// one of a set, with networks (ISSUBSET), and of a domain that is named itself with
// all below it (LIKE '%.evil.example'), joined by OR, in one observation or in
// several joined by OR. Any of the values is a match of the pattern. Everything else
// is BAD_INPUT: an indicator that is read by half would warn of the wrong thing.
// https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html, section 9
func ParsePattern(text string) ([]Named, error) {
	p := &pattern{rest: text}
	if err := p.observations(); err != nil {
		return nil, monitor.InputErrorf("pattern", "pattern: %s", err.Error())
	}
	if err := p.joinSubdomains(); err != nil {
		return nil, monitor.InputErrorf("pattern", "pattern: %s", err.Error())
	}
	return p.named, nil
}

// joinSubdomains makes one of a domain and what is below it. What is below alone
// cannot be kept: an indicator of it would warn of the domain too.
func (p *pattern) joinSubdomains() error {
	for _, below := range p.below {
		at := slices.IndexFunc(p.named, func(n Named) bool {
			return n.Kind == monitor.IndicatorDomain && strings.EqualFold(n.Value, below)
		})
		if at < 0 {
			return patternError("LIKE is read for all below a domain that is named beside it, as = " + clip(below))
		}
		p.named[at].Subdomains = true
	}
	return nil
}

type pattern struct {
	rest  string
	named []Named
	below []string // domains
	depth int
}

type patternError string

func (e patternError) Error() string { return string(e) }

const maxPatternDepth = 16

// observations reads [..] OR [..], with parentheses around any of it.
func (p *pattern) observations() error {
	open := 0
	for {
		for p.take("(") {
			open++
		}
		if !p.take("[") {
			return patternError("it begins with no observation in brackets")
		}
		if err := p.comparisons(); err != nil {
			return err
		}
		if !p.take("]") {
			return p.unread("]")
		}
		for p.take(")") {
			if open--; open < 0 {
				return patternError("a parenthesis is closed that was not opened")
			}
		}
		if p.blank(); p.rest == "" {
			if open > 0 {
				return patternError("a parenthesis is not closed")
			}
			return nil
		}
		if !p.word("OR") {
			return p.unread("OR")
		}
	}
}

// comparisons reads a = 'x' OR b IN ('y', 'z'), with parentheses.
func (p *pattern) comparisons() error {
	for {
		if p.take("(") {
			if p.depth++; p.depth > maxPatternDepth {
				return patternError("it is nested too deeply")
			}
			if err := p.comparisons(); err != nil {
				return err
			}
			if !p.take(")") {
				return p.unread(")")
			}
			p.depth--
		} else if err := p.comparison(); err != nil {
			return err
		}
		if !p.word("OR") {
			return nil
		}
	}
}

func (p *pattern) comparison() error {
	path, err := p.path()
	if err != nil {
		return err
	}
	kind, known := paths[path]
	if !known {
		return patternError("it compares " + clip(path) + ", which events are not looked through for")
	}
	switch {
	case p.take("="):
		return p.value(kind, false)
	case p.word("ISSUBSET"):
		if kind != monitor.IndicatorAddress {
			return patternError("ISSUBSET is read for addresses alone")
		}
		return p.value(kind, true)
	case p.word("IN"):
		return p.set(kind)
	case kind == monitor.IndicatorDomain && p.word("LIKE"):
		return p.belowDomain()
	}
	p.blank()
	operator, _, _ := strings.Cut(p.rest, " ")
	return patternError("the comparison " + clip(operator) + " is not read")
}

func (p *pattern) set(kind monitor.IndicatorKind) error {
	if !p.take("(") {
		return p.unread("(")
	}
	for {
		if err := p.value(kind, false); err != nil {
			return err
		}
		if p.take(")") {
			return nil
		}
		if !p.take(",") {
			return p.unread(",")
		}
	}
}

// path reads file:hashes.'SHA-256'.
func (p *pattern) path() (string, error) {
	p.blank()
	var path strings.Builder
	quoted := false
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\'' || c == '"':
			quoted = !quoted
		case quoted || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == ':' || c == '.' || c == '-' || c == '_':
			path.WriteByte(c)
		default:
			if p.rest = p.rest[i:]; path.Len() == 0 {
				return "", p.unread("an object path")
			}
			return strings.ToLower(path.String()), nil
		}
	}
	return "", patternError("it ends in the middle")
}

// belowDomain reads '%.evil.example'.
func (p *pattern) belowDomain() error {
	text, err := p.text()
	if err != nil {
		return err
	}
	domain, ok := strings.CutPrefix(text, "%.")
	if !ok || strings.Contains(domain, "%") {
		return patternError("LIKE is read as '%.' before a domain, not as " + clip(text))
	}
	if len(p.below) == maxNamed {
		return patternError("it names more than 1,000 values")
	}
	p.below = append(p.below, domain)
	return nil
}

func (p *pattern) value(kind monitor.IndicatorKind, network bool) error {
	text, err := p.text()
	if err != nil {
		return err
	}
	return p.add(kind, text, network)
}

// text reads 'text', in which \' and \\ stand for themselves.
func (p *pattern) text() (string, error) {
	if !p.take("'") {
		return "", p.unread("a text in quotes")
	}
	var text strings.Builder
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\\' && i+1 < len(p.rest):
			i++
			text.WriteByte(p.rest[i])
		case c == '\'':
			p.rest = p.rest[i+1:]
			return text.String(), nil
		default:
			text.WriteByte(c)
		}
	}
	return "", patternError("a text has no end")
}

func (p *pattern) add(kind monitor.IndicatorKind, value string, network bool) error {
	if len(p.named) == maxNamed {
		return patternError("it names more than 1,000 values")
	}
	if kind == "" {
		guessed, ok := monitor.GuessIndicator(value)
		if !ok || guessed != monitor.IndicatorAddress && guessed != monitor.IndicatorNetwork && guessed != monitor.IndicatorDomain {
			return patternError(clip(value) + " is no address or name")
		}
		kind = guessed
	}
	if network || kind == monitor.IndicatorAddress && strings.Contains(value, "/") {
		kind = monitor.IndicatorNetwork
	}
	p.named = append(p.named, Named{Kind: kind, Value: value})
	return nil
}

func (p *pattern) blank() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *pattern) take(sign string) bool {
	p.blank()
	rest, ok := strings.CutPrefix(p.rest, sign)
	if ok {
		p.rest = rest
	}
	return ok
}

// word takes a keyword, which ends where no letter follows.
func (p *pattern) word(word string) bool {
	p.blank()
	if len(p.rest) < len(word) || !strings.EqualFold(p.rest[:len(word)], word) {
		return false
	}
	if rest := p.rest[len(word):]; rest == "" || strings.ContainsRune(" \t\r\n('[", rune(rest[0])) {
		p.rest = rest
		return true
	}
	return false
}

// unread says what stands where something else should.
func (p *pattern) unread(wanted string) error {
	p.blank()
	if p.rest == "" {
		return patternError("it ends where " + wanted + " should stand")
	}
	for _, word := range []string{"AND", "FOLLOWEDBY", "NOT", "WITHIN", "REPEATS", "START", "LIKE", "MATCHES", "EXISTS"} {
		if p.word(word) {
			return patternError(word + " is not read: only values of which any one is a match")
		}
	}
	return patternError(clip(p.rest) + " stands where " + wanted + " should")
}

func clip(text string) string { return "\"" + cut(text, 40) + "\"" }
