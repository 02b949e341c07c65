package limit_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/security-monitor/secmon/limit"
)

func TestDocumentsAreSharedAndNotBelieved(t *testing.T) {
	s := startRedis(t)
	ra, _, _ := replica(t, s)
	rb, _, _ := replica(t, s)
	a, b := limit.NewDocuments(ra), limit.NewDocuments(rb)
	text := `{ viewer { role } }`
	hash := limit.Hash(text)
	if _, found := b.Find(t.Context(), hash); found {
		t.Error("found before it was stored")
	}
	a.Store(t.Context(), hash, text, true)
	if got, found := b.Find(t.Context(), hash); !found || got != text {
		t.Errorf("on the other replica: %q, %t", got, found)
	}
	own := `{ alerts }`
	a.Store(t.Context(), limit.Hash(own), own, false)
	if _, found := b.Find(t.Context(), limit.Hash(own)); found {
		t.Error("what a stranger stored reached the other replica")
	}
	if got, found := a.Find(t.Context(), limit.Hash(own)); !found || got != own {
		t.Error("it is not kept on its own replica either")
	}
	// Whoever can write to Redis must not choose what others run.
	forged := limit.Hash(`{ good }`)
	if err := ra.Client.Set(t.Context(), "test:document:{"+forged+"}", `mutation { bad }`, 0).Err(); err != nil {
		t.Fatal(err)
	}
	if got, found := b.Find(t.Context(), forged); found {
		t.Errorf("a forged document was believed: %q", got)
	}
	big := strings.Repeat(" ", 64<<10) + text
	a.Store(t.Context(), limit.Hash(big), big, true)
	if _, found := a.Find(t.Context(), limit.Hash(big)); found {
		t.Error("a document of more than 64 KiB is kept")
	}
	if ttl := ra.Client.TTL(t.Context(), "test:document:{"+hash+"}").Val(); ttl <= 0 {
		t.Errorf("a document lives for %s", ttl)
	}
	s.kill()
	if got, found := b.Find(t.Context(), hash); !found || got != text {
		t.Error("without Redis the document is gone")
	}
}

func TestDocumentsAreBounded(t *testing.T) {
	d := limit.NewDocuments(nil)
	pad := strings.Repeat("x", 60<<10)
	hashes := []string{}
	for i := range 400 { // 24 MiB
		text := fmt.Sprint(i, pad)
		hashes = append(hashes, limit.Hash(text))
		d.Store(t.Context(), limit.Hash(text), text, true)
	}
	kept := 0
	for _, hash := range hashes {
		if _, found := d.Find(t.Context(), hash); found {
			kept++
		}
	}
	if kept == 0 || kept > 16<<20/(60<<10) {
		t.Errorf("%d documents of 60 KiB are kept, want those that fit into 16 MiB", kept)
	}
}

func TestTrustedManifest(t *testing.T) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: testSchema})
	good := `query A { alert { id } }`
	anything := func(*ast.QueryDocument) error { return nil }
	for _, c := range []struct{ reason, text, want string }{
		{"right", manifest(good), ""},
		{"no JSON", `nope`, "no JSON object"},
		{"a wrong hash", `{"` + limit.Hash("x") + `":"query A { alert { id } }"}`, "has the hash"},
		{"a syntax error", manifest(`query A {`), "trusted operation"},
		{"not of this schema", manifest(`query A { nope }`), "trusted operation"},
	} {
		path := filepath.Join(t.TempDir(), "operations.json")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		trusted, err := limit.ReadTrusted(path)
		if err == nil {
			err = trusted.Check(schema, anything)
		}
		if fmt.Sprint(err) != "<nil>" != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.reason, err, c.want)
		}
	}
	if _, err := limit.ReadTrusted("/does/not/exist"); err == nil {
		t.Error("a missing file is no error")
	}
}

func manifest(documents ...string) string {
	all := map[string]string{}
	for _, d := range documents {
		all[limit.Hash(d)] = d
	}
	text, _ := json.Marshal(all)
	return string(text)
}
