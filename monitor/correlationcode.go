package monitor

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The form in which the store keeps a state:
//
//	version, latest, count, then for each event
//	  flags, microseconds since the event before, [batch,] ordinal, member [, value] [, number]
//
// Integers are varints, a batch that is the one before is left out.
const stateVersion = 1

const (
	flagTold byte = 1 << iota
	flagChained
	flagSameBatch
	flagValue
	flagNumber
	flagsKnown = flagTold | flagChained | flagSameBatch | flagValue | flagNumber
)

// Encode writes the state.
func (s *CorrelationState) Encode() []byte {
	b := make([]byte, 0, 16+24*len(s.Kept))
	b = append(b, stateVersion)
	b = binary.AppendVarint(b, s.Latest.UnixMicro())
	b = binary.AppendUvarint(b, uint64(len(s.Kept)))
	var before Counted
	before.At = s.Latest
	for i := range s.Kept {
		c := &s.Kept[i]
		flags := when(c.Told, flagTold) | when(c.Chained, flagChained) | when(i > 0 && c.Event.Batch == before.Event.Batch, flagSameBatch) |
			when(c.Value != "", flagValue) | when(c.Number != 0, flagNumber)
		b = append(b, flags)
		b = binary.AppendVarint(b, c.At.UnixMicro()-before.At.UnixMicro())
		if flags&flagSameBatch == 0 {
			b = append(b, c.Event.Batch[:]...)
		}
		b = binary.AppendUvarint(b, uint64(c.Event.Ordinal))
		b = binary.AppendUvarint(b, uint64(c.Member)) //nolint:gosec // below MaxCorrelationRules
		if flags&flagValue != 0 {
			b = binary.AppendUvarint(b, uint64(len(c.Value)))
			b = append(b, c.Value...)
		}
		if flags&flagNumber != 0 {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(c.Number))
		}
		before = *c
	}
	return b
}

func when(is bool, flag byte) byte {
	if is {
		return flag
	}
	return 0
}

var errBadState = errors.New("state of a correlation cannot be read")

// DecodeCorrelationState reads what Encode wrote. Nothing gives the zero state.
func DecodeCorrelationState(b []byte) (*CorrelationState, error) {
	s := &CorrelationState{}
	if len(b) == 0 {
		return s, nil
	}
	r := stateReader{rest: b}
	if r.bytes(1)[0] != stateVersion {
		return nil, errBadState
	}
	s.Latest = time.UnixMicro(r.varint()).UTC()
	n := r.uvarint()
	if r.failed || n > uint64(len(b)) { // an event takes more than a byte
		return nil, errBadState
	}
	s.Kept = make([]Counted, 0, n)
	before := Counted{At: s.Latest}
	for range n {
		c := r.counted(&before)
		if r.failed {
			return nil, errBadState
		}
		s.Kept = append(s.Kept, c)
		before = c
	}
	if len(r.rest) > 0 || !slices.IsSortedFunc(s.Kept, func(a, b Counted) int { return a.compare(&b) }) {
		return nil, errBadState
	}
	return s, nil
}

// stateReader reads until something is missing; then it has failed.
type stateReader struct {
	rest   []byte
	failed bool
}

var noBytes [16]byte

func (r *stateReader) bytes(n uint64) []byte {
	if r.failed || n > uint64(len(r.rest)) {
		r.failed = true
		return noBytes[:min(n, 16)]
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *stateReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.bytes(taken(n))
	return v
}

func (r *stateReader) varint() int64 {
	v, n := binary.Varint(r.rest)
	r.bytes(taken(n))
	return v
}

// taken is what a varint took, and more than there can be where it was none.
func taken(n int) uint64 {
	if n <= 0 {
		return math.MaxUint64
	}
	return uint64(n)
}

func (r *stateReader) counted(before *Counted) (c Counted) {
	flags := r.bytes(1)[0]
	c.Told, c.Chained = flags&flagTold != 0, flags&flagChained != 0
	c.At = time.UnixMicro(before.At.UnixMicro() + r.varint()).UTC()
	c.Event.Batch = before.Event.Batch
	if flags&flagSameBatch == 0 {
		copy(c.Event.Batch[:], r.bytes(16))
	}
	ordinal, member := r.uvarint(), r.uvarint()
	c.Event.Ordinal, c.Member = uint32(ordinal), int(member) //nolint:gosec // checked below
	if flags&flagValue != 0 {
		c.Value = string(r.bytes(r.uvarint()))
	}
	if flags&flagNumber != 0 {
		c.Number = math.Float64frombits(binary.LittleEndian.Uint64(r.bytes(8)))
	}
	if flags&^flagsKnown != 0 || ordinal > math.MaxUint32 || member >= MaxCorrelationRules {
		r.failed = true
	}
	return c
}

// Values of value_count are kept whole up to this many bytes, and otherwise as their
// beginning and a hash; where many are kept, shorter.
const (
	maxCountedValue  = 64
	manyCountedValue = 16
)

// shortValue is how a value is kept: equal for equal ones, and short.
func shortValue(value string, many bool) string {
	most := maxCountedValue
	if many {
		most = manyCountedValue
	}
	if len(value) <= most {
		return value
	}
	sum := keyOf([]string{value})
	if many {
		return string(sum[:manyCountedValue-1])
	}
	return strings.ToValidUTF8(value[:most-20], "") + "…" + hex.EncodeToString(sum[:8])
}

// Counted makes of a sample what its group counts. It gives false for one that
// cannot count: a value that is no number, where numbers are asked for.
func (m *Correlator) Counted(s *Sample, event EventID, at time.Time) (Counted, bool) {
	c := Counted{At: at, Event: event, Member: s.Member, Chained: s.Chained}
	switch {
	case m.is.Type == CorrelateValueCount:
		c.Value = shortValue(s.Value, m.enough > 256)
	case m.is.Type.Numeric():
		n, err := parseFinite(s.Value)
		if err != nil {
			return c, false
		}
		c.Number = n
	}
	return c, true
}

// IsCountable tells whether a value is a number that the types that calculate take.
func IsCountable(text string) bool {
	_, err := parseFinite(text)
	return err == nil
}

// parseFinite reads a decimal number.
func parseFinite(text string) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err == nil && (math.IsInf(n, 0) || math.IsNaN(n)) {
		err = strconv.ErrRange
	}
	return n, err
}
