package backup

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/security-monitor/secmon/monitor"
)

// chain follows the journal's hashes through the rows of the table journal.
type chain struct {
	at, last       Place
	seq, body, sum int // columns
	inJournal      bool
	broken         uint64
}

func (c *chain) begin(h Header) { c.at, c.last = h.Journal.Behind, h.Journal.End }

func (c *chain) table(t Table) {
	if c.inJournal = t.Name == "journal"; c.inJournal {
		column := func(name string) int {
			return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
		}
		c.seq, c.body, c.sum = column("seq"), column("body"), column("hash")
		c.inJournal = min(c.seq, c.body, c.sum) >= 0
	}
}

func (c *chain) row(row Row) {
	if !c.inJournal || c.broken != 0 {
		return
	}
	seq, err := strconv.ParseUint(string(row[c.seq]), 10, 64)
	next := monitor.ChainHash(c.at.Hash, seq, row[c.body])
	if err != nil || seq != c.at.Seq+1 || !bytes.Equal(next[:], row[c.sum]) {
		c.broken = c.at.Seq + 1
		return
	}
	c.at = Place{seq, next}
}

// end gives the first entry that is wrong or missing, 0 when all are as they were.
func (c *chain) end() uint64 {
	if c.broken == 0 && c.at != c.last {
		return c.at.Seq + 1
	}
	return c.broken
}
