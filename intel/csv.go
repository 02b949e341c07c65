package intel

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/security-monitor/secmon/monitor"
)

// Fields are what a column of a CSV file can be.
var Fields = []string{
	"value", "kind", "source", "severity", "confidence", "validFrom", "validUntil", "tags", "description", "reference", "includeSubdomains", "revoked",
}

// columnNames are the names that lists give their columns, by field. Case, blanks,
// dots and underlines do not count.
var columnNames = map[string][]string{
	"value": {
		"value", "indicator", "ioc", "iocvalue", "indicatorvalue", "observable", "ip", "ipaddress", "address", "dstip", "srcip", "domain", "domainname",
		"host", "hostname", "fqdn", "url", "hash", "md5", "md5hash", "sha1", "sha1hash", "sha256", "sha256hash", "email", "emailaddress", "cidr", "network",
	},
	"kind":              {"kind", "type", "ioctype", "indicatortype", "datatype"},
	"source":            {"source", "provider", "feed", "sourcename"},
	"severity":          {"severity", "level", "threatlevel"},
	"confidence":        {"confidence", "confidencelevel", "score"},
	"validFrom":         {"validfrom", "firstseen", "firstseenutc", "from", "dateadded", "created"},
	"validUntil":        {"validuntil", "expires", "expiration", "expiresat", "expirationdate", "until"},
	"tags":              {"tags", "labels", "tag", "category", "malware", "malwareprintable", "threattype"},
	"description":       {"description", "comment", "note", "notes", "title", "name"},
	"reference":         {"reference", "references", "link", "urlhauslink", "externalreference"},
	"includeSubdomains": {"includesubdomains", "subdomains"},
	"revoked":           {"revoked", "deleted", "falsepositive"},
}

// kindNames are the names that lists give the kinds, without blanks, dots, dashes and
// underlines.
var kindNames = map[string]monitor.IndicatorKind{
	"address": monitor.IndicatorAddress, "ip": monitor.IndicatorAddress, "ipv4": monitor.IndicatorAddress, "ipv6": monitor.IndicatorAddress,
	"ipv4addr": monitor.IndicatorAddress, "ipv6addr": monitor.IndicatorAddress, "ipaddress": monitor.IndicatorAddress, "ip:port": monitor.IndicatorAddress,
	"ipdst": monitor.IndicatorAddress, "ipsrc": monitor.IndicatorAddress, "network": monitor.IndicatorNetwork, "cidr": monitor.IndicatorNetwork,
	"subnet": monitor.IndicatorNetwork, "netblock": monitor.IndicatorNetwork, "domain": monitor.IndicatorDomain, "domainname": monitor.IndicatorDomain,
	"host": monitor.IndicatorDomain, "hostname": monitor.IndicatorDomain, "fqdn": monitor.IndicatorDomain, "url": monitor.IndicatorURL,
	"uri": monitor.IndicatorURL, "link": monitor.IndicatorURL, "md5": monitor.IndicatorMD5, "md5hash": monitor.IndicatorMD5, "filehashmd5": monitor.IndicatorMD5,
	"sha1": monitor.IndicatorSHA1, "sha1hash": monitor.IndicatorSHA1, "filehashsha1": monitor.IndicatorSHA1, "sha256": monitor.IndicatorSHA256,
	"sha256hash": monitor.IndicatorSHA256, "filehashsha256": monitor.IndicatorSHA256, "email": monitor.IndicatorEmail, "emailaddr": monitor.IndicatorEmail,
	"emailaddress": monitor.IndicatorEmail, "emailsrc": monitor.IndicatorEmail, "emaildst": monitor.IndicatorEmail,
}

var bare = strings.NewReplacer(" ", "", "_", "", "-", "", ".", "", "#", "", "\"", "", "\ufeff", "")

// readCSV reads a table with names in its first line, or a plain list without.
func readCSV(r io.Reader, o Options, to Taker) error {
	limited := &pieces{r: r, left: maxPiece}
	in := bufio.NewReaderSize(limited, 64<<10)
	skipMark(in)
	table := csv.NewReader(in)
	table.FieldsPerRecord, table.LazyQuotes, table.TrimLeadingSpace, table.ReuseRecord = -1, true, true, true
	table.Comma = delimiterOf(in)
	place, last := map[string]int(nil), 0
	for {
		limited.next()
		cells, err := table.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			var wrong *csv.ParseError
			if errors.As(err, &wrong) {
				to.Refuse(Problem{Position: o.First - 1 + wrong.StartLine, Message: wrong.Err.Error()})
				continue
			}
			return monitor.Errorf(monitor.CodeBadInput, "CSV: behind line %d: %v", o.First-1+last, err)
		}
		line, _ := table.FieldPos(0)
		last = line
		position := o.First - 1 + line
		if place == nil {
			var header bool
			if place, header, err = columnsOf(cells, o.Columns); err != nil {
				return err
			}
			if header {
				continue
			}
		}
		if isComment(cells) {
			continue
		}
		if err := takeRow(cells, place, &o, position, to); err != nil {
			return err
		}
	}
}

// isComment tells a line that says nothing: it begins with #, or is blank.
func isComment(cells []string) bool {
	return strings.HasPrefix(strings.TrimSpace(cells[0]), "#") || !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" })
}

func skipMark(in *bufio.Reader) {
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		_, _ = in.Discard(3)
	}
}

// delimiterOf gives the character that parts the first line that is no comment: the
// most frequent of the usual ones, a comma where there is none.
func delimiterOf(in *bufio.Reader) rune {
	head, _ := in.Peek(16 << 10)
	best, most := ',', 0
	for line := range strings.Lines(string(head)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		for _, d := range []rune{',', ';', '\t', '|'} {
			if n := strings.Count(line, string(d)); n > most {
				best, most = d, n
			}
		}
		break
	}
	return best
}

