package app

import (
	"context"
	"fmt"
	"io"

	"github.com/security-monitor/secmon/audit"
	"github.com/security-monitor/secmon/monitor"
)

// ExportJournal writes the journal behind an entry as it is now, as a file that
// can be verified or as CSV. It gives how many entries there were.
func (a *Access) ExportJournal(ctx context.Context, w io.Writer, csv bool, after uint64) (int, error) {
	chain, err := a.Store.JournalChain(ctx)
	if err != nil {
		return 0, err
	}
	behind, end := audit.Place{Seq: chain.Begin, Hash: chain.BeginHash}, audit.Place{Seq: chain.End, Hash: chain.EndHash}
	if after > behind.Seq {
		entry, found, err := a.Store.Entry(ctx, after)
		if err != nil || !found {
			return 0, fmt.Errorf("journal entry %d: %w", after, orMissing(err))
		}
		behind = audit.Place{Seq: after, Hash: entry.Hash}
	}
	if csv {
		return audit.WriteCSV(ctx, w, behind, end, a.rawEntries)
	}
	return audit.Write(ctx, w, chain.Epoch, behind, end, a.rawEntries)
}

func orMissing(err error) error {
	if err != nil {
		return err
	}
	return monitor.Errorf(monitor.CodeNotFound, "it is not there")
}

func (a *Access) rawEntries(ctx context.Context, seq, last uint64, limit int) ([]audit.Entry, error) {
	raw, err := a.Store.RawEntries(ctx, seq, last, limit)
	entries := make([]audit.Entry, len(raw))
	for i, e := range raw {
		entries[i] = audit.Entry{Seq: e.Seq, Hash: e.Hash, Body: e.Body}
	}
	return entries, err
}
