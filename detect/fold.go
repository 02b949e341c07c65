package detect

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// fold maps a text so that two texts fold to the same one exactly when they
// are equal without regard to case, under Unicode's simple folding, as in
// strings.EqualFold. Bytes that are no UTF-8 stay as they are. The result is
// for comparing only: it need not be lower case outside ASCII.
func fold(s string) string {
	upper := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			return foldUnicode(s)
		}
		upper = upper || 'A' <= c && c <= 'Z'
	}
	if !upper {
		return s
	}
	return strings.ToLower(s)
}

func foldUnicode(s string) string {
	b := make([]byte, 0, len(s)+8)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = append(b, s[i])
		} else {
			b = utf8.AppendRune(b, foldRune(r))
		}
		i += n
	}
	return string(b)
}

// foldRune gives the least rune of those that differ from r in case only, or
// the small letter where that is an ASCII capital: k for k, K and the Kelvin sign.
func foldRune(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}
