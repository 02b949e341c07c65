package e2e

import (
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
)

func TestAssetTellsItsRiskAndWhy(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin := login(t, r.URL(), "admin", testPassword)
	raise(t, r, "web-1", "web-2")
	raise(t, r, "web-1")
	type asset struct {
		ID, Name, Owner, Criticality string
		Version                      int
		Silent                       bool
		SilentAfter                  *string
		Risk                         struct {
			Score   float64
			Factors []struct{ Points, Weight float64 }
		}
		Alerts struct {
			Nodes []struct{ HostAsset struct{ Name string } }
		}
		Journal struct{ Nodes []struct{ Action string } }
	}
	const fields = `{ id name owner criticality version silent silentAfter risk { score formula factors { points weight decay criticality alert { title } } }
		alerts(first: 5) { nodes { hostAsset { name } } } journal(first: 5) { nodes { action } } }`
	list := func() []asset {
		t.Helper()
		var data struct{ Assets struct{ Nodes []asset } }
		post(t, r.URL(), admin, `{ assets(filter: {kind: {eq: HOST}}, first: 5) { nodes `+fields+` } }`, nil, &data)
		return data.Assets.Nodes
	}
	all := list()
	if len(all) != 2 || all[0].Risk.Score <= 0 || len(all[0].Risk.Factors) == 0 || len(all[0].Alerts.Nodes) == 0 || all[0].Alerts.Nodes[0].HostAsset.Name != all[0].Name {
		t.Fatalf("assets %+v", all)
	}
	for _, a := range all {
		sum := 0.0
		for _, f := range a.Risk.Factors {
			sum += f.Points
		}
		if diff := sum - a.Risk.Score; diff > 0.01 || diff < -0.01 {
			t.Errorf("%s: the factors add up to %f, the score is %f", a.Name, sum, a.Risk.Score)
		}
	}
	last := all[1]
	var data struct {
		AssetUpdate struct {
			Asset  asset
			Errors []struct{ Code string }
		}
	}
	update := func(input map[string]any) string {
		t.Helper()
		data.AssetUpdate.Errors = nil
		post(t, r.URL(), admin, `mutation($i: AssetUpdateInput!) { assetUpdate(input: $i) { asset `+fields+` errors { code } } }`, map[string]any{"i": input}, &data)
		if len(data.AssetUpdate.Errors) > 0 {
			return data.AssetUpdate.Errors[0].Code
		}
		return ""
	}
	if code := update(map[string]any{"id": last.ID, "expectedVersion": 1, "criticality": "CRITICAL", "owner": "platform team", "silentAfter": "PT1H"}); code != "" {
		t.Fatal(code)
	}
	if a := data.AssetUpdate.Asset; a.Owner != "platform team" || a.Version != 2 || *a.SilentAfter != "PT1H" || a.Risk.Score < 1.9*last.Risk.Score || a.Journal.Nodes[0].Action != "asset.update" {
		t.Errorf("updated: %+v", a)
	}
	if code := update(map[string]any{"id": last.ID, "expectedVersion": 1, "owner": "x"}); code != "CONFLICT" {
		t.Errorf("a stale version: %q", code)
	}
	if code := update(map[string]any{"id": last.ID, "silentAfter": "PT1S"}); code != "BAD_INPUT" {
		t.Errorf("silence of a second: %q", code)
	}
}
