package db

import (
	"context"
	"database/sql"
)

// MigrateTo makes a database of an older version.
func MigrateTo(ctx context.Context, dsn string, version int64) error {
	if err := createDatabase(ctx, dsn); err != nil {
		return err
	}
	handle, err := sql.Open("mysql", dsn)
	if err != nil {
		return err
	}
	defer handle.Close() //nolint:errcheck // a test
	_, err = migrateTo(ctx, handle, version)
	return err
}

// HoldConnection takes one of the store's connections until release is called.
func (s *Store) HoldConnection(ctx context.Context) (release func() error, err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return conn.Close, nil
}

// TrimPartsTo keeps the names of the newest parts alone.
func (s *Store) TrimPartsTo(ctx context.Context, most uint) error {
	return s.trimParts(ctx, PartMemory, most)
}

// TrimLetters keeps so many dead letters with so many bytes.
func (s *Store) TrimLetters(ctx context.Context, most uint, bytes int64) error {
	return s.trimDeadLetters(ctx, most, bytes)
}
