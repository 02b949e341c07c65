package agent

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Spool keeps on disk what the server has not stored yet, and what each source has
// told. Both change in one transaction: whatever kills the agent, a record is in the
// spool exactly when its source knows that it is, so none is told twice or never.
//
// It holds a bounded number of bytes. What comes beyond takes the place of the oldest
// chunks, which are counted in Counters.
type Spool struct {
	db     *bbolt.DB
	max    int64
	filled chan struct{} // has room for one: told after a Put
}

var (
	chunksBucket = []byte("chunks") // number → chunk
	knownBucket  = []byte("known")  // source/key → what it has told
	countBucket  = []byte("count")  // Counters
	countKey     = []byte("counters")
)

// Counters tell what became of the records of this spool, since it was made.
type Counters struct {
	Agent    string `json:"agent_id"` // made with the spool
	Stored   uint64 `json:"stored"`   // by the server
	Rejected uint64 `json:"rejected"` // by the server, one by one
	Refused  uint64 `json:"refused"`  // in chunks that the server would not take
	Dropped  uint64 `json:"dropped"`  // to make room
	Waiting  uint64 `json:"waiting"`
	Bytes    int64  `json:"spool_bytes"` // of waiting chunks
}

// chunk is what one request carries.
type chunk struct {
	number  uint64
	key     string // its name for the server: drawn, so that a copied spool gives no name twice
	records int
	packed  []byte // NDJSON, packed with gzip
}

const (
	keyBytes   = 26
	headBytes  = keyBytes + 4
	openWait   = 2 * time.Second // for another agent to let go of the spool
	maxRecord  = 512 << 10       // the server takes 1 MiB
	maxPut     = 1_000           // records of one chunk
	chunkBytes = 4 << 20         // of one chunk, before it is packed
)

// OpenSpool opens or makes the spool of a directory, which no other agent may
// have open.
func OpenSpool(dir string, maxBytes int64) (*Spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "spool.db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: openWait, FreelistType: bbolt.FreelistMapType, NoFreelistSync: true})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("%s is in use by another agent, such as that of secmon serve --agent: stop it, or name another folder by --spool-dir", path)
	}
	if err != nil {
		return nil, fmt.Errorf("spool %s: %w", path, err)
	}
	s := &Spool{db: db, max: maxBytes, filled: make(chan struct{}, 1)}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{chunksBucket, knownBucket, countBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return count(tx, func(c *Counters) error {
			if c.Agent == "" {
				c.Agent = rand.Text()
			}
			return nil
		})
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("spool %s: %w", path, err), db.Close())
	}
	return s, nil
}

// Close ends what is under way and lets go of the directory.
func (s *Spool) Close() error { return s.db.Close() }

// Known is what a source has told, by its own keys; a nil value forgets one.
type Known map[string][]byte

// Known gives what a source has told.
func (s *Spool) Known(source string) (Known, error) {
	known := Known{}
	err := s.db.View(func(tx *bbolt.Tx) error {
		prefix := []byte(source + "/")
		at := tx.Bucket(knownBucket).Cursor()
		for key, value := at.Seek(prefix); bytes.HasPrefix(key, prefix); key, value = at.Next() {
			known[string(key[len(prefix):])] = bytes.Clone(value)
		}
		return nil
	})
	return known, err
}

// Put adds records and what their source knows from now on, both or nothing. It
// returns when they are on disk.
func (s *Spool) Put(source string, changed Known, records [][]byte) error {
	var chunks []chunk
	for len(records) > 0 {
		n, size := 0, 0
		for n < len(records) && n < maxPut && (n == 0 || size+len(records[n]) <= chunkBytes) {
			size += len(records[n])
			n++
		}
		c, err := pack(records[:n])
		if err != nil {
			return err
		}
		chunks, records = append(chunks, c), records[n:]
	}
	if len(chunks) == 0 && len(changed) == 0 {
		return nil
	}
	err := s.db.Update(func(tx *bbolt.Tx) error {
		known := tx.Bucket(knownBucket)
		for key, value := range changed {
			if err := change(known, []byte(source+"/"+key), value); err != nil {
				return err
			}
		}
		return s.add(tx, chunks)
	})
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	if len(chunks) > 0 {
		select {
		case s.filled <- struct{}{}:
		default:
		}
	}
	return nil
}

