package schema_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vektah/gqlparser/v2"
)

// The examples of the playground fit the schema; e2e runs each of them.
func TestExamplesFitTheSchema(t *testing.T) {
	s := load(t, "../schema.graphqls")
	files, err := filepath.Glob("../web/playground/examples/*.graphql")
	if err != nil || len(files) < 15 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, errs := gqlparser.LoadQueryWithRules(s, string(text), nil); len(errs) > 0 {
			t.Errorf("%s: %v", file, errs)
		}
	}
}
