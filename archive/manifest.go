package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/security-monitor/secmon/backup"
	"github.com/security-monitor/secmon/monitor"
)

// Format is what a manifest of this version says that it is.
const Format = "secmon-events/1"

// maxManifest bounds a manifest, in bytes: some 30,000 objects.
const maxManifest = 16 << 20

// Manifest says what was archived of a day, and in which objects it is. It is written
// when all of them are there.
type Manifest struct {
	Format     string                  `json:"format"`
	Day        string                  `json:"day"` // 2026-11-27
	Generation int                     `json:"generation"`
	Scope      string                  `json:"scope"` // empty: the whole day
	MadeAt     time.Time               `json:"madeAt"`
	Program    string                  `json:"program"`
	Schema     int64                   `json:"schema"`
	Sealed     bool                    `json:"sealed"` // its objects are encrypted by age
	Events     int                     `json:"events"`
	Bytes      int64                   `json:"bytes"`
	Objects    []monitor.ArchiveObject `json:"objects"`

	Name string `json:"-"`
}

var manifestName = regexp.MustCompile(`^secmon-events-(\d{8})-[0-9a-f-]{36}\.manifest\.json$`)

func prefixOf(a *monitor.EventArchive) string {
	return "secmon-events-" + a.Day.Format("20060102") + "-" + a.ID.String()
}

// Manifests gives the names of the manifests of the days from one to another, in the
// order of days.
func Manifests(ctx context.Context, shelf backup.Shelf, from, to time.Time) ([]string, error) {
	files, err := shelf.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list archive: %w", err)
	}
	first, last := from.UTC().Format("20060102"), to.UTC().Format("20060102")
	var names []string
	for _, f := range files {
		if m := manifestName.FindStringSubmatch(f.Name); m != nil && m[1] >= first && m[1] <= last {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// ReadManifest reads a manifest.
func ReadManifest(ctx context.Context, shelf backup.Shelf, name string) (*Manifest, error) {
	file, err := shelf.Get(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(file, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", name, err)
	}
	m := &Manifest{Name: name}
	if err := json.Unmarshal(text, m); err != nil || len(text) > maxManifest {
		return nil, damagef("%s is no manifest", name)
	}
	if m.Format != Format {
		return nil, damagef("%s has the format %q, and this program reads %s", name, m.Format, Format)
	}
	for _, o := range m.Objects {
		if strings.ContainsAny(o.Name, "/\\") || !strings.HasPrefix(o.Name, strings.TrimSuffix(name, ".manifest.json")+"-") {
			return nil, damagef("%s names an object of another archive", name)
		}
	}
	return m, nil
}

func writeManifest(ctx context.Context, shelf backup.Shelf, m *Manifest) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return shelf.Put(ctx, m.Name, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}

// Damage says that an archive is not what was written.
type Damage struct{ Why string }

// Error says why.
func (d Damage) Error() string { return "the archive is damaged: " + d.Why }

func damagef(format string, args ...any) error { return Damage{fmt.Sprintf(format, args...)} }
