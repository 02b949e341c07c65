package ingest

import (
	"bytes"
	"hash/maphash"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// record is a monitor.Record that is being filled. It finds fields by an index, keeps
// all texts of an event in one piece of memory, and names of fields, of which there
// are few, for good.
//
// Fields may be appended and values changed; a name that changes needs rename.
type record struct {
	*monitor.Record
	texts   strings.Builder // of this event; strings point into it
	names   words
	folded  words // lower case of hosts, users, channels
	spare   []byte
	clean   bool // no text of this event has to be looked at: see keep
	indexed int  // so many fields are in the index
	first   [indexSize]int32
	next    []int32 // beside Fields: the field before that has the same key, plus one
}

// indexSize is a power of two; records have some fifty fields.
const indexSize = 128

// begin prepares for an event.
func (r *record) begin(rec *monitor.Record, raw []byte) {
	r.Record = rec
	r.texts = strings.Builder{} // what was in it belongs to the event before
	r.texts.Grow(len(raw))
	r.clean = utf8.Valid(raw) && bytes.IndexByte(raw, 0) < 0 && !bytes.Contains(raw, escapedUnicode)
	r.forget()
}

// escapedUnicode may stand for NUL or half a character.
var escapedUnicode = []byte(`\u`)

// forget empties the index.
func (r *record) forget() {
	r.indexed, r.next = 0, r.next[:0]
	r.first = [indexSize]int32{}
}

// indexKey tells names apart by length and ends, which those of logs differ in.
func indexKey(name string) int {
	if name == "" {
		return 0
	}
	return (len(name)*37 + int(name[0])*11 + int(name[len(name)-1])*5 + int(name[len(name)/2])) & (indexSize - 1)
}

// find gives the first field of that name, nil where there is none.
func (r *record) find(name string) *monitor.Field {
	for ; r.indexed < len(r.Fields); r.indexed++ {
		key := indexKey(r.Fields[r.indexed].Name)
		r.next = append(r.next, r.first[key])
		r.first[key] = int32(r.indexed) + 1 //nolint:gosec // a record has at most a million bytes
	}
	found := int32(0)
	for i := r.first[indexKey(name)]; i != 0; i = r.next[i-1] {
		if r.Fields[i-1].Name == name {
			found = i
		}
	}
	if found == 0 {
		return nil
	}
	return &r.Fields[found-1]
}

// Get gives the values of the first field of that name, and whether it is there.
func (r *record) Get(name string) ([]monitor.Value, bool) {
	if f := r.find(name); f != nil {
		return f.Values, true
	}
	return nil, false
}

// has tells whether there is a field of that name.
func (r *record) has(name string) bool { return r.find(name) != nil }

// Text gives the first non-empty value of the first of the named fields that
// has one, or "".
func (r *record) Text(names ...string) string {
	for _, name := range names {
		values, _ := r.Get(name)
		for i := range values {
			if values[i].Kind != monitor.NullValue && values[i].Text != "" {
				return values[i].Text
			}
		}
	}
	return ""
}

// rename gives fields other names.
func (r *record) rename(to func(name string) string) {
	changed := false
	for i := range r.Fields {
		f := &r.Fields[i]
		if name := to(f.Name); len(name) != len(f.Name) || name != f.Name {
			f.Name, changed = name, true
		}
	}
	if changed {
		r.forget()
	}
}

// place appends a field and gives it with no values. It uses the memory of the fields
// that the record had before its Reset, which monitor.Record's Add does not.
func (r *record) place(name string) *monitor.Field {
	n := len(r.Fields)
	if n == cap(r.Fields) {
		r.Fields = append(r.Fields, monitor.Field{})
	}
	r.Fields = r.Fields[:n+1]
	f := &r.Fields[n]
	f.Name, f.Values = name, f.Values[:0]
	return f
}

// add appends a field.
func (r *record) add(name string, values ...monitor.Value) {
	f := r.place(name)
	f.Values = append(f.Values, values...)
}

// addOne appends a field with one value, which nearly all have.
func (r *record) addOne(name string, value monitor.Value) {
	f := r.place(name)
	f.Values = append(f.Values, value)
}

func (r *record) addText(name, value string) {
	r.addOne(name, monitor.Value{Kind: monitor.StringValue, Text: value})
}

// addUnlessThere adds a text under a name that the record does not have yet.
func (r *record) addUnlessThere(name, value string) {
	if value != "" && !r.has(name) {
		r.addText(name, value)
	}
}

// alias adds a field under another name, unless that name is there already.
func (r *record) alias(to string, from ...string) {
	if r.has(to) {
		return
	}
	for _, name := range from {
		if values, ok := r.Get(name); ok {
			r.add(to, values...) // a copy: fields share no memory
			return
		}
	}
}

// keep gives a text of the event's own; valid UTF-8 without NUL, which is what can be
// stored.
func (r *record) keep(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if !r.clean && (!utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0) {
		return clean(string(b))
	}
	start := r.texts.Len()
	r.texts.Write(b) // what stands in it does not move: strings of before keep their memory
	return r.texts.String()[start:]
}

// join keeps texts put together.
func (r *record) join(parts ...string) string {
	r.spare = r.spare[:0]
	for _, part := range parts {
		r.spare = append(r.spare, part...)
	}
	return r.keep(r.spare)
}

// name gives a key as the name of a field, with that of the object it is in.
func (r *record) name(prefix string, key []byte) string {
	if prefix == "" {
		return r.names.of(key, clean)
	}
	r.spare = append(append(append(r.spare[:0], prefix...), '.'), key...)
	return r.names.of(r.spare, clean)
}

// flatten adds every scalar below v to the record, nested names joined by dots.
func (r *record) flatten(prefix string, v *fastjson.Value) {
	switch v.Type() {
	case fastjson.TypeObject:
		v.GetObject().Visit(func(key []byte, child *fastjson.Value) { r.flatten(r.name(prefix, key), child) })
	case fastjson.TypeArray:
		r.flattenArray(prefix, v.GetArray())
	default:
		r.addOne(prefix, r.value(v))
	}
}

// flattenArray gives the scalars of an array to one field; objects in it add to
// the fields of their own names.
func (r *record) flattenArray(name string, items []*fastjson.Value) {
	var values []monitor.Value
	for _, item := range items {
		switch item.Type() {
		case fastjson.TypeObject, fastjson.TypeArray:
			r.flatten(name, item)
		default:
			values = append(values, r.value(item))
		}
	}
	if len(values) > 0 || len(items) == 0 {
		r.add(name, values...)
	}
}

func (r *record) value(v *fastjson.Value) monitor.Value {
	switch v.Type() {
	case fastjson.TypeNull:
		return monitor.Value{Kind: monitor.NullValue}
	case fastjson.TypeNumber:
		r.spare = v.MarshalTo(r.spare[:0])
		return monitor.Value{Kind: monitor.NumberValue, Text: r.keep(r.spare)}
	case fastjson.TypeTrue:
		return monitor.Value{Kind: monitor.BoolValue, Text: "true"}
	case fastjson.TypeFalse:
		return monitor.Value{Kind: monitor.BoolValue, Text: "false"}
	default:
		return monitor.Value{Kind: monitor.StringValue, Text: r.keep(v.GetStringBytes())}
	}
}

// lower gives a text in lower case.
func (r *record) lower(s string) string {
	if s == "" {
		return ""
	}
	r.spare = append(r.spare[:0], s...)
	return r.folded.of(r.spare, strings.ToLower)
}

// words remembers what was made of texts that come again and again. It has a fixed
// number of places; who comes last takes a place from who was there.
type words struct {
	places []word
}

type word struct{ text, made string }

const (
	wordPlaces   = 2_048 // a power of two
	maxWordBytes = 64
)

// wordSeed is drawn at the start: senders cannot choose texts that share a place.
var wordSeed = maphash.MakeSeed()

// of gives what spell makes of a text, in memory of its own.
func (w *words) of(text []byte, spell func(string) string) string {
	if len(text) > maxWordBytes {
		return spell(string(text))
	}
	place := w.place(text)
	if place.text != string(text) || place.made == "" { // compared without a copy
		own := string(text)
		*place = word{own, spell(own)}
	}
	return place.made
}

func (w *words) place(text []byte) *word {
	if w.places == nil {
		w.places = make([]word, wordPlaces)
	}
	return &w.places[maphash.Bytes(wordSeed, text)&(wordPlaces-1)]
}
