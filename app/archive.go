package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/security-monitor/secmon/archive"
	"github.com/security-monitor/secmon/backup"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/metrics"
	"github.com/security-monitor/secmon/monitor"
)

// Archiving says where events go before they are deleted, and for whom they are
// encrypted there.
type Archiving struct {
	Archive               string `help:"Where events are archived before they are deleted: a directory, or s3://BUCKET/PREFIX/. Without it they are deleted for good." placeholder:"PATH"`
	ArchiveRecipientsFile string `name:"archive-recipients-file" help:"File with public keys (age1...) that archives are encrypted for. Without it the bucket's own encryption counts." type:"path" placeholder:"FILE"`
	ArchiveIdentityFile   string `name:"archive-identity-file" help:"File with the private key (AGE-SECRET-KEY-1...), to read encrypted archives: to verify them whole, and to restore." type:"path" placeholder:"FILE"`

	ArchiveS3Endpoint string `name:"archive-s3-endpoint" env:"SECMON_ARCHIVE_S3_ENDPOINT" help:"S3 server other than AWS's, for the archive." placeholder:"URL"`
	ArchiveS3Region   string `name:"archive-s3-region" env:"SECMON_ARCHIVE_S3_REGION" help:"Region of the archive's bucket; without it as the AWS SDK finds it." placeholder:"REGION"`
}

// place finds the archive. Where none is set its shelf is nil.
func (c *Archiving) place(ctx context.Context) (p archive.Place, err error) {
	if c.Archive == "" {
		return p, nil
	}
	shelf, name, err := backup.Find(ctx, c.Archive, backup.S3Options{Endpoint: c.ArchiveS3Endpoint, Region: c.ArchiveS3Region, PartMB: archivePartMB})
	if err != nil {
		return p, fmt.Errorf("archive: %w", err)
	}
	if name != "" {
		return p, fmt.Errorf("archive: %w", noFolder(c.Archive))
	}
	p.Shelf = shelf
	if c.ArchiveRecipientsFile != "" {
		if p.Recipients, err = backup.ParseRecipients(nil, []string{c.ArchiveRecipientsFile}, ""); err != nil {
			return p, fmt.Errorf("archive: %w", err)
		}
	}
	if c.ArchiveIdentityFile != "" {
		if p.Identities, err = backup.ParseIdentities([]string{c.ArchiveIdentityFile}, ""); err != nil {
			return p, fmt.Errorf("archive: %w", err)
		}
	}
	return p, nil
}

// archivePartMB are the parts of an upload: an object has 64 MiB before it is compressed.
const archivePartMB = 8

// How often events are looked through for old ones, and how soon after a failure.
const (
	retirePeriod = 6 * time.Hour
	retireRetry  = 10 * time.Minute
	restoreStale = 5 * time.Minute // an object takes seconds
)

// retire archives and deletes events that are kept no longer, goes on with restores
// whose process has died, and takes back what was held. Replicas do it in turns. It
// begins when the partitions are made: both change the table.
func (a *App) retire(ctx context.Context, partitioned <-chan struct{}) {
	select {
	case <-partitioned:
	case <-ctx.Done():
		return
	}
	next := time.Now()
	for {
		if err := a.settleHolds(ctx); err != nil && ctx.Err() == nil {
			a.upkeepFailed("holds", "release held events", err)
		}
		a.resumeRestores(ctx)
		if now := time.Now(); !now.Before(next) {
			next = now.Add(retirePeriod)
			err := a.sweep(ctx)
			if errors.Is(err, db.ErrPostponed) {
				next = now.Add(trimPeriod)
			} else if err != nil {
				next = now.Add(retireRetry)
			}
			if err != nil && ctx.Err() == nil {
				a.upkeepFailed("events", "archive and delete old events", err)
				if !errors.Is(err, db.ErrPostponed) {
					a.archiveFailed(metrics.ArchiveWork, err)
				}
			}
		}
		a.measureWaiting(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(trimPeriod):
		}
	}
}

// measureWaiting tells for how long the oldest events have been due. Where that cannot
// be told the last answer stays: the sweep fails then, too.
func (a *App) measureWaiting(ctx context.Context) {
	if waiting, err := a.sweeper().Waiting(ctx, a.setup.Load().Keeping()); err == nil {
		a.metrics.Archive.Waiting(waiting)
	}
}

func (a *App) archiveFailed(work string, err error) {
	damage := archive.Damage{}
	a.metrics.Archive.Failed(work, errors.As(err, &damage))
}

