package monitor

import "time"

// nullable gives nil for the zero value: what the schema calls null.
func nullable[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// nullableTime is nullable for times, whose zero value has a method of its own.
func nullableTime(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
