package backup

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// Sink takes what a file holds, in its order. What it got counts only when Read
// has returned without an error: before that the file may still prove damaged.
type Sink interface {
	Begin(ctx context.Context, h Header) error
	Table(ctx context.Context, t Table) error
	// Row is one of the table that was begun last; it is valid until Row returns.
	Row(ctx context.Context, row [][]byte) error
}

// Contents is what a file that is whole holds.
type Contents struct {
	Header   Header
	Manifest Manifest
	// Broken is the first entry of the journal that does not follow from the one
	// before it; 0 when all do. It was broken when the backup was made.
	Broken uint64
}

// Read reads a backup to its end, checks every count and hash in it and the
// journal's chain, and hands the rows to sink, which may be nil. A Damage says that
// the file is not what was written; ErrNoKey that it is for other keys.
func Read(ctx context.Context, r io.Reader, keys Identities, sink Sink) (Contents, error) {
	source := &source{r: r}
	opened, err := open(source, keys)
	if err != nil {
		return Contents{}, source.explain(err)
	}
	unpacked, err := zstd.NewReader(opened, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(2*window), zstd.WithDecoderLowmem(true))
	if err != nil {
		return Contents{}, source.explain(err)
	}
	defer unpacked.Close()
	if sink == nil {
		sink = nowhere{}
	}
	read := &reader{in: bufio.NewReaderSize(unpacked, 64<<10), sink: sink}
	err = read.all(ctx)
	return read.Contents, source.explain(err)
}

func open(r io.Reader, keys Identities) (io.Reader, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	const magic = "age-encryption.org/v1\n"
	if start, err := in.Peek(len(magic)); string(start) != magic {
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, damage("it does not begin as a backup does")
	}
	opened, err := age.Decrypt(in, keys...)
	var other *age.NoIdentityMatchError
	if errors.As(err, &other) {
		return nil, ErrNoKey
	}
	return opened, err
}

// source remembers why reading failed: everything else that goes wrong with the
// stream is the file's fault.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

func (s *source) explain(err error) error {
	var known Damage
	var sinks sinkError
	switch {
	case err == nil, errors.Is(err, ErrNoKey), errors.Is(err, ErrFormat), errors.As(err, &known):
		return err
	case errors.As(err, &sinks):
		return sinks.error
	case s.err != nil:
		return fmt.Errorf("read backup: %w", s.err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return damage("it was cut off")
	}
	return damage("%v", err) // age's and zstd's texts hold no content
}

type sinkError struct{ error }

type reader struct {
	Contents
	in    *bufio.Reader
	sink  Sink
	body  []byte
	head  []byte
	table hash.Hash
	chain chain
}

func (r *reader) all(ctx context.Context) error {
	header, err := r.frame(frameHeader)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(header, &r.Header); err != nil {
		return damage("its header cannot be read")
	}
	if r.Header.Format != Format {
		return fmt.Errorf("%w: it is %q, this program reads %q", ErrFormat, r.Header.Format, Format)
	}
	digest := newDigest(header)
	if err := r.sink.Begin(ctx, r.Header); err != nil {
		return sinkError{err}
	}
	r.chain.begin(r.Header)
	var m Manifest
	for _, table := range r.Header.Tables {
		sum, err := r.readTable(ctx, table)
		if err != nil {
			return err
		}
		digest.add(sum)
		m.Tables = append(m.Tables, sum)
		m.Rows += sum.Rows
	}
	m.Digest = digest.sum()
	end, err := r.frame(frameManifest)
	if err != nil {
		return err
	}
	if json.Unmarshal(end, &r.Manifest) != nil || r.Manifest.Digest != m.Digest || r.Manifest.Rows != m.Rows || !slices.Equal(r.Manifest.Tables, m.Tables) {
		return damage("its manifest says other tables than it has")
	}
	r.Broken = r.chain.end()
	// The end of the stream is authenticated: reading it tells that nothing was cut.
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		if err == nil {
			return damage("something follows its end")
		}
		return err
	}
	return nil
}

func (r *reader) readTable(ctx context.Context, table Table) (TableSum, error) {
	sum := TableSum{Name: table.Name}
	name, err := r.frame(frameTable)
	if err != nil {
		return sum, err
	}
	if string(name) != table.Name {
		return sum, damage("it has the table %q where %q should be", name, table.Name)
	}
	if err := r.sink.Table(ctx, table); err != nil {
		return sum, sinkError{err}
	}
	r.table = sha256.New()
	r.chain.table(table)
	row := make(Row, len(table.Columns))
	for {
		if err := ctx.Err(); err != nil {
			return sum, sinkError{err}
		}
		kind, body, err := r.next()
		if err != nil {
			return sum, err
		}
		if kind == frameEnd {
			copy(sum.Hash[:], r.table.Sum(nil))
			var said TableSum
			if json.Unmarshal(body, &said) != nil || said != sum {
				return sum, damage("the rows of %s are not those that were written", table.Name)
			}
			return sum, nil
		}
		if kind != frameRow {
			return sum, damage("a frame of kind %q among the rows of %s", kind, table.Name)
		}
		r.table.Write(r.head)
		r.table.Write(body)
		sum.Rows++
		if err := parseRow(body, row); err != nil {
			return sum, damage("%s: %v", table.Name, err)
		}
		r.chain.row(row)
		if err := r.sink.Row(ctx, row); err != nil {
			return sum, sinkError{err}
		}
	}
}

// frame gives the next frame, which must be of a kind.
func (r *reader) frame(kind byte) ([]byte, error) {
	is, body, err := r.next()
	if err == nil && is != kind {
		err = damage("a frame of kind %q where %q should be", is, kind)
	}
	return body, err
}

// next gives a frame; its body is valid until the next call.
func (r *reader) next() (kind byte, body []byte, err error) {
	if kind, err = r.in.ReadByte(); err != nil {
		return 0, nil, err
	}
	size, err := binary.ReadUvarint(r.in)
	if err != nil {
		return 0, nil, err
	}
	if size > maxFrame {
		return 0, nil, damage("a frame of %d bytes", size)
	}
	r.head = binary.AppendUvarint(append(r.head[:0], kind), size)
	r.body = slices.Grow(r.body[:0], int(size))[:size]
	_, err = io.ReadFull(r.in, r.body)
	return kind, r.body, err
}

// nowhere is the sink of whoever only verifies.
type nowhere struct{}

func (nowhere) Begin(context.Context, Header) error { return nil }
func (nowhere) Table(context.Context, Table) error  { return nil }
func (nowhere) Row(context.Context, [][]byte) error { return nil }
