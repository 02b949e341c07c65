package detect

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/security-monitor/secmon/monitor"
)

// ruleWith makes a rule of a detection section, written at the margin.
func ruleWith(detection string) string {
	indented := "    " + strings.ReplaceAll(strings.TrimSpace(detection), "\n", "\n    ")
	return "title: t\nlogsource:\n    product: test\ndetection:\n" + indented + "\n"
}

// record makes a record of product "test" from a JSON object.
func record(t testing.TB, fields string) *monitor.Record {
	t.Helper()
	rec := &monitor.Record{LogSource: monitor.LogSource{Product: "test"}}
	var object map[string]any
	decode(t, []byte(fields), &object)
	for _, name := range sortedKeys(object) {
		addNested(rec, name, object[name])
	}
	return rec
}

func mustCompile(t testing.TB, source string) *Ruleset {
	t.Helper()
	rs := Compile([]*monitor.Rule{{Source: source}})
	for _, p := range rs.Problems() {
		t.Fatalf("%v in\n%s", p.Err, source)
	}
	return rs
}

// TestValues checks what one search does with one record.
func TestValues(t *testing.T) {
	long := `"` + strings.Repeat("a", 100_000) + `"`
	tests := []struct{ name, reason, search, record, want string }{
		// Plain values.
		{"equal", "a value means the whole field", `A: cmd`, `{"A":"cmd"}`, "yes"},
		{"part", "without a modifier a part is not enough", `A: cmd`, `{"A":"cmd.exe"}`, "no"},
		{"case", "case does not count", `A: CMD.exe`, `{"A":"cmd.EXE"}`, "yes"},
		{"case in Unicode", "nor outside ASCII", `A: 'ÄÖÜ-Σς'`, `{"A":"äöü-ΣΣ"}`, "yes"},
		{"Kelvin sign", "simple folding joins three letters", `A: 'K'`, `{"A":"` + "\u212a" + `"}`, "yes"},
		{"no full folding", "ß is one letter, ss are two", `A: 'strasse'`, `{"A":"straße"}`, "no"},
		{"folding that changes length", "Ⱥ has 2 bytes, ⱥ has 3", `A|endswith: 'Ⱥb'`, `{"A":"x` + "\u2c65" + `B"}`, "yes"},
		{"field case", "field names keep their case", `image: x`, `{"Image":"x"}`, "no"},
		{"field spaces in record", "Defender writes Source Name", `SourceName: x`, `{"Source Name":"x"}`, "yes"},
		{"field spaces in rule", "either way round", `'Source Name': x`, `{"SourceName":"x"}`, "yes"},
		{"dotted field", "nested fields have dots", `a.b: x`, `{"a":{"b":"x"}}`, "yes"},
		{"list is any", "one of several values will do", `A: [x, y]`, `{"A":"y"}`, "yes"},
		{"array", "one value of an array will do", `A: y`, `{"A":["x","y"]}`, "yes"},
		{"map is all", "all fields of a map must fit", "A: x\n  B: y", `{"A":"x","B":"z"}`, "no"},
		{"list of maps", "any map of a list will do", "- A: x\n- B: y", `{"A":"z","B":"y"}`, "yes"},

		// Wildcards and escapes.
		{"star", "a star is any text, also none", `A: 'a*c'`, `{"A":"ac"}`, "yes"},
		{"question mark", "exactly one character", `A: 'a?c'`, `{"A":"ac"}`, "no"},
		{"question mark in Unicode", "a character, not a byte", `A: 'a?c'`, `{"A":"aüc"}`, "yes"},
		{"star in contains", "wildcards work inside contains", `A|contains: 'a*c'`, `{"A":"xx a--c yy"}`, "yes"},
		{"question mark in endswith", "and inside endswith", `A|endswith: '\a?.exe'`, `{"A":"C:\\ab.exe"}`, "yes"},
		{"escaped star", "a star itself", `A: 'a\*c'`, `{"A":"abc"}`, "no"},
		{"escaped star found", "a star itself", `A: 'a\*c'`, `{"A":"a*c"}`, "yes"},
		{"escaped question mark", "a question mark itself", `A|contains: 'q\?x=1'`, `{"A":"/q?x=1"}`, "yes"},
		{"lone backslash", "a backslash before a letter is itself", `A: 'C:\Windows'`, `{"A":"C:\\Windows"}`, "yes"},
		{"double backslash", "is one backslash", `A: 'C:\\Windows'`, `{"A":"C:\\Windows"}`, "yes"},
		{"double backslash is not two", "is one backslash", `A: 'C:\\Windows'`, `{"A":"C:\\\\Windows"}`, "no"},
		{"four backslashes", "are two", `A: '\\\\server'`, `{"A":"\\\\server"}`, "yes"},
		{"three backslashes", "are two, too", `A: '\\\server'`, `{"A":"\\\\server"}`, "yes"},
		{"backslash and wildcard", "the wildcard stays one", `A: 'C:\\*.exe'`, `{"A":"C:\\x.exe"}`, "yes"},
		{"backslash and literal star", "both are themselves", `A: 'C:\\\*'`, `{"A":"C:\\*"}`, "yes"},
		{"backslash at the end", "is itself", `A|endswith: '\'`, `{"A":"C:\\"}`, "yes"},
		{"contains nothing", "an empty text is in every value", `A|contains: ''`, `{"A":"x"}`, "yes"},
		{"contains nothing, absent", "but there must be a value", `A|contains: ''`, `{"B":"x"}`, "no"},
		{"star alone", "any value", `A: '*'`, `{"A":""}`, "yes"},
		{"overlap", "prefix and suffix may not share characters", `A: 'aba*aba'`, `{"A":"ababa"}`, "no"},
		{"many stars", "the time stays bounded", `A: '*a*a*a*a*a*a*a*a*a*a*b'`, `{"A":` + long + `}`, "no"},

		// all.
		{"contains all", "each value must be there", `A|contains|all: [a, b]`, `{"A":"xbxax"}`, "yes"},
		{"contains all, one missing", "each value must be there", `A|contains|all: [a, c]`, `{"A":"xbxax"}`, "no"},
		{"all over an array", "each value may be found in another element", `A|all: [a, b]`, `{"A":["a","b"]}`, "yes"},
		{"startswith", "at the beginning", `A|startswith: ab`, `{"A":"ABc"}`, "yes"},
		{"startswith elsewhere", "at the beginning only", `A|startswith: ab`, `{"A":"xabc"}`, "no"},

		// Null, absent, empty, exists.
		{"null of null", "null is null", `A: null`, `{"A":null}`, "yes"},
		{"null of absent", "an absent field has no value", `A: null`, `{"B":1}`, "yes"},
		{"null of an empty array", "an empty array has no value", `A: null`, `{"A":[]}`, "yes"},
		{"null of empty", "an empty text is a value", `A: null`, `{"A":""}`, "no"},
		{"empty of empty", "'' is the empty text", `A: ''`, `{"A":""}`, "yes"},
		{"empty of null", "null is no text", `A: ''`, `{"A":null}`, "no"},
		{"empty of absent", "nothing is no text", `A: ''`, `{"B":1}`, "no"},
		{"star of null", "null is no value", `A: '*'`, `{"A":null}`, "no"},
		{"exists of null", "a null field exists", `A|exists: true`, `{"A":null}`, "yes"},
		{"exists of empty", "an empty field exists", `A|exists: true`, `{"A":""}`, "yes"},
		{"exists of an empty array", "so does one without values", `A|exists: true`, `{"A":[]}`, "yes"},
		{"exists of absent", "an absent one does not", `A|exists: true`, `{"B":1}`, "no"},
		{"exists false", "asks for absence", `A|exists: false`, `{"B":1}`, "yes"},
		{"exists false of null", "null is not absence", `A|exists: false`, `{"A":null}`, "no"},
		{"null in a list", "values and null may be mixed", `A: [x, null]`, `{"B":1}`, "yes"},

		// Numbers and booleans.
		{"number", "as numbers", `A: 4688`, `{"A":4688}`, "yes"},
		{"number of text", "a text that is that number", `A: 4688`, `{"A":"4688"}`, "yes"},
		{"number of decimal", "in any spelling", `A: 4688`, `{"A":4688.0}`, "yes"},
		{"number of exponent", "in any spelling", `A: 4688`, `{"A":4.688e3}`, "yes"},
		{"text of number", "a quoted number finds the number", `A: '4688'`, `{"A":4688.0}`, "yes"},
		{"text of text", "texts are compared as texts", `A: '4688'`, `{"A":"4688.0"}`, "no"},
		{"leading zero", "007 is a text", `A: 7`, `{"A":"007"}`, "no"},
		{"large numbers", "float64 holds these two for equal", `A: 9223372036854775807`, `{"A":9223372036854775806}`, "no"},
		{"hexadecimal as written", "a mask is found in its spelling", `A: 0x1410`, `{"A":"0x1410"}`, "yes"},
		{"hexadecimal as number", "and as the number it is", `A: 0x10`, `{"A":16}`, "yes"},
		{"hexadecimal as number, cased", "a number has no case", `A|cased: 0x10`, `{"A":16}`, "yes"},
		{"number is not a boolean", "true is not 1", `A: 1`, `{"A":true}`, "no"},
		{"boolean", "true", `A: true`, `{"A":true}`, "yes"},
		{"boolean of text", "Windows writes it as a text", `A: true`, `{"A":"True"}`, "yes"},
		{"contains of number", "a number has a spelling", `A|contains: 68`, `{"A":4688}`, "yes"},
		{"gt", "greater", `A|gt: 5`, `{"A":"5.1"}`, "yes"},
		{"gt of equal", "not equal", `A|gt: 5`, `{"A":5}`, "no"},
		{"gte of equal", "or equal", `A|gte: 5`, `{"A":5.0}`, "yes"},
		{"lt of negative", "signs count", `A|lt: -5`, `{"A":-6}`, "yes"},
		{"lte by size, not spelling", "10 is more than 9", `A|lte: 9`, `{"A":10}`, "no"},
		{"gt of text", "a text is no number", `A|gt: 5`, `{"A":"six"}`, "no"},
		{"gt of large numbers", "without rounding", `A|gt: 9223372036854775806`, `{"A":9223372036854775807}`, "yes"},

		// neq, cased.
		{"neq", "differs", `A|neq: x`, `{"A":"y"}`, "yes"},
		{"neq of equal", "without regard to case", `A|neq: x`, `{"A":"X"}`, "no"},
		{"neq of a list", "none of them", `A|neq: [x, y]`, `{"A":"y"}`, "no"},
		{"neq of absent", "nothing differs from something", `A|neq: x`, `{"B":1}`, "yes"},
		{"neq with contains", "neq turns the whole item round", `A|contains|neq: x`, `{"A":"axb"}`, "no"},
		{"neq of null", "a field with a value", `A|neq: null`, `{"A":"x"}`, "yes"},
		{"cased", "case counts", `A|cased: Ab`, `{"A":"ab"}`, "no"},
		{"cased contains", "case counts", `A|contains|cased: Ab`, `{"A":"xAbx"}`, "yes"},

		// Regular expressions.
		{"re", "found anywhere", `A|re: 'b+c'`, `{"A":"abbcd"}`, "yes"},
		{"re is cased", "case counts by default", `A|re: 'ABC'`, `{"A":"abc"}`, "no"},
		{"re i", "unless asked otherwise", `A|re|i: 'ABC'`, `{"A":"xabcx"}`, "yes"},
		{"re anchors", "the whole text", `A|re: '^b$'`, `{"A":"a\nb\nc"}`, "no"},
		{"re m", "each line", `A|re|m: '^b$'`, `{"A":"a\nb\nc"}`, "yes"},
		{"re dot", "not a line break", `A|re: 'a.b'`, `{"A":"a\nb"}`, "no"},
		{"re s", "also a line break", `A|re|s: 'a.b'`, `{"A":"a\nb"}`, "yes"},
		{"re flags together", "several flags", `A|re|i|s: 'A.B'`, `{"A":"a\nb"}`, "yes"},
		{"re of number", "a number has a spelling", `A|re: '^46'`, `{"A":4688}`, "yes"},
		{"re with all", "each expression", `A|re|all: ['a', 'z']`, `{"A":"abc"}`, "no"},
		{"re keeps backslashes", "no Sigma escapes in it", `A|re: 'C:\\\\W'`, `{"A":"C:\\\\W"}`, "yes"},
		{"re guard with case", "the guard may not be stricter than the expression", `A|re: '(?i)STRASSE|x'`, `{"A":"strasse"}`, "yes"},
		{"re of null", "null has no text", `A|re: '.*'`, `{"A":null}`, "no"},

		// windash.
		{"windash slash", "a dash stands for five characters", `A|contains|windash: ' -f '`, `{"A":"x /f y"}`, "yes"},
		{"windash en dash", "the second", `A|contains|windash: ' -f '`, `{"A":"x –f y"}`, "yes"},
		{"windash em dash", "the third", `A|contains|windash: ' /f '`, `{"A":"x —f y"}`, "yes"},
		{"windash bar", "the fourth", `A|windash|contains: ' -f '`, `{"A":"x ―f y"}`, "yes"},
		{"windash figure dash", "but not the figure dash", `A|contains|windash: ' -f '`, `{"A":"x ‒f y"}`, "no"},
		{"windash in a word", "a dash inside a word is itself", `A|contains|windash: 'a-b'`, `{"A":"a/b"}`, "no"},
		{"windash all", "each in its own spelling", `A|windash|contains|all: [' -a', ' -b']`, `{"A":"x /a –b"}`, "yes"},
		{"windash mixed", "two dashes vary on their own", `A|contains|windash: ' -a -b'`, `{"A":"x /a –b"}`, "yes"},
		{"windash at the end of endswith", "anchors hold", `A|endswith|windash: ' -x'`, `{"A":"y —X"}`, "yes"},
		{"windash with base64", "each spelling is encoded", `A|windash|base64: '-x'`, `{"A":"L3g="}`, "yes"},

		// Encodings.
		{"base64", "whole", `A|base64|contains: 'foobar'`, `{"A":"x Zm9vYmFy y"}`, "yes"},
		{"base64offset 0", "first position", `A|base64offset|contains: 'foobar'`, `{"A":"Zm9vYmFy"}`, "yes"},
		{"base64offset 1", "second position", `A|base64offset|contains: 'foobar'`, `{"A":"eGZvb2Jhcng="}`, "yes"},
		{"base64offset 2", "third position", `A|base64offset|contains: 'foobar'`, `{"A":"eHhmb29iYXJ4"}`, "yes"},
		{"base64offset, else", "nothing of it", `A|base64offset|contains: 'foobar'`, `{"A":"eHhmb28="}`, "no"},
		{"wide base64offset", "PowerShell's -enc", `A|wide|base64offset|contains: 'IEX'`, `{"A":"powershell -enc SQBFAFgA"}`, "yes"},
		{"utf16be base64", "big endian", `A|utf16be|base64: 'ab'`, `{"A":"AGEAYg=="}`, "yes"},
		{"utf16 base64", "with byte order mark", `A|utf16|base64: 'ab'`, `{"A":"//5hAGIA"}`, "yes"},
		{"base64 of Unicode", "as UTF-8", `A|base64: 'ü'`, `{"A":"w7w="}`, "yes"},
		{"wide", "NULs between letters", `A|wide|contains: 'ab'`, `{"A":"xa\u0000b\u0000"}`, "yes"},
		{"wide with wildcard", "wildcards stay", `A|utf16le: 'a*b'`, `{"A":"a\u0000xxb\u0000"}`, "yes"},

		// cidr.
		{"cidr", "inside", `A|cidr: 10.0.0.0/8`, `{"A":"10.1.2.3"}`, "yes"},
		{"cidr outside", "outside", `A|cidr: 10.0.0.0/8`, `{"A":"11.1.2.3"}`, "no"},
		{"cidr mapped", "IPv4 in IPv6 clothes", `A|cidr: 10.0.0.0/8`, `{"A":"::ffff:10.1.2.3"}`, "yes"},
		{"cidr mapped in the rule", "the other way round", `A|cidr: '::ffff:10.0.0.0/104'`, `{"A":"10.1.2.3"}`, "yes"},
		{"cidr 6", "IPv6", `A|cidr: 'fe80::/10'`, `{"A":"FE80::1%eth0"}`, "yes"},
		{"cidr 6 outside", "IPv4 is not in an IPv6 network", `A|cidr: '::/0'`, `{"A":"10.1.2.3"}`, "no"},
		{"cidr host", "an address is a network of one", `A|cidr: 10.1.2.3`, `{"A":"10.1.2.3"}`, "yes"},
		{"cidr host bits", "host bits do not count", `A|cidr: 10.1.2.3/8`, `{"A":"10.9.9.9"}`, "yes"},
		{"cidr of text", "no address", `A|cidr: 10.0.0.0/8`, `{"A":"10.host"}`, "no"},

		// fieldref.
		{"fieldref", "two fields equal", `A|fieldref: B`, `{"A":"X","B":"x"}`, "yes"},
		{"fieldref differs", "two fields differ", `A|fieldref: B`, `{"A":"x","B":"y"}`, "no"},
		{"fieldref absent", "nothing to compare with", `A|fieldref: B`, `{"A":"x"}`, "no"},
		{"fieldref null", "nulls are not equal", `A|fieldref: B`, `{"A":null,"B":null}`, "no"},
		{"fieldref endswith", "A ends with B", `A|fieldref|endswith: B`, `{"A":"C:\\x.exe","B":"X.EXE"}`, "yes"},
		{"fieldref contains", "A contains B", `A|fieldref|contains: B`, `{"A":"abc","B":"b"}`, "yes"},
		{"fieldref startswith", "not B starts with A", `A|fieldref|startswith: B`, `{"A":"a","B":"abc"}`, "no"},
		{"fieldref neq", "differ", `A|fieldref|neq: B`, `{"A":"x","B":"y"}`, "yes"},
		{"fieldref numbers", "numbers by value", `A|fieldref: B`, `{"A":5,"B":"5.0"}`, "yes"},

		// Time.
		{"hour", "as written", `A|hour: 13`, `{"A":"2025-10-25T13:44:33.44+02:00"}`, "yes"},
		{"hour of date", "a date has none", `A|hour: 0`, `{"A":"2025-10-25"}`, "no"},
		{"hour compared", "with numeric modifiers", `A|hour|gte: 22`, `{"A":"2025-10-25 23:00:00"}`, "yes"},
		{"minute", "minute", `A|minute: 44`, `{"A":"2025-10-25T13:44:33Z"}`, "yes"},
		{"day", "day of the month", `A|day: 25`, `{"A":"2025-10-25"}`, "yes"},
		{"week", "ISO 8601", `A|week: 43`, `{"A":"2025-10-25"}`, "yes"},
		{"month", "month", `A|month: 10`, `{"A":"2025-10-25"}`, "yes"},
		{"year", "seconds since 1970", `A|year: 2023`, `{"A":1700000000}`, "yes"},
		{"year in milliseconds", "by length", `A|year: 2023`, `{"A":1700000000000}`, "yes"},
		{"year of text", "no date", `A|year: 2023`, `{"A":"yesterday"}`, "no"},

		// Keywords.
		{"keyword", "in any value", "- needle", `{"A":"x","B":"hay NEEDLE hay"}`, "yes"},
		{"keyword in a name", "names are not searched", "- needle", `{"needle":"x"}`, "no"},
		{"keyword list", "any of them", "- a1\n- b2", `{"B":"b2"}`, "yes"},
		{"keyword all", "all, each anywhere", `'|all': [a1, b2]`, `{"A":"a1","B":"b2"}`, "yes"},
		{"keyword all, one missing", "all", `'|all': [a1, c3]`, `{"A":"a1","B":"b2"}`, "no"},
		{"keyword wildcard", "wildcards work", "- 'a*c'", `{"A":"xxabcxx"}`, "yes"},
		{"keyword number", "as a word", "- 200", `{"A":"GET / 200 12"}`, "yes"},
		{"keyword number in a number", "not inside another", "- 200", `{"A":"GET / 1200 12"}`, "no"},
		{"keyword number as value", "or a value", "- 200", `{"A":200.0}`, "yes"},
		{"keyword re", "expressions too", `'|re': 'a.c'`, `{"A":"abc"}`, "yes"},
		{"keywords and maps", "a list may mix them", "- needle\n- A: x", `{"A":"x"}`, "yes"},
		{"keyword in null", "null has no text", "- null-ish", `{"A":null}`, "no"},
		{"single keyword", "a search may be one text", "needle", `{"A":"a needle"}`, "yes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			search := "sel:\n  " + strings.ReplaceAll(tt.search, "\n- ", "\n  - ")
			rs := mustCompile(t, ruleWith(search+"\ncondition: sel"))
			matches := rs.Match(record(t, tt.record), nil)
			if got := len(matches) == 1; got != (tt.want == "yes") {
				t.Errorf("fires: %v, want %s: %s", got, tt.want, tt.reason)
			}
		})
	}
}

