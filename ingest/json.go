package ingest

import "bytes"

// validJSON tells whether raw is one JSON value (RFC 8259) with white space around it
// that is nested no deeper than levels: what json.Valid and depth say, in a sixth of
// the time (bench ingest). fastjson takes more than JSON, and so cannot be asked.
func validJSON(raw []byte, levels int) bool {
	i := valueEnd(raw, 0, levels)
	return i >= 0 && skipSpace(raw, i) == len(raw)
}

// valueEnd gives the place behind the value that begins at i, or behind white space
// there; -1 where there is none.
func valueEnd(raw []byte, i, levels int) int {
	if i = skipSpace(raw, i); i == len(raw) {
		return -1
	}
	switch c := raw[i]; c {
	case '{', '[':
		if levels == 0 {
			return -1
		}
		return itemsEnd(raw, i+1, levels-1, c == '{')
	case '"':
		return stringEnd(raw, i+1)
	case 't':
		return wordEnd(raw, i, "true")
	case 'f':
		return wordEnd(raw, i, "false")
	case 'n':
		return wordEnd(raw, i, "null")
	}
	return numberEnd(raw, i)
}

// itemsEnd is for what stands in an object or a list.
func itemsEnd(raw []byte, i, levels int, object bool) int {
	last := byte(']')
	if object {
		last = '}'
	}
	if i = skipSpace(raw, i); i < len(raw) && raw[i] == last {
		return i + 1
	}
	for {
		if object {
			if i = skipSpace(raw, i); i == len(raw) || raw[i] != '"' {
				return -1
			}
			if i = stringEnd(raw, i+1); i < 0 {
				return -1
			}
			if i = skipSpace(raw, i); i == len(raw) || raw[i] != ':' {
				return -1
			}
			i++
		}
		if i = valueEnd(raw, i, levels); i < 0 {
			return -1
		}
		if i = skipSpace(raw, i); i == len(raw) {
			return -1
		}
		switch raw[i] {
		case ',':
			i++
		case last:
			return i + 1
		default:
			return -1
		}
	}
}

// stringEnd is for what stands behind a quotation mark.
func stringEnd(raw []byte, i int) int {
	for i < len(raw) {
		switch c := raw[i]; {
		case c == '"':
			return i + 1
		case c < ' ':
			return -1
		case c != '\\':
			i++
		case i+1 == len(raw):
			return -1
		case raw[i+1] == 'u':
			if i+6 > len(raw) || !isHex(raw[i+2]) || !isHex(raw[i+3]) || !isHex(raw[i+4]) || !isHex(raw[i+5]) {
				return -1
			}
			i += 6
		case bytes.IndexByte([]byte(`"\/bfnrt`), raw[i+1]) < 0:
			return -1
		default:
			i += 2
		}
	}
	return -1
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func wordEnd(raw []byte, i int, word string) int {
	if len(raw)-i < len(word) || string(raw[i:i+len(word)]) != word {
		return -1
	}
	return i + len(word)
}

func numberEnd(raw []byte, i int) int {
	if raw[i] == '-' {
		i++
	}
	if i < len(raw) && raw[i] == '0' {
		i++ // nothing but a fraction or an exponent behind it
	} else if i = digitsEnd(raw, i); i < 0 {
		return -1
	}
	if i < len(raw) && raw[i] == '.' {
		if i = digitsEnd(raw, i+1); i < 0 {
			return -1
		}
	}
	if i < len(raw) && raw[i]|0x20 == 'e' {
		if i++; i < len(raw) && (raw[i] == '+' || raw[i] == '-') {
			i++
		}
		return digitsEnd(raw, i)
	}
	return i
}

// digitsEnd wants one digit at least.
func digitsEnd(raw []byte, i int) int {
	from := i
	for i < len(raw) && raw[i] >= '0' && raw[i] <= '9' {
		i++
	}
	if i == from {
		return -1
	}
	return i
}

func skipSpace(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\t' || raw[i] == '\r') {
		i++
	}
	return i
}