// columnsOf says in which column each field stands. Where no name is known, and none
// was named, the line is a value already. A comment that is not names is passed over:
// then place is nil.
func columnsOf(cells []string, named map[string]string) (place map[string]int, header bool, err error) {
	place = map[string]int{}
	for at, cell := range cells {
		name := bare.Replace(strings.ToLower(cell))
		for field, wanted := range named {
			if strings.EqualFold(strings.TrimSpace(wanted), strings.TrimSpace(cell)) {
				place[field] = at
			}
		}
		for _, field := range Fields {
			if _, taken := place[field]; !taken && named[field] == "" && slices.Contains(columnNames[field], name) {
				place[field] = at
				break
			}
		}
	}
	if _, ok := place["value"]; ok {
		return place, true, nil
	}
	switch {
	case strings.HasPrefix(strings.TrimSpace(cells[0]), "#"):
		return nil, true, nil
	case len(named) > 0:
		return nil, false, monitor.InputErrorf("columns", "the first line has no column %q", named["value"])
	}
	for at, cell := range cells {
		if _, ok := monitor.GuessIndicator(cell); ok {
			return map[string]int{"value": at}, false, nil
		}
	}
	return nil, false, monitor.Errorf(monitor.CodeBadInput, "CSV: the first line names no column with values (%s), and has none itself", strings.Join(columnNames["value"][:6], ", "))
}

func takeRow(cells []string, place map[string]int, o *Options, position int, to Taker) error {
	cell := func(field string) string {
		at, ok := place[field]
		if !ok || at >= len(cells) {
			return ""
		}
		return strings.TrimSpace(cells[at])
	}
	i, err := rowOf(cell, o)
	if err == nil {
		err = i.Check()
	}
	if err != nil {
		to.Refuse(Problem{Position: position, Message: messageOf(err)})
		return nil
	}
	return to.Take(i)
}

func rowOf(cell func(string) string, o *Options) (*monitor.Indicator, error) {
	i := o.usual()
	var err error
	if i.Kind, i.Value, err = kindOf(cell("kind"), strings.Clone(cell("value"))); err != nil {
		return nil, err
	}
	if below, ok := strings.CutPrefix(i.Value, "*."); ok && i.Kind == monitor.IndicatorDomain {
		i.Value, i.Subdomains = below, true
	}
	for field, into := range map[string]*string{"source": &i.Source, "description": &i.Description, "reference": &i.Reference} {
		if text := cell(field); text != "" {
			*into = strings.Clone(text)
		}
	}
	if text := cell("severity"); text != "" {
		if i.Severity, err = severityOf(text); err != nil {
			return nil, err
		}
	}
	if text := cell("confidence"); text != "" {
		if i.Confidence, err = strconv.Atoi(strings.TrimSuffix(text, "%")); err != nil {
			return nil, monitor.InputErrorf("confidence", "confidence is 0 to 100, not %q", text)
		}
	}
	if i.ValidFrom, err = timeOf("validFrom", cell("validFrom")); err != nil {
		return nil, err
	}
	until, err := timeOf("validUntil", cell("validUntil"))
	if err != nil {
		return nil, err
	}
	if !until.IsZero() {
		i.ValidUntil = until
	}
	for tag := range strings.FieldsFuncSeq(cell("tags"), func(r rune) bool { return r == ',' || r == ';' || r == '|' }) {
		if tag = strings.TrimSpace(tag); tag != "" && !strings.EqualFold(tag, "none") {
			i.Tags = append(i.Tags, strings.Clone(tag))
		}
	}
	if text := cell("includeSubdomains"); text != "" {
		if i.Subdomains, err = yes("includeSubdomains", text); err != nil {
			return nil, err
		}
	}
	if text := cell("revoked"); text != "" {
		gone, err := yes("revoked", text)
		if err != nil {
			return nil, err
		}
		if gone {
			i.RevokedAt = o.Now
		}
	}
	return i, nil
}

// kindOf gives a value's kind as the list names it, or else by its form. An address
// with a port is the address.
func kindOf(named, value string) (monitor.IndicatorKind, string, error) {
	if value == "" {
		return "", "", monitor.InputErrorf("value", "there is no value")
	}
	if name := bare.Replace(strings.ToLower(named)); name != "" {
		kind, known := kindNames[name]
		if !known {
			return "", "", monitor.InputErrorf("kind", "%q is no kind of indicator that is known", named)
		}
		if host, port, ok := strings.Cut(value, ":"); ok && kind == monitor.IndicatorAddress && strings.Count(value, ":") == 1 && strings.Trim(port, "0123456789") == "" {
			value = host
		}
		if kind == monitor.IndicatorAddress && strings.Contains(value, "/") {
			kind = monitor.IndicatorNetwork
		}
		return kind, value, nil
	}
	kind, ok := monitor.GuessIndicator(value)
	if !ok {
		return "", "", monitor.InputErrorf("value", "%q is no address, network, name, URL, hash or address of e-mail", value[:min(len(value), 100)])
	}
	return kind, value, nil
}

func severityOf(text string) (monitor.Severity, error) {
	severity := monitor.Severity(strings.ToUpper(text))
	switch severity {
	case "INFO":
		severity = monitor.SeverityInformational
	case "MODERATE":
		severity = monitor.SeverityMedium
	}
	if severity.Rank() < 0 {
		return "", monitor.InputErrorf("severity", "%q is no severity", text)
	}
	return severity, nil
}

func yes(field, text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "yes", "1", "y":
		return true, nil
	case "false", "no", "0", "n":
		return false, nil
	}
	return false, monitor.InputErrorf(field, "%s is true or false, not %s", field, fmt.Sprintf("%q", text))
}