// TestConditions runs conditions over searches that hold or do not: t* hold,
// f* do not, and so do _t and _f.
func TestConditions(t *testing.T) {
	const searches = "t1:\n  A: 1\nt2:\n  B: 1\nmid_t_x:\n  A: 1\nf1:\n  A: 2\nf2:\n  B: 2\n_t:\n  A: 1\n_f:\n  A: 2\n"
	tests := []struct {
		name, reason, condition string
		want                    bool
	}{
		{"single", "a name", "t1", true},
		{"and", "both", "t1 and f1", false},
		{"or", "either", "t1 or f1", true},
		{"not", "the opposite", "not f1", true},
		{"not not", "the same again", "not not t1", true},
		{"and before or", "and binds closer", "t1 or t2 and f1", true},
		{"or first in brackets", "brackets win", "(t1 or t2) and f1", false},
		{"not before and", "not binds closest", "not f1 and f2", false},
		{"capitals", "operators in any case", "t1 AND NOT f1", true},
		{"1 of", "one", "1 of t*", true},
		{"1 of none", "none", "1 of f*", false},
		{"all of", "all", "all of t*", true},
		{"all of, one not", "all", "all of *1", false},
		{"any of", "any is 1", "any of *1", true},
		{"2 of", "at least two", "2 of t*", true},
		{"3 of", "at least three, t* has two", "3 of t*", false},
		{"glob in the middle", "mid_t_x", "1 of mid_*_x", true},
		{"glob by mid-word", "id_t", "all of *id_t*", true},
		{"exact name", "a pattern without star", "1 of f1", false},
		{"1 of them", "some hold", "1 of them", true},
		{"all of them", "some do not", "all of them", false},
		{"hidden by pattern", "_t is meant by its own pattern", "all of _t*", true},
		{"not 1 of", "the usual filter", "t1 and not 1 of f*", true},
		{"of inside and", "of binds closest", "1 of f* or 1 of t* and not f1", true},
		{"tight brackets", "no spaces needed", "(t1)and(not(f1))", true},
		{"folded", "over two lines", ">\n  t1\n  and t2", true},
		{"list", "any condition of a list", "[f1, t1]", true},
		{"list of none", "none", "[f1, f2]", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rs := mustCompile(t, ruleWith(searches+"condition: "+tt.condition))
			if got := len(rs.Match(record(t, `{"A":1,"B":1}`), nil)) == 1; got != tt.want {
				t.Errorf("%q gives %v, want %v: %s", tt.condition, got, tt.want, tt.reason)
			}
		})
	}
}

