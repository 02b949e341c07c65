package monitor

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// RawFieldFilter compares what stands at a path of the raw record: a text, a number
// or a boolean as it is written. What is missing, null, a list or an object has no
// text: nothing but exists: false holds for it.
type RawFieldFilter struct {
	Path       string
	Eq         *string
	In         []string
	Contains   *string
	StartsWith *string
	Exists     *bool
}

// Bounds of a path.
const (
	maxRawPath  = 300 // bytes
	maxRawNames = 10
	rawPrefix   = "raw."
)

func (b *filterBuilder) rawField(p *Predicate, f *RawFieldFilter) {
	if why := badRawPath(f.Path); why != "" {
		b.fail("rawFields", "the path %q %s", f.Path, why)
		return
	}
	before := len(p.Tests)
	b.text(p, FilterField(rawPrefix+f.Path), &StringFilter{Eq: f.Eq, In: f.In, Contains: f.Contains, StartsWith: f.StartsWith, Exists: f.Exists})
	if len(p.Tests) == before {
		b.fail("rawFields", "the path %q is compared with nothing", f.Path)
	}
}

// badRawPath says what is wrong with a path, "" for nothing.
func badRawPath(path string) string {
	names := strings.Split(path, ".")
	switch {
	case len(path) > maxRawPath:
		return "is too long"
	case len(names) > maxRawNames:
		return "has too many names"
	case !utf8.ValidString(path), strings.ContainsAny(path, "\"\\*"), strings.ContainsFunc(path, unicode.IsControl):
		return "holds a character that no path has"
	}
	for _, name := range names {
		if name == "" {
			return "has an empty name"
		}
	}
	return ""
}

// RawPath gives the path that a filter field is about, where it is one.
func RawPath(f FilterField) (path string, ok bool) { return strings.CutPrefix(string(f), rawPrefix) }

// RawPaths are the names within one another that a path may mean: each a name, or,
// as records of some shippers have it, the whole one name.
func RawPaths(path string) [][]string {
	names := strings.Split(path, ".")
	if len(names) == 1 {
		return [][]string{names}
	}
	return [][]string{names, {path}}
}

// at gives the texts at a path, in lower case.
func (r RawJSON) at(path string) (texts []string) {
	for _, names := range RawPaths(path) {
		if text, ok := r.scalar(names); ok {
			texts = append(texts, Fold(text))
		}
	}
	return texts
}

func (r RawJSON) scalar(names []string) (text string, ok bool) {
	at := json.RawMessage(r)
	for _, name := range names {
		var object map[string]json.RawMessage
		if len(at) == 0 || json.Unmarshal(at, &object) != nil {
			return "", false
		}
		at = object[name]
	}
	if len(at) == 0 {
		return "", false
	}
	switch at[0] {
	case '"':
		return text, json.Unmarshal(at, &text) == nil
	case '{', '[', 'n':
		return "", false
	default:
		return string(at), true
	}
}
