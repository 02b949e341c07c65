package db_test

import (
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
	"github.com/security-monitor/secmon/page"
)

func TestSecretsOfMappingsAreSealedAnew(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	store := replica(t, dbtest.DSN(t), &clock)
	var ids []monitor.ID
	for i, secret := range [][]byte{{1}, nil, {3}, {4}} {
		header := ""
		if secret != nil {
			header = "X-Signature"
		}
		made := monitor.Mapping{ID: monitor.NewID(clock.Add(time.Duration(i) * time.Second)), Name: string(rune('a' + i)), Enabled: true, SignatureHeader: header, Secret: secret}
		if _, err := store.CreateMapping(t.Context(), monitor.SystemActor, made); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made.ID)
	}
	sealed := store.SealedColumns()[2] // of mappings
	first, err := sealed.SealedSecrets(t.Context(), monitor.ID{}, 2)
	if err != nil || len(first) != 2 || first[0].User != ids[0] || first[1].User != ids[2] || first[1].Sealed[0] != 3 {
		t.Fatalf("%+v %v", first, err)
	}
	if err := sealed.ReplaceSealed(t.Context(), ids[2], []byte{3}, []byte{33}); err != nil {
		t.Error(err)
	}
	if err := sealed.ReplaceSealed(t.Context(), ids[3], []byte{3}, []byte{33}); err != nil { // it was set anew meanwhile
		t.Error(err)
	}
	rest, err := sealed.SealedSecrets(t.Context(), ids[0], 9)
	if err != nil || len(rest) != 2 || rest[0].Sealed[0] != 33 || rest[1].Sealed[0] != 4 {
		t.Errorf("%+v %v", rest, err)
	}
	if found, err := store.MappingsByID(t.Context(), ids[2:3]); err != nil || len(found) != 1 || found[0].Version != 1 {
		t.Errorf("it is another version for whoever edits it: %+v %v", found, err)
	}
}

func TestAMappingIsKeptOverReplicas(t *testing.T) {
	clock := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	dsn := dbtest.DSN(t)
	store, other := replica(t, dsn, &clock), replica(t, dsn, &clock)
	made := monitor.Mapping{ID: monitor.NewID(clock), Name: "gate", Enabled: true, SignatureHeader: "X-Hub-Signature-256", Secret: []byte{1, 2, 255}, MappingRules: monitor.MappingRules{
		LogSource: monitor.LogSource{Product: "gatekeeper"}, Fields: []monitor.MappingField{{Target: monitor.TargetHost, Path: "device.name", Required: true}},
	}}
	is, err := store.CreateMapping(t.Context(), monitor.SystemActor, made)
	if err != nil || is.Version != 1 {
		t.Fatal(is, err)
	}
	again := made
	again.ID = monitor.NewID(clock.Add(time.Second))
	if _, err := other.CreateMapping(t.Context(), monitor.SystemActor, again); monitor.CodeOf(err) != monitor.CodeConflict {
		t.Errorf("the same name: %v", err)
	}
	all, err := other.AllMappings(t.Context())
	if err != nil || len(all) != 1 || !all[0].Signed() || string(all[0].Secret) != string(made.Secret) || all[0].Fields[0].Path != "device.name" || all[0].LogSource.Product != "gatekeeper" {
		t.Fatalf("%+v %v", all, err)
	}
	next, err := other.UpdateMapping(t.Context(), monitor.SystemActor, made.ID, new(1), func(m *monitor.Mapping) error {
		m.Fields[0].Path, m.SignatureHeader = "node", ""
		return nil
	})
	if err != nil || next.Version != 2 || next.Signed() {
		t.Errorf("%+v %v", next, err)
	}
	if now, err := store.UpdateMapping(t.Context(), monitor.SystemActor, made.ID, new(1), func(*monitor.Mapping) error { return nil }); monitor.CodeOf(err) != monitor.CodeConflict || now.Version != 2 {
		t.Errorf("%+v %v", now, err)
	}
	for name, bad := range map[string]func(*monitor.Mapping){
		"name": func(m *monitor.Mapping) { m.Name = "Über" }, "twice": func(m *monitor.Mapping) { m.Fields = append(m.Fields, m.Fields[0]) },
		"path": func(m *monitor.Mapping) { m.Tests = []monitor.MappingTest{{}} }, "class": func(m *monitor.Mapping) { m.Class = "NONE" },
	} {
		if _, err := store.UpdateMapping(t.Context(), monitor.SystemActor, made.ID, nil, func(m *monitor.Mapping) error { bad(m); return nil }); monitor.CodeOf(err) != monitor.CodeBadInput {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := store.DeleteMapping(t.Context(), monitor.SystemActor, made.ID, nil); err != nil {
		t.Fatal(err)
	}
	if found, err := store.JournalOf(t.Context(), monitor.KindMapping, made.ID, page.Args{First: 9}); err != nil || len(found.Edges) != 3 {
		t.Errorf("%+v %v", found, err)
	}
}
