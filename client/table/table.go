package table

import (
	"bufio"
	"io"
	"strings"

	"github.com/rivo/uniseg"
)

// Column is a column of a Table.
type Column struct {
	Title string
	Wide  bool // takes what is left of the width, and is cut first
}

// Table writes rows as they come, in blocks: the first block says how wide the
// columns are, later ones widen them, so that a list of any length needs no more
// memory than a block.
type Table struct {
	Columns []Column
	// Width is that of the terminal; 0 cuts nothing, for pipes and files.
	Width int

	out    *bufio.Writer
	widths []int
	begun  bool
}

// New makes a Table that writes to w.
func New(w io.Writer, width int, columns ...Column) *Table {
	return &Table{Columns: columns, Width: width, out: bufio.NewWriter(w), widths: make([]int, len(columns))}
}

const (
	gap      = "  "
	leastCut = 8 // columns that a cut cell keeps
)

// Write writes a block of rows, the head before the first.
func (t *Table) Write(rows [][]string) error {
	if !t.begun {
		t.begun = true
		head := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			head[i] = c.Title
		}
		rows = append([][]string{head}, rows...)
	}
	shown := make([][]string, len(rows))
	for i, row := range rows {
		shown[i] = make([]string, len(t.Columns))
		for j := range min(len(row), len(t.Columns)) {
			shown[i][j] = Visible(row[j])
			t.widths[j] = max(t.widths[j], uniseg.StringWidth(shown[i][j]))
		}
	}
	widths := t.fit()
	for _, row := range shown {
		t.line(row, widths)
	}
	return t.out.Flush()
}

// fit gives the widths that the terminal has room for.
func (t *Table) fit() []int {
	widths := append([]int(nil), t.widths...)
	if t.Width <= 0 {
		return widths
	}
	over := len(gap)*(len(widths)-1) - t.Width
	for _, w := range widths {
		over += w
	}
	for _, wide := range []bool{true, false} { // those that may be cut, then all
		for over > 0 {
			widest := -1
			for i, w := range widths {
				if t.Columns[i].Wide == wide && w > leastCut && (widest < 0 || w > widths[widest]) {
					widest = i
				}
			}
			if widest < 0 {
				break
			}
			widths[widest]--
			over--
		}
	}
	return widths
}

func (t *Table) line(row []string, widths []int) {
	var b strings.Builder
	for i, cell := range row {
		if t.Width > 0 {
			cell = cut(cell, widths[i])
		}
		b.WriteString(cell)
		if i < len(row)-1 {
			b.WriteString(strings.Repeat(" ", max(widths[i]-uniseg.StringWidth(cell), 0)) + gap)
		}
	}
	_, _ = t.out.WriteString(strings.TrimRight(b.String(), " ") + "\n") // Flush tells
}

// Pairs writes names and values beneath each other. Lines of a value stay lines.
func Pairs(w io.Writer, pairs [][2]string) error {
	widest := 0
	for _, p := range pairs {
		widest = max(widest, uniseg.StringWidth(p[0]))
	}
	out := bufio.NewWriter(w)
	for _, p := range pairs {
		indent := strings.Repeat(" ", widest) + gap
		value := strings.ReplaceAll(Lines(strings.TrimRight(p[1], "\n")), "\n", "\n"+indent)
		_, _ = out.WriteString(strings.TrimRight(p[0]+indent[uniseg.StringWidth(p[0]):]+value, " ") + "\n") // Flush tells
	}
	return out.Flush()
}
