package monitor

import (
	"crypto/sha256"
	"encoding/binary"
)

// Part is what a sender names of what it sends, so that it is stored once however
// often it is sent: a request (Idempotency-Key) or a document (_id of a bulk
// request). The parts of a batch, where it has any, share its events among them in
// their order.
type Part struct {
	Events  int      // how many; those behind the part before
	Key     PartHash // zero where the sender has no name for it: it is stored each time
	Content PartHash // of what was sent under that name

	// What Store.StoreBatch says of it.
	Outcome PartOutcome
	Batch   ID // that has its events; of a part that came before, the earlier one
}

// PartHash is the beginning of a SHA-256.
type PartHash [16]byte

// HashPart hashes texts so that no other texts give the same.
func HashPart(texts ...string) PartHash {
	h := sha256.New()
	var size [8]byte
	for _, t := range texts {
		binary.BigEndian.PutUint64(size[:], uint64(len(t)))
		_, _ = h.Write(size[:]) // a hash takes everything
		_, _ = h.Write([]byte(t))
	}
	return PartHash(h.Sum(nil)[:len(PartHash{})])
}

// PartOutcome is what became of a part.
type PartOutcome int

// The outcomes.
const (
	PartStored   PartOutcome = iota
	PartRepeated             // it came before, and is stored already
	PartConflict             // something else came before under its name; this is not stored
)
