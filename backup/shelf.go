package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Shelf is where backups are kept: a directory, or a bucket with a prefix.
type Shelf interface {
	// Put stores what write writes under a name. Where write fails, or the shelf
	// does, nothing is there afterwards under that name that was not before.
	Put(ctx context.Context, name string, write func(io.Writer) error) error
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	// List gives the files here, not those further down.
	List(ctx context.Context) ([]File, error)
	Remove(ctx context.Context, name string) error
	// Path is the whole name of a file, for people.
	Path(name string) string
}

// File is a file on a shelf.
type File struct {
	Name     string
	Bytes    int64
	Modified time.Time
}

// Find takes a path apart: a file's or a directory's, or s3://BUCKET/KEY. name is
// empty for a directory, or a key that ends with a slash: then it names all there.
func Find(ctx context.Context, path string, o S3Options) (shelf Shelf, name string, err error) {
	if rest, ok := strings.CutPrefix(path, "s3://"); ok {
		bucket, key, _ := strings.Cut(rest, "/")
		if bucket == "" {
			return nil, "", fmt.Errorf("%s names no bucket", path)
		}
		at := strings.LastIndexByte(key, '/') + 1
		shelf, err := newBucket(ctx, bucket, key[:at], o)
		return shelf, key[at:], err
	}
	if strings.Contains(path, "://") {
		return nil, "", fmt.Errorf("%s is neither a file nor s3://BUCKET/KEY", path)
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() || strings.HasSuffix(path, "/") {
		return directory(path), "", nil
	}
	return directory(filepath.Dir(path)), filepath.Base(path), nil
}

const nameTime = "20060102T150405Z"

var ownName = regexp.MustCompile(`^secmon-\d{8}T\d{6}Z-\d+\.backup$`)

// Name is what a backup is called that is given no name: the time of its snapshot
// and the newest entry of the journal in it. Names sort by time.
func Name(h Header) string {
	return fmt.Sprintf("secmon-%s-%d.backup", h.MadeAt.UTC().Format(nameTime), h.Journal.End.Seq)
}

// Retain removes all but the newest keep of the backups that Name has named, and
// gives what it removed. 0 keeps all. Other files stay.
func Retain(ctx context.Context, shelf Shelf, keep int) (removed []string, err error) {
	if keep <= 0 {
		return nil, nil
	}
	files, err := shelf.List(ctx)
	if err != nil {
		return nil, err
	}
	files = slices.DeleteFunc(files, func(f File) bool { return !ownName.MatchString(f.Name) })
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(b.Name, a.Name) })
	for _, f := range files[min(keep, len(files)):] {
		if err := shelf.Remove(ctx, f.Name); err != nil {
			return removed, fmt.Errorf("remove old backup: %w", err)
		}
		removed = append(removed, f.Name)
	}
	return removed, nil
}

// directory is a shelf on a disk.
type directory string

func (d directory) Path(name string) string { return filepath.Join(string(d), name) }

// Put writes beside the name and renames: a file under its name is whole. Before, it
// makes room by removing what killed backups have left.
func (d directory) Put(_ context.Context, name string, write func(io.Writer) error) error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	d.removeStale(time.Now())
	part, err := d.newPart()
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	err = write(part)
	if err == nil {
		err = part.Sync()
	}
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(part.Name(), d.Path(name))
	}
	if err != nil {
		_ = os.Remove(part.Name())
		return err
	}
	return d.sync()
}

// sync makes the renaming last.
func (d directory) sync() error {
	dir, err := os.Open(string(d))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (d directory) Get(_ context.Context, name string) (io.ReadCloser, error) {
	return os.Open(d.Path(name))
}

func (d directory) List(context.Context) ([]File, error) {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			continue // gone meanwhile, or no backup
		}
		files = append(files, File{e.Name(), info.Size(), info.ModTime()})
	}
	return files, nil
}

func (d directory) Remove(_ context.Context, name string) error { return os.Remove(d.Path(name)) }
