package ingest

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
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
	if found := v.Get(strings.ReplaceAll(path, "/", ".")); found != nil {
		return found
	}
	return v.Get(strings.Split(path, "/")...)
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

// flatten adds every scalar below v to the record, nested names joined by dots.
func flatten(rec *monitor.Record, prefix string, v *fastjson.Value) {
	switch v.Type() {
	case fastjson.TypeObject:
		v.GetObject().Visit(func(key []byte, child *fastjson.Value) {
			name := clean(string(key))
			if prefix != "" {
				name = prefix + "." + name
			}
			flatten(rec, name, child)
		})
	case fastjson.TypeArray:
		flattenArray(rec, prefix, v.GetArray())
	default:
		addValue(rec, prefix, valueOf(v))
	}
}

// addValue appends a field. It uses the memory of the fields
// that the record had before its Reset, which rec.Add does not.
func addValue(rec *monitor.Record, name string, values ...monitor.Value) {
	n := len(rec.Fields)
	if n == cap(rec.Fields) {
		rec.Fields = append(rec.Fields, monitor.Field{})
	}
	rec.Fields = rec.Fields[:n+1]
	f := &rec.Fields[n]
	f.Name, f.Values = name, append(f.Values[:0], values...)
}

// flattenArray gives the scalars of an array to one field; objects in it add to
// the fields of their own names.
func flattenArray(rec *monitor.Record, name string, items []*fastjson.Value) {
	var values []monitor.Value
	for _, item := range items {
		switch item.Type() {
		case fastjson.TypeObject, fastjson.TypeArray:
			flatten(rec, name, item)
		default:
			values = append(values, valueOf(item))
		}
	}
	if len(values) > 0 || len(items) == 0 {
		addValue(rec, name, values...)
	}
}

func valueOf(v *fastjson.Value) monitor.Value {
	switch v.Type() {
	case fastjson.TypeNull:
		return monitor.Value{Kind: monitor.NullValue}
	case fastjson.TypeNumber:
		return monitor.Value{Kind: monitor.NumberValue, Text: v.String()}
	case fastjson.TypeTrue, fastjson.TypeFalse:
		return monitor.Value{Kind: monitor.BoolValue, Text: v.String()}
	default:
		return monitor.Value{Kind: monitor.StringValue, Text: clean(string(v.GetStringBytes()))}
	}
}

// alias adds a field under another name, unless that name is there already.
func alias(rec *monitor.Record, to string, from ...string) {
	if _, there := rec.Get(to); there {
		return
	}
	for _, name := range from {
		if values, ok := rec.Get(name); ok {
			addValue(rec, to, values...) // a copy: fields share no memory
			return
		}
	}
}

func addText(rec *monitor.Record, name, value string) {
	addValue(rec, name, monitor.Value{Kind: monitor.StringValue, Text: value})
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
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		at = epoch(s, n)
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
	addr, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(s), "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}

func parsePort(s string) uint16 {
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

// addUnlessThere adds a text under a name that the record does not have yet.
func addUnlessThere(rec *monitor.Record, name, value string) {
	if _, there := rec.Get(name); !there && value != "" {
		addText(rec, name, value)
	}
}
