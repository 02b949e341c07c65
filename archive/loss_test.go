package archive_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/security-monitor/secmon/archive"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

var tenDays = monitor.EventKeeping{Default: 10 * day}

// begin writes the first object of what is due, and dies.
func (w *world) begin() {
	w.t.Helper()
	s := w.sweeper()
	s.Records = &dying{w.store, 1}
	due, err := s.Due(w.t.Context(), &tenDays)
	w.must(err)
	if _, err := s.Do(w.t.Context(), due[0]); !errors.Is(err, errDead) {
		w.t.Fatalf("it did not die: %v", err)
	}
}

func TestPlaceThatMovesWhileADayIsHalfWritten(t *testing.T) {
	w := newWorld(t)
	w.takeIn("x", 5)
	w.pass(12)
	w.begin()
	w.place.Shelf = fakeS3(t)
	w.must(w.sweep(&tenDays))
	if n := len(w.events()); n != 0 {
		t.Fatalf("%d events are there", n)
	}
	if r, err := w.restore(""); err != nil || len(w.events()) != 5 {
		t.Errorf("%d of 5 events come back: %+v, %v", len(w.events()), r, err)
	}
}

func TestReplicaWithoutAnArchiveLeavesWhatIsBegun(t *testing.T) {
	w := newWorld(t)
	w.takeIn("x", 5)
	w.pass(12)
	w.begin()
	w.place.Shelf = nil
	if err := w.sweep(&tenDays); err == nil || len(w.events()) != 5 {
		t.Errorf("%d of 5 events are there: %v", len(w.events()), err)
	}
}

// slow lets another sweep do its work between two pages of its own.
type slow struct {
	archive.Events
	pages int
	other func()
}

func (s *slow) DueEvents(ctx context.Context, d time.Time, due monitor.DueClasses, behind *monitor.EventID, _ int, more func(*monitor.Event) bool) ([]*monitor.Event, error) {
	if s.pages++; s.pages == 2 {
		s.other()
	}
	return s.Events.DueEvents(ctx, d, due, behind, 2, more)
}

// The lock of the sweep may be lost: by a failover, or with its connection.
func TestTwoThatBelieveTheyAreAlone(t *testing.T) {
	w := newWorld(t)
	w.takeIn("x", 7)
	w.pass(12)
	fast := w.sweeper()
	due, err := fast.Due(t.Context(), &tenDays)
	w.must(err)
	_, err = w.store.CreateArchive(t.Context(), due[0].Day, "")
	w.must(err)
	mine, err := fast.Due(t.Context(), &tenDays)
	w.must(err)
	theirs, err := fast.Due(t.Context(), &tenDays)
	w.must(err)
	late := w.sweeper()
	late.Events = &slow{Events: w.store, other: func() {
		_, err := fast.Do(t.Context(), mine[0])
		w.must(err)
	}}
	if _, err := late.Do(t.Context(), theirs[0]); monitor.CodeOf(err) != monitor.CodeConflict {
		t.Errorf("the late one says %v", err)
	}
	if r, err := w.restore(""); err != nil || len(w.events()) != 7 {
		t.Errorf("%d of 7 events come back: %+v, %v", len(w.events()), r, err)
	}
}

// postpone sweeps while somebody reads.
func (w *world) postpone() {
	w.t.Helper()
	defer dbtest.Reading(w.t, w.dsn, "events")()
	if err := w.sweep(&tenDays); !errors.Is(err, db.ErrPostponed) {
		w.t.Fatalf("not postponed: %v", err)
	}
}

func TestRetentionThatIsLengthenedWhileRemovingWaits(t *testing.T) {
	for _, shelf := range []bool{true, false} {
		w := newWorld(t)
		if !shelf {
			w.place.Shelf = nil
		}
		w.takeIn("x", 3, 0)
		w.pass(12)
		w.postpone()
		dbtest.Exec(t, w.dsn, "UPDATE alerts SET status = 'CLOSED'")
		w.settle()
		w.must(w.sweep(&monitor.EventKeeping{}))
		if n := len(w.events()); n != 3 {
			t.Errorf("with an archive %t: %d of 3 events are kept for ever", shelf, n)
		}
	}
}

// What is held since a removal that was postponed is in the archive that is made anew.
func TestHeldEventsAreArchivedAnewToo(t *testing.T) {
	w := newWorld(t)
	then := w.now
	w.takeIn("x", 3, 0)
	w.pass(12)
	w.postpone()
	now := w.now
	w.now = then
	w.takeIn("late", 1)
	w.now = now
	w.must(w.sweep(&tenDays))
	dbtest.Exec(t, w.dsn, "UPDATE alerts SET status = 'CLOSED'")
	w.settle()
	if n := len(w.events()); n != 0 {
		t.Fatalf("%d events are there", n)
	}
	if r, err := w.restore(""); err != nil || len(w.events()) != 4 {
		t.Errorf("%d of 4 events come back: %+v, %v", len(w.events()), r, err)
	}
}

// A replica that boots without a clock stores into the oldest day's partition.
func TestEvidenceOfEarlierDaysStays(t *testing.T) {
	w := newWorld(t)
	now := w.now
	w.now = now.Add(-400 * day)
	w.takeIn("old", 2, 0)
	w.now = now
	w.takeIn("x", 1)
	w.pass(12)
	w.must(w.sweep(&tenDays))
	if hosts := w.hosts(); len(hosts) != 1 {
		t.Errorf("%v are there", hosts)
	}
	dbtest.Exec(t, w.dsn, "UPDATE alerts SET status = 'CLOSED'")
	w.settle()
	if hosts := w.hosts(); len(hosts) != 0 {
		t.Errorf("%v are there", hosts)
	}
}
