package limit_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/security-monitor/secmon/limit"
)

var update = flag.Bool("update", false, "write what the playground's examples cost")

// The playground tells what an operation will cost before it runs. What its examples
// cost is kept in a file that its own tests are held to, too.
func TestPlaygroundCountsAsTheServerDoes(t *testing.T) {
	const folder = "../web/playground/examples/"
	text, err := os.ReadFile("../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: string(text)})
	model, err := limit.NewModel(schema)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(folder + "*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	costs := map[string]int{}
	for _, file := range files {
		query, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, errs := gqlparser.LoadQueryWithRules(schema, string(query), nil)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		variables, err := validator.VariableValues(schema, doc.Operations[0], nil)
		if err != nil {
			t.Fatal(file, err)
		}
		costs[filepath.Base(file)] = model.Cost(doc, doc.Operations[0], variables)
	}
	raw, err := json.MarshalIndent(costs, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(folder+"costs.json", append(raw, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept := map[string]int{}
	if raw, err = os.ReadFile(folder + "costs.json"); err == nil {
		err = json.Unmarshal(raw, &kept)
	}
	if err != nil || !reflect.DeepEqual(kept, costs) {
		t.Errorf("the examples cost %v, kept are %v, %v: go test ./limit -run Playground -update", costs, kept, err)
	}
}
