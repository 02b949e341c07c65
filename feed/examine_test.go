package feed_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/security-monitor/secmon/feed"
	"github.com/security-monitor/secmon/monitor"
)

// Every check of Redis is seen to find what it is for, on a real server.
func TestExamineFindsPlantedFaults(t *testing.T) {
	rights := func(rules ...string) []string {
		return append(user(append([]string{"resetchannels", "-@all", ">" + password}, rules...)...), "--requirepass", password)
	}
	keys := []string{"+get", "+set", "+getex", "+eval", "+evalsha", "+time", "~" + channel + ":*"}
	pubsub := []string{"+@connection", "+publish", "+subscribe", "&" + channel}
	asUser := func(o *feed.RedisOptions) {
		o.URL = strings.Replace(o.URL, "redis://", "redis://secmon:"+passwordURL+"@", 1)
	}
	for _, c := range []struct {
		name    string
		server  []string
		options func(*feed.RedisOptions)
		check   string
		state   monitor.State
	}{
		{name: "all is well"},
		{name: "just the rights that are needed", server: rights(append(pubsub, keys...)...), options: asUser},
		{name: "a wrong password", server: rights(append(pubsub, keys...)...), options: func(o *feed.RedisOptions) {
			o.URL = strings.Replace(o.URL, "redis://", "redis://secmon:planted@", 1)
		}, check: "redis.reach", state: monitor.StateFailure},
		{name: "no password", server: rights(pubsub...), check: "redis.reach", state: monitor.StateFailure},
		{name: "nobody there", options: func(o *feed.RedisOptions) { o.URL = "redis://127.0.0.1:1" }, check: "redis.reach", state: monitor.StateFailure},
		{name: "no address", options: func(o *feed.RedisOptions) { o.URL = "http://:" + password }, check: "redis.options", state: monitor.StateFailure},
		{name: "no rights for budgets", server: rights(pubsub...), options: asUser, check: "redis.rights", state: monitor.StateWarning},
		{name: "no script", server: rights(append(pubsub, "+get", "+set", "+getex", "+evalsha", "~"+channel+":*")...), options: asUser, check: "redis.rights", state: monitor.StateWarning},
		{name: "another channel", server: rights(append([]string{"+@connection", "+publish", "+subscribe", "&other"}, keys...)...), options: asUser, check: "redis.pubsub", state: monitor.StateFailure},
		{name: "may hear and not speak", server: rights(append([]string{"+@connection", "+subscribe", "&" + channel}, keys...)...), options: asUser, check: "redis.pubsub", state: monitor.StateFailure},
		{name: "no cluster", options: func(o *feed.RedisOptions) { o.Cluster = true }, check: "redis.cluster", state: monitor.StateFailure},
	} {
		t.Run(c.name, func(t *testing.T) {
			admin := redis.Options{}
			if len(c.server) > 0 {
				admin.Password = password
			}
			s := startServer(t, admin, c.server...)
			o := feed.RedisOptions{URL: "redis://" + s.addr(), Channel: channel, Log: slog.New(slog.DiscardHandler)}
			if c.options != nil {
				c.options(&o)
			}
			expect(t, feed.Examine(t.Context(), o), c.check, c.state)
		})
	}
}

func TestExamineKnowsClusters(t *testing.T) {
	nodes := startCluster(t, 0, redis.Options{})
	o := feed.RedisOptions{URL: "redis://" + nodes[0].addr(), Channel: channel, Cluster: true, Log: slog.New(slog.DiscardHandler)}
	expect(t, feed.Examine(t.Context(), o), "", "")
	for _, d := range feed.Examine(t.Context(), o) {
		if d.Check == "redis.pubsub" && !strings.Contains(d.Message, "sharded") {
			t.Errorf("on a cluster: %s", d.Message)
		}
	}
	o.Cluster, o.URL = false, "redis://"+ownerOf(nodes).addr()
	found := false
	for _, d := range feed.Examine(t.Context(), o) {
		found = found || d.Check == "redis.cluster" && d.State == monitor.StateWarning
	}
	if !found {
		t.Error("a cluster that the configuration does not know of was not found")
	}
}

// expect wants one finding and no other; none where check is "".
func expect(t *testing.T, all []monitor.Diagnosis, check string, state monitor.State) {
	t.Helper()
	found := check == ""
	for _, d := range all {
		if strings.Contains(d.Message+d.Advice, password) || strings.Contains(d.Message+d.Advice, passwordURL) {
			t.Errorf("the password is in %+v", d)
		}
		switch {
		case d.Check == check && d.State == state:
			found = true
			if d.Advice == "" {
				t.Errorf("%s says nothing to do", check)
			}
		case d.State != monitor.StateOK:
			t.Errorf("%s: %s: %s", d.Check, d.State, d.Message)
		}
	}
	if !found {
		t.Errorf("%s did not find it: %+v", check, all)
	}
}
