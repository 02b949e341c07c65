package contract

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

//go:embed mix.json
var recording []byte

// operation is one that the mix has, with what it is asked for.
type operation struct {
	Name      string
	Operation string
	Weight    int
	Variables any

	document string
}

// readMix gives the recorded operations with their documents.
func readMix(documents map[string]string) ([]*operation, error) {
	var m struct{ Operations []*operation }
	if err := json.Unmarshal(recording, &m); err != nil {
		return nil, fmt.Errorf("mix.json: %w", err)
	}
	for _, op := range m.Operations {
		if op.document = documents[op.Operation]; op.document == "" {
			return nil, fmt.Errorf("mix.json: the dashboard has no query %s", op.Operation)
		}
	}
	return m.Operations, nil
}

// commonest gives the n operations with the most weight.
func commonest(ops []*operation, n int) []*operation {
	sorted := slices.Clone(ops)
	slices.SortStableFunc(sorted, func(a, b *operation) int { return b.Weight - a.Weight })
	return sorted[:min(n, len(sorted))]
}

// choose picks an operation by weight.
func choose(r *rand.Rand, ops []*operation) *operation {
	total := 0
	for _, op := range ops {
		total += op.Weight
	}
	n := r.IntN(total)
	for _, op := range ops {
		if n -= op.Weight; n < 0 {
			return op
		}
	}
	panic("unreachable: n is below the total")
}

// body is the request's, its variables filled in.
func (op *operation) body(r *rand.Rand, v variables) []byte {
	text, err := json.Marshal(map[string]any{"operationName": op.Operation, "query": op.document, "variables": v.fill(r, op.Variables)})
	if err != nil {
		panic(err) // it came from JSON
	}
	return text
}

// variables are values to choose from, by the name that mix.json calls them, the
// likeliest first.
type variables map[string][]string

// fill puts values in the places of names.
func (v variables) fill(r *rand.Rand, template any) any {
	switch t := template.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for key, each := range t {
			out[key] = v.fill(r, each)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, each := range t {
			out[i] = v.fill(r, each)
		}
		return out
	case string:
		if name, ok := strings.CutPrefix(t, "$"); ok {
			return v.pick(r, name)
		}
	}
	return template
}

// pick: people look at what is new. Half of all picks are from the first twentieth.
func (v variables) pick(r *rand.Rand, name string) string {
	values := v[name]
	if len(values) == 0 {
		panic("mix.json: nothing is known as $" + name) // a test has seen each
	}
	if r.IntN(2) == 0 {
		values = values[:1+len(values)/20]
	}
	return values[r.IntN(len(values))]
}
