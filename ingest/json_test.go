package ingest

import (
	"encoding/json"
	"strings"
	"testing"
)

var jsonSeeds = []string{
	`{"a":1}`, `{"a":-0.1e+5,"b":[1,2,{"c":null}],"d":"\u00e4\n"}`, `[true,false]`, `-`, `01`, `-0`, `0.0`, `1.`, `.5`, "{\"a\" : \"\x01\"}", ` {} `, `{"a":"\ud800"}`,
	`{"a":"\uzzzz"}`, `{"a":"\q"}`, `1e`, `1E-`, `{"a":tru}`, "\v{}", "{}\f", `nan`, `{"a":inf}`, `{"a":1,}`, `[1,]`, `[,1]`, `{,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{}{}`, `[] 1`,
	``, ` `, `"`, `"\`, `"\u`, `"\u12`, `{"a":[}]`, `{`, `[`, `{"a"`, `{"a":1`, "\"0\x1fS\\\"\"", "\"\x7f\"", "\"\xff\"", `nulL`, `null1`, `+1`, `1 2`, "[1\u00a0]",
}

func FuzzValidJSON(f *testing.F) {
	for _, s := range jsonSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if want := json.Valid(raw) && depth(raw) <= 20; validJSON(raw, 20) != want {
			t.Errorf("%q: not %v", raw, want)
		}
	})
}

func TestDepthOfValidJSON(t *testing.T) {
	for levels := range 5 {
		for nested := range 5 {
			raw := []byte(strings.Repeat(`{"a":[`, nested) + "1" + strings.Repeat(`]}`, nested))
			if validJSON(raw, levels) != (2*nested <= levels) {
				t.Errorf("%d levels: %s", levels, raw)
			}
		}
	}
}
