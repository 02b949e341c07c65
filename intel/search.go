package intel

import (
	"net/netip"
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// search is one event's look through the tables, under the matcher's lock.
type search struct {
	m     *Matcher
	now   uint32
	dst   []monitor.Match
	first int // of dst: what stands before is not ours
}

// event looks at the envelope.
func (s *search) event(ev *monitor.Event) {
	if s.m.address.used+s.m.network.used > 0 {
		s.addr("source.ip", ev.SrcIP)
		s.addr("destination.ip", ev.DstIP)
	}
	s.name("domain", ev.Domain)
	s.link("url", ev.URL, ev.Domain)
	s.hash("fileHash", ev.FileHash)
	s.mail("user", ev.User)
}

// record looks at the fields that envelopes have no place for.
func (s *search) record(rec *monitor.Record) {
	for i := range rec.Fields {
		field := &rec.Fields[i]
		look := lookOf(field.Name)
		if look == nil {
			continue
		}
		for _, v := range field.Values {
			if v.Kind == monitor.StringValue && v.Text != "" {
				look(s, field.Name, v.Text)
			}
		}
	}
}

// lookOf says what a field holds by its name, as ingest and Sigma write it.
func lookOf(name string) func(*search, string, string) {
	switch name {
	case "md5", "sha1", "sha256", "MD5", "SHA1", "SHA256", "hash", "file.hash.md5", "file.hash.sha1", "file.hash.sha256",
		"process.hash.md5", "process.hash.sha1", "process.hash.sha256", "fileinfo.md5", "fileinfo.sha1", "fileinfo.sha256":
		return (*search).hash
	case "Hashes", "Hash", "hashes":
		return (*search).hashes
	case "QueryName", "DestinationHostname", "query", "server_name", "host_header", "cs-host", "dns.rrname", "dns.question.name", "tls.sni",
		"http.hostname", "url.domain", "destination.domain", "r-dns", "http_host":
		return (*search).name
	case "c-uri", "url", "url.full", "url.original", "referrer", "http.http_refer", "cs-referrer":
		return (*search).fullLink
	case "answers", "QueryResults":
		return (*search).answers
	case "DestinationIp", "SourceIp", "IpAddress", "sourceIPAddress", "x-forwarded-for", "dns.resolved_ip", "client.ip", "server.ip",
		"source.nat.ip", "destination.nat.ip":
		return (*search).addrs
	case "email", "user.email", "sender", "recipient", "from", "to", "mailfrom", "rcptto", "email.from.address", "email.to.address",
		"email.sender.address", "userIdentity.principalEmail":
		return (*search).mails
	}
	return nil
}

// verify gives the strongest entry that is the value and holds now.
func (s *search) verify(t *table, hash uint64, kind monitor.IndicatorKind, value string, above bool) *entry {
	var best *entry
	t.find(hash, func(e *entry) bool {
		if monitor.IndicatorKinds[e.kind] == kind && e.valid(s.now) && (!above || e.subdomains) && (best == nil || e.stronger(best)) &&
			e.id == monitor.IndicatorID(kind, value, s.m.sources.names[e.source]) {
			best = e
		}
		return true
	})
	return best
}

// maxShown is how much of a value an alert keeps, in bytes.
const maxShown = 2_048

// found notes a match.
func (s *search) found(e *entry, value, field, text string) {
	matched := monitor.MatchedField{Field: field, Value: strings.Clone(text[:min(len(text), maxShown)]), Selection: "indicator"}
	for i := s.first; i < len(s.dst); i++ {
		if s.dst[i].Rule.ID == e.id {
			for _, known := range s.dst[i].Matched {
				if known.Value == matched.Value {
					return // the record has what the envelope was made of
				}
			}
			matched.Pattern = s.dst[i].Matched[0].Pattern
			s.dst[i].Matched = append(s.dst[i].Matched, matched)
			return
		}
	}
	indicator := monitor.Indicator{
		ID: e.id, Kind: monitor.IndicatorKinds[e.kind], Value: strings.Clone(value), Source: s.m.sources.names[e.source],
		Severity: monitor.Severities[e.severity], Confidence: int(e.confidence), Subdomains: e.subdomains,
	}
	matched.Pattern = indicator.Pattern()
	s.dst = append(s.dst, monitor.Match{Rule: indicator.Rule(), Matched: []monitor.MatchedField{matched}})
}

func (s *search) addr(field string, addr netip.Addr) {
	if !addr.IsValid() {
		return
	}
	addr = addr.Unmap().WithZone("")
	own := netip.PrefixFrom(addr, addr.BitLen())
	if s.m.address.used > 0 && s.prefix(&s.m.address, monitor.IndicatorAddress, own, field, addr) || s.m.network.used == 0 {
		return
	}
	counts := s.m.bits6[:]
	if addr.Is4() {
		counts = s.m.bits4[:]
	}
	for bits := len(counts) - 2; bits > 0; bits-- {
		if counts[bits] == 0 {
			continue
		}
		if p, err := addr.Prefix(bits); err == nil && s.prefix(&s.m.network, monitor.IndicatorNetwork, p, field, addr) {
			return
		}
	}
}

func (s *search) prefix(t *table, kind monitor.IndicatorKind, p netip.Prefix, field string, addr netip.Addr) bool {
	hash, hit := hashOfPrefix(p), false
	t.find(hash, func(*entry) bool { hit = true; return false })
	if !hit {
		return false // nothing was written out for it
	}
	value := p.String()
	if kind == monitor.IndicatorAddress {
		value = p.Addr().String()
	}
	e := s.verify(t, hash, kind, value, false)
	if e != nil {
		s.found(e, value, field, addr.String())
	}
	return e != nil
}

func (s *search) addrText(field, text string) {
	if s.m.address.used+s.m.network.used == 0 || len(text) > 64 {
		return
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		s.addr(field, addr)
	} else if with, err := netip.ParseAddrPort(text); err == nil {
		s.addr(field, with.Addr())
	}
}

// maxList bounds a text with several values, in bytes.
const maxList = 4_096

// each calls look with the parts of a list as proxies, mail servers and resolvers
// write it: x-forwarded-for, several recipients, several answers.
func each(text, separators string, look func(part string)) {
	if len(text) > maxList {
		text = text[:maxList]
	}
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
		look(strings.TrimSpace(part))
	}
}

