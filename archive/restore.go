package archive

import (
	"context"
	"strconv"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// Restores take archived events back.
type Restores interface {
	// InsertRestored changes nothing where the events are there already.
	InsertRestored(ctx context.Context, restore monitor.ID, events []*monitor.Event) (held int, err error)
	SaveRestore(ctx context.Context, r *monitor.EventRestore) error
}

// restoreChunk is how many events go into the database at once.
const restoreChunk = 500

// Restore brings the events back that a restore asks for. It notes how far it is behind
// each object: cut off, it goes on with the next. An object whose hash is not what its
// manifest says ends it before any of its events is read.
func (p *Place) Restore(ctx context.Context, r *monitor.EventRestore, into Restores, now time.Time, progress func(done, total int) error) error {
	fits, err := r.Filter().Compile()
	if err != nil {
		return err
	}
	names, err := Manifests(ctx, p.Shelf, r.From, r.To)
	if err != nil {
		return err
	}
	var manifests []*Manifest
	total := 0
	for _, name := range names {
		m, err := ReadManifest(ctx, p.Shelf, name)
		if err != nil {
			return err
		}
		manifests = append(manifests, m)
		total += len(m.Objects)
	}
	r.Total = total
	for _, m := range manifests {
		for i := range m.Objects {
			if o := &m.Objects[i]; o.Name > r.Position {
				if err := p.restoreObject(ctx, r, into, o, func(e *monitor.Event) bool { return fits.Matches(e, now) }); err != nil {
					return err
				}
				r.Position, r.Objects = o.Name, r.Objects+1
				if err := into.SaveRestore(ctx, r); err != nil {
					return err
				}
				if err := progress(r.Objects, total); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (p *Place) restoreObject(ctx context.Context, r *monitor.EventRestore, into Restores, o *monitor.ArchiveObject, fits func(*monitor.Event) bool) error {
	if err := checkObject(ctx, p.Shelf, o); err != nil {
		return err
	}
	before := r.Restored
	chunk := make([]*monitor.Event, 0, restoreChunk)
	flush := func() error {
		n, err := into.InsertRestored(ctx, r.ID, chunk)
		r.Restored += n
		chunk = chunk[:0]
		if err == nil && r.Restored > monitor.MaxRestoredEvents {
			err = monitor.Errorf(monitor.CodeBadInput, "more than %s events: restore fewer days, or with a query", strconv.Itoa(monitor.MaxRestoredEvents))
		}
		return err
	}
	size := 0
	err := readObject(ctx, p.Shelf, p.Identities, o, func(e *monitor.Event) error {
		if !fits(e) {
			return nil
		}
		chunk = append(chunk, e)
		if size += len(e.Raw); len(chunk) < restoreChunk && size < pageBytes {
			return nil
		}
		size = 0
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		r.Restored = before // the object comes again
	}
	return err
}

// Verify reads a manifest and all its objects, and says what it is.
func (p *Place) Verify(ctx context.Context, name string) (*Manifest, error) {
	m, err := ReadManifest(ctx, p.Shelf, name)
	if err != nil {
		return nil, err
	}
	for i := range m.Objects {
		if err := p.verify(ctx, &m.Objects[i]); err != nil {
			return m, err
		}
	}
	return m, nil
}
