package e2e

import (
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// alertView is what the stories below read of an alert.
type alertView struct {
	ID, Status, Severity, RuleSeverity, Host string
	Version, Count                           int
	Tags                                     []string
	Assignee                                 *struct{ Name string }
	Claim                                    *struct{ User struct{ Name string } }
	MergedInto                               *struct{ ID string }
	Merged                                   struct{ Nodes []struct{ ID string } }
	Similar                                  []struct {
		Score   float64
		Reasons []string
		Alert   struct{ Host string }
	}
	Prevalence struct{ Alerts, Hosts, OnHost int }
}

const alertViewFields = `{ id status severity ruleSeverity host version count tags assignee { name } claim { user { name } } mergedInto { id }
	merged(first: 10) { nodes { id } } similar(first: 5) { score reasons alert { host } } prevalence { alerts hosts onHost } }`

// mutateAlert calls a mutation and gives the alert and the first error's code.
func mutateAlert(t *testing.T, r *replica, bearer, mutation string, input map[string]any) (alertView, string) {
	t.Helper()
	kind := string(mutation[0]-'a'+'A') + mutation[1:] + "Input!"
	var data map[string]struct {
		Alert  alertView
		Errors []struct{ Code string }
	}
	post(t, r.URL(), bearer, `mutation($input: `+kind+`) { `+mutation+`(input: $input) { alert `+alertViewFields+` errors { code } } }`, map[string]any{"input": input}, &data)
	got := data[mutation]
	if len(got.Errors) > 0 {
		return got.Alert, got.Errors[0].Code
	}
	return got.Alert, ""
}

func listAlerts(t *testing.T, r *replica, bearer, arguments string) []alertView {
	t.Helper()
	var data struct{ Alerts struct{ Nodes []alertView } }
	post(t, r.URL(), bearer, `{ alerts(first: 50`+arguments+`) { nodes `+alertViewFields+` } }`, nil, &data)
	return data.Alerts.Nodes
}

func TestTwoAnalystsWorkAnAlertFromNewToClosed(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	user(t, r, "ana", monitor.RoleAnalyst)
	user(t, r, "bob", monitor.RoleAnalyst)
	ana, bob := login(t, r.URL(), "ana", testPassword), login(t, r.URL(), "bob", testPassword)
	raise(t, r, "web-1", "web-2")
	watching := subscribed(t, r, bob, `subscription { alertFeed { entries { action alert { host claim { user { name } } } } } }`, nil)
	start := time.Now().UTC()
	var id string
	for _, a := range listAlerts(t, r, ana, "") {
		if a.Host == "web-1" {
			id = a.ID
		}
	}
	if a, code := mutateAlert(t, r, ana, "alertClaim", map[string]any{"id": id}); code != "" || a.Claim == nil || a.Claim.User.Name != "ana" {
		t.Fatalf("claim: %+v %s", a, code)
	}
	type batch struct {
		Entries []struct {
			Action string
			Alert  alertView
		}
	}
	if seen := read[batch](t, watching, "alertFeed"); len(seen.Entries) != 1 || seen.Entries[0].Action != "alert.claim" || seen.Entries[0].Alert.Claim.User.Name != "ana" {
		t.Errorf("Bob sees %+v, want that Ana looks at it", seen)
	}
	if _, code := mutateAlert(t, r, bob, "alertClaim", map[string]any{"id": id}); code != "CONFLICT" {
		t.Errorf("Bob's claim: %q", code)
	}
	a, code := mutateAlert(t, r, ana, "alertStart", map[string]any{"id": id, "expectedVersion": 1})
	if code != "" || a.Status != "IN_PROGRESS" || a.Assignee == nil || a.Assignee.Name != "ana" {
		t.Fatalf("start: %+v %s", a, code)
	}
	if b, code := mutateAlert(t, r, bob, "alertSetSeverity", map[string]any{"id": id, "expectedVersion": 1, "severity": "LOW"}); code != "CONFLICT" || b.Version != a.Version {
		t.Errorf("Bob's change of the old version: %+v %s, want CONFLICT and the present alert", b, code)
	}
	if a, code = mutateAlert(t, r, bob, "alertSetSeverity", map[string]any{"id": id, "severity": "LOW"}); code != "" || a.Severity != "LOW" || a.RuleSeverity != "HIGH" {
		t.Errorf("override: %+v %s", a, code)
	}
	if a, code = mutateAlert(t, r, bob, "alertSetSeverity", map[string]any{"id": id, "severity": nil}); code != "" || a.Severity != "HIGH" {
		t.Errorf("taken back: %+v %s", a, code)
	}
	if a, code = mutateAlert(t, r, ana, "alertTag", map[string]any{"id": id, "add": []string{"Phishing", "vip"}}); code != "" || len(a.Tags) < 2 {
		t.Errorf("tags: %+v %s", a.Tags, code)
	}
	if tagged := listAlerts(t, r, ana, `, filter: {tags: {has: "PHISHING"}}`); len(tagged) != 1 || tagged[0].ID != id {
		t.Errorf("found by tag: %+v", tagged)
	}
	if _, code = mutateAlert(t, r, ana, "alertTag", map[string]any{"id": id, "add": []string{" "}}); code != "BAD_INPUT" {
		t.Errorf("an empty tag: %q", code)
	}
	if a, code = mutateAlert(t, r, ana, "alertClose", map[string]any{"id": id, "disposition": "TRUE_POSITIVE", "reason": "contained"}); code != "" || a.Status != "CLOSED" {
		t.Errorf("close: %+v %s", a, code)
	}
	if a, code = mutateAlert(t, r, ana, "alertReopen", map[string]any{"id": id, "reason": "it is back"}); code != "" || a.Status != "IN_PROGRESS" {
		t.Errorf("reopened: %s %s, want the status it had", a.Status, code)
	}
	then := listAlerts(t, r, ana, `, asOf: "`+start.Format(time.RFC3339Nano)+`", orderBy: CREATED_AT_DESC`)
	if len(then) != 2 || then[0].Status != "NEW" || then[1].Status != "NEW" || then[0].Assignee != nil {
		t.Errorf("as of the beginning: %+v", then)
	}
}

func TestAlertsMergeAndShowTheirKin(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin := login(t, r.URL(), "admin", testPassword)
	raise(t, r, "web-1")
	raise(t, r, "web-2")
	raise(t, r, "web-3")
	all := listAlerts(t, r, admin, ", orderBy: CREATED_AT_DESC")
	if len(all) != 3 {
		t.Fatalf("%d alerts", len(all))
	}
	if p := all[0].Prevalence; p.Alerts != 3 || p.Hosts != 3 || p.OnHost != 1 {
		t.Errorf("prevalence %+v", p)
	}
	if len(all[0].Similar) != 2 || all[0].Similar[0].Score <= 0 {
		t.Errorf("similar %+v", all[0].Similar)
	}
	kept, code := mutateAlert(t, r, admin, "alertMerge", map[string]any{"id": all[0].ID, "from": []string{all[1].ID, all[2].ID}})
	if code != "" || kept.Count != 3 || len(kept.Merged.Nodes) != 2 {
		t.Fatalf("merged: %+v %s", kept, code)
	}
	part, code := mutateAlert(t, r, admin, "alertDetach", map[string]any{"id": all[1].ID})
	if code != "" || part.Status != "NEW" || part.MergedInto != nil {
		t.Errorf("detached: %+v %s", part, code)
	}
	if _, code := mutateAlert(t, r, admin, "alertReopen", map[string]any{"id": all[2].ID, "reason": "x"}); code != "CONFLICT" {
		t.Errorf("reopening a merged alert: %q, want CONFLICT", code)
	}
}
