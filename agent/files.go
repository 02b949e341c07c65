package agent

import (
	"context"
	"crypto/md5"  //nolint:gosec // what lists of threats name
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// files reports files that are new in the watched folders, or changed, with their
// hashes. Links are not followed.
//
// The system's notices only wake it; what is news comes of comparing folders with
// what the spool knows. So nothing is missed but what comes and goes within
// seconds, and what came while the agent was away is told.
type files struct {
	*Agent
	known   map[string]mark    // by path
	roots   map[string]bool    // that were looked at
	pending map[string]unquiet // that may still be written
	watcher *fsnotify.Watcher  // nil: the system has none to spare, and the period alone counts
}

// mark tells versions of a file apart.
type mark struct {
	Size     int64 `json:"size"`
	Modified int64 `json:"modified"` // ns
}

type unquiet struct {
	mark
	since, first time.Time
}

const (
	filePrefix  = "file:"
	rootPrefix  = "root:"
	filesPeriod = time.Minute    // where no notice comes
	fileRest    = time.Second    // so long it has to stay as it is before it is hashed
	fileUnrest  = time.Minute    // after which it is hashed anyway
	maxFiles    = 50_000         // that are known
	maxNewFiles = 500            // of a look; the others come with the next
	filesShare  = 20             // a look is followed by a rest of so many times as long
	below       = "/..."         // at the end of a folder: and those below it
	hashPiece   = 1 << 20        // between two looks at whether to stop
	maxPath     = 4 << 10        // bytes, of Linux
	fileBatch   = 50             // new files of one transaction
	aboutFiles  = "files"        // faults of the whole
	noHashSize  = "too large"    // hash_skipped
	noHashRead  = "not readable" // hash_skipped
)

// fileReport is the report "file".
type fileReport struct {
	head
	Change      string `json:"change"` // created, changed
	Path        string `json:"file_path"`
	Name        string `json:"file_name"`
	Size        int64  `json:"file_size"`
	Modified    string `json:"modified"`
	Mode        string `json:"mode"` // such as 0755
	Executable  bool   `json:"executable"`
	SHA256      string `json:"sha256,omitempty"`
	SHA1        string `json:"sha1,omitempty"`
	MD5         string `json:"md5,omitempty"`
	HashSkipped string `json:"hash_skipped,omitempty"`
}

func (s *files) name() string { return aboutFiles }

func (s *files) run(ctx context.Context) error {
	known, err := s.spool.Known(s.name())
	if err != nil {
		return err
	}
	s.known, s.roots, s.pending = map[string]mark{}, map[string]bool{}, map[string]unquiet{}
	for key, value := range known {
		if root, ok := strings.CutPrefix(key, rootPrefix); ok {
			s.roots[root] = true
			continue
		}
		var m mark
		if err := json.Unmarshal(value, &m); err != nil {
			return fmt.Errorf("spool: what is known of %s: %w", key, err)
		}
		s.known[strings.TrimPrefix(key, filePrefix)] = m
	}
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		s.watcher = watcher
		defer func() { s.watcher = nil; _ = watcher.Close() }()
	}
	s.fault("notices of files", err)
	return s.loop(ctx)
}

