package limit

import (
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"
)

// Bounds of the documents that clients store (automatic persisted queries).
const (
	documentTime  = 24 * time.Hour // since it was last stored or asked for on Redis
	documentBytes = 64 << 10       // of one that is stored
	localBytes    = 16 << 20       // of all in this process
	localCount    = 2_000
)

// Hash is the name under which a document is stored: SHA-256, hexadecimal.
func Hash(document string) string {
	sum := sha256.Sum256([]byte(document))
	return hex.EncodeToString(sum[:])
}

// Documents keeps documents by their hash: the newest in this process, and in
// Redis for the other replicas. It is safe for concurrent use.
type Documents struct {
	redis *Redis

	mu     sync.Mutex
	byHash map[string]*list.Element
	used   *list.List // of stored, the newest in front
	bytes  int
}

type stored struct{ hash, text string }

// NewDocuments makes an empty store. r may be nil.
func NewDocuments(r *Redis) *Documents {
	return &Documents{redis: r, byHash: map[string]*list.Element{}, used: list.New()}
}

// Find gives the document of a hash. What Redis gives is believed only when it
// has that hash.
func (d *Documents) Find(ctx context.Context, hash string) (string, bool) {
	d.mu.Lock()
	if element := d.byHash[hash]; element != nil {
		d.used.MoveToFront(element)
		text := element.Value.(stored).text
		d.mu.Unlock()
		return text, true
	}
	d.mu.Unlock()
	if !isHash(hash) {
		return "", false
	}
	var text string
	err := d.redis.use(ctx, func(ctx context.Context) (err error) {
		text, err = d.redis.Client.GetEx(ctx, d.key(hash), documentTime).Result()
		return err
	})
	if err != nil || Hash(text) != hash {
		return "", false
	}
	d.keep(hash, text)
	return text, true
}

// Store keeps a document whose hash was checked. Too big ones are not kept; those
// of strangers stay in this process, where they push out only one another's age.
func (d *Documents) Store(ctx context.Context, hash, text string, share bool) {
	if len(text) > documentBytes {
		return
	}
	if d.keep(hash, text) && share {
		_ = d.redis.use(ctx, func(ctx context.Context) error { // the client sends it again where it is not found
			return d.redis.Client.Set(ctx, d.key(hash), text, documentTime).Err()
		})
	}
}

func (d *Documents) key(hash string) string { return d.redis.Prefix + "document:{" + hash + "}" }

// keep stores a document in this process; false when it was there.
func (d *Documents) keep(hash, text string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byHash[hash] != nil {
		return false
	}
	d.byHash[hash] = d.used.PushFront(stored{hash, text})
	d.bytes += len(text)
	for d.bytes > localBytes || d.used.Len() > localCount {
		oldest := d.used.Remove(d.used.Back()).(stored)
		delete(d.byHash, oldest.hash)
		d.bytes -= len(oldest.text)
	}
	return true
}

func isHash(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == 2*sha256.Size
}
