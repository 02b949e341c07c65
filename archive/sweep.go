package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/security-monitor/secmon/backup"
	"github.com/security-monitor/secmon/monitor"
)

// Events are those of the database.
type Events interface {
	// EventDays gives the days that have events, the oldest first.
	EventDays(ctx context.Context) ([]*monitor.EventDay, error)
	// DueEvents gives those of a day that are kept no longer, in the order of their keys.
	DueEvents(ctx context.Context, day time.Time, due monitor.DueClasses, behind *monitor.EventID, limit int, more func(*monitor.Event) bool) ([]*monitor.Event, error)
	CountDueEvents(ctx context.Context, day time.Time, due monitor.DueClasses) (int, error)
	// RemoveDueEvents may be called again where it was cut off.
	RemoveDueEvents(ctx context.Context, day time.Time, due monitor.DueClasses) error
}

// Records keep how far archives are.
type Records interface {
	// OpenArchive gives the newest archive of the day and scope, or nil.
	OpenArchive(ctx context.Context, day time.Time, scope string) (*monitor.EventArchive, error)
	CreateArchive(ctx context.Context, day time.Time, scope string) (*monitor.EventArchive, error)
	SaveArchive(ctx context.Context, a *monitor.EventArchive) error
	// UnfinishedArchives gives those whose events are not known to be gone.
	UnfinishedArchives(ctx context.Context) ([]*monitor.EventArchive, error)
}

// Place is where archives are, and for whom they are encrypted.
type Place struct {
	Shelf      backup.Shelf // nil: events are removed without
	Recipients backup.Recipients
	Identities backup.Identities // empty: only hashes are verified, and nothing sealed is read
}

// Sweeper takes the events out of the database that are kept no longer. One may run at
// a time on a database.
type Sweeper struct {
	Events  Events
	Records Records
	Place   Place
	Program string
	Schema  int64
	Now     func() time.Time
	Log     *slog.Logger
	Waits   error // what Events give where removing has to wait for somebody: no failure
}

// A page of events holds so many, or bytes of their records, whichever comes first.
const (
	pageEvents = 2_000
	pageBytes  = 8 << 20
)

// maxRewrites bounds how often a day is written anew since events came meanwhile.
const maxRewrites = 3

// Due is work that a sweep has to do.
type Due struct {
	Day     time.Time
	Classes monitor.DueClasses
	archive *monitor.EventArchive
}

