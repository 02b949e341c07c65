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
// data gives BAD_ENCODING, here or while reading; a body that ends too early
// keeps io.ErrUnexpectedEOF. It does not bound the length; Split does.
func Decompress(r io.Reader, encoding string) (io.ReadCloser, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return io.NopCloser(r), nil
	case "gzip", "x-gzip":
		unpacked, err := gzip.NewReader(r)
		if err != nil {
			return nil, badEncoding(err)
		}
		return &decompressor{unpacked, unpacked.Close}, nil
	case "zstd":
		unpacked, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, badEncoding(err)
		}
		return &decompressor{unpacked, func() error { unpacked.Close(); return nil }}, nil
	default:
		return nil, monitor.Errorf(CodeBadEncoding, "content encoding %q is not known; send gzip, zstd or none", encoding)
	}
}

type decompressor struct {
	r     io.Reader
	close func() error
}

// Read gives decompressed bytes.
func (d *decompressor) Read(b []byte) (int, error) {
	n, err := d.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = badEncoding(err)
	}
	return n, err
}

// Close gives the decompressor's memory back.
func (d *decompressor) Close() error { return d.close() }

func badEncoding(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return monitor.Errorf(CodeBadEncoding, "the body cannot be decompressed: %v", err)
}
