package feed

import "github.com/redis/go-redis/v9"

// NewRedisClient prepares a client of its own to the same Redis, for what else is
// shared between replicas. Hide takes the password out of the client's errors.
//
// Its user needs, beside what the feed needs, `+get +set +getex +eval +evalsha
// +time ~CHANNEL:*`; without these rights every replica counts for itself.
func NewRedisClient(o RedisOptions) (client redis.UniversalClient, hide func(error) error, err error) {
	b := &RedisBus{secret: &secret{file: o.PasswordFile}}
	if o.Pool == 0 {
		o.Pool = 16
	}
	if err := b.connect(o); err != nil {
		return nil, nil, err
	}
	return b.client, b.secret.hide, nil
}
