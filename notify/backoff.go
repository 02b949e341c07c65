package notify

import (
	"math/rand/v2"
	"time"
)

// maxRetryAfter bounds what a receiver may ask for.
const maxRetryAfter = 24 * time.Hour

// pause gives how long is waited after a number of failed tries, at least 1: three
// times as long each time, up to a bound, less up to half of it at random, so that
// what failed together does not come back together. A receiver that asks for more
// time gets it.
func (l *Limits) pause(tries int, retryAfter time.Duration) time.Duration {
	d := l.FirstRetry
	for i := 1; i < tries && d < l.LastRetry; i++ {
		d *= 3
	}
	d = min(d, l.LastRetry)
	d -= time.Duration(rand.Int64N(int64(d/2) + 1)) //nolint:gosec // jitter
	return max(d, min(retryAfter, maxRetryAfter))
}
