package db_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// Every check of the database is seen to find what it is for, on a real server.
func TestExamineFindsPlantedFaults(t *testing.T) {
	const secret = "planted-password-24"
	with := func(change func(*mysql.Config)) func(*testing.T, string) string {
		return func(t *testing.T, dsn string) string {
			cfg, err := mysql.ParseDSN(dsn)
			if err != nil {
				t.Fatal(err)
			}
			if cfg.Params == nil {
				cfg.Params = map[string]string{}
			}
			change(cfg)
			return cfg.FormatDSN()
		}
	}
	after := func(statements ...string) func(*testing.T, string) string {
		return func(t *testing.T, dsn string) string {
			for _, s := range statements {
				dbtest.Exec(t, dsn, s)
			}
			return dsn
		}
	}
	users := 0
	limited := func(rights string) func(*testing.T, string) string {
		return func(t *testing.T, dsn string) string {
			cfg, err := mysql.ParseDSN(dsn)
			if err != nil {
				t.Fatal(err)
			}
			users++
			name := fmt.Sprintf("u%d_%s", users, cfg.DBName)
			dbtest.Exec(t, dsn, "CREATE USER '"+name+"'@'%' IDENTIFIED BY '"+secret+"'")
			dbtest.Exec(t, dsn, "GRANT "+rights+" ON `"+cfg.DBName+"`.* TO '"+name+"'@'%'")
			cfg.User, cfg.Passwd = name, secret
			return cfg.FormatDSN()
		}
	}
	dsn := dbtest.DSN(t)
	const whole = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES"
	for _, c := range []struct {
		name  string
		plant func(t *testing.T, dsn string) string
		undo  string
		needs db.Needs
		check string
		state monitor.State
	}{
		{name: "all is well", check: "", state: monitor.StateOK},
		{name: "no DSN", plant: func(*testing.T, string) string { return "nonsense:" + secret }, check: "database.dsn", state: monitor.StateFailure},
		{name: "nobody there", plant: with(func(c *mysql.Config) { c.Net, c.Addr, c.Passwd = "tcp", "127.0.0.1:1", secret }), check: "database.reach", state: monitor.StateFailure},
		{name: "wrong password", plant: func(t *testing.T, dsn string) string {
			return strings.Replace(limited(whole)(t, dsn), secret, secret+"x", 1)
		}, check: "database.reach", state: monitor.StateFailure},
		{name: "no such database", plant: with(func(c *mysql.Config) { c.DBName = "nothing_of_the_kind" }), check: "database.reach", state: monitor.StateFailure},
		{name: "not strict", plant: with(func(c *mysql.Config) { c.Params["sql_mode"] = "''" }), check: "database.sql_mode", state: monitor.StateFailure},
		{name: "other quotes", plant: with(func(c *mysql.Config) { c.Params["sql_mode"] = "'STRICT_ALL_TABLES,ANSI_QUOTES'" }), check: "database.sql_mode", state: monitor.StateFailure},
		{name: "another time zone", plant: with(func(c *mysql.Config) { c.Params["time_zone"] = "'+05:30'" }), check: "database.time_zone", state: monitor.StateWarning},
		{name: "records larger than a packet", needs: db.Needs{MaxRecord: 1 << 30}, check: "database.max_allowed_packet", state: monitor.StateFailure},
		{name: "more connections than there are", needs: db.Needs{MaxConns: 100_000}, check: "database.max_connections", state: monitor.StateWarning},
		{name: "read-only", plant: after("SET GLOBAL read_only = 1"), undo: "SET GLOBAL read_only = 0", check: "database.writable", state: monitor.StateFailure},
		{name: "rights are missing", plant: limited("SELECT, INSERT"), check: "database.privileges", state: monitor.StateFailure},
		{name: "just the rights that are needed", plant: limited(whole), check: "", state: monitor.StateOK},
		{name: "a correlation is full", plant: after(threeGroups), undo: "DELETE FROM correlation_state", needs: db.Needs{MaxGroups: 3}, check: "database.correlations", state: monitor.StateWarning},
		{name: "a correlation is nearly full", plant: after(threeGroups), undo: "DELETE FROM correlation_state", needs: db.Needs{MaxGroups: 4}, check: "database.correlations", state: monitor.StateWarning},
		{name: "a correlation has room", plant: after(threeGroups), undo: "DELETE FROM correlation_state", needs: db.Needs{MaxGroups: 5}, check: "database.correlations", state: monitor.StateOK},
		{name: "our clock is wrong", needs: db.Needs{Now: func() time.Time { return time.Now().Add(time.Minute) }}, check: "clock", state: monitor.StateFailure},
		{name: "our clock is a little wrong", needs: db.Needs{Now: func() time.Time { return time.Now().Add(-3 * time.Second) }}, check: "clock", state: monitor.StateWarning},
		{name: "a migration is missing", plant: after("UPDATE goose_db_version SET version_id = version_id - 1"), undo: "UPDATE goose_db_version SET version_id = version_id + 1", check: "migrations", state: monitor.StateWarning},
		{name: "nothing is there yet", plant: after("RENAME TABLE goose_db_version TO away"), undo: "RENAME TABLE away TO goose_db_version", check: "migrations", state: monitor.StateWarning},
		{name: "a newer program was here", plant: after("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"), undo: "DELETE FROM goose_db_version WHERE version_id = 9999", check: "migrations", state: monitor.StateWarning},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.undo != "" {
				defer dbtest.Exec(t, dsn, c.undo)
			}
			asked := dsn
			if c.plant != nil {
				asked = c.plant(t, dsn)
			}
			if c.needs.MaxConns == 0 {
				c.needs.MaxConns = 16
			}
			found := false
			for _, d := range db.Examine(t.Context(), asked, c.needs) {
				if strings.Contains(d.Message+d.Advice, secret) {
					t.Errorf("the password is in %+v", d)
				}
				if d.State != monitor.StateOK && d.Advice == "" {
					t.Errorf("%s says nothing to do", d.Check)
				}
				switch {
				case d.Check == c.check && d.State == c.state:
					found = true
				// A slow machine is no fault here.
				case d.State != monitor.StateOK && d.Check != "database.latency" && d.Check != "database.max_allowed_packet":
					t.Errorf("%s: %s: %s", d.Check, d.State, d.Message)
				}
			}
			if c.check != "" && !found {
				t.Errorf("%s did not find it", c.check)
			}
		})
	}
}

// Asking leaves nothing behind.
func TestExamineChangesNothing(t *testing.T) {
	dsn := dbtest.DSN(t)
	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close() //nolint:errcheck // a test
	count := func() (tables, entries int) {
		if err := handle.QueryRow("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()").Scan(&tables); err != nil {
			t.Fatal(err)
		}
		if err := handle.QueryRow("SELECT seq FROM feed_state").Scan(&entries); err != nil {
			t.Fatal(err)
		}
		return tables, entries
	}
	tables, entries := count()
	db.Examine(t.Context(), dsn, db.Needs{MaxConns: 16})
	if now, seq := count(); now != tables || seq != entries {
		t.Errorf("%d tables and %d entries, were %d and %d", now, seq, tables, entries)
	}
}

const threeGroups = "INSERT INTO correlation_state (rule_id, group_hash, definition, state, expires_at) SELECT REPEAT('r', 16), CONCAT(REPEAT('g', 31), n), REPEAT('d', 32), '', NOW() FROM (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3) x"