// loop looks when something happens in a folder, and each filesPeriod.
func (s *files) loop(ctx context.Context) error {
	var notices chan fsnotify.Event
	var faults chan error
	if s.watcher != nil {
		notices, faults = s.watcher.Events, s.watcher.Errors
	}
	for {
		begun := time.Now()
		more, err := s.once(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.fault(s.name(), err)
		if !sleep(ctx, max(fileRest, filesShare*time.Since(begun))) {
			return nil
		}
		period := time.NewTimer(filesPeriod)
		for waiting := !more; waiting; {
			select {
			case <-ctx.Done():
				return nil
			case <-period.C:
				waiting = false
			case e := <-notices:
				waiting = e.Op == fsnotify.Chmod
			case err := <-faults: // such as too many notices: looking finds it all
				s.lg.Debug("agent: notices of files", "error", err)
				waiting = false
			}
		}
		period.Stop()
		for drained := false; !drained; {
			select {
			case <-notices:
			default:
				drained = true
			}
		}
	}
}

// once compares the folders with what is known; more says that something has to
// wait for the next look.
func (s *files) once(ctx context.Context) (more bool, err error) {
	var faults []error
	there := map[string]mark{}
	unseen := map[string]bool{} // roots of which nothing can be said
	changed := Known{}
	for _, root := range s.cfg.Folders {
		found, err := s.list(root, len(there))
		if err != nil {
			faults = append(faults, err)
			unseen[root] = true
			continue
		}
		if !s.roots[root] { // what was there before is no news
			changed[rootPrefix+root] = []byte("1")
			for path, m := range found {
				if _, known := s.known[path]; !known {
					changed[filePrefix+path] = encodeMark(m)
				}
			}
		}
		maps.Copy(there, found)
	}
	for path := range s.known {
		if _, still := there[path]; !still && !slices.ContainsFunc(slices.Collect(maps.Keys(unseen)), func(root string) bool { return inFolder(root, path) }) {
			changed[filePrefix+path] = nil
		}
	}
	for root := range s.roots {
		if !slices.Contains(s.cfg.Folders, root) {
			changed[rootPrefix+root] = nil
		}
	}
	if err := s.put(changed, nil); err != nil {
		return true, err
	}
	more, err = s.tell(ctx, s.settled(there))
	return more || s.forgetPending(there), errors.Join(append(faults, err)...)
}

// put changes what is known, in the spool and here.
func (s *files) put(changed Known, records [][]byte) error {
	if err := s.spool.Put(s.name(), changed, records); err != nil {
		return err
	}
	for key, value := range changed {
		root, isRoot := strings.CutPrefix(key, rootPrefix)
		path := strings.TrimPrefix(key, filePrefix)
		switch {
		case isRoot && value == nil:
			delete(s.roots, root)
		case isRoot:
			s.roots[root] = true
		case value == nil:
			delete(s.known, path)
		default:
			var m mark
			if err := json.Unmarshal(value, &m); err != nil {
				return err
			}
			s.known[path] = m
		}
	}
	return nil
}

func encodeMark(m mark) []byte {
	text, _ := json.Marshal(m) // two numbers
	return text
}

func inFolder(root, path string) bool {
	folder := strings.TrimSuffix(root, below)
	if folder == root {
		return filepath.Dir(path) == filepath.Clean(folder)
	}
	return strings.HasPrefix(path, filepath.Clean(folder)+string(filepath.Separator))
}

// list gives the regular files of a folder, and has it watched. A folder that is not
// there has none.
func (s *files) list(root string, already int) (map[string]mark, error) {
	folder := filepath.Clean(strings.TrimSuffix(root, below))
	found := map[string]mark{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path != folder { // one below that may not be read, or is gone
				return nil //nolint:nilerr // the others count
			}
			return err
		}
		if d.IsDir() {
			if path != folder && root == strings.TrimSuffix(root, below) {
				return fs.SkipDir
			}
			if s.watcher != nil {
				s.fault("notices of "+path, s.watcher.Add(path))
			}
			return nil
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() || len(path) > maxPath {
			return nil //nolint:nilerr // it is gone, or no file
		}
		if already+len(found) >= maxFiles {
			return fmt.Errorf("more than %d files are in the watched folders: name smaller ones than %s", maxFiles, root)
		}
		found[path] = mark{info.Size(), info.ModTime().UnixNano()}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil
	}
	return found, err
}

// settled gives the paths that are news and have come to rest.
func (s *files) settled(there map[string]mark) []string {
	now := time.Now()
	var rest []string
	for path, m := range there {
		if known, ok := s.known[path]; ok && known == m {
			delete(s.pending, path)
			continue
		}
		p, waits := s.pending[path]
		if !waits {
			p.first = now
		}
		if p.mark != m {
			p.mark, p.since = m, now
		}
		s.pending[path] = p
		if waits && now.Sub(p.since) >= fileRest || now.Sub(p.first) >= fileUnrest {
			rest = append(rest, path)
		}
	}
	slices.Sort(rest)
	return rest
}

// forgetPending forgets what is gone again; it tells whether something still waits.
func (s *files) forgetPending(there map[string]mark) bool {
	for path := range s.pending {
		if _, still := there[path]; !still {
			delete(s.pending, path)
			s.notes.skip()
		}
	}
	return len(s.pending) > 0
}

// tell hashes files and puts them into the spool, some at a time.
func (s *files) tell(ctx context.Context, paths []string) (more bool, err error) {
	if len(paths) > maxNewFiles {
		paths, more = paths[:maxNewFiles], true
	}
	for batch := range slices.Chunk(paths, fileBatch) {
		changed, records := Known{}, [][]byte{}
		for _, path := range batch {
			r, m, err := s.report(ctx, path)
			if errors.Is(err, fs.ErrNotExist) {
				continue // forgetPending counts it
			}
			if err != nil {
				return more, err
			}
			record, err := json.Marshal(r)
			if err != nil {
				return more, err
			}
			changed[filePrefix+path], records = encodeMark(m), append(records, record)
		}
		if err := s.put(changed, records); err != nil {
			return more, err
		}
		for key := range changed {
			delete(s.pending, strings.TrimPrefix(key, filePrefix))
		}
	}
	return more, nil
}

// report hashes a file. Its mark is from before: what changes meanwhile is told again.
func (s *files) report(ctx context.Context, path string) (r fileReport, m mark, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return r, m, err
	}
	m = mark{info.Size(), info.ModTime().UnixNano()}
	r = fileReport{
		head: s.head("file", time.Now()), Change: "created", Path: path, Name: filepath.Base(path), Size: info.Size(), Modified: info.ModTime().UTC().Format(time.RFC3339Nano),
		Mode: fmt.Sprintf("%04o", info.Mode().Perm()), Executable: info.Mode().Perm()&0o111 != 0,
	}
	if _, known := s.known[path]; known {
		r.Change = "changed"
	}
	if info.Size() > s.cfg.FileBytes {
		r.HashSkipped = noHashSize
		return r, m, nil
	}
	switch err := r.hash(ctx, path, s.cfg.FileBytes); {
	case ctx.Err() != nil:
		return r, m, ctx.Err()
	case errors.Is(err, fs.ErrNotExist):
		return r, m, err
	case errors.Is(err, errGrown):
		r.HashSkipped = noHashSize
	case err != nil:
		r.HashSkipped = noHashRead
	}
	return r, m, nil
}

var errGrown = errors.New("it has grown")

// hash reads a file of at most so many bytes. It opens no link, and waits for no pipe
// that has taken the file's place.
func (r *fileReport) hash(ctx context.Context, path string, most int64) error {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(fs.ErrNotExist, err)
	}
	strong, middle, weak := sha256.New(), sha1.New(), md5.New() //nolint:gosec // what lists of threats name
	to := io.MultiWriter(strong, middle, weak)
	for read := int64(0); ; {
		n, err := io.CopyN(to, file, hashPiece)
		if read += n; read > most {
			return errGrown
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
	}
	r.SHA256, r.SHA1, r.MD5 = hex.EncodeToString(strong.Sum(nil)), hex.EncodeToString(middle.Sum(nil)), hex.EncodeToString(weak.Sum(nil))
	return nil
}
