package db

import "testing"

func TestOneStepOfATrimIsBounded(t *testing.T) {
	const big = maxTrimBytes/2 + 1
	for name, c := range map[string]struct {
		sizes   []int64
		entries int
		limit   uint
		reason  string
	}{
		"small":      {[]int64{1, 1, 1}, 3, 32, "more may be looked at the next time"},
		"large":      {[]int64{big, big, 1}, 1, 1, "two are too much for one transaction, and not to be looked at in vain"},
		"very large": {[]int64{3 * maxTrimBytes, 1}, 1, 1, "one has to go all the same"},
		"none":       {nil, 0, 32, "nothing is left"},
	} {
		t.Run(name, func(t *testing.T) {
			step := trim{maxBytes: 1, limit: 16}
			var oldest []oldEntry
			for _, size := range c.sizes {
				oldest = append(oldest, oldEntry{size: size})
			}
			done := step.cut(oldest, 100*maxTrimBytes)
			if done.Entries != c.entries || step.limit != c.limit {
				t.Errorf("%d entries go, then %d are looked at; want %d, %d: %s", done.Entries, step.limit, c.entries, c.limit, c.reason)
			}
		})
	}
}
