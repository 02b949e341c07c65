package archive

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/security-monitor/secmon/backup"
	"github.com/security-monitor/secmon/monitor"
)

// Bounds of an object: events, and bytes of them before they are compressed.
const (
	objectEvents = 100_000
	objectBytes  = 64 << 20
)

// window is how far zstd looks back: it bounds the memory of whoever reads.
const window = 4 << 20

// maxLine bounds a line: a record of an event has a MiB or so, and its text in JSON may
// be several times as long.
const maxLine = 32 << 20

// counting hashes and counts what goes by.
type counting struct {
	to io.Writer
	h  hash.Hash
	n  int64
}

// Write hands on.
func (c *counting) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.h.Write(p[:n])
	c.n += int64(n)
	return n, err
}

// writeObject writes an object: fill gives the events one by one to add.
func writeObject(w io.Writer, name string, keys backup.Recipients, fill func(add func(*monitor.Event) (full bool, err error)) error) (monitor.ArchiveObject, error) {
	is := monitor.ArchiveObject{Name: name}
	stored := &counting{to: w, h: sha256.New()}
	sealed, err := backup.Seal(stored, keys)
	if err != nil {
		return is, err
	}
	packed, err := zstd.NewWriter(sealed, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window))
	if err != nil {
		return is, err
	}
	lines := json.NewEncoder(packed)
	lines.SetEscapeHTML(false)
	plain := 0
	err = fill(func(e *monitor.Event) (bool, error) {
		if is.Events == 0 {
			is.First, is.OccurredMin, is.OccurredMax = e.ID, e.OccurredAt, e.OccurredAt
		}
		if e.OccurredAt.Before(is.OccurredMin) {
			is.OccurredMin = e.OccurredAt
		}
		if e.OccurredAt.After(is.OccurredMax) {
			is.OccurredMax = e.OccurredAt
		}
		is.Events++
		is.Last = e.ID
		plain += len(e.Raw) + len(e.Message) + len(e.Command)
		return is.Events >= objectEvents || plain >= objectBytes, lines.Encode(recordOf(e))
	})
	if err = errors.Join(err, packed.Close()); err != nil {
		return is, err
	}
	if err := sealed.Close(); err != nil {
		return is, err
	}
	is.Bytes, is.SHA256 = stored.n, hex.EncodeToString(stored.h.Sum(nil))
	return is, nil
}

// checkObject reads an object to its end and compares it with what the manifest says.
func checkObject(ctx context.Context, shelf backup.Shelf, o *monitor.ArchiveObject) error {
	file, err := shelf.Get(ctx, o.Name)
	if err != nil {
		return fmt.Errorf("read %s: %w", o.Name, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	h := sha256.New()
	n, err := io.Copy(h, file)
	if err != nil {
		return fmt.Errorf("read %s: %w", o.Name, err)
	}
	if n != o.Bytes || hex.EncodeToString(h.Sum(nil)) != o.SHA256 {
		return damagef("%s is not what was written: %d bytes of %d, or another hash", o.Name, n, o.Bytes)
	}
	return nil
}

const sealedEnding = ".age"

// isSealed tells by an object's name whether it is encrypted: an archive whose keys were
// set while it was written has both kinds.
func isSealed(o *monitor.ArchiveObject) bool { return strings.HasSuffix(o.Name, sealedEnding) }

// readObject calls f for every event of an object. Where it gives no error the object
// had as many as the manifest says.
func readObject(ctx context.Context, shelf backup.Shelf, keys backup.Identities, o *monitor.ArchiveObject, f func(*monitor.Event) error) error {
	file, err := shelf.Get(ctx, o.Name)
	if err != nil {
		return fmt.Errorf("read %s: %w", o.Name, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	var in io.Reader = file
	if isSealed(o) {
		if in, err = backup.Unseal(file, keys); err != nil {
			return fmt.Errorf("open %s: %w", o.Name, err)
		}
	}
	packed, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window))
	if err != nil {
		return err
	}
	defer packed.Close()
	lines := bufio.NewScanner(packed)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for lines.Scan() {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := parseRecord(lines.Bytes())
		if err != nil {
			return damagef("%s, line %d: %v", o.Name, n+1, err)
		}
		n++
		if err := f(e); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w", o.Name, err)
	}
	if n != o.Events {
		return damagef("%s has %d events, not %d", o.Name, n, o.Events)
	}
	return nil
}
