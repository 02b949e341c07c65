package schema_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
)

var graphqlBlock = regexp.MustCompile("(?s)```graphql\n(.*?)```")

// What the documentation shows can be pasted into the playground.
func TestDocumentedOperationsFitTheSchema(t *testing.T) {
	s := load(t, "../schema.graphqls")
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(len(pages), err)
	}
	operations := 0
	for _, page := range append(pages, "../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range graphqlBlock.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(block[1], "directive @") || strings.Contains(block[1], "type ") {
				continue // of the schema itself
			}
			operations++
			if _, errs := gqlparser.LoadQueryWithRules(s, block[1], nil); len(errs) > 0 {
				t.Errorf("%s: %v\n%s", page, errs, block[1])
			}
		}
	}
	if operations < 5 {
		t.Errorf("only %d operations were found", operations)
	}
}
