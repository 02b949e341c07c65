package db

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Clock is what time it is for the database's server.
func (s *Store) Clock(ctx context.Context) (time.Time, error) { return clockOf(ctx, s.db) }

func clockOf(ctx context.Context, r interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
},
) (time.Time, error) {
	var micros int64
	if err := r.QueryRowContext(ctx, "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))").Scan(&micros); err != nil {
		return time.Time{}, fmt.Errorf("ask the database's clock: %w", away(err))
	}
	return time.UnixMicro(micros), nil
}
