package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// Many entities of several kinds come in the order of their ids, null where there
// is none; an id that is none, and too many, are the caller's mistake.
func TestEntitiesComeInTheOrderOfTheirIDs(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin := login(t, r.URL(), "admin", testPassword)
	var listed struct {
		Users struct{ Nodes []struct{ ID, Name string } }
		Rules struct{ Nodes []struct{ ID, Title string } }
	}
	post(t, r.URL(), admin, `{ users(first: 1) { nodes { id name } } rules(first: 3) { nodes { id title } } }`, nil, &listed)
	rules, user := listed.Rules.Nodes, listed.Users.Nodes[0]
	const query = `query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Rule { title } ... on User { name } } }`

	var got struct {
		Nodes []*struct{ ID, Title, Name string }
	}
	absent := monitor.GlobalID(monitor.KindAlert, monitor.ID{15: 1}.String())
	post(t, r.URL(), admin, query, map[string]any{"ids": []string{rules[2].ID, absent, user.ID, rules[0].ID, rules[2].ID}}, &got)
	var told []string
	for _, n := range got.Nodes {
		if n == nil {
			told = append(told, "null")
			continue
		}
		told = append(told, n.ID+n.Title+n.Name)
	}
	want := []string{rules[2].ID + rules[2].Title, "null", user.ID + user.Name, rules[0].ID + rules[0].Title, rules[2].ID + rules[2].Title}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", told, want)
	}

	for name, ids := range map[string][]string{"no id": {"x"}, "too many": slices.Repeat([]string{user.ID}, 101), "too many events": slices.Repeat([]string{monitor.GlobalID(monitor.KindEvent, "x")}, 17)} {
		answer := post(t, r.URL(), admin, query, map[string]any{"ids": ids}, nil)
		if answer.code() != "BAD_INPUT" {
			t.Errorf("%s: %s", name, answer.code())
		}
	}
}
