package db_test

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/security-monitor/secmon/db/dbtest"
	"github.com/security-monitor/secmon/monitor"
)

// What an event costs by how many share a transaction, and how many transactions a
// second the counter row lets through: the figures of docs/scaling.md.
func BenchmarkStoreBatch(b *testing.B) {
	for _, size := range []int{1, 10, 100, 500, 2_000} {
		for _, writers := range []int{1, 8} {
			b.Run(fmt.Sprintf("events=%d/writers=%d", size, writers), func(b *testing.B) {
				store := dbtest.New(b)
				var left, serial atomic.Int64
				left.Store(int64(b.N))
				b.ResetTimer()
				ended := make(chan error, writers)
				for range writers {
					go func() {
						r := rand.New(rand.NewPCG(uint64(serial.Add(1)), 2)) //nolint:gosec // repeatable
						for left.Add(-1) >= 0 {
							batch := &monitor.Batch{Events: make([]*monitor.Event, size)}
							for i := range batch.Events {
								batch.Events[i] = randomEvent(r, i)
								batch.Events[i].OccurredAt = time.Now()
							}
							if _, err := store.StoreBatch(b.Context(), batch); err != nil {
								ended <- err
								return
							}
						}
						ended <- nil
					}()
				}
				for range writers {
					if err := <-ended; err != nil {
						b.Error(err)
					}
				}
				seconds := b.Elapsed().Seconds()
				b.ReportMetric(float64(b.N)/seconds, "commits/s")
				b.ReportMetric(float64(b.N)*float64(size)/seconds, "events/s")
			})
		}
	}
}