func (s *search) addrs(field, text string) {
	if s.m.address.used+s.m.network.used > 0 {
		each(text, ",; ", func(part string) { s.addrText(field, part) })
	}
}

// answers are addresses and names.
func (s *search) answers(field, text string) {
	each(text, ",; ", func(part string) {
		s.addrText(field, part)
		if strings.IndexByte(part, '.') > 0 {
			s.name(field, part)
		}
	})
}

// name looks for a name, and for the domains above it.
func (s *search) name(field, text string) {
	if s.m.domain.used == 0 || text == "" || len(text) > 255 {
		return
	}
	name := text
	if end := strings.LastIndexByte(name, ':'); end >= 0 && strings.Trim(name[end+1:], "0123456789") == "" {
		name = name[:end] // the header Host has the port
	}
	name = monitor.FoldDomain(name)
	parents(name, func(suffix string, above bool) bool {
		e := s.verify(&s.m.domain, hashOf(suffix), monitor.IndicatorDomain, suffix, above)
		if e != nil {
			s.found(e, suffix, field, text)
		}
		return e == nil
	})
}

func (s *search) fullLink(field, text string) { s.link(field, text, "") }

// link looks for a URL, and for the machine that it names. One without a machine is
// on the one that the event names.
func (s *search) link(field, text, host string) {
	m := s.m
	if text == "" || m.url.used+m.domain.used+m.address.used+m.network.used == 0 {
		return
	}
	begin := strings.Index(text, "://")
	if begin < 0 {
		if text[0] != '/' {
			s.host(field, text) // what a proxy is told to CONNECT to, or a URL without its scheme
			if m.url.used > 0 && strings.IndexByte(text, '.') > 0 && !s.page(field, text, "http://"+text) {
				s.page(field, text, "https://"+text)
			}
			return
		}
		if host == "" || m.url.used == 0 {
			return
		}
		// Over which of the two it went nobody said.
		if !s.page(field, text, "http://"+host+text) {
			s.page(field, text, "https://"+host+text)
		}
		return
	}
	if m.url.used > 0 {
		s.page(field, text, text)
	}
	s.host(field, text[begin+3:])
}

// host looks for the machine that a URL names behind its scheme.
func (s *search) host(field, machine string) {
	if end := strings.IndexAny(machine, "/?#"); end >= 0 {
		machine = machine[:end]
	}
	machine = machine[strings.LastIndexByte(machine, '@')+1:]
	if end := strings.LastIndexByte(machine, ':'); end >= 0 && strings.IndexByte(machine[end:], ']') < 0 {
		machine = machine[:end]
	}
	machine = strings.Trim(machine, "[]")
	s.name(field, machine)
	s.addrText(field, machine)
}

func (s *search) page(field, text, full string) bool {
	value, ok := monitor.NormalURL(full)
	if !ok {
		return false
	}
	e := s.verify(&s.m.url, hashOf(value), monitor.IndicatorURL, value, false)
	if e != nil {
		s.found(e, value, field, text)
	}
	return e != nil
}

func (s *search) hash(field, text string) {
	if s.m.digest.used == 0 || len(text) != 32 && len(text) != 40 && len(text) != 64 {
		return
	}
	value := lower(text)
	kind, ok := monitor.HashKind(value)
	if !ok {
		return
	}
	if e := s.verify(&s.m.digest, hashOf(value), kind, value, false); e != nil {
		s.found(e, value, field, text)
	}
}

// hashes reads Sysmon's list: SHA1=...,MD5=...,SHA256=...
func (s *search) hashes(field, text string) {
	if s.m.digest.used == 0 || len(text) > 1_000 {
		return
	}
	for part := range strings.SplitSeq(text, ",") {
		s.hash(field, strings.TrimSpace(part[strings.IndexByte(part, '=')+1:]))
	}
}

func (s *search) mails(field, text string) {
	if s.m.email.used > 0 && strings.IndexByte(text, '@') >= 0 {
		each(text, ",;", func(part string) { s.mail(field, part) })
	}
}

func (s *search) mail(field, text string) {
	if s.m.email.used == 0 || strings.IndexByte(text, '@') < 0 || len(text) > 512 {
		return
	}
	if begin := strings.LastIndexByte(text, '<'); begin >= 0 { // Name <address>
		text = strings.TrimSuffix(text[begin+1:], ">")
	}
	value, ok := monitor.NormalEmail(text)
	if !ok {
		return
	}
	if e := s.verify(&s.m.email, hashOf(value), monitor.IndicatorEmail, value, false); e != nil {
		s.found(e, value, field, text)
	}
}

// lower is monitor.Fold, which copies nothing where nothing changes.
func lower(s string) string { return monitor.Fold(s) }
