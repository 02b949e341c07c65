package detect

import (
	_ "embed"
	"math/bits"
	"strings"
	"sync"
)

// typical is a text of the kind that events are made of. The grams that it has
// are common; patterns are found by those it does not have.
//
//go:embed typical.txt
var typical string

const gramSize = 4 // bytes; what is looked for in texts that are read once

// gramCounts counts the grams of typical, and its single bytes.
var gramCounts = sync.OnceValue(func() (counts struct {
	grams map[string]int
	bytes [256]int
},
) {
	counts.grams = make(map[string]int, len(typical))
	for line := range strings.Lines(fold(typical)) {
		line = strings.TrimRight(line, "\n")
		for i := range len(line) {
			counts.bytes[line[i]]++
			for _, n := range []int{gramSize - 1, gramSize} {
				if i+n <= len(line) {
					counts.grams[line[i:i+n]]++
				}
			}
		}
	}
	return counts
})

// gramCost estimates how common a gram of 3 or 4 folded bytes is: by far the most
// where typical has it, and otherwise by how common its bytes are.
func gramCost(gram string) int {
	counts := gramCounts()
	cost := 40 * counts.grams[gram]
	for i := range len(gram) {
		cost += bits.Len(uint(counts.bytes[gram[i]])) //nolint:gosec // a count
	}
	if len(gram) < gramSize {
		cost += 60
	}
	return min(cost, costCommon)
}

// rarestGram picks the gram that a text of at least 3 folded bytes is found by,
// and where in the text it is.
func rarestGram(text string) (gram string, offset int) {
	n, least := min(len(text), gramSize), 0
	for i := 0; i+n <= len(text); i++ {
		if cost := gramCost(text[i : i+n]); gram == "" || cost < least {
			gram, offset, least = text[i:i+n], i, cost
		}
	}
	return gram, offset
}

// gramIndex finds which of many grams of one size a text has, in one pass. A
// bitmap small enough for the processor's nearest cache says no to nearly every
// place; the table behind it is exact.
type gramIndex struct {
	size   int
	mask   uint32 // the bytes of a word that count
	shift  uint8  // of the hash, to the bitmap's size
	bitmap []uint64
	table  []gramEntry // open addressing; its length is a power of two
}

type gramEntry struct {
	gram  uint32
	found []gramPosting // nil where the place is free
}

// gramPosting is a text that has the gram: found at byte i of a value, the text
// must begin at byte i - offset.
type gramPosting struct {
	text   string
	offset int
	at     int32 // position in fieldIndex.postings
}

// stands tells whether the text stands where its gram was found.
func (p *gramPosting) stands(s string, gram int) bool {
	from := gram - p.offset
	return from >= 0 && strings.HasPrefix(s[from:], p.text)
}

// Bits a gram has in the bitmap: one in sixty-four places of a text that has none
// of the grams is looked up in vain.
const bitsPerGram = 64

func newGramIndex(size int, grams map[string][]gramPosting) *gramIndex {
	if len(grams) == 0 {
		return nil
	}
	bitmapBits := max(bits.Len(uint(len(grams)*bitsPerGram-1)), 6)
	tableBits := bits.Len(uint(2*len(grams) - 1))
	x := &gramIndex{
		size: size, mask: ^uint32(0) >> (8 * (gramSize - size)), shift: uint8(32 - bitmapBits), //nolint:gosec // 6 to 32
		bitmap: make([]uint64, 1<<(bitmapBits-6)), table: make([]gramEntry, 1<<tableBits),
	}
	for gram, found := range grams {
		g := gramOf(gram)
		h := hashGram(g) >> x.shift
		x.bitmap[h>>6] |= 1 << (h & 63)
		at := x.place(g)
		for x.table[at].found != nil {
			at = (at + 1) & uint32(len(x.table)-1) //nolint:gosec // fits
		}
		x.table[at] = gramEntry{g, found}
	}
	return x
}

func gramOf(s string) uint32 {
	var g uint32
	for i := range len(s) {
		g |= uint32(s[i]) << (8 * i)
	}
	return g
}

// hashGram spreads a gram over 32 bits (Fibonacci hashing, Knuth, volume 3, 6.4).
func hashGram(g uint32) uint32 { return g * 2654435769 }

func (x *gramIndex) place(g uint32) uint32 {
	return (hashGram(g) >> 7) & uint32(len(x.table)-1) //nolint:gosec // fits
}

func (x *gramIndex) lookup(g uint32) []gramPosting {
	for at := x.place(g); ; at = (at + 1) & uint32(len(x.table)-1) { //nolint:gosec // fits
		entry := &x.table[at]
		if entry.found == nil || entry.gram == g {
			return entry.found
		}
	}
}

// scan has the field consider every posting whose text stands in the value. Four
// grams are taken out of a word at once and share a branch, since hardly any is in
// the bitmap.
func (x *gramIndex) scan(e *event, f *fieldIndex, v *value, text string) {
	bitmap, mask, shift := x.bitmap, x.mask, x.shift&31
	last := uint32(len(bitmap) - 1) //nolint:gosec // a power of two
	for i := 0; i+x.size <= len(text); i += 4 {
		word := loadUpTo(text, i)
		a := hashGram(uint32(word)&mask) >> shift //nolint:gosec // the lower half is meant
		b := hashGram(uint32(word>>8)&mask) >> shift
		c := hashGram(uint32(word>>16)&mask) >> shift
		d := hashGram(uint32(word>>24)&mask) >> shift
		if (bitmap[a>>6&last]>>(a&63)|bitmap[b>>6&last]>>(b&63)|bitmap[c>>6&last]>>(c&63)|bitmap[d>>6&last]>>(d&63))&1 != 0 {
			for n := i; n < i+4 && n+x.size <= len(text); n++ {
				x.try(e, f, v, text, n)
			}
		}
	}
}

// try looks the gram at byte i up.
func (x *gramIndex) try(e *event, f *fieldIndex, v *value, text string, i int) {
	g := gramOf(text[i : i+x.size])
	if h := hashGram(g) >> x.shift; x.bitmap[h>>6]>>(h&63)&1 == 0 {
		return
	}
	found := x.lookup(g)
	for n := range found {
		if found[n].stands(text, i) {
			f.consider(e, found[n].at, v)
		}
	}
}
