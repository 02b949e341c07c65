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

// rarestGram picks the gram that a text of at least 3 folded bytes is found by.
func rarestGram(text string) string {
	n := min(len(text), gramSize)
	best, least := "", 0
	for i := 0; i+n <= len(text); i++ {
		gram := text[i : i+n]
		if cost := gramCost(gram); best == "" || cost < least {
			best, least = gram, cost
		}
	}
	return best
}

// gramIndex finds which of many grams of one size a text has, in one pass. A
// bitmap small enough for the processor's nearest cache says no to nearly every
// place; the table behind it is exact.
type gramIndex struct {
	size   int
	shift  uint8 // of the hash, to the bitmap's size
	bitmap []uint64
	table  []gramEntry // open addressing; its length is a power of two
}

type gramEntry struct {
	gram  uint32
	found []int32 // positions in fieldIndex.postings; nil where the place is free
}

// Bits a gram has in the bitmap: one in sixteen places of a text that has none of
// the grams is looked up in vain.
const bitsPerGram = 16

func newGramIndex(size int, grams map[string][]int32) *gramIndex {
	if len(grams) == 0 {
		return nil
	}
	bitmapBits := max(bits.Len(uint(len(grams)*bitsPerGram-1)), 6)
	tableBits := bits.Len(uint(2*len(grams) - 1))
	x := &gramIndex{
		size: size, shift: uint8(32 - bitmapBits), //nolint:gosec // 6 to 32
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
		g |= uint32(s[i]) << (8 * (i + gramSize - len(s)))
	}
	return g
}

// hashGram spreads a gram over 32 bits (Fibonacci hashing, Knuth, volume 3, 6.4).
func hashGram(g uint32) uint32 { return g * 2654435769 }

func (x *gramIndex) place(g uint32) uint32 {
	return (hashGram(g) >> 7) & uint32(len(x.table)-1) //nolint:gosec // fits
}

func (x *gramIndex) lookup(g uint32) []int32 {
	for at := x.place(g); ; at = (at + 1) & uint32(len(x.table)-1) { //nolint:gosec // fits
		entry := &x.table[at]
		if entry.found == nil || entry.gram == g {
			return entry.found
		}
	}
}

// scan calls e.consider for everything whose gram the text has.
func (x *gramIndex) scan(e *event, f *fieldIndex, v *value, text string) {
	if len(text) < x.size {
		return
	}
	mask := ^uint32(0) << (8 * (gramSize - x.size))
	bitmap, shift := x.bitmap, x.shift
	var g uint32
	for i := range x.size - 1 {
		g = g>>8 | uint32(text[i])<<24
	}
	for i := x.size - 1; i < len(text); i++ {
		g = g>>8 | uint32(text[i])<<24
		h := hashGram(g&mask) >> shift
		if bitmap[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		for _, at := range x.lookup(g & mask) {
			f.consider(e, at, v)
		}
	}
}
