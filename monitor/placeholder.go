package monitor

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of placeholders.
const (
	MaxPlaceholders      = 100
	MaxPlaceholderValues = 1_000
	MaxPlaceholderValue  = 1_024    // bytes of one
	MaxPlaceholderBytes  = 64 << 10 // of the values of one list
	maxPlaceholderName   = 64
)

// Placeholders are lists of values by the name that rules have for them in
// %name%, such as Administrators or DomainControllers. Upper and lower case of
// names are one: the specification itself writes %Servers% and %servers%.
// https://github.com/SigmaHQ/sigma-specification, "Placeholders"
type Placeholders map[string][]string

// Values gives the list of that name, nil without one.
func (p Placeholders) Values(name string) []string {
	if values, ok := p[name]; ok {
		return values
	}
	for known, values := range p {
		if strings.EqualFold(known, name) {
			return values
		}
	}
	return nil
}

// Placeholder is one list of values as administrators have set it. Its JSON form
// is what the journal keeps.
type Placeholder struct {
	Name      string    `json:"placeholder"`
	Values    []string  `json:"values"`
	Version   int       `json:"version"`
	UpdatedAt time.Time `json:"updatedAt"`
}

var placeholderWord = regexp.MustCompile(`^\w+$`)

// Check gives BAD_INPUT for a list that cannot be.
func (p *Placeholder) Check() error {
	if len(p.Name) > maxPlaceholderName || !placeholderWord.MatchString(p.Name) {
		return InputErrorf("name", "a name has 1 to %d letters, digits and _, without the percent signs", maxPlaceholderName)
	}
	if len(p.Values) == 0 || len(p.Values) > MaxPlaceholderValues {
		return InputErrorf("values", "1 to %d values, not %d", MaxPlaceholderValues, len(p.Values))
	}
	size := 0
	for _, v := range p.Values {
		size += len(v)
		switch {
		case v == "" || len(v) > MaxPlaceholderValue:
			return InputErrorf("values", "a value has 1 to %d bytes, not %d", MaxPlaceholderValue, len(v))
		case !utf8.ValidString(v) || strings.ContainsAny(v, "\x00\r\n"):
			return InputErrorf("values", "a value is one line of text")
		}
	}
	if size > MaxPlaceholderBytes {
		return InputErrorf("values", "at most %d bytes in all, not %d", MaxPlaceholderBytes, size)
	}
	return nil
}

// PlaceholderSet is all lists, as they are stored.
type PlaceholderSet struct {
	Version int            `json:"version"` // grows with every change of any
	All     []*Placeholder `json:"lists"`   // by name, in lower case
}

// Find gives the list of that name, whatever its case, and where it stands or belongs.
func (s *PlaceholderSet) Find(name string) (int, bool) {
	return slices.BinarySearchFunc(s.All, strings.ToLower(name), func(p *Placeholder, name string) int {
		return strings.Compare(strings.ToLower(p.Name), name)
	})
}

// Lists gives the lists as rules read them. The nil set has none.
func (s *PlaceholderSet) Lists() Placeholders {
	if s == nil {
		return nil
	}
	lists := make(Placeholders, len(s.All))
	for _, p := range s.All {
		lists[p.Name] = p.Values
	}
	return lists
}