func (a *App) settleHolds(ctx context.Context) error {
	_, err := a.Store.ArchiveAlone(ctx, func() error {
		return errors.Join(a.Store.ReturnKept(ctx), a.Store.ExpireRestores(ctx), a.Store.ReleaseHolds(ctx))
	})
	return err
}

func (a *App) sweeper() *archive.Sweeper {
	return &archive.Sweeper{Events: a.Store, Records: a.Store, Place: a.archive, Program: Version, Schema: db.NewestSchema(), Now: time.Now, Log: a.lg, Waits: db.ErrPostponed}
}

// sweep does all that is due, one day after another. It is a job while there is
// something to do.
func (a *App) sweep(ctx context.Context) error {
	var due []archive.Due
	_, err := a.Store.ArchiveAlone(ctx, func() (err error) {
		due, err = a.due(ctx)
		return err
	})
	if err != nil || len(due) == 0 {
		return err
	}
	job, err := a.Store.CreateJob(ctx, monitor.SystemActor, monitor.JobEventArchive)
	if err != nil {
		return err
	}
	var failed error
	a.run(job, func(ctx context.Context, progress func(done, total int) error) (string, error) {
		var days, events int
		days, events, failed = a.sweepDays(ctx, len(due), progress)
		if errors.Is(failed, db.ErrPostponed) {
			return fmt.Sprintf("%d days done, %d events archived; the next day waits for somebody who reads events or copies the database", days, events), nil
		}
		return fmt.Sprintf("%d days done, %d events archived", days, events), failed
	})
	return failed
}

// maxSkew is how far our clock may be from the database's before nothing is deleted any
// more: one that is a year ahead would take everything.
const maxSkew = 5 * time.Minute

// due is what has to go now.
func (a *App) due(ctx context.Context) ([]archive.Due, error) {
	theirs, err := a.Store.Clock(ctx)
	if err != nil {
		return nil, err
	}
	if skew := time.Since(theirs); skew.Abs() > maxSkew {
		return nil, fmt.Errorf("nothing is deleted: our clock differs from the database's by %s", skew.Round(time.Second))
	}
	return a.sweeper().Due(ctx, a.setup.Load().Keeping())
}

// sweepDays takes the lock anew for each day: another replica may go on in between, and
// a connection is not kept idle for hours.
func (a *App) sweepDays(ctx context.Context, total int, progress func(done, total int) error) (days, events int, err error) {
	for {
		more := false
		_, err := a.Store.ArchiveAlone(ctx, func() error {
			due, err := a.due(ctx)
			if err != nil || len(due) == 0 {
				return err
			}
			done, err := a.sweeper().Do(ctx, due[0])
			if err != nil {
				return fmt.Errorf("events of %s: %w", due[0].Day.Format(time.DateOnly), err)
			}
			more = len(due) > 1
			days++
			events += done.Events
			a.lg.Info("events deleted", "day", done.Day.Format(time.DateOnly), "scope", done.Scope, "archived", done.Events, "archive", done.Manifest)
			return nil
		})
		if err != nil || !more {
			return days, events, err
		}
		if err := progress(days, max(total, days)); err != nil {
			return days, events, err
		}
	}
}

// archives are kept by the store; restores are begun by the server.
type archives struct {
	*db.Store
	app *App
}

// EventRestore begins to bring archived events back.
func (a archives) EventRestore(ctx context.Context, actor monitor.Actor, r *monitor.EventRestore) (*monitor.Job, error) {
	return a.app.EventRestore(ctx, actor, r)
}

// ArchivePath is where the archive is.
func (a archives) ArchivePath() *string {
	if a.app.archive.Shelf == nil {
		return nil
	}
	path := a.app.archive.Shelf.Path("")
	return &path
}

// EventRestore begins to bring archived events back.
func (a *App) EventRestore(ctx context.Context, actor monitor.Actor, r *monitor.EventRestore) (*monitor.Job, error) {
	if a.archive.Shelf == nil {
		return nil, monitor.Errorf(monitor.CodeConflict, "no archive is set up: see --archive")
	}
	if err := r.Check(time.Now()); err != nil {
		return nil, err
	}
	if err := a.Store.CreateRestore(ctx, actor, r); err != nil {
		return nil, err
	}
	return a.beginRestore(ctx, actor, r)
}

