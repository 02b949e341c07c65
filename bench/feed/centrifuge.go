package main

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/centrifugal/centrifuge"

	"github.com/security-monitor/secmon/monitor"
)

// broker is a server on the centrifuge library: a channel for each group, and
// the bytes that the others send to a subscriber as the publication. It filters
// nothing, replays nothing and checks nothing: the least that can be done.
func broker(groups int) (handler http.Handler, publish func([]monitor.Entry), err error) {
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelError, LogHandler: func(centrifuge.LogEntry) {}, ClientChannelLimit: 10})
	if err != nil {
		return nil, nil, err
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "bench"}}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(_ centrifuge.SubscribeEvent, cb centrifuge.SubscribeCallback) {
			cb(centrifuge.SubscribeReply{}, nil)
		})
	})
	if err := node.Run(); err != nil {
		return nil, nil, err
	}
	publish = func(entries []monitor.Entry) {
		for i := range entries {
			body := payload(&entries[i])
			for g := range groups {
				if _, err := node.Publish(channel(g), body); err != nil {
					panic(err)
				}
			}
		}
	}
	return centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{CheckOrigin: func(*http.Request) bool { return true }}), publish, nil
}

// payload is what the GraphQL servers answer for an entry.
func payload(e *monitor.Entry) []byte {
	a, _, err := monitor.States[monitor.Alert](e.Body.Changes[0])
	if err != nil {
		panic(err)
	}
	cursor := monitor.Position{Epoch: 1, Seq: e.Seq, Tag: monitor.TagOf(e.Hash)}.Cursor()
	text, err := json.Marshal(map[string]any{"data": map[string]any{"alertFeed": map[string]any{"cursor": cursor, "entries": []any{map[string]any{
		"change": "ENTERED", "cursor": cursor, "action": "alert.raise", "alert": map[string]any{
			"id": a.GlobalID(), "version": a.Version, "title": a.Title, "severity": a.Severity, "status": a.Status, "count": a.Count,
			"firstSeen": a.FirstSeen, "lastSeen": a.LastSeen, "host": a.Host, "user": a.User, "process": a.Process,
			"techniques": a.Techniques, "tags": a.Tags, "ruleAuthor": a.RuleAuthor,
		},
	}}}}})
	if err != nil {
		panic(err)
	}
	return text
}
