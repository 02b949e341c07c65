package db_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

func manyEvents(n int) *monitor.Batch {
	b := &monitor.Batch{}
	for i := range n {
		b.Events = append(b.Events, testEvent(i))
	}
	return b
}

// Some events are written by a prepared statement, the rest and the large ones by text.
func TestBatchesOfAnySizeReadBackWhole(t *testing.T) {
	store := dbtest.New(t)
	for _, n := range []int{199, 200, 201, 777} {
		b := manyEvents(n)
		b.Events[n/2].Raw = monitor.RawJSON(`{"long":"` + strings.Repeat(`\\'é\u0000`, 80_000) + `"}`)
		b.Events[n/3].SrcIP, b.Events[n/3].Message = netip.Addr{}, ""
		batch, err := store.StoreBatch(t.Context(), b)
		if err != nil {
			t.Fatal(n, err)
		}
		got, err := store.EventsOfBatch(t.Context(), batch)
		if err != nil {
			t.Fatal(n, err)
		}
		if diff := cmp.Diff(b.Events, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Fatalf("%d events differ from what was stored (-want +got):\n%.2000s", n, diff)
		}
	}
}

// The server has to prepare a statement anew when its table is altered.
func TestBatchesAreStoredWhilePartitionsAreMade(t *testing.T) {
	store := dbtest.New(t)
	done := make(chan error, 1)
	go func() {
		for ahead := 2; ahead < 20; ahead++ {
			if err := store.EnsurePartitions(t.Context(), ahead); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		if _, err := store.StoreBatch(t.Context(), manyEvents(200)); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
	}
}
