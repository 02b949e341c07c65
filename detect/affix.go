package detect

// affixIndex finds texts by how they begin or end: by their first or last bytes,
// as many as size. Texts shorter than a size stand in an index of a smaller one.
type affixIndex struct {
	size  int
	found map[uint64][]int32 // positions in fieldIndex.postings
}

// affixSizes are the numbers of bytes looked at, the largest first. Six are as
// many as \x.exe has.
var affixSizes = []int{8, 6, 4, 3, 2, 1}

// newAffixes files texts by their beginnings, or their ends.
func newAffixes(texts map[string][]int32, prefixes bool) []affixIndex {
	var list []affixIndex
	for i, size := range affixSizes {
		x := affixIndex{size, map[uint64][]int32{}}
		for text, at := range texts {
			if len(text) < size || i > 0 && len(text) >= affixSizes[i-1] {
				continue
			}
			key := endOf(text, size)
			if prefixes {
				key = endOf(text[:size], size)
			}
			x.found[key] = append(x.found[key], at...)
		}
		if len(x.found) > 0 {
			list = append(list, x)
		}
	}
	return list
}

// endOf packs the last bytes of a text, up to 8.
func endOf(text string, size int) uint64 {
	var key uint64
	for i := len(text) - size; i < len(text); i++ {
		key = key<<8 | uint64(text[i])
	}
	return key
}

func (x *affixIndex) prefix(text string) []int32 {
	if len(text) < x.size {
		return nil
	}
	return x.found[endOf(text[:x.size], x.size)]
}

func (x *affixIndex) suffix(text string) []int32 {
	if len(text) < x.size {
		return nil
	}
	return x.found[endOf(text, x.size)]
}
