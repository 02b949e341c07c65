package channel

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/channels.md lists what templates know.
func TestFieldsAndFunctionsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/channels.md")
	if err != nil {
		t.Fatal(err)
	}
	tables := strings.Split(string(text), "| field | type | what it is |")
	if len(tables) != 4 {
		t.Fatalf("%d tables of fields", len(tables)-1)
	}
	row := regexp.MustCompile("(?m)^\\| `\\.(\\w+)` \\|")
	for i, of := range []reflect.Type{reflect.TypeFor[fields](), reflect.TypeFor[countFields](), reflect.TypeFor[alertFields]()} {
		var want, got []string
		for j := range of.NumField() {
			want = append(want, of.Field(j).Name)
		}
		for _, m := range row.FindAllStringSubmatch(tables[i+1], -1) {
			got = append(got, m[1])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: documented are %v, there are %v", of, got, want)
		}
	}
	_, functions, _ := strings.Cut(string(text), "### Functions")
	functions, _, _ = strings.Cut(functions, "### Bounds")
	for name := range (&run{}).functions() {
		if name != countRound && !regexp.MustCompile("`"+name+"\\b").MatchString(functions) {
			t.Errorf("the function %s is not documented", name)
		}
	}
}