func (a *App) beginRestore(ctx context.Context, actor monitor.Actor, r *monitor.EventRestore) (*monitor.Job, error) {
	return a.begin(ctx, actor, monitor.JobEventRestore, func(ctx context.Context, progress func(done, total int) error) (string, error) {
		err := restoreAlone(ctx, a.Store, &a.archive, r, progress)
		if err != nil && ctx.Err() == nil {
			a.archiveFailed(metrics.RestoreWork, err)
		}
		return fmt.Sprintf("%d events are back until %s", r.Restored, r.Until.UTC().Format(time.RFC3339)), err
	})
}

// resumeRestores goes on with restores whose process has died.
func (a *App) resumeRestores(ctx context.Context) {
	if a.archive.Shelf == nil {
		return
	}
	stale, err := a.Store.RunningRestores(ctx, restoreStale)
	for _, r := range stale {
		if err == nil {
			_, err = a.beginRestore(ctx, monitor.SystemActor, r)
		}
	}
	if err != nil && ctx.Err() == nil && monitor.CodeOf(err) != monitor.CodeRateLimited {
		a.upkeepFailed("restores", "go on with restores", err)
	}
}

// restoreWait is how often a restore asks whether its turn has come.
const restoreWait = time.Second

// restoreAlone restores when nothing else is archived or restored: a partition that is
// dropped meanwhile would take the events with it.
func restoreAlone(ctx context.Context, store *db.Store, place *archive.Place, r *monitor.EventRestore, progress func(done, total int) error) error {
	for {
		ran, err := store.ArchiveAlone(ctx, func() error { return restoreNow(ctx, store, place, r, progress) })
		if err != nil || ran {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(restoreWait):
		}
	}
}

func restoreNow(ctx context.Context, store *db.Store, place *archive.Place, r *monitor.EventRestore, progress func(done, total int) error) error {
	now, err := store.RestoreByID(ctx, r.ID)
	if err != nil {
		return err
	}
	*r = *now
	if r.State != monitor.RestoreRunning {
		return nil // another replica has done it
	}
	err = place.Restore(ctx, r, store, r.CreatedAt, progress)
	if ctx.Err() != nil {
		return err // it stays running: somebody goes on
	}
	r.State, r.Error = monitor.RestoreDone, ""
	if err != nil {
		r.State, r.Error = monitor.RestoreFailed, err.Error()
	}
	return errors.Join(err, store.SaveRestore(ctx, r))
}

// Manifest says what was archived of a day.
type Manifest = archive.Manifest

// ListArchive gives the manifests of an archive's days.
func ListArchive(ctx context.Context, where Archiving, from, to time.Time) ([]*Manifest, error) {
	place, err := where.found(ctx)
	if err != nil {
		return nil, err
	}
	names, err := archive.Manifests(ctx, place.Shelf, from, to)
	if err != nil {
		return nil, err
	}
	var all []*Manifest
	for _, name := range names {
		m, err := archive.ReadManifest(ctx, place.Shelf, name)
		if err != nil {
			return all, err
		}
		all = append(all, m)
	}
	return all, nil
}

// VerifyArchive reads the archives of those days to their end and tells each to f.
func VerifyArchive(ctx context.Context, where Archiving, from, to time.Time, f func(*Manifest, error)) error {
	place, err := where.found(ctx)
	if err != nil {
		return err
	}
	names, err := archive.Manifests(ctx, place.Shelf, from, to)
	if err != nil {
		return err
	}
	var failed error
	for _, name := range names {
		m, err := place.Verify(ctx, name)
		if m == nil {
			m = &Manifest{Name: name}
		}
		f(m, err)
		failed = errors.Join(failed, err)
	}
	return failed
}

func (c *Archiving) found(ctx context.Context) (archive.Place, error) {
	place, err := c.place(ctx)
	if err == nil && place.Shelf == nil {
		err = errors.New("name the archive with --archive")
	}
	return place, err
}

// RestoreArchive brings archived events back into the configured database, beside the
// servers that run on it.
func RestoreArchive(ctx context.Context, cfg Storage, where Archiving, r *monitor.EventRestore, lg *slog.Logger) (err error) {
	place, err := where.found(ctx)
	if err != nil {
		return err
	}
	if err := r.Check(time.Now()); err != nil {
		return err
	}
	store, closeAll, err := OpenStore(ctx, cfg, lg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	if err := store.CreateRestore(ctx, monitor.SystemActor, r); err != nil {
		return err
	}
	return restoreAlone(ctx, store, &place, r, func(int, int) error { return nil })
}