func TestThemSkipsUnderscores(t *testing.T) {
	rs := mustCompile(t, ruleWith("a:\n  A: 1\n_b:\n  A: 2\ncondition: all of them"))
	if len(rs.Match(record(t, `{"A":1}`), nil)) != 1 {
		t.Error("_b counts among them")
	}
	rs = mustCompile(t, ruleWith("a:\n  A: 2\n_b:\n  A: 1\ncondition: 1 of *"))
	if len(rs.Match(record(t, `{"A":1}`), nil)) != 0 {
		t.Error("_b counts for a pattern without _")
	}
}

// TestLogSources checks which records a rule sees.
func TestLogSources(t *testing.T) {
	sysmon := monitor.LogSource{Product: "windows", Category: "process_creation", Service: "sysmon"}
	security := monitor.LogSource{Product: "windows", Category: "process_creation", Service: "security"}
	set := monitor.LogSource{Product: "windows", Category: "registry_set", Service: "sysmon"}
	tests := []struct {
		name, rule string
		record     monitor.LogSource
		want       bool
	}{
		{"category only", "category: process_creation", sysmon, true},
		{"product and category", "{product: windows, category: process_creation}", security, true},
		{"product and service", "{product: windows, service: security}", security, true},
		{"another service", "{product: windows, service: security}", sysmon, false},
		{"product only", "product: windows", set, true},
		{"another product", "{product: linux, category: process_creation}", sysmon, false},
		{"case", "{product: Windows, category: Process_Creation}", monitor.LogSource{Product: "WINDOWS", Category: "PROCESS_CREATION"}, true},
		{"all parts", "{product: windows, category: process_creation, service: sysmon}", sysmon, true},
		{"registry_event takes its parts in", "{product: windows, category: registry_event}", set, true},
		{"registry_set does not take the whole", "{product: windows, category: registry_set}", monitor.LogSource{Product: "windows", Category: "registry_event"}, false},
		{"part unknown to the record", "{product: aws, service: cloudtrail}", monitor.LogSource{Product: "aws"}, false},
		{"unknown record", "category: webserver", monitor.LogSource{}, false},
		{"service alone", "service: apache", monitor.LogSource{Product: "apache", Category: "webserver", Service: "apache"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rs := mustCompile(t, "title: t\nlogsource: "+flow(tt.rule)+"\ndetection: {s: {A: 1}, condition: s}\n")
			rec := record(t, `{"A":1}`)
			rec.LogSource = tt.record
			if got := len(rs.Match(rec, nil)); got > 1 || (got == 1) != tt.want {
				t.Errorf("%d matches, want %v", got, tt.want)
			}
		})
	}
}

