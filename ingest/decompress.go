package ingest

import (
	"compress/gzip"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/security-monitor/secmon/monitor"
)

// maxWindow bounds the memory that a zstd frame may ask for.
const maxWindow = 8 << 20

// Decompress undoes the Content-Encoding of a body: none, gzip or zstd. Damaged
// or incomplete data gives BAD_ENCODING, here or while reading; an error of r
// itself, for example of a broken connection, comes through as it is. It does
// not bound the length; Split does.
func Decompress(r io.Reader, encoding string) (io.ReadCloser, error) {
	from := &source{r: r}
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return io.NopCloser(r), nil
	case "gzip", "x-gzip":
		unpacked, err := gzip.NewReader(from)
		if err != nil {
			return nil, from.explain(err)
		}
		return &decompressor{from, unpacked, unpacked.Close}, nil
	case "zstd":
		unpacked, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, from.explain(err)
		}
		return &decompressor{from, unpacked, func() error { unpacked.Close(); return nil }}, nil
	default:
		return nil, monitor.Errorf(CodeBadEncoding, "content encoding %q is not known; send gzip, zstd or none", encoding)
	}
}

// source remembers what went wrong with the compressed bytes' reader.
type source struct {
	r      io.Reader
	failed error
}

// Read gives compressed bytes.
func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed = err
	}
	return n, err
}

// explain gives the reader's own error, if it had one: then the data is not to blame.
func (s *source) explain(err error) error {
	switch {
	case s.failed != nil:
		return s.failed
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return monitor.Errorf(CodeBadEncoding, "the compressed body ends too early")
	default:
		return monitor.Errorf(CodeBadEncoding, "the body cannot be decompressed: %v", err)
	}
}

type decompressor struct {
	from  *source
	r     io.Reader
	close func() error
}

// Read gives decompressed bytes.
func (d *decompressor) Read(b []byte) (int, error) {
	n, err := d.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = d.from.explain(err)
	}
	return n, err
}

// Close gives the decompressor's memory back.
func (d *decompressor) Close() error { return d.close() }