func change(b *bbolt.Bucket, key, value []byte) error {
	if value == nil {
		return b.Delete(key)
	}
	return b.Put(key, value)
}

func pack(records [][]byte) (chunk, error) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	for _, r := range records {
		_, _ = zip.Write(r) // into memory
		_, _ = zip.Write([]byte{'\n'})
	}
	err := zip.Close()
	return chunk{key: rand.Text(), records: len(records), packed: packed.Bytes()}, err
}

// add appends chunks and drops the oldest beyond the bound. One chunk alone always
// has room.
func (s *Spool) add(tx *bbolt.Tx, chunks []chunk) error {
	bucket := tx.Bucket(chunksBucket)
	bucket.FillPercent = 0.9 // they are appended, and go in order
	return count(tx, func(c *Counters) error {
		for i := range chunks {
			number, err := bucket.NextSequence()
			if err != nil {
				return err
			}
			value := chunks[i].encode()
			c.Waiting += uint64(chunks[i].records)
			c.Bytes += int64(len(value))
			if err := bucket.Put(binary.BigEndian.AppendUint64(nil, number), value); err != nil {
				return err
			}
		}
		at := bucket.Cursor()
		for key, value := at.First(); key != nil && c.Bytes > s.max; key, value = at.First() {
			if binary.BigEndian.Uint64(key) == bucket.Sequence() {
				break
			}
			old := decode(key, value)
			c.Dropped += uint64(old.records)
			c.take(&old, len(value))
			if err := bucket.Delete(key); err != nil {
				return err
			}
		}
		return nil
	})
}

// take removes a chunk from what waits.
func (c *Counters) take(old *chunk, size int) {
	c.Waiting -= min(c.Waiting, uint64(old.records))
	c.Bytes -= int64(size)
}

func (c *chunk) encode() []byte {
	value := make([]byte, 0, headBytes+len(c.packed))
	value = append(value, c.key...)
	value = binary.BigEndian.AppendUint32(value, uint32(c.records))
	return append(value, c.packed...)
}

func decode(key, value []byte) chunk {
	return chunk{
		number: binary.BigEndian.Uint64(key), key: string(value[:keyBytes]), records: int(binary.BigEndian.Uint32(value[keyBytes:])),
		packed: bytes.Clone(value[headBytes:]),
	}
}

// oldest gives the chunk that is to be sent next; ok is false when none waits.
func (s *Spool) oldest() (c chunk, ok bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		if key, value := tx.Bucket(chunksBucket).Cursor().First(); key != nil {
			c, ok = decode(key, value), true
		}
		return nil
	})
	return c, ok, err
}

// outcome is what became of a chunk.
type outcome struct{ stored, rejected, refused int }

// done takes out a chunk that the server has answered for. One that was dropped
// while it was on its way has not been lost after all.
func (s *Spool) done(c *chunk, o outcome) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		bucket, key := tx.Bucket(chunksBucket), binary.BigEndian.AppendUint64(nil, c.number)
		value := bucket.Get(key)
		size := len(value)
		if value != nil {
			if err := bucket.Delete(key); err != nil {
				return err
			}
		}
		return count(tx, func(n *Counters) error {
			if value != nil {
				n.take(c, size)
			} else {
				n.Dropped -= min(n.Dropped, uint64(c.records))
			}
			n.Stored += uint64(o.stored)
			n.Rejected += uint64(o.rejected)
			n.Refused += uint64(o.refused)
			return nil
		})
	})
}

// Counters gives the counters.
func (s *Spool) Counters() (c Counters, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		c, err = counters(tx)
		return err
	})
	return c, err
}

func counters(tx *bbolt.Tx) (c Counters, err error) {
	if text := tx.Bucket(countBucket).Get(countKey); text != nil {
		err = json.Unmarshal(text, &c)
	}
	return c, err
}

func count(tx *bbolt.Tx, f func(*Counters) error) error {
	c, err := counters(tx)
	if err != nil {
		return err
	}
	if err := f(&c); err != nil {
		return err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return tx.Bucket(countBucket).Put(countKey, text)
}
