package backup

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"io"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// Source gives what a file is made of.
type Source interface {
	// Rows calls f for every row of a table, in the order of its key. A row is valid
	// until f returns.
	Rows(ctx context.Context, table string, f func(row [][]byte) error) error
}

// window is how far zstd looks back: it bounds the memory of whoever reads.
const window = 4 << 20

// Write writes a backup: the header, every table of it, the manifest. Nothing but
// ciphertext reaches w. An error leaves a file that does not verify.
func Write(ctx context.Context, w io.Writer, keys Recipients, h Header, source Source) (Manifest, error) {
	sealed, err := age.Encrypt(w, keys...)
	if err != nil {
		return Manifest{}, fmt.Errorf("encrypt backup: %w", err)
	}
	packed, err := zstd.NewWriter(sealed, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window))
	if err != nil {
		return Manifest{}, err
	}
	h.Format = Format
	m, err := (&writer{out: packed}).write(ctx, h, source)
	if err != nil {
		_ = packed.Close() // frees its memory; age's end stays unwritten, so that the file is recognised as cut off
		return m, err
	}
	if err := packed.Close(); err != nil {
		return m, fmt.Errorf("write backup: %w", err)
	}
	if err := sealed.Close(); err != nil {
		return m, fmt.Errorf("write backup: %w", err)
	}
	return m, nil
}

type writer struct {
	out   io.Writer
	table hash.Hash // of the table that is written
	head  []byte
	row   []byte
}

func (w *writer) write(ctx context.Context, h Header, source Source) (m Manifest, err error) {
	header, err := json.Marshal(h)
	if err != nil {
		return m, err
	}
	if err := w.frame(frameHeader, header); err != nil {
		return m, err
	}
	all := newDigest(header)
	for _, table := range h.Tables {
		sum, err := w.writeTable(ctx, table, source)
		if err != nil {
			return m, fmt.Errorf("back up %s: %w", table.Name, err)
		}
		all.add(sum)
		m.Tables = append(m.Tables, sum)
		m.Rows += sum.Rows
	}
	m.Digest = all.sum()
	return m, w.json(frameManifest, m)
}

func (w *writer) writeTable(ctx context.Context, table Table, source Source) (TableSum, error) {
	if err := w.frame(frameTable, []byte(table.Name)); err != nil {
		return TableSum{}, err
	}
	w.table = sha256.New()
	sum := TableSum{Name: table.Name}
	err := source.Rows(ctx, table.Name, func(row [][]byte) error {
		if len(row) != len(table.Columns) {
			return fmt.Errorf("a row of %d values for %d columns", len(row), len(table.Columns))
		}
		sum.Rows++
		w.row = appendRow(w.row[:0], row)
		return w.frame(frameRow, w.row)
	})
	if err != nil {
		return sum, err
	}
	copy(sum.Hash[:], w.table.Sum(nil))
	w.table = nil
	return sum, w.json(frameEnd, sum)
}

func (w *writer) json(kind byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.frame(kind, b)
}

func (w *writer) frame(kind byte, body []byte) error {
	if len(body) > maxFrame {
		return fmt.Errorf("a row of %d bytes; the format takes %d", len(body), maxFrame)
	}
	w.head = binary.AppendUvarint(append(w.head[:0], kind), uint64(len(body)))
	if w.table != nil {
		w.table.Write(w.head)
		w.table.Write(body)
	}
	if _, err := w.out.Write(w.head); err != nil {
		return err
	}
	_, err := w.out.Write(body)
	return err
}
