// Package audit writes the journal to a file that anybody can verify without the
// database, and verifies such files.
//
// The file is NDJSON. Its first line tells where the chain of hashes begins, each
// further line is an entry with its number, its hash and its body as it was
// hashed, and the last line tells where the chain ends: a file that was cut has
// none. docs/audit.md has the format.
package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/security-monitor/secmon/monitor"
)

const format = "secmon-journal/1"

// maxLine bounds a line of a file that is verified, in bytes.
const maxLine = 64 << 20

// Entry is an entry of the journal with its body as it was hashed.
type Entry struct {
	Seq  uint64          `json:"seq"`
	Hash Hash            `json:"hash"`
	Body json.RawMessage `json:"body"`
}

// Hash is hexadecimal in files.
type Hash [32]byte

// MarshalText writes it.
func (h Hash) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h[:])), nil }

// UnmarshalText reads it.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return errors.New("a hash has 64 hexadecimal digits")
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// Place is an entry's number and hash.
type Place struct {
	Seq  uint64 `json:"seq"`
	Hash Hash   `json:"hash"`
}

type header struct {
	Format string `json:"format"`
	Epoch  uint64 `json:"epoch"`
	Behind Place  `json:"behind"` // the entry before the first one here
}

type trailer struct {
	Entries int   `json:"entries"`
	End     Place `json:"end"`
}

// Source gives up to limit entries behind seq and up to last, in order.
type Source func(ctx context.Context, seq, last uint64, limit int) ([]Entry, error)

const atOnce = 200

// Write writes the entries from behind one place to another. It gives how many;
// what the source lacks in between is an error.
func Write(ctx context.Context, w io.Writer, epoch uint64, behind, end Place, source Source) (int, error) {
	out := bufio.NewWriter(w)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false) // bodies go out as they are
	if err := lines.Encode(header{format, epoch, behind}); err != nil {
		return 0, err
	}
	n, err := each(ctx, behind, end, source, func(e Entry) error { return lines.Encode(e) })
	if err != nil {
		return n, err
	}
	if err := lines.Encode(trailer{n, end}); err != nil {
		return n, err
	}
	return n, out.Flush()
}

// each hands on the entries from behind one place to another, in order, and gives
// how many they were; what the source lacks in between is an error.
func each(ctx context.Context, behind, end Place, source Source, f func(Entry) error) (n int, err error) {
	for seq := behind.Seq; seq < end.Seq; {
		entries, err := source(ctx, seq, end.Seq, atOnce)
		if err != nil {
			return n, err
		}
		if len(entries) == 0 {
			return n, fmt.Errorf("journal entry %d is not there", seq+1)
		}
		for _, e := range entries {
			if e.Seq != seq+1 {
				return n, fmt.Errorf("journal entry %d is not there", seq+1)
			}
			if err := f(e); err != nil {
				return n, err
			}
			seq, n = e.Seq, n+1
		}
	}
	return n, nil
}

// Fault is what is wrong with a file: the first entry that does not follow from
// the one before it.
type Fault struct {
	Line int
	Seq  uint64 // 0 where the line is no entry
	Why  string
}

// Error says where and what.
func (f Fault) Error() string {
	if f.Seq == 0 {
		return fmt.Sprintf("line %d: %s", f.Line, f.Why)
	}
	return fmt.Sprintf("line %d, entry %d: %s", f.Line, f.Seq, f.Why)
}

// Report is what a file that verifies holds.
type Report struct {
	Entries     int
	Behind, End Place
}

// Verify reads what Write wrote and computes every hash. A Fault says where the
// chain breaks, or that the file was cut.
func Verify(r io.Reader) (Report, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	var first header
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &first) != nil || first.Format != format {
		return Report{}, Fault{Line: 1, Why: "it is no export of a journal"}
	}
	at, n := first.Behind, 0
	for line := 2; lines.Scan(); line++ {
		raw := lines.Bytes()
		if bytes.HasPrefix(raw, []byte(`{"entries":`)) {
			var last trailer
			switch {
			case json.Unmarshal(raw, &last) != nil:
				return Report{}, Fault{Line: line, Why: "the last line cannot be read"}
			case last.Entries != n || last.End != at:
				return Report{}, Fault{Line: line, Why: fmt.Sprintf("the file ends at entry %d, and the chain at %d", last.End.Seq, at.Seq)}
			case lines.Scan():
				return Report{}, Fault{Line: line + 1, Why: "something follows the end"}
			}
			return Report{Entries: n, Behind: first.Behind, End: at}, lines.Err()
		}
		var e Entry
		if err := json.Unmarshal(raw, &e); err != nil {
			return Report{}, Fault{Line: line, Why: "it cannot be read"}
		}
		if e.Seq != at.Seq+1 {
			return Report{}, Fault{line, e.Seq, fmt.Sprintf("entry %d is missing", at.Seq+1)}
		}
		if Hash(monitor.ChainHash(at.Hash, e.Seq, e.Body)) != e.Hash {
			return Report{}, Fault{line, e.Seq, "it was changed, or one before it"}
		}
		at, n = Place{e.Seq, e.Hash}, n+1
	}
	if err := lines.Err(); err != nil {
		return Report{}, fmt.Errorf("read the file: %w", err)
	}
	return Report{}, Fault{Line: n + 2, Why: "the file was cut: its last line is missing"}
}
