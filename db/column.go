package db

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

// ipColumn keeps an address as 16 bytes (IPv4 as IPv4-mapped), so that a network
// is a range; NULL for none.
type ipColumn struct{ addr *netip.Addr }

func ipBytes(a netip.Addr) []byte {
	if !a.IsValid() {
		return nil
	}
	b := a.As16()
	return b[:]
}

// Scan reads what ipBytes wrote.
func (c ipColumn) Scan(src any) error {
	b, _ := src.([]byte)
	if b == nil {
		*c.addr = netip.Addr{}
		return nil
	}
	addr, ok := netip.AddrFromSlice(b)
	if !ok {
		return fmt.Errorf("address of %d bytes", len(b))
	}
	*c.addr = addr.Unmap()
	return nil
}

// idColumn reads a BINARY(16), the zero ID for NULL.
type idColumn struct{ id *monitor.ID }

// Scan reads 16 bytes.
func (c idColumn) Scan(src any) error {
	b, _ := src.([]byte)
	*c.id = monitor.ID{}
	if b != nil && copy(c.id[:], b) != len(c.id) {
		return fmt.Errorf("id of %d bytes", len(b))
	}
	return nil
}

// nullID gives an id's bytes, NULL for the zero ID.
func nullID(id monitor.ID) any {
	if id.IsZero() {
		return nil
	}
	return id[:]
}

// timeColumn reads a DATETIME(6), the zero time for NULL.
type timeColumn struct{ at *time.Time }

// Scan reads a time in UTC.
func (c timeColumn) Scan(src any) error {
	at, ok := src.(time.Time)
	if !ok && src != nil {
		return fmt.Errorf("time of type %T", src)
	}
	*c.at = at.UTC()
	if src == nil {
		*c.at = time.Time{}
	}
	return nil
}

// nullTime gives a time, NULL for the zero time.
func nullTime(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at
}

// jsonColumn keeps a small list as JSON.
type jsonColumn struct{ value any }

// Scan reads JSON; NULL leaves the value as it is.
func (c jsonColumn) Scan(src any) error {
	if src == nil {
		return nil
	}
	b, ok := src.([]byte)
	if !ok {
		return fmt.Errorf("JSON of type %T", src)
	}
	return json.Unmarshal(b, c.value)
}

// Value writes JSON.
func (c jsonColumn) Value() (driver.Value, error) {
	b, err := json.Marshal(c.value)
	return string(b), err
}
