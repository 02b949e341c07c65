package feed

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/security-monitor/secmon/monitor"
)

// examineTime bounds the questions to Redis together.
const examineTime = 10 * time.Second

// Examine says whether a Redis is what the program needs: rights, and a message
// that comes back over the channel. Running replicas take that for nothing. It
// leaves one key for a second. Its messages do not hold the password.
func Examine(ctx context.Context, o RedisOptions) []monitor.Diagnosis {
	ctx, cancel := context.WithTimeout(ctx, examineTime)
	defer cancel()
	b, err := NewRedisBus(o)
	if err != nil {
		return []monitor.Diagnosis{monitor.Fault("redis.options", err.Error(), "Check --redis-url, --redis-ca-file and --redis-password-file.")}
	}
	defer b.Close() //nolint:errcheck // it was only asked
	begun := time.Now()
	if err := b.Ping(ctx); err != nil {
		return []monitor.Diagnosis{aboutReach(err)}
	}
	found := []monitor.Diagnosis{monitor.Fine("redis.reach", "it answers in %s", time.Since(begun).Round(10*time.Microsecond))}
	found = append(found, b.examineKind(ctx)...)
	found = append(found, b.examineRights(ctx))
	return append(found, b.examineChannel(ctx))
}

func aboutReach(err error) monitor.Diagnosis {
	text := err.Error()
	for _, refusal := range []string{"NOAUTH", "WRONGPASS", "AUTH"} {
		if strings.Contains(text, refusal) {
			return monitor.Fault("redis.reach", "the server refuses the user: "+text, "Check user and password: in the URL, or in --redis-password-file.")
		}
	}
	if strings.Contains(text, "cluster support disabled") {
		return monitor.Fault("redis.cluster", "the server is no cluster", "Take --redis-cluster away.")
	}
	return monitor.Fault("redis.reach", "it does not answer: "+text, "Check host and port, rediss:// where the server wants TLS, DNS, security groups and network policies.")
}

// examineKind compares the server with the configuration, where the user may ask.
func (b *RedisBus) examineKind(ctx context.Context) []monitor.Diagnosis {
	info, err := b.client.Info(ctx, "server").Result()
	if err != nil {
		return nil // the right is not needed
	}
	about := map[string]string{}
	for line := range strings.Lines(info) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			about[key] = value
		}
	}
	version, cluster := about["redis_version"], about["redis_mode"] == "cluster"
	var major int
	_, _ = fmt.Sscanf(version, "%d.", &major) // 0 where it says something else
	found := monitor.Fine("redis.version", "%s", version)
	switch {
	case major < 6:
		found = monitor.Fault("redis.version", version, "Use Redis 6 or later, 7 or later for a cluster.")
	case b.cluster != nil && major < 7:
		found = monitor.Fault("redis.version", version+" has no sharded pub/sub", "Use Redis 7 or later for a cluster.")
	}
	all := []monitor.Diagnosis{found}
	if cluster && b.cluster == nil {
		all = append(all, monitor.Warn("redis.cluster", "the server is a node of a cluster, the configuration says it is one alone", "Set --redis-cluster: plain pub/sub goes through every node."))
	}
	return all
}

// examineRights tries what limits and stored operations use.
func (b *RedisBus) examineRights(ctx context.Context) monitor.Diagnosis {
	key := b.channel + ":doctor:" + rand.Text()
	var missing []string
	for _, try := range []struct {
		right string
		do    func() error
	}{
		{"+set", func() error { return b.client.Set(ctx, key, "x", time.Second).Err() }},
		{"+get", func() error { return b.client.Get(ctx, key).Err() }},
		{"+getex", func() error { return b.client.GetEx(ctx, key, time.Second).Err() }},
		{"+eval", func() error { return b.client.Eval(ctx, "return redis.call('TIME')[1]", []string{key}).Err() }},
		{"+evalsha", func() error { return b.client.EvalSha(ctx, strings.Repeat("0", 40), []string{key}).Err() }},
	} {
		if err := try.do(); err != nil && redis.HasErrorPrefix(err, "NOPERM") || err != nil && strings.Contains(err.Error(), "NOPERM") {
			missing = append(missing, try.right)
		}
	}
	if len(missing) > 0 {
		return monitor.Warn("redis.rights", "refused: "+strings.Join(missing, ", ")+" on keys "+b.channel+":*", "Give the user +get +set +getex +eval +evalsha +time ~"+b.channel+":*; without them each replica keeps budgets for itself.")
	}
	return monitor.Fine("redis.rights", "keys and scripts for budgets and stored operations")
}

// examineChannel sends a message over the channel of the feed and waits for it.
func (b *RedisBus) examineChannel(ctx context.Context) monitor.Diagnosis {
	const check = "redis.pubsub"
	kind, rights := "plain", "+publish +subscribe &"+b.channel
	if b.cluster != nil {
		kind, rights = "sharded", "+spublish +ssubscribe +cluster +command &"+b.channel
	}
	failed := func(what string, err error) monitor.Diagnosis {
		return monitor.Fault(check, what+": "+b.secret.hide(err).Error(), "Give the user "+rights+"; without them replicas poll the journal.")
	}
	sub, err := b.subscribe(ctx)
	if err != nil {
		_ = sub.Close() // it is there all the same
		return failed("cannot subscribe", err)
	}
	defer sub.Close() //nolint:errcheck // it was only asked
	if _, err := sub.Receive(ctx); err != nil {
		return failed("cannot subscribe", err)
	}
	mark := rand.Text()
	// Epoch 0 is nobody's: replicas look at the journal once more, and that is all.
	text, err := json.Marshal(map[string]string{"doctor": mark})
	if err != nil {
		return failed("cannot write", err)
	}
	begun := time.Now()
	if b.cluster != nil {
		err = b.cluster.SPublish(ctx, b.channel, text).Err()
	} else {
		err = b.client.Publish(ctx, b.channel, text).Err()
	}
	if err != nil {
		return failed("cannot publish", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	for {
		got, err := sub.ReceiveMessage(ctx)
		if err != nil {
			return monitor.Fault(check, "a message did not come back over "+b.channel+": "+cmp.Or(b.secret.hide(err), err).Error(), "Something between carries no pub/sub: connect to the server itself.")
		}
		if strings.Contains(got.Payload, mark) {
			return monitor.Fine(check, "%s, there and back in %s", kind, time.Since(begun).Round(10*time.Microsecond))
		}
	}
}
