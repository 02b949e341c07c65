package ingest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"sync/atomic"
)

// Acks gives the ids by which senders of a channel ask whether a request is stored.
// One is given only for a request that is, so nothing has to be kept: an id says by
// its check bits that it was given, to that sender on that channel, on whatever
// replica and before whatever restart. It has 53 bits, so that it stays whole where
// numbers are floating-point ones.
type Acks struct {
	keys   [][]byte // the first makes ids, all know them
	serial atomic.Uint64
}

const (
	ackSerialBits = 33
	ackCheckBits  = 20
)

// NewAcks makes Acks; all replicas have the same keys.
func NewAcks(keys [][]byte) *Acks {
	a := &Acks{keys: keys}
	var begin [8]byte
	_, _ = rand.Read(begin[:]) // never fails since Go 1.24
	a.serial.Store(binary.BigEndian.Uint64(begin[:]))
	return a
}

// Next gives an id.
func (a *Acks) Next(sender, channel string) uint64 {
	serial := a.serial.Add(1) & (1<<ackSerialBits - 1)
	return serial<<ackCheckBits | check(a.keys[0], sender, channel, serial)
}

// Given tells whether Next gave that id. Of a million others it believes one.
func (a *Acks) Given(sender, channel string, id uint64) bool {
	if id>>(ackSerialBits+ackCheckBits) != 0 {
		return false
	}
	for _, key := range a.keys {
		if id&(1<<ackCheckBits-1) == check(key, sender, channel, id>>ackCheckBits) {
			return true
		}
	}
	return false
}

func check(key []byte, sender, channel string, serial uint64) uint64 {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write([]byte(sender + " " + channel + " ")) // neither has spaces; a hash takes everything
	_, _ = m.Write(binary.BigEndian.AppendUint64(nil, serial))
	return uint64(binary.BigEndian.Uint32(m.Sum(nil))) >> (32 - ackCheckBits)
}
