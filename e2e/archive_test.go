package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// oldEvents stores events as they came in days ago, in a partition of that day.
func oldEvents(t *testing.T, dsn string, ago int, hosts ...string) {
	t.Helper()
	at := time.Now().UTC().AddDate(0, 0, -ago)
	store, err := db.Open(t.Context(), db.Options{DSN: dsn, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // a test
	if err := store.EnsurePartitions(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	batch := &monitor.Batch{}
	for _, host := range hosts {
		e := testEvent(host)
		e.OccurredAt = at
		batch.Events = append(batch.Events, e)
	}
	if _, err := store.StoreBatch(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

// Old events are moved into the archive while a server runs; an administrator sees that,
// and brings back the ones that are looked for. A viewer may do neither.
func TestAdministratorBringsArchivedEventsBack(t *testing.T) {
	dsn := dbtest.DSN(t)
	oldEvents(t, dsn, 10, "web-1", "web-2")
	cfg := config(t, dsn, startRedis(t).URL())
	cfg.EventRetention = 48 * time.Hour
	cfg.Archive = t.TempDir() + "/"
	cfg.MetricsListen = "127.0.0.1:0"
	r := startReplica(t, cfg)
	admin, vic := login(t, r.URL(), "admin", testPassword), userToken(t, r, "vic", monitor.RoleViewer)
	type archives struct {
		EventArchives struct {
			Nodes []struct {
				State, Manifest, Error string
				Whole                  bool
				Events                 int
			}
		}
		EventDays []struct{ Day time.Time }
		Settings  struct{ EventArchive string }
	}
	const question = `{ eventArchives(first: 10) { nodes { state manifest error whole events } } eventDays { day events bytes } settings { eventArchive retentionRules { name } } }`
	eventually(t, "the day to be archived", func() bool {
		var data archives
		post(t, r.URL(), admin, question, nil, &data)
		n := data.EventArchives.Nodes
		return len(n) == 1 && n[0].State == "REMOVED" && n[0].Events == 2 && n[0].Whole && n[0].Error == "" && n[0].Manifest != "" &&
			data.Settings.EventArchive != "" && !data.EventDays[0].Day.Before(time.Now().UTC().Truncate(24*time.Hour))
	})
	if code := post(t, r.URL(), vic, question, nil, nil).code(); code != "FORBIDDEN" {
		t.Errorf("a viewer reads it: %q", code)
	}
	input := map[string]any{
		"from": time.Now().AddDate(0, 0, -20).Format(time.RFC3339), "to": time.Now().Format(time.RFC3339), "query": "host:web-2", "hold": "PT24H",
	}
	if code := post(t, r.URL(), vic, `mutation($i: EventRestoreInput!) { eventRestore(input: $i) { job { kind } } }`, map[string]any{"i": input}, nil).code(); code != "FORBIDDEN" {
		t.Errorf("a viewer restores: %q", code)
	}
	if p, codes := mutate(t, r, admin, "eventRestore", "EventRestoreInput", "job { kind }", input); codes != "" || pick(t, p, "job", "kind") != "EVENT_RESTORE" {
		t.Fatalf("%v %s", p, codes)
	}
	eventually(t, "the event to be back", func() bool {
		var data struct {
			Events struct {
				Nodes []struct {
					Host string
					Held bool
				}
			}
			EventRestores struct {
				Nodes []struct {
					State    string
					Restored int
				}
			}
		}
		post(t, r.URL(), admin, `{ events(first: 10) { nodes { host held } } eventRestores(first: 1) { nodes { state restored objects total until createdBy { name } } } }`, nil, &data)
		n, back := data.Events.Nodes, data.EventRestores.Nodes
		return len(n) == 1 && n[0].Host == "web-2" && n[0].Held && len(back) == 1 && back[0].State == "DONE" && back[0].Restored == 1
	})
	input["query"] = "host:"
	if _, codes := mutate(t, r, admin, "eventRestore", "EventRestoreInput", "job { kind }", input); codes != "BAD_INPUT" {
		t.Errorf("a query that is none: %q", codes)
	}

	// The command line reads the same archive, and says when it is not whole.
	all, err := app.ListArchive(t.Context(), cfg.Archiving, time.Time{}, time.Now())
	if err != nil || len(all) != 1 || all[0].Events != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	verify := func() error {
		return app.VerifyArchive(t.Context(), cfg.Archiving, time.Time{}, time.Now(), func(*app.Manifest, error) {})
	}
	if err := verify(); err != nil {
		t.Error(err)
	}
	p := newTerminal(t)
	days := []string{"--from", time.Now().AddDate(0, 0, -5).Format(time.DateOnly), "--to", time.Now().Format(time.DateOnly)}
	p.fails(5, "nothing is archived of these days", "", append([]string{"archive", "restore", "--database-dsn", dsn, "--archive", cfg.Archive}, days...)...)
	object := filepath.Join(cfg.Archive, all[0].Objects[0].Name)
	if err := os.Truncate(object, all[0].Objects[0].Bytes-1); err != nil {
		t.Fatal(err)
	}
	if err := verify(); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("verified: %v", err)
	}
	input["query"] = "host:web-1"
	if _, codes := mutate(t, r, admin, "eventRestore", "EventRestoreInput", "job { kind }", input); codes != "" {
		t.Fatal(codes)
	}
	eventually(t, "the damage to be measured", func() bool {
		text := metricsText(t, r.MetricsURL())
		return strings.Contains(text, `secmon_archive_failed_total{reason="damaged",work="restore"} 1`) && strings.Contains(text, "secmon_archive_waiting_seconds 0\n")
	})
}

// An archive that cannot be written keeps the events, and Prometheus sees for how long
// they have waited and that it failed.
func TestArchiveThatFailsIsMeasured(t *testing.T) {
	dsn := dbtest.DSN(t)
	oldEvents(t, dsn, 10, "web-1")
	cfg := config(t, dsn, startRedis(t).URL())
	cfg.EventRetention = 48 * time.Hour
	cfg.Archive = "/proc/secmon-archive/" // where nobody makes a directory
	cfg.MetricsListen = "127.0.0.1:0"
	r := startReplica(t, cfg)
	waits := regexp.MustCompile(`(?m)^secmon_archive_waiting_seconds (\S+)$`)
	eventually(t, "the failure to be measured", func() bool {
		text := metricsText(t, r.MetricsURL())
		m := waits.FindStringSubmatch(text)
		if m == nil {
			return false
		}
		seconds, err := strconv.ParseFloat(m[1], 64)
		days := time.Duration(seconds) * time.Second / (24 * time.Hour)
		return err == nil && days == 7 && strings.Contains(text, `secmon_archive_failed_total{reason="failed",work="archive"} 1`)
	})
	var data struct {
		Events struct{ Nodes []struct{ Host string } }
	}
	post(t, r.URL(), login(t, r.URL(), "admin", testPassword), "{ events(first: 5) { nodes { host } } }", nil, &data)
	if len(data.Events.Nodes) != 1 {
		t.Errorf("not archived, and gone: %v", data)
	}
}

// Rules by source are settings: a rule is refused that says nothing, and one that says
// something is in force at once.
func TestRetentionRulesAreSettings(t *testing.T) {
	r := startReplica(t, config(t, dbtest.DSN(t), startRedis(t).URL()))
	admin := login(t, r.URL(), "admin", testPassword)
	const fields = "settings { retentionRules { name format keep } overridden eventArchive }"
	update := func(rules ...any) (map[string]any, string) {
		return mutate(t, r, admin, "settingsUpdate", "SettingsUpdateInput", fields, map[string]any{"retentionRules": rules})
	}
	for _, bad := range []map[string]any{{"keep": "PT24H"}, {"format": "vpcflow", "keep": "PT1H"}} {
		if _, codes := update(bad); codes != "BAD_INPUT" {
			t.Errorf("%v: %q", bad, codes)
		}
	}
	p, codes := update(map[string]any{"name": "flows", "format": "vpcflow", "keep": "PT168H"})
	if codes != "" || pick(t, p, "settings", "retentionRules", 0, "keep") != "PT168H" || pick(t, p, "settings", "eventArchive") != nil {
		t.Errorf("%v %s", p, codes)
	}
	if p, codes := update(); codes != "" || len(pick(t, p, "settings", "retentionRules").([]any)) != 0 {
		t.Errorf("%v %s", p, codes)
	}
	if _, codes := mutate(t, r, admin, "eventRestore", "EventRestoreInput", "job { kind }", map[string]any{"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}); codes != "CONFLICT" {
		t.Errorf("restored without an archive: %q", codes)
	}
}
