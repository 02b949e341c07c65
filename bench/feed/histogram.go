package feed

import (
	"math/bits"
	"time"
)

// histogram counts durations in buckets that grow with them: up to 128 µs each
// microsecond has its own, beyond it a bucket is at most 1/64 of its value wide.
type histogram struct {
	buckets [64 * 34]uint64 // up to 2^39 µs, about 6 days
	count   uint64
	most    time.Duration
}

func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	h.buckets[min(bucketOf(uint64(d.Microseconds())), len(h.buckets)-1)]++ //nolint:gosec // not negative
	h.count++
	h.most = max(h.most, d)
}

func (h *histogram) merge(other *histogram) {
	for i, n := range other.buckets {
		h.buckets[i] += n
	}
	h.count += other.count
	h.most = max(h.most, other.most)
}

// quantile gives the upper edge of the bucket in which share q of all lies.
func (h *histogram) quantile(q float64) time.Duration {
	rank, seen := uint64(q*float64(h.count)), uint64(0)
	for i, n := range h.buckets {
		seen += n
		if n > 0 && seen > rank {
			return min(time.Duration(upperEdge(i))*time.Microsecond, h.most) //nolint:gosec // at most 2^39
		}
	}
	return h.most
}

func bucketOf(us uint64) int {
	if us < 128 {
		return int(us) //nolint:gosec // small
	}
	shift := bits.Len64(us) - 7 // leaves 64 to 127
	return shift*64 + int(us>>shift)
}

func upperEdge(bucket int) uint64 {
	if bucket < 128 {
		return uint64(bucket) + 1 //nolint:gosec // not negative
	}
	shift := bucket/64 - 1
	return uint64(bucket%64+64+1) << shift //nolint:gosec // not negative
}
