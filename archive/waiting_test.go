package archive_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/security-monitor/secmon/archive"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

func (w *world) waiting(what string, keeping *monitor.EventKeeping, want time.Duration) {
	w.t.Helper()
	if got, err := w.sweeper().Waiting(w.t.Context(), keeping); err != nil || got != want {
		w.t.Errorf("%s: waiting for %s, want %s; %v", what, got, want, err)
	}
}

// Events wait from the midnight on which they are kept no longer until they are gone.
func TestWaitingCountsFromTheEndOfRetention(t *testing.T) {
	w := newWorld(t) // at 10 o'clock
	keeping := &monitor.EventKeeping{Default: day}
	w.takeIn("a", 2)
	w.pass(1)
	w.waiting("kept still", keeping, 0)
	w.pass(1)
	w.waiting("due since midnight", keeping, 10*time.Hour)
	w.pass(1)
	w.waiting("the oldest of two days counts", keeping, 34*time.Hour)
	w.waiting("a rule that ended before counts where no other has", &monitor.EventKeeping{
		Rules: []monitor.RetentionRule{{Name: "a", Format: "a", Keep: day}}, Default: 30 * day,
	}, 34*time.Hour)
	w.waiting("for ever", &monitor.EventKeeping{}, 0)
	w.must(w.sweep(keeping))
	w.waiting("gone", keeping, 0)
}

// locked keeps its events, as a database does on which somebody reads for hours.
type locked struct{ *db.Store }

func (locked) RemoveDueEvents(context.Context, time.Time, monitor.DueClasses) error { return errAway }

// What was written and verified is verified again before anything is removed: damage that
// came in between stops the retention of that day, and is told from other failures.
func TestDamageOfAFinishedArchiveStopsRetention(t *testing.T) {
	w := newWorld(t)
	keeping := &monitor.EventKeeping{Default: day}
	w.takeIn("a", 2)
	w.pass(2)
	due, err := w.sweeper().Due(t.Context(), keeping)
	w.must(err)
	s := w.sweeper()
	s.Events = locked{w.store}
	done, err := s.Do(t.Context(), due[len(due)-1])
	if !errors.Is(err, errAway) || done.State != monitor.ArchiveWritten {
		t.Fatalf("%+v, %v", done, err)
	}
	w.must(w.place.Shelf.Put(t.Context(), done.Objects[0].Name, func(w io.Writer) error { _, err := io.WriteString(w, "something else"); return err }))
	if damage := (archive.Damage{}); !errors.As(w.sweep(keeping), &damage) {
		t.Error("nobody noticed")
	}
	w.want("still there", "a-0", "a-1")
	w.waiting("it waits", keeping, 10*time.Hour)

	// What docs/runbook.md says of SecmonArchiveDamaged.
	dbtest.Exec(t, w.dsn, "UPDATE event_archives SET state = 'WRITING' WHERE state = 'WRITTEN' AND day = '"+due[len(due)-1].Day.Format(time.DateOnly)+"'")
	w.must(w.sweep(keeping))
	w.want("archived anew")
	if r, err := w.restore(""); err != nil || r.Restored != 2 {
		t.Errorf("restored %d, %v", r.Restored, err)
	}
}
