// Package attack has the matrix of MITRE ATT&CK for Enterprise: tactics in their
// order, and the techniques of each.
//
// ATT&CK is of The MITRE Corporation; see
// https://attack.mitre.org/resources/legal-and-branding/terms-of-use/.
package attack

import (
	_ "embed"
	"strings"
)

// Version of ATT&CK that Tactics is of.
const Version = "17"

// Tactic is a column of the matrix: what an adversary is after.
type Tactic struct {
	ID         string // TA0002
	Name       string
	Techniques []Technique
}

// Technique is a way to reach it. Sub-techniques (T1059.001) are not in the matrix.
type Technique struct {
	ID   string // T1059
	Name string
}

//go:embed matrix.txt
var matrix string

// Tactics are the columns, in the order in which the matrix is read. A technique
// may stand in several.
var Tactics = read(matrix)

func read(text string) []Tactic {
	var tactics []Tactic
	for line := range strings.Lines(text) {
		id, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case strings.HasPrefix(id, "TA"):
			tactics = append(tactics, Tactic{ID: id, Name: name})
		case strings.HasPrefix(id, "T"):
			last := &tactics[len(tactics)-1]
			last.Techniques = append(last.Techniques, Technique{id, name})
		}
	}
	return tactics
}

// Parent is the technique that a technique or sub-technique belongs to: T1059 of
// T1059.001 and of T1059.
func Parent(id string) string {
	parent, _, _ := strings.Cut(id, ".")
	return parent
}
