package limit

import (
	"container/list"
	"sync"
	"time"
)

// buckets are the budgets of this process: the algorithm of charge, in a map of
// bounded size.
type buckets struct {
	most int

	mu    sync.Mutex
	byKey map[string]*list.Element
	used  *list.List // of *bucket, the newest in front
}

type bucket struct {
	key   string
	whole time.Time // when the budget is whole again
}

func newBuckets(most int) *buckets {
	return &buckets{most: most, byKey: map[string]*list.Element{}, used: list.New()}
}

// take charges a key; whole is the time until its budget is whole again, late how
// long the charge has to wait, 0 when it was taken.
func (b *buckets) take(key string, cost, limit int, now time.Time) (whole, late time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	element := b.byKey[key]
	if element == nil {
		if len(b.byKey) >= b.most {
			oldest := b.used.Back()
			delete(b.byKey, oldest.Value.(*bucket).key)
			b.used.Remove(oldest)
		}
		element = b.used.PushFront(&bucket{key: key})
		b.byKey[key] = element
	}
	b.used.MoveToFront(element)
	k := element.Value.(*bucket)
	if k.whole.Before(now) {
		k.whole = now
	}
	after := k.whole.Add(time.Duration((int64(cost)*int64(Period) + int64(limit) - 1) / int64(limit)))
	if late = after.Sub(now) - Period; late > 0 {
		return k.whole.Sub(now), late
	}
	k.whole = after
	return after.Sub(now), 0
}