// Due gives what is kept no longer, the oldest first, without what is done already.
func (s *Sweeper) Due(ctx context.Context, keeping *monitor.EventKeeping) ([]Due, error) {
	days, err := s.Events.EventDays(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.finish(ctx, days); err != nil {
		return nil, err
	}
	return s.among(ctx, days, keeping)
}

// Waiting is for how long the oldest of it has been due; 0 where nothing is. It changes
// nothing, so that everybody may ask at any time.
func (s *Sweeper) Waiting(ctx context.Context, keeping *monitor.EventKeeping) (time.Duration, error) {
	days, err := s.Events.EventDays(ctx)
	if err != nil {
		return 0, err
	}
	due, err := s.among(ctx, days, keeping)
	if err != nil {
		return 0, err
	}
	var longest time.Duration
	for i := range due {
		longest = max(longest, s.Now().Sub(keeping.DueSince(due[i].Day, due[i].Classes)))
	}
	return longest, nil
}

// among gives what of these days is due.
func (s *Sweeper) among(ctx context.Context, days []*monitor.EventDay, keeping *monitor.EventKeeping) ([]Due, error) {
	var all []Due
	for _, day := range days {
		d := Due{Day: day.Day, Classes: keeping.Due(day.Day, s.Now())}
		if !d.Classes.Any() {
			continue
		}
		var err error
		if d.archive, err = s.Records.OpenArchive(ctx, day.Day, d.Classes.Scope()); err != nil {
			return nil, err
		}
		if d.archive != nil && isGone(d.archive) {
			if !d.Classes.All() {
				continue
			}
			d.archive = nil // the day is there all the same: the database was put back
		}
		all = append(all, d)
	}
	return all, nil
}

func isGone(a *monitor.EventArchive) bool {
	return a.State == monitor.ArchiveRemoved || a.State == monitor.ArchiveDisabled
}

// finish notes as gone what a process removed that died before it noted it. A partition
// that is gone while its archive was still being written was dropped without one.
func (s *Sweeper) finish(ctx context.Context, days []*monitor.EventDay) error {
	unfinished, err := s.Records.UnfinishedArchives(ctx)
	if err != nil {
		return err
	}
	there := map[time.Time]bool{}
	for _, d := range days {
		there[d.Day] = true
	}
	for _, a := range unfinished {
		if there[a.Day] {
			continue
		}
		was := a.State
		a.State, a.Error = monitor.ArchiveRemoved, ""
		if was == monitor.ArchiveWriting {
			a.State = monitor.ArchiveDisabled
		}
		if err := s.Records.SaveArchive(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// Do archives and removes one piece of work. After an error nothing is removed that is
// not archived and verified, and calling it again goes on where it ended.
func (s *Sweeper) Do(ctx context.Context, d Due) (a *monitor.EventArchive, err error) {
	if a = d.archive; a == nil {
		if a, err = s.Records.CreateArchive(ctx, d.Day, d.Classes.Scope()); err != nil {
			return nil, err
		}
	}
	err = s.do(ctx, a, d)
	if err != nil && ctx.Err() == nil && (s.Waits == nil || !errors.Is(err, s.Waits)) {
		a.Error = err.Error()
		if saveErr := s.Records.SaveArchive(ctx, a); saveErr != nil {
			s.Log.Error("archive: failure not noted", "day", a.Day.Format(time.DateOnly), "error", saveErr)
		}
	}
	return a, err
}

func (s *Sweeper) do(ctx context.Context, a *monitor.EventArchive, d Due) error {
	done := monitor.ArchiveDisabled
	if s.Place.Shelf == nil && len(a.Objects) > 0 {
		return errors.New("its archive is begun, and this server has none: see --archive")
	}
	if s.Place.Shelf != nil {
		done = monitor.ArchiveRemoved
		if err := s.preserve(ctx, a, d); err != nil {
			return err
		}
	}
	if err := s.Events.RemoveDueEvents(ctx, d.Day, d.Classes); err != nil {
		return err
	}
	a.State, a.Error = done, ""
	return s.Records.SaveArchive(ctx, a)
}

// preserve makes sure that all that goes is in the archive. Events that came while it
// was written, or after, make it write all anew.
func (s *Sweeper) preserve(ctx context.Context, a *monitor.EventArchive, d Due) error {
	if a.State == monitor.ArchiveWriting && len(a.Objects) > 0 {
		// Another process wrote them, perhaps to another place.
		if err := s.verify(ctx, a); err != nil {
			s.Log.Warn("archive: what was begun is not there whole: all is written anew", "day", d.Day.Format(time.DateOnly), "error", err)
			if err := s.again(ctx, a); err != nil {
				return err
			}
		}
	}
	for range maxRewrites {
		if a.State == monitor.ArchiveWriting {
			if err := s.write(ctx, a, d); err != nil {
				return err
			}
		} else if err := s.verify(ctx, a); err != nil {
			return err
		}
		there, err := s.Events.CountDueEvents(ctx, d.Day, d.Classes)
		if err != nil {
			return err
		}
		if there <= a.Events { // fewer: removing was cut off
			return nil
		}
		s.Log.Warn("archive: events came for a day that is archived", "day", d.Day.Format(time.DateOnly), "there", there, "archived", a.Events)
		if err := s.again(ctx, a); err != nil {
			return err
		}
	}
	return fmt.Errorf("events still come for %s, %d times over", d.Day.Format(time.DateOnly), maxRewrites)
}

// again begins anew: none of it was relied upon yet. What is there stays on the shelf, in no
// manifest.
func (s *Sweeper) again(ctx context.Context, a *monitor.EventArchive) error {
	a.State, a.Objects, a.Events, a.Bytes, a.Manifest = monitor.ArchiveWriting, nil, 0, 0, ""
	return s.Records.SaveArchive(ctx, a)
}

// write writes the objects that are not there yet, then the manifest.
func (s *Sweeper) write(ctx context.Context, a *monitor.EventArchive, d Due) error {
	for {
		o, err := s.writeNext(ctx, a, d)
		if err != nil {
			return err
		}
		if o.Events == 0 {
			break
		}
		if err := s.verifyObject(ctx, &o); err != nil {
			return err
		}
		a.Objects = append(a.Objects, o)
		a.Events += o.Events
		a.Bytes += o.Bytes
		a.Error = ""
		if err := s.Records.SaveArchive(ctx, a); err != nil {
			return err
		}
	}
	name := prefixOf(a) + ".manifest.json"
	if err := s.Records.SaveArchive(ctx, a); err != nil { // it is still ours
		return err
	}
	if a.Events > 0 { // of an empty day there is nothing to keep
		if err := writeManifest(ctx, s.Place.Shelf, s.manifestOf(a, name)); err != nil {
			return err
		}
		if _, err := ReadManifest(ctx, s.Place.Shelf, name); err != nil {
			return err
		}
		a.Manifest = name
	}
	a.State = monitor.ArchiveWritten
	return s.Records.SaveArchive(ctx, a)
}

func (s *Sweeper) manifestOf(a *monitor.EventArchive, name string) *Manifest {
	return &Manifest{
		Format: Format, Day: a.Day.Format(time.DateOnly), Generation: a.Generation, Scope: a.Scope, MadeAt: s.Now().UTC(), Program: s.Program, Schema: s.Schema,
		Sealed: len(s.Place.Recipients) > 0, Events: a.Events, Bytes: a.Bytes, Objects: a.Objects, Name: name,
	}
}

// writeNext writes the object behind the last one; one without events is not written.
func (s *Sweeper) writeNext(ctx context.Context, a *monitor.EventArchive, d Due) (o monitor.ArchiveObject, err error) {
	var behind *monitor.EventID
	if n := len(a.Objects); n > 0 {
		behind = &a.Objects[n-1].Last
	}
	page, err := s.page(ctx, d, behind)
	if err != nil || len(page) == 0 {
		return o, err
	}
	// A name of its own for each try: nothing that another sweep relies upon is written over.
	name := fmt.Sprintf("%s-%05d-%s.ndjson.zst", prefixOf(a), len(a.Objects), monitor.NewID(s.Now()))
	if len(s.Place.Recipients) > 0 {
		name += sealedEnding
	}
	err = s.Place.Shelf.Put(ctx, name, func(w io.Writer) (err error) {
		o, err = writeObject(w, name, s.Place.Recipients, func(add func(*monitor.Event) (bool, error)) error {
			for len(page) > 0 {
				for _, e := range page {
					if full, err := add(e); err != nil || full {
						return err
					}
				}
				if page, err = s.page(ctx, d, &page[len(page)-1].ID); err != nil {
					return err
				}
			}
			return nil
		})
		return err
	})
	if err != nil {
		return monitor.ArchiveObject{}, fmt.Errorf("write %s: %w", name, err)
	}
	return o, nil
}

func (s *Sweeper) page(ctx context.Context, d Due, behind *monitor.EventID) ([]*monitor.Event, error) {
	left := pageBytes
	return s.Events.DueEvents(ctx, d.Day, d.Classes, behind, pageEvents, func(e *monitor.Event) bool {
		left -= len(e.Raw)
		return left > 0
	})
}

// verify reads back all that was written: between writing and removing somebody may
// have taken it away.
func (s *Sweeper) verify(ctx context.Context, a *monitor.EventArchive) error {
	if a.Manifest != "" {
		m, err := ReadManifest(ctx, s.Place.Shelf, a.Manifest)
		if err != nil {
			return err
		}
		if m.Events != a.Events || len(m.Objects) != len(a.Objects) {
			return damagef("%s speaks of %d events, not %d", a.Manifest, m.Events, a.Events)
		}
	}
	for i := range a.Objects {
		if err := s.verifyObject(ctx, &a.Objects[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sweeper) verifyObject(ctx context.Context, o *monitor.ArchiveObject) error {
	return s.Place.verify(ctx, o)
}

// verify compares an object with what it should be, and reads its events where it can.
func (p *Place) verify(ctx context.Context, o *monitor.ArchiveObject) error {
	if err := checkObject(ctx, p.Shelf, o); err != nil {
		return err
	}
	if isSealed(o) && len(p.Identities) == 0 {
		return nil
	}
	return readObject(ctx, p.Shelf, p.Identities, o, func(*monitor.Event) error { return nil })
}
