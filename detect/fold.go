package detect

import (
	"encoding/binary"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// fold maps a text so that two texts fold to the same one exactly when they
// are equal without regard to case, under Unicode's simple folding, as in
// strings.EqualFold. Bytes that are no UTF-8 stay as they are. The result is
// for comparing only: it need not be lower case outside ASCII.
func fold(s string) string {
	folded, _ := foldInto(nil, s)
	return folded
}

const (
	ones  = 0x0101010101010101 // a 1 in each byte
	highs = 0x80 * ones
)

// foldInto gives the folded text, and the arena with it appended unless s is
// folded already. The text is good as long as the arena's bytes are left alone.
func foldInto(arena []byte, s string) (folded string, grown []byte) {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if word := load(s, i); word&highs != 0 || capitals(word) != 0 {
			return foldRest(arena, s, i)
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return foldRest(arena, s, i)
		}
	}
	return s, arena
}

// foldRest folds a text that stays as it is up to byte i.
func foldRest(arena []byte, s string, i int) (folded string, grown []byte) {
	start := len(arena)
	arena = append(arena, s[:i]...)
	for ; i+8 <= len(s); i += 8 {
		word := load(s, i)
		if word&highs != 0 {
			break
		}
		arena = binary.LittleEndian.AppendUint64(arena, word|capitals(word)>>2) // 0x80 to 0x20, which makes A a
	}
	for i < len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				arena = append(arena, c)
			} else {
				arena = utf8.AppendRune(arena, foldRune(r))
			}
			i += n
			continue
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		arena = append(arena, c)
		i++
	}
	return unsafe.String(&arena[start], len(arena)-start), arena //nolint:gosec // only as long as the arena is, as the comment says
}

func isASCII(s string) bool {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if load(s, i)&highs != 0 {
			return false
		}
	}
	for ; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// load reads 8 bytes of s.
func load(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// loadUpTo reads 8 bytes of s, or as many as there are.
func loadUpTo(s string, i int) uint64 {
	if i+8 <= len(s) {
		return load(s, i)
	}
	if len(s) >= 8 {
		return load(s, len(s)-8) >> (8 * (i + 8 - len(s)))
	}
	var word uint64
	for n := len(s) - 1; n >= i; n-- {
		word = word<<8 | uint64(s[n])
	}
	return word
}

// capitals has the highest bit set of each byte that is an ASCII capital. All
// bytes must be ASCII: then no sum below carries into the next byte.
func capitals(word uint64) uint64 {
	fromA := word + (0x80-'A')*ones
	beyondZ := word + (0x80-'Z'-1)*ones
	return (fromA &^ beyondZ) & highs
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
