package contract

import (
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// TestEverythingRunsSmall builds the program, loads a small database and runs
// every part: an operation of the dashboard that fails, a list that cannot be
// paged and a variable without values show here.
func TestEverythingRunsSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	if _, err := exec.LookPath("mariadbd"); err != nil {
		t.Skip("needs a database server:", err)
	}
	dir := t.TempDir()
	program := buildProgram(t, dir)
	d := &Driver{
		Part: []string{"mix", "cost", "deep"}, Data: filepath.Join(dir, "data"), Events: 3_000, Alerts: 400, Seed: 1, Rate: 40, Duration: 2 * time.Second,
		WarmUp: time.Millisecond, Program: program, Documents: filepath.Join("..", "..", "web", "src"), Requests: 2,
	}
	if err := d.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	again, err := open(t.Context(), d.Data, plan{Seed: 1, Events: 3_000, Alerts: 400, End: begun})
	if err != nil {
		t.Fatal(err)
	}
	if again.plan.End.Equal(begun) {
		t.Error("what had been loaded was loaded again")
	}
	if err := again.server.Close(); err != nil {
		t.Error(err)
	}
}

func buildProgram(t *testing.T, dir string) string {
	t.Helper()
	program := filepath.Join(dir, "secmon")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/secmon")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// Each operation of the mix is asked for whole, and is what the dashboard sends.
func TestMixIsTheDashboards(t *testing.T) {
	documents, err := readDocuments(filepath.Join("..", "..", "web", "src"))
	if err != nil {
		t.Fatal(err)
	}
	ops, err := readMix(documents)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range ops {
		doc, err := parser.ParseQuery(&ast.Source{Input: op.document})
		if err != nil || len(doc.Operations) != 1 || doc.Operations[0].Name != op.Operation {
			t.Fatalf("%s: %v\n%s", op.Name, err, op.document)
		}
		if strings.Contains(op.document, "@unmask") || op.Operation == "AlertQueue" && !strings.Contains(op.document, "__typename") {
			t.Errorf("%s is not as Apollo sends it:\n%s", op.Name, op.document)
		}
		for _, v := range doc.Operations[0].VariableDefinitions {
			if strings.Count(op.document, "$"+v.Variable) < 2 {
				t.Errorf("%s: $%s is used nowhere, and the server refuses that", op.Name, v.Variable)
			}
		}
		var variables map[string]any
		text, _ := json.Marshal(op.Variables)
		if err := json.Unmarshal(text, &variables); err != nil {
			t.Fatal(err)
		}
		for _, v := range doc.Operations[0].VariableDefinitions {
			if _, given := variables[v.Variable]; v.Type.NonNull && v.DefaultValue == nil && !given {
				t.Errorf("%s: nothing is said of $%s", op.Name, v.Variable)
			}
		}
	}
	if len(commonest(ops, 10)) != 10 || commonest(ops, 1)[0].Name != "queue: what is open" {
		t.Errorf("the commonest are %v", commonest(ops, 10))
	}
}

// The same plan makes the same rows.
func TestRowsAreMadeBySeed(t *testing.T) {
	end := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	a, b, other := plan{Seed: 1, Events: 2_000, End: end}, plan{Seed: 1, Events: 2_000, End: end}, plan{Seed: 2, Events: 2_000, End: end}
	if !reflect.DeepEqual(a.batch(3), b.batch(3)) {
		t.Error("one seed makes two databases")
	}
	if reflect.DeepEqual(a.batch(3).Events, other.batch(3).Events) {
		t.Error("two seeds make one database")
	}
	size := 0
	for _, e := range a.batch(3).Events {
		size += len(e.Raw) / batchEvents
	}
	if size < 450 || size > 900 {
		t.Errorf("a record has %d bytes, 450 to 900 are meant", size)
	}
}

func TestVariablesAreFilledIn(t *testing.T) {
	v := variables{"alert": {"a"}, "host": {"h"}}
	template := map[string]any{"id": "$alert", "filter": map[string]any{"host": map[string]any{"in": []any{"$host", "fixed"}}}, "first": 3.0}
	want := map[string]any{"id": "a", "filter": map[string]any{"host": map[string]any{"in": []any{"h", "fixed"}}}, "first": 3.0}
	if got := v.fill(rand.New(rand.NewPCG(1, 1)), template); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFiguresOfSamples(t *testing.T) {
	var samples []sample
	for i := range 1_000 {
		samples = append(samples, sample{took: time.Duration(i) * time.Millisecond})
	}
	samples[5].err = t.Context().Err()
	f := sumUp(samples)
	if f.p50 != 500*time.Millisecond || f.p99 != 990*time.Millisecond || f.max != 999*time.Millisecond || f.requests != 1_000 {
		t.Errorf("%+v", f)
	}
}
