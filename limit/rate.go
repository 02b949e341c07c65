package limit

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/security-monitor/secmon/monitor"
)

// Period is the time in which a budget comes back whole.
const Period = time.Minute

// How long Redis may take, and for how long it is left alone when it failed.
const (
	redisTime = 50 * time.Millisecond
	pauseTime = time.Second
)

// localKeys bounds the budgets kept in this process; beyond it the one that was
// used longest ago is forgotten. About 200 bytes each.
const localKeys = 10_000

// Budget is what is left of a budget after a charge.
type Budget struct {
	Limit      int // points in Period
	Remaining  int
	Reset      time.Time     // when it is whole again
	RetryAfter time.Duration // above 0: refused; when the charge would be accepted
}

// Redis is what keeps budgets and documents for all replicas. Hide takes
// passwords out of the errors of a client.
type Redis struct {
	Client redis.UniversalClient
	Hide   func(error) error
	Log    *slog.Logger
	Prefix string // of all keys

	pausedUntil atomic.Int64 // Unix nanoseconds
	failing     atomic.Bool  // the log was told

	// Failures count the calls that Redis did not answer in time, or refused.
	Failures atomic.Int64
}

// use runs f with a short deadline, or says that Redis is being left alone.
func (r *Redis) use(ctx context.Context, f func(context.Context) error) error {
	if r == nil || r.Client == nil {
		return errNoRedis
	}
	if time.Now().UnixNano() < r.pausedUntil.Load() {
		return errNoRedis
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), redisTime)
	defer cancel()
	err := f(ctx)
	if err == nil || errors.Is(err, redis.Nil) {
		if r.failing.Swap(false) {
			r.Log.Info("limits: redis is back")
		}
		return err
	}
	r.Failures.Add(1)
	r.pausedUntil.Store(time.Now().Add(pauseTime).UnixNano())
	if !r.failing.Swap(true) {
		if r.Hide != nil {
			err = r.Hide(err)
		}
		r.Log.Warn("limits: redis does not answer, budgets are kept by each replica until it does", "error", err)
	}
	return errNoRedis
}

var errNoRedis = errors.New("limit: redis is away")

// charge is the generic cell rate algorithm on one key: it keeps the time at
// which the budget is whole again, in microseconds. One key a call, so it runs
// on any node of a cluster; the clock is the server's, the same for all replicas.
//
// KEYS[1] budget; ARGV cost, limit, period in microseconds.
// Gives: microseconds until the budget is whole, microseconds to wait (0: taken).
var charge = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local cost, limit, period = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local whole = tonumber(redis.call('GET', KEYS[1]) or '0')
if whole < now then whole = now end
if whole > now + period then whole = now + period end
local after = whole + math.ceil(cost * period / limit)
local late = after - period - now
if late > 0 then return {whole - now, late} end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000) + 1)
return {after - now, 0}
`)

// Rate keeps budgets of points. It is safe for concurrent use.
type Rate struct {
	redis *Redis
	local *buckets
	now   func() time.Time

	// Local counts charges that this process decided alone.
	Local atomic.Int64
	// RefusedViewer and RefusedAddress count operations, by whose budget was used up.
	RefusedViewer, RefusedAddress atomic.Int64
}

// NewRate makes a Rate. Without a Redis every process has budgets of its own.
func NewRate(r *Redis, now func() time.Time) *Rate {
	if now == nil {
		now = time.Now
	}
	return &Rate{redis: r, local: newBuckets(localKeys), now: now}
}

// Take charges cost to a key's budget of limit points in Period. A charge that is
// refused takes nothing. While Redis is away each replica counts for itself,
// beginning with whole budgets.
func (r *Rate) Take(ctx context.Context, key string, cost, limit int) Budget {
	now := r.now()
	var whole, late time.Duration
	err := r.redis.use(ctx, func(ctx context.Context) error {
		got, err := charge.Run(ctx, r.redis.Client, []string{r.redis.Prefix + "rate:{" + key + "}"}, cost, limit, Period.Microseconds()).Int64Slice()
		if err == nil && len(got) != 2 {
			err = errors.New("limit: the script gave " + strconv.Itoa(len(got)) + " values")
		}
		if err == nil {
			whole, late = time.Duration(got[0])*time.Microsecond, time.Duration(got[1])*time.Microsecond
		}
		return err
	})
	if err != nil {
		r.Local.Add(1)
		whole, late = r.local.take(key, cost, limit, now)
	}
	used := int((int64(limit)*int64(whole) + int64(Period) - 1) / int64(Period))
	return Budget{Limit: limit, Remaining: max(0, limit-used), Reset: now.Add(whole), RetryAfter: late}
}

// Refusal is the error of a charge that was refused; nil for one that was not.
func (b Budget) Refusal(whose string) error {
	if b.RetryAfter <= 0 {
		return nil
	}
	seconds := int((b.RetryAfter + time.Second - 1) / time.Second)
	err := monitor.Errorf(monitor.CodeRateLimited, "%s budget of %d points a minute is used up; try again in %d s", whose, b.Limit, seconds)
	err.Details = map[string]any{"retryAfter": seconds, "limit": b.Limit, "remaining": b.Remaining, "resetAt": b.Reset.UTC().Format(time.RFC3339)}
	return err
}
