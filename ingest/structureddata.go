package ingest

import "strings"

// Structured data of RFC 5424: [ID NAME="VALUE" ...][ID ...], where a backslash stands
// before a quote, a backslash and a bracket of a value.
// https://www.rfc-editor.org/rfc/rfc5424#section-6.3

// structuredKey is ECS's name for it; the names of an element and of its parameter
// follow, joined by dots.
const structuredKey = "log.syslog.structured_data."

// maxStructured bounds the parameters of a line that become fields.
const maxStructured = 256

// cutStructured parts the structured data from the message behind it. Data without an
// end are taken for the message.
func cutStructured(s string) (data, message string) {
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		return "", strings.TrimPrefix(rest, " ")
	}
	if !strings.HasPrefix(s, "[") {
		return "", s
	}
	quoted := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if quoted {
				i++
			}
		case '"':
			quoted = !quoted
		case ']':
			if !quoted && (i+1 == len(s) || s[i+1] != '[') {
				return s[:i+1], strings.TrimPrefix(s[i+1:], " ")
			}
		}
	}
	return "", s
}

// addStructured adds the parameters of structured data as fields. What is not of the
// form ends it: the line has it all the same.
func (in *input) addStructured(data string) {
	for added := 0; strings.HasPrefix(data, "["); {
		end := strings.IndexAny(data, " ]")
		if end < 0 {
			return
		}
		element := data[1:end]
		for data = data[end:]; strings.HasPrefix(data, " "); {
			name, rest, found := strings.Cut(strings.TrimLeft(data, " "), `="`)
			if !found || strings.ContainsAny(name, ` ]"`) || name == "" || added == maxStructured {
				return
			}
			value, rest, found := cutQuoted(rest)
			if !found {
				return
			}
			in.rec.addText(in.rec.join(structuredKey, element, ".", name), value)
			added++
			data = rest
		}
		if data = strings.TrimPrefix(data, "]"); data == "" {
			return
		}
	}
}

// cutQuoted gives the value before the next quote that has no backslash before it, and
// what is behind the quote.
func cutQuoted(s string) (value, rest string, found bool) {
	escaped := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			if value = s[:i]; escaped {
				value = unescape.Replace(value)
			}
			return value, s[i+1:], true
		}
	}
	return "", "", false
}

// unescape takes off the backslashes of a value; those before other characters stay, as
// the RFC wants it.
var unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\]`, `]`)
