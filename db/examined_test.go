package db

import (
	"testing"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// What no server here can be made to show.
func TestWhatIsSaidOfServers(t *testing.T) {
	for _, c := range []struct {
		name string
		is   monitor.Diagnosis
		want monitor.State
	}{
		{"MySQL 8.4", aboutVersion("8.4.3"), monitor.StateOK},
		{"RDS", aboutVersion("8.0.35"), monitor.StateOK},
		{"MySQL 5.7", aboutVersion("5.7.44-log"), monitor.StateFailure},
		{"MariaDB 10.11", aboutVersion("5.5.5-10.11.6-MariaDB-0+deb12u1"), monitor.StateOK},
		{"MariaDB 10.3", aboutVersion("10.3.39-MariaDB"), monitor.StateFailure},
		{"nothing", aboutVersion("x"), monitor.StateFailure},
		{"near", aboutLatency(time.Millisecond), monitor.StateOK},
		{"another region", aboutLatency(30 * time.Millisecond), monitor.StateWarning},
		{"another continent", aboutLatency(150 * time.Millisecond), monitor.StateFailure},
		{"rows are logged", aboutLogging("ROW"), monitor.StateOK},
		{"statements are logged", aboutLogging("STATEMENT"), monitor.StateFailure},
		{"all rights", aboutGrants([]string{"GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost`"}, "secmon"), monitor.StateOK},
		{"all of the database, by a pattern", aboutGrants([]string{"GRANT USAGE ON *.* TO `u`@`%`", "GRANT ALL PRIVILEGES ON `sec\\_mon%`.* TO `u`@`%`"}, "sec_monitor"), monitor.StateOK},
		{"another database", aboutGrants([]string{"GRANT ALL PRIVILEGES ON `other`.* TO `u`@`%`"}, "secmon"), monitor.StateFailure},
		{"an escaped _ is no wildcard", aboutGrants([]string{"GRANT ALL PRIVILEGES ON `sec\\_mon`.* TO `u`@`%`"}, "secxmon"), monitor.StateFailure},
		{"by a role", aboutGrants([]string{"GRANT USAGE ON *.* TO `u`@`%`", "GRANT `app`@`%` TO `u`@`%`"}, "secmon"), monitor.StateWarning},
	} {
		if c.is.State != c.want {
			t.Errorf("%s: %+v, want %s", c.name, c.is, c.want)
		}
	}
}
