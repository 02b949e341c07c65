package limit

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// Trusted are the operations that a server runs when it runs no others, by the
// SHA-256 of their documents.
type Trusted map[string]string

// ReadTrusted reads a manifest: a JSON object, hash → document.
func ReadTrusted(path string) (Trusted, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("trusted operations: %w", err)
	}
	t, err := ParseTrusted(text)
	if err != nil {
		return nil, fmt.Errorf("trusted operations: %s: %w", path, err)
	}
	return t, nil
}

// ParseTrusted reads a manifest's text. A hash that is not its document's is an
// error: the manifest was changed by hand, or made by something else.
func ParseTrusted(text []byte) (Trusted, error) {
	var t Trusted
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("it is no JSON object of hash and document: %w", err)
	}
	for hash, document := range t {
		if is := Hash(document); is != hash {
			return nil, fmt.Errorf("the document of %.12s has the hash %.12s", hash, is)
		}
	}
	return t, nil
}

// Check fails when a document does not fit the schema: better at the start than
// at the first use.
func (t Trusted) Check(schema *ast.Schema, check func(*ast.QueryDocument) error) error {
	for hash, document := range t {
		doc, err := parse(document, 0)
		if err == nil {
			if errs := validator.ValidateWithRules(schema, doc, rules.NewDefaultRules()); len(errs) > 0 {
				err = errs
			}
		}
		if err == nil {
			err = check(doc)
		}
		if err != nil {
			return fmt.Errorf("trusted operation %.12s: %w", hash, err)
		}
	}
	return nil
}
