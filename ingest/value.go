package ingest

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// Bounds of the envelope's texts, in characters or bytes; the raw record keeps everything.
const (
	maxName = 255    // characters: host, user, domain, action
	maxHash = 128    // characters
	maxText = 16_000 // bytes: command, process, paths, url, message
)

// text gives the first of the values at the paths that is a string, number or
// boolean, or a list that begins with one.
func text(v *fastjson.Value, paths ...string) string {
	for _, path := range paths {
		if s := scalar(at(v, path)); s != "" {
			return s
		}
	}
	return ""
}

// at follows a path of keys separated by slashes; a key of the whole rest with
// dots (as flat records have) is tried first.
func at(v *fastjson.Value, path string) *fastjson.Value {
	if v == nil {
		return nil
	}
	key, rest, nested := strings.Cut(path, "/")
	if !nested {
		return v.Get(path)
	}
	var room [64]byte
	dotted := append(room[:0], path...)
	for i, c := range dotted {
		if c == '/' {
			dotted[i] = '.'
		}
	}
	if found := v.Get(string(dotted)); found != nil {
		return found
	}
	for v = v.Get(key); nested && v != nil; {
		key, rest, nested = strings.Cut(rest, "/")
		v = v.Get(key)
	}
	return v
}

func scalar(v *fastjson.Value) string {
	if v == nil {
		return ""
	}
	switch v.Type() {
	case fastjson.TypeString:
		return clean(string(v.GetStringBytes()))
	case fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
		return v.String()
	case fastjson.TypeArray: // ECS allows lists everywhere
		if items := v.GetArray(); len(items) > 0 && items[0].Type() != fastjson.TypeArray {
			return scalar(items[0])
		}
		return ""
	default:
		return ""
	}
}

// clean makes text storable: valid UTF-8 (lone surrogates in escapes are not)
// without NUL.
func clean(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ReplaceAll(s, "\x00", "")
}

// timeLayouts are tried in order; those without a zone mean UTC.
var timeLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 -0700", "02/Jan/2006:15:04:05 -0700", time.RFC1123Z, time.RFC1123,
}

// earliest is before every log that anybody sends on purpose.
var earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

// parseTime reads a time as logs write it: a text with or without zone, or a
// number of seconds, milliseconds, microseconds or nanoseconds since 1970.
// What cannot be a time of the past gives ok false.
func parseTime(s string, received time.Time) (at time.Time, ok bool) {
	s = strings.TrimSpace(s)
	if n, ok := parseNumber(s); ok {
		at = epoch(s, n)
	} else if parsed, ok := parseClock(s); ok {
		at = parsed
	} else {
		for _, layout := range timeLayouts {
			if len(s) > 10 && len(layout) > 10 && s[10] != layout[10] { // the separator behind the date
				continue
			}
			if parsed, err := time.Parse(layout, s); err == nil {
				at = parsed
				break
			}
		}
	}
	at = at.UTC().Truncate(time.Microsecond)
	return at, past(at, received)
}

// past tells whether a time can be that of an event. Clocks may be a day ahead.
func past(at, received time.Time) bool {
	return at.After(earliest) && at.Before(received.Add(24*time.Hour))
}

// parseClock reads the form that most logs have, "2026-05-04 09:30:00.123" or with a T,
// in UTC: with a Z or without a zone. It is five times as fast as time.Parse.
func parseClock(s string) (at time.Time, ok bool) {
	s = strings.TrimSuffix(s, "Z")
	if len(s) < 19 || s[4] != '-' || s[7] != '-' || s[10] != 'T' && s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return at, false
	}
	var part [6]int
	for i, from := range [...]int{0, 5, 8, 11, 14, 17} {
		digits := s[from : from+2]
		if i == 0 {
			digits = s[:4]
		}
		for _, c := range []byte(digits) {
			if c < '0' || c > '9' {
				return at, false
			}
			part[i] = part[i]*10 + int(c-'0')
		}
	}
	nanos, unit := 0, 100_000_000
	if len(s) > 19 && (s[19] != '.' || len(s) == 20 || len(s) > 29) {
		return at, false
	}
	for _, c := range []byte(s[min(20, len(s)):]) {
		if c < '0' || c > '9' {
			return at, false
		}
		nanos += int(c-'0') * unit
		unit /= 10
	}
	at = time.Date(part[0], time.Month(part[1]), part[2], part[3], part[4], part[5], nanos, time.UTC)
	same := at.Day() == part[2] && at.Month() == time.Month(part[1]) && part[3] < 24 && part[4] < 60 && part[5] < 60 // else Date has carried over
	return at, same
}

// parseNumber is for texts that mostly are none: an error costs more than the rest.
func parseNumber(s string) (n float64, ok bool) {
	if s == "" || len(s) > 4 && (s[4] == '-' || s[2] == '/' || s[3] == ',') {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

// epoch tells the unit of a number by its size.
func epoch(s string, n float64) time.Time {
	if whole, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case whole > 1e17:
			return time.Unix(0, whole)
		case whole > 1e14:
			return time.UnixMicro(whole)
		case whole > 1e11:
			return time.UnixMilli(whole)
		default:
			return time.Unix(whole, 0)
		}
	}
	if n > 1e11 || n < 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(n * 1e6))
}

// parseIP reads an address; "-" and what is none give the zero Addr.
func parseIP(s string) netip.Addr {
	if s == "" || s == "-" {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(s), "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

func parsePort(s string) uint16 {
	if s == "" || s == "-" {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// cutRunes and cutBytes shorten text at a character's boundary.
func cutRunes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i]
		}
	}
	return s
}

func cutBytes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// base gives the last part of a Windows or Unix path.
func base(path string) string {
	if i := strings.LastIndexAny(path, `\/`); i >= 0 {
		return path[i+1:]
	}
	return path
}

// printable gives a line as UTF-8: bytes that are none as \xNN.
func printable(line []byte) string {
	if utf8.Valid(line) {
		return string(line)
	}
	var out strings.Builder
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		if r == utf8.RuneError && size == 1 {
			const digits = "0123456789abcdef"
			out.WriteString(`\x`)
			out.WriteByte(digits[line[0]>>4])
			out.WriteByte(digits[line[0]&15])
		} else {
			out.Write(line[:size])
		}
		line = line[size:]
	}
	return out.String()
}
