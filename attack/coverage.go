package attack

import (
	"cmp"
	"slices"
)

// Rule is what coverage needs to know of a detection rule.
type Rule struct {
	Techniques []string // ids of techniques and sub-techniques
	Runs       bool
	Quiet      bool // it raises no alerts of its own: a filter, or it only feeds correlations
	Alerts     int  // that it raised, at some time
}

// Coverage is how well a technique is watched.
type Coverage struct {
	ID            string
	Name          string // empty for sub-techniques, and for what the matrix does not have
	Rules         int    // that can raise an alert
	Enabled       int    // those that run
	Alerts        int
	Subtechniques []*Coverage
}

// Column is a tactic with the coverage of its techniques.
type Column struct {
	ID         string
	Name       string
	Techniques []*Coverage
}

// Cover counts rules and their alerts for each technique of the matrix: those for
// a technique and those for its sub-techniques, each rule once. A quiet rule is no
// rule here, but alerts that it raised before count. What is counted and the matrix
// does not have is in other.
func Cover(rules []Rule) (columns []Column, other []*Coverage) {
	all, parents := map[string]*Coverage{}, map[string]*Coverage{}
	count := func(id string, r *Rule) (c *Coverage, first bool) {
		if c = all[id]; c == nil {
			c, first = &Coverage{ID: id}, true
			all[id] = c
		}
		c.Alerts += r.Alerts
		if r.Quiet {
			return c, first
		}
		c.Rules++
		if r.Runs {
			c.Enabled++
		}
		return c, first
	}
	for i := range rules {
		r := &rules[i]
		if r.Quiet && r.Alerts == 0 {
			continue
		}
		named := map[string]bool{}
		for _, id := range r.Techniques {
			parent := Parent(id)
			if !named[parent] {
				named[parent] = true
				parents[parent], _ = count(parent, r)
			}
			if id != parent && !named[id] {
				named[id] = true
				if sub, first := count(id, r); first {
					parents[parent].Subtechniques = append(parents[parent].Subtechniques, sub)
				}
			}
		}
	}
	byID := func(a, b *Coverage) int { return cmp.Compare(a.ID, b.ID) }
	for _, tactic := range Tactics {
		column := Column{ID: tactic.ID, Name: tactic.Name}
		for _, technique := range tactic.Techniques {
			c := all[technique.ID]
			if c == nil {
				c = &Coverage{ID: technique.ID}
				all[technique.ID] = c
			}
			c.Name = technique.Name
			slices.SortFunc(c.Subtechniques, byID)
			column.Techniques = append(column.Techniques, c)
		}
		columns = append(columns, column)
	}
	for _, c := range parents {
		if c.Name == "" {
			other = append(other, c)
		}
	}
	slices.SortFunc(other, byID)
	return columns, other
}
