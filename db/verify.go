package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/security-monitor/secmon/monitor"
)

// ChainFault is an entry whose hash does not follow from the entry before and
// its own body: it, or one before it, was changed, taken out or put in.
type ChainFault struct{ Seq uint64 }

// Error says which entry.
func (f ChainFault) Error() string {
	return fmt.Sprintf("journal entry %d was changed, or one before it was taken out", f.Seq)
}

// verifyPage is how many entries are read at once.
const verifyPage = 200

// VerifyJournal checks the chain of hashes from the oldest entry that is kept to
// the newest there was at the start. progress is told now and then. It gives how
// many entries it checked; a ChainFault says where the chain breaks. Entries that
// are trimmed meanwhile are not checked. The newest has to be the one that the next
// entry would go on from: a tail that was cut off is a fault too.
func (s *Store) VerifyJournal(ctx context.Context, progress func(done, total int) error) (int, error) {
	is, err := extent(ctx, s.db)
	if err != nil {
		return 0, err
	}
	seq, hash, done := is.trimmed, is.hash, 0
	for seq < is.head {
		links, err := s.RawEntries(ctx, seq, is.head, verifyPage)
		if err != nil {
			return done, fmt.Errorf("read journal: %w", err)
		}
		if len(links) == 0 || links[0].Seq != seq+1 {
			if seq, hash, err = s.skipTrimmed(ctx, seq); err != nil {
				return done, err
			}
			continue
		}
		for _, l := range links {
			is := monitor.ChainHash(hash, l.Seq, l.Body)
			if l.Seq != seq+1 || l.Hash != is {
				return done, ChainFault{Seq: l.Seq}
			}
			seq, hash = l.Seq, is
			done++
		}
		if err := progress(done, done+int(is.head-seq)); err != nil { //nolint:gosec // within retention
			return done, err
		}
	}
	if seq == is.head && hash != is.headHash {
		return done, ChainFault{Seq: seq}
	}
	return done, nil
}

// skipTrimmed goes on where the journal begins now; a hole that no trim has made
// is a fault.
func (s *Store) skipTrimmed(ctx context.Context, seq uint64) (uint64, [32]byte, error) {
	is, err := extent(ctx, s.db)
	if err == nil && is.trimmed <= seq {
		err = ChainFault{Seq: seq + 1}
	}
	return is.trimmed, is.hash, err
}

// IsChainFault tells a broken chain from a database that does not answer.
func IsChainFault(err error) bool {
	var fault ChainFault
	return errors.As(err, &fault)
}
