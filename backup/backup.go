// Package backup owns the backup file: its format, its encryption, and where such
// files are kept (a directory, an S3 bucket, a pipe). It knows tables as names,
// columns and values; what is read and written with SQL is package db's matter.
//
// A file is an age file (https://age-encryption.org/v1) around a zstd stream
// around frames. docs/recovery.md has the format.
package backup

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"time"
)

// Format is what a file of this version says that it is.
const Format = "secmon-backup/1"

// Header stands at the beginning of a file: what it holds, and of when.
type Header struct {
	Format  string    `json:"format"`
	MadeAt  time.Time `json:"madeAt"`  // of the snapshot
	Program string    `json:"program"` // version of secmon that made it
	Server  string    `json:"server"`  // of the database
	Schema  int64     `json:"schema"`  // number of the newest migration
	Epoch   uint64    `json:"epoch"`
	Journal Span      `json:"journal"`
	Days    []string  `json:"days"` // partitions of events, as 2026-11-27
	Tables  []Table   `json:"tables"`
}

// Span is the part of the journal that was kept: from behind one entry to another.
type Span struct {
	Behind Place `json:"behind"`
	End    Place `json:"end"`
}

// Place is an entry's number and hash.
type Place struct {
	Seq  uint64 `json:"seq"`
	Hash Hash   `json:"hash"`
}

// Hash is hexadecimal in JSON.
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

// String is hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Table is one table whose rows a file holds.
type Table struct {
	Name    string   `json:"name"`
	Columns []Column `json:"columns"`
}

// Column is a column of a table; Kind is one of db's kinds of values.
type Column struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// Row has the values of a table's columns, nil for NULL.
type Row [][]byte

// Manifest stands at the end of a file: what must have come before.
type Manifest struct {
	Tables []TableSum `json:"tables"`
	Rows   uint64     `json:"rows"`
	Digest Hash       `json:"digest"` // of the header and of every table's sum
}

// TableSum is what became of one table.
type TableSum struct {
	Name string `json:"name"`
	Rows uint64 `json:"rows"`
	Hash Hash   `json:"sha256"` // of its rows' frames
}

// Damage says that a file is not what was written: cut off, altered, or no backup.
type Damage struct{ Why string }

// Error says why.
func (d Damage) Error() string { return "the backup is damaged: " + d.Why }

func damage(format string, args ...any) error { return Damage{fmt.Sprintf(format, args...)} }

// Kinds of frames. A frame is its kind, its length (uvarint) and so many bytes.
const (
	frameHeader   = 'h'
	frameTable    = 't' // its name; rows follow
	frameRow      = 'r' // each value: uvarint 0 for NULL, or its length + 1 and its bytes
	frameEnd      = 'e' // of a table: TableSum
	frameManifest = 'm' // nothing follows
)

// maxFrame bounds a frame, in bytes: a row holds one MEDIUMTEXT (16 MiB) and little else.
const maxFrame = 64 << 20

func appendRow(b []byte, row Row) []byte {
	for _, value := range row {
		if value == nil {
			b = append(b, 0)
			continue
		}
		b = binary.AppendUvarint(b, uint64(len(value))+1)
		b = append(b, value...)
	}
	return b
}

// parseRow gives the n values of a row; they stand in b.
func parseRow(b []byte, row Row) error {
	for i := range row {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n)+1 {
			return errors.New("a row is shorter than it says")
		}
		b = b[n:]
		if size == 0 {
			row[i] = nil
			continue
		}
		row[i], b = b[:size-1:size-1], b[size-1:]
	}
	if len(b) > 0 {
		return errors.New("a row is longer than its columns")
	}
	return nil
}

// digest commits to the header and to every table.
type digest struct{ hash.Hash }

func newDigest(header []byte) digest {
	d := digest{sha256.New()}
	d.Write(header)
	return d
}

func (d digest) add(t TableSum) {
	d.Write(binary.AppendUvarint([]byte(t.Name+"\x00"), t.Rows))
	d.Write(t.Hash[:])
}

func (d digest) sum() Hash { return Hash(d.Sum(nil)) }
