package limit

import (
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// parse reads a document. The parser gives its errors as gqlerror.Error.
func parse(document string, tokens int) (*ast.QueryDocument, error) {
	return parser.ParseQueryWithTokenLimit(&ast.Source{Input: document}, tokens)
}

// Shapes checks documents by their form, each once while it is among the newest.
// It is safe for concurrent use.
type Shapes struct {
	Limits Limits

	mu   sync.Mutex
	good map[string]struct{}
}

const goodShapes = 2_000

// Check refuses a document whose size or form is beyond the limits, with
// COST_LIMIT. Errors of syntax are left to whoever parses it next, and so is what
// does not fit the schema.
func (s *Shapes) Check(document string, variables map[string]any) error {
	if err := s.Limits.CheckSize(document, variables); err != nil {
		return err
	}
	hash := Hash(document)
	s.mu.Lock()
	_, good := s.good[hash]
	s.mu.Unlock()
	if good {
		return nil
	}
	doc, err := parse(document, s.Limits.Tokens)
	if err != nil {
		if strings.Contains(err.Error(), "token limit") {
			return s.Limits.TooManyTokens()
		}
		return nil //nolint:nilerr // the executor parses it again and says where
	}
	if err := s.Limits.CheckShape(doc); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.good == nil || len(s.good) >= goodShapes {
		s.good = map[string]struct{}{} // rare, and cheap to fill again
	}
	s.good[hash] = struct{}{}
	return nil
}