func flow(s string) string {
	if strings.HasPrefix(s, "{") {
		return s
	}
	return "{" + s + "}"
}

// TestGoldenCases runs testdata/<case>: a rule, an event with its log source,
// and the evidence that is wanted, null where the rule must not fire.
func TestGoldenCases(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join("testdata", "*", "rule.yml"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range dirs {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			rs := mustCompile(t, string(readFile(t, path)))
			var event struct {
				LogSource monitor.LogSource `json:"logsource"`
				Fields    json.RawMessage   `json:"fields"`
			}
			decode(t, readFile(t, filepath.Join(dir, "event.json")), &event)
			rec := record(t, string(event.Fields))
			rec.LogSource = event.LogSource
			var want, got []monitor.MatchedField
			decode(t, readFile(t, filepath.Join(dir, "want.json")), &want)
			for _, m := range rs.Match(rec, nil) {
				got = m.Matched
			}
			if !slices.Equal(got, want) {
				shown, _ := json.MarshalIndent(got, "", "  ")
				t.Errorf("evidence is\n%s", shown)
			}
		})
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMatchesComeInOrderAndAreAppended(t *testing.T) {
	var rules []*monitor.Rule
	for i, source := range []string{"product: test", "category: c", "product: test", "service: s"} {
		rules = append(rules, &monitor.Rule{Version: i, Source: "title: t\nlogsource: {" + source + "}\ndetection: {s: {A: 1}, condition: s}\n"})
	}
	rules = append(rules, &monitor.Rule{Source: "title: ["}, &monitor.Rule{Source: "title: x\ncorrelation: {}\n"})
	rs := Compile(rules)
	if rs.Len() != 4 || len(rs.Problems()) != 2 {
		t.Fatalf("%d rules and problems %v", rs.Len(), rs.Problems())
	}
	rec := record(t, `{"A":1}`)
	rec.LogSource = monitor.LogSource{Product: "test", Category: "c", Service: "s"}
	matches := rs.Match(rec, []monitor.Match{{Rule: &monitor.Rule{Version: -1}}})
	for i, m := range matches {
		if m.Rule.Version != i-1 {
			t.Errorf("match %d is of rule %d", i, m.Rule.Version)
		}
	}
	if len(matches) != 5 {
		t.Errorf("%d matches, want the given one and four", len(matches))
	}
}

func TestEvidenceIsBoundedAndCopied(t *testing.T) {
	var many strings.Builder
	for i := range 100 {
		fmt.Fprintf(&many, "    - 'v%d'\n", i)
	}
	rs := mustCompile(t, ruleWith("sel:\n  A|contains:\n"+many.String()+"condition: sel"))
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, "v%d ü ", i)
	}
	rec := record(t, `{"A":"`+text.String()+strings.Repeat("ü", 5000)+`"}`)
	matches := rs.Match(rec, nil)
	if len(matches) != 1 || len(matches[0].Matched) != maxEvidence {
		t.Fatalf("%d matches", len(matches))
	}
	if n := len(matches[0].Matched[0].Value); n > maxEvidenceValue+len("…") {
		t.Errorf("a value of %d bytes is kept", n)
	}
}

func TestEngineSwapsWhileMatching(t *testing.T) {
	var e Engine
	rec := record(t, `{"A":1}`)
	if e.Ruleset() != nil || e.Match(rec, nil) != nil {
		t.Error("the zero Engine matches")
	}
	one := mustCompile(t, ruleWith("sel:\n  A: 1\ncondition: sel"))
	none := mustCompile(t, ruleWith("sel:\n  A: 2\ncondition: sel"))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			mine := record(t, `{"A":1}`)
			for range 2000 {
				if n := len(e.Match(mine, nil)); n > 1 {
					t.Errorf("%d matches", n)
				}
			}
		})
	}
	for range 1000 {
		e.Swap(one)
		e.Swap(none)
	}
	group.Wait()
	e.Swap(one)
	if len(e.Match(rec, nil)) != 1 || e.Ruleset() != one {
		t.Error("the last Ruleset is not in force")
	}
}
