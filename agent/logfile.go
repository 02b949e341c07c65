package agent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// logFile follows a file of lines, such as /var/log/auth.log. The first time it begins
// at the file's end, afterwards behind the last line that is in the spool. A file
// that was rotated is read to its end under its new name, unless it was packed or
// deleted before: that is a gap, which the heartbeat tells. Where a file is emptied in its
// place (copytruncate), the copy is read; what was written between copy and cut is nobody's.
type logFile struct {
	*Agent
	path string
	at   position
}

// position is how far a file is read.
type position struct {
	Inode  uint64 `json:"inode"`
	Device uint64 `json:"device"`
	Offset int64  `json:"offset"`
	// Head and HeadBytes tell a file from another that was given its inode.
	Head      uint32 `json:"head"`
	HeadBytes int64  `json:"head_bytes"`
}

// lineRecord is a line; the server reads the line itself.
type lineRecord struct {
	Message string `json:"message"`
	Host    string `json:"host"`
	File    string `json:"file"`
	Cut     bool   `json:"cut,omitempty"` // it was longer
}

const (
	linesPeriod = time.Second
	linesBatch  = 500
	maxLine     = 64 << 10
	headMost    = 256
)

func (s *logFile) name() string { return "log " + s.path }

func (s *logFile) run(ctx context.Context) error {
	known, err := s.spool.Known(s.name())
	if err != nil {
		return err
	}
	if text := known[stateKey]; text == nil {
		if err := s.begin(); err != nil {
			return err
		}
	} else if err := json.Unmarshal(text, &s.at); err != nil {
		return fmt.Errorf("spool: position in %s: %w", s.path, err)
	}
	return s.each(ctx, s.name(), linesPeriod, s.once)
}

// begin takes the end of the file for its beginning, a file that is not there for empty.
func (s *logFile) begin() error {
	file, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s.save(position{}, nil)
	}
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	at, err := positionIn(file, end)
	if err != nil {
		return err
	}
	return s.save(at, nil)
}

func (s *logFile) save(at position, records [][]byte) error {
	text, err := json.Marshal(at)
	if err != nil {
		return err
	}
	if err := s.spool.Put(s.name(), Known{stateKey: text}, records); err != nil {
		return err
	}
	s.at = at
	return nil
}

// positionIn gives the position at an offset of a file.
func positionIn(file *os.File, offset int64) (at position, err error) {
	info, err := file.Stat()
	if err != nil {
		return at, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return at, errors.New("this system does not number files")
	}
	at = position{Inode: stat.Ino, Device: uint64(stat.Dev), Offset: offset, HeadBytes: min(headMost, offset)} //nolint:unconvert // other systems have other types
	at.Head, err = headSum(file, at.HeadBytes)
	return at, err
}

func headSum(file *os.File, n int64) (uint32, error) {
	head := make([]byte, n)
	if _, err := file.ReadAt(head, 0); err != nil {
		return 0, err
	}
	return crc32.ChecksumIEEE(head), nil
}

// is tells whether a file is the one that was being read.
func (p *position) is(file *os.File) bool {
	info, err := file.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Ino == p.Inode && uint64(stat.Dev) == p.Device && p.reads(file) //nolint:unconvert // as above
}

// reads tells whether a file has what was read, as a copy of the one that was being read has.
func (p *position) reads(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Size() < p.Offset {
		return false
	}
	sum, err := headSum(file, p.HeadBytes)
	return err == nil && sum == p.Head
}

// once reads what is new: the rest of the file that was being read, wherever it is now, and
// then the one that has its name.
func (s *logFile) once(ctx context.Context) error {
	file, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // between two names
	}
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	if s.at.Inode != 0 && !s.at.is(file) {
		if err := s.finish(ctx); err != nil || ctx.Err() != nil {
			return err
		}
		s.at = position{}
	}
	return s.read(ctx, file, false)
}

// finish reads the rest of the file that was rotated.
func (s *logFile) finish(ctx context.Context) error {
	others, err := filepath.Glob(globQuote(s.path) + "?*")
	if err != nil {
		return err
	}
	slices.Sort(others)
	copied := func(file *os.File) bool { return s.at.HeadBytes > 0 && s.at.reads(file) }
	for _, is := range []func(*os.File) bool{s.at.is, copied} {
		for _, path := range others {
			file, err := os.Open(path)
			if err != nil {
				continue // gone, or not ours to read: the gap is told below
			}
			found := is(file)
			if found {
				err = s.read(ctx, file, true)
			}
			_ = file.Close()
			if found {
				return err
			}
		}
	}
	s.notes.skip()
	s.lg.Warn("agent: the log was rotated away before it was read to its end", "file", s.path)
	return nil
}

// globQuote keeps what stands for others in patterns from doing so.
func globQuote(path string) string {
	var quoted []byte
	for i := range len(path) {
		if bytes.IndexByte([]byte(`*?[\`), path[i]) >= 0 {
			quoted = append(quoted, '\\')
		}
		quoted = append(quoted, path[i])
	}
	return string(quoted)
}

// read puts the whole lines behind the position into the spool; of a file that is
// complete, a last one without its end too.
func (s *logFile) read(ctx context.Context, file *os.File, complete bool) error {
	if _, err := file.Seek(s.at.Offset, io.SeekStart); err != nil {
		return err
	}
	in, offset := bufio.NewReaderSize(file, maxLine), s.at.Offset
	var records [][]byte
	flush := func() error {
		if offset == s.at.Offset {
			return nil
		}
		at, err := positionIn(file, offset)
		if err == nil {
			err = s.save(at, records)
		}
		records = nil
		return err
	}
	for ctx.Err() == nil {
		line, n, ended := readLine(in)
		if !ended && (!complete || n == 0) { // the rest of it is not there yet
			break
		}
		offset += int64(n)
		if text := bytes.TrimRight(line, "\r\n"); len(text) > 0 {
			record, err := json.Marshal(lineRecord{Message: string(bytes.ToValidUTF8(text, []byte("\uFFFD"))), Host: s.cfg.Host, File: s.path, Cut: n > len(line)})
			if err != nil {
				return err
			}
			records = append(records, record)
		}
		if len(records) >= linesBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// readLine gives the beginning of a line, and how long all of it is; ended is false where
// the file ends before the line does.
func readLine(in *bufio.Reader) (line []byte, n int, ended bool) {
	for {
		piece, err := in.ReadSlice('\n')
		n += len(piece)
		if len(line) < maxLine {
			line = append(line, piece[:min(len(piece), maxLine-len(line))]...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, n, err == nil
		}
	}
}
