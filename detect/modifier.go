package detect

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// modifiers is what stands behind a field's name: CommandLine|contains|all.
// https://github.com/SigmaHQ/sigma-specification, appendix "Modifiers" 2.1
type modifiers struct {
	anchor    string // contains, startswith, endswith or ""
	kind      string // re, cidr, fieldref, exists or ""; the first three change what the value means
	flags     string // of re: some of "ims"
	compare   string // gt, gte, lt, lte or ""
	part      string // of a time: minute, hour, day, week, month, year or ""
	utf16     string // utf16le, utf16be, utf16 or ""
	base64    string // base64, base64offset or ""
	all       bool
	neq       bool
	cased     bool
	windash   bool
	expand    bool
	spellings []string // as they stand in the rule
}

// modifierSlots maps each modifier to its group. Two of one group exclude each
// other; flags of re are a group each.
var modifierSlots = map[string]string{
	"contains": "anchor", "startswith": "anchor", "endswith": "anchor",
	"re": "kind", "cidr": "kind", "fieldref": "kind", "exists": "kind",
	"i": "i", "ignorecase": "i", "m": "m", "multiline": "m", "s": "s", "dotall": "s",
	"gt": "compare", "gte": "compare", "lt": "compare", "lte": "compare",
	"minute": "part", "hour": "part", "day": "part", "week": "part", "month": "part", "year": "part",
	"wide": "utf16", "utf16le": "utf16", "utf16be": "utf16", "utf16": "utf16",
	"base64": "base64", "base64offset": "base64",
	"all": "all", "neq": "neq", "cased": "cased", "windash": "windash", "expand": "expand",
}

// partners lists, for each group that restricts its company, the groups that
// may stand beside it. Groups not listed here restrict nothing.
var partners = map[string][]string{
	"re":       {"i", "m", "s", "all", "neq", "expand"},
	"cidr":     {"all", "neq", "expand"},
	"fieldref": {"anchor", "all", "neq", "cased"},
	"exists":   {},
	"compare":  {"part", "all", "neq"},
	"part":     {"compare", "all", "neq"},
}

// parseKey splits "CommandLine|contains|all" into the field, without spaces,
// and its modifiers.
func parseKey(key *yaml.Node) (field string, m modifiers, err error) {
	key = follow(key)
	words := strings.Split(key.Value, "|")
	field = withoutSpaces(words[0])
	offset := len(words[0]) + 1
	used := make(map[string]string, len(words))
	for _, word := range words[1:] {
		if err := m.add(word, used); err != nil {
			return "", m, errorIn(key, offset, "%v", err)
		}
		offset += len(word) + 1
	}
	if err := m.check(used); err != nil {
		return "", m, errorAt(key, "%v", err)
	}
	if field == "" && (m.kind == "exists" || m.kind == "fieldref" || m.compare != "" || m.part != "") {
		return "", m, errorAt(key, "%s needs a field", strings.Join(m.spellings, "|"))
	}
	return field, m, nil
}

// add takes one modifier in. used maps groups to the modifier that took them.
func (m *modifiers) add(word string, used map[string]string) error {
	slot, known := modifierSlots[word]
	switch {
	case word == "":
		return fmt.Errorf("a modifier is missing after |")
	case !known:
		return fmt.Errorf("unknown modifier %q", shorten(word))
	case used[slot] == word:
		return fmt.Errorf("the modifier %s stands here twice", word)
	case used[slot] != "":
		return fmt.Errorf("the modifiers %s and %s exclude each other", used[slot], word)
	case len(slot) == 1 && m.kind != "re":
		return fmt.Errorf("the modifier %s must follow re", word)
	case slot == "base64" && m.anchor != "":
		return fmt.Errorf("the modifier %s must stand before %s", word, m.anchor)
	case slot == "utf16" && (m.anchor != "" || m.base64 != ""):
		return fmt.Errorf("the modifier %s must stand before %s", word, m.base64+m.anchor)
	}
	used[slot] = word
	m.spellings = append(m.spellings, word)
	m.set(slot, word)
	return nil
}

func (m *modifiers) set(slot, word string) {
	switch slot {
	case "anchor":
		m.anchor = word
	case "kind":
		m.kind = word
	case "i", "m", "s":
		m.flags += slot
	case "compare":
		m.compare = word
	case "part":
		m.part = word
	case "utf16":
		m.utf16 = strings.Replace(word, "wide", "utf16le", 1)
	case "base64":
		m.base64 = word
	case "all":
		m.all = true
	case "neq":
		m.neq = true
	case "cased":
		m.cased = true
	case "windash":
		m.windash = true
	case "expand":
		m.expand = true
	}
}

func (m *modifiers) check(used map[string]string) error {
	for _, slot := range []string{"kind", "compare", "part"} {
		word, taken := used[slot]
		if !taken {
			continue
		}
		rule := slot
		if slot == "kind" {
			rule = word
		}
		for _, other := range m.spellings {
			if other != word && !slices.Contains(partners[rule], modifierSlots[other]) {
				return fmt.Errorf("the modifiers %s and %s exclude each other", word, other)
			}
		}
	}
	return nil
}

// withoutSpaces is how field names are compared: Defender's "Source Name" is
// the rules' SourceName.
func withoutSpaces(name string) string {
	if !strings.Contains(name, " ") {
		return name
	}
	return strings.ReplaceAll(name, " ", "")
}
