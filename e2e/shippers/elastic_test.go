// Package shippers sends to the program by the clients that shippers are made of. It
// is a module of its own: the program needs none of them.
package shippers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esutil"
)

const password = "correct horse battery staple"

// start builds and starts the program, and gives its address and a token.
func start(t *testing.T, flags ...string) (base, token string) {
	t.Helper()
	if _, err := exec.LookPath("mariadbd"); err != nil && os.Getenv("CI") != "true" {
		if _, err := os.Stat("/usr/sbin/mariadbd"); err != nil {
			t.Skip("needs a MariaDB server: run scripts/install-deps.sh servers")
		}
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "secmon")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/secmon")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	data := filepath.Join(dir, "data")
	var said bytes.Buffer
	serve := exec.Command(program, append([]string{"serve", "--data-dir", data, "--listen", address, "--admin-password", password}, flags...)...)
	serve.Stdout, serve.Stderr = &said, &said
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Signal(os.Interrupt)
		_ = serve.Wait()
	})
	base = "http://" + address
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if response, err := http.Get(base + "/api/readyz"); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the program is not ready:\n%s", said.String())
		}
	}
	out, err := exec.CommandContext(t.Context(), program, "token", "create", "--name", "elastic", "--scope", "ingest", "--data-dir", data).Output()
	if err != nil {
		t.Fatal(err)
	}
	return base, strings.TrimSpace(string(out))
}

// stored counts the events by their field n.
func stored(t *testing.T, base string) map[string]int {
	t.Helper()
	ask := func(bearer, query string, variables map[string]any, into any) {
		body, _ := json.Marshal(map[string]any{"query": query, "variables": variables})
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/graphql", bytes.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		if bearer != "" {
			request.Header.Set("Authorization", "Bearer "+bearer)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if err := json.NewDecoder(response.Body).Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	var in struct {
		Data struct{ SessionLogin struct{ AccessToken string } }
	}
	ask("", `mutation($p: String!) { sessionLogin(input: {name: "admin", password: $p}) { accessToken } }`, map[string]any{"p": password}, &in)
	out := map[string]int{}
	for after := any(nil); ; {
		var page struct {
			Data struct {
				Events struct {
					Nodes    []struct{ Raw struct{ N string } }
					PageInfo struct {
						HasNextPage bool
						EndCursor   string
					}
				}
			}
		}
		ask(in.Data.SessionLogin.AccessToken, `query($after: String) { events(first: 500, after: $after, orderBy: RECEIVED_AT_DESC) { nodes { raw } pageInfo { hasNextPage endCursor } } }`, map[string]any{"after": after}, &page)
		for _, n := range page.Data.Events.Nodes {
			if n.Raw.N != "" {
				out[n.Raw.N]++
			}
		}
		if !page.Data.Events.PageInfo.HasNextPage {
			return out
		}
		after = page.Data.Events.PageInfo.EndCursor
	}
}

// Elastic's own client takes the server for Elasticsearch, and its bulk indexer,
// against a server that holds a megabyte, has each document there once, however often
// it sent it.
func TestElasticsearchsOwnClient(t *testing.T) {
	base, token := start(t, "--max-in-flight-mb", "1")
	var retries atomic.Int64
	client, err := elasticsearch.NewClient(elasticsearch.Config{
		Addresses: []string{base + "/api/elastic"}, Username: "shipper", Password: token, CompressRequestBody: true,
		RetryOnStatus: []int{429, 502, 503, 504}, MaxRetries: 200,
		RetryBackoff: func(int) time.Duration { retries.Add(1); return 20 * time.Millisecond },
	})
	if err != nil {
		t.Fatal(err)
	}
	info, err := client.Info()
	if err != nil || info.IsError() {
		t.Fatal(info, err) // the client checks the product
	}
	_ = info.Body.Close()
	const documents = 5_000
	var created, conflicts atomic.Int64
	for round := range 2 {
		indexer, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{
			Client: client, Index: "logs", NumWorkers: 8, FlushBytes: 200 << 10,
			OnError: func(_ context.Context, err error) { t.Error(err) },
		})
		if err != nil {
			t.Fatal(err)
		}
		for n := range documents {
			err := indexer.Add(t.Context(), esutil.BulkIndexerItem{
				Action: "create", DocumentID: fmt.Sprintf("d%d", n), Body: strings.NewReader(fmt.Sprintf(`{"host":"elastic","n":"%d","pad":%q}`, n, strings.Repeat("x", 500))),
				OnSuccess: func(context.Context, esutil.BulkIndexerItem, esutil.BulkIndexerResponseItem) { created.Add(1) },
				OnFailure: func(_ context.Context, _ esutil.BulkIndexerItem, r esutil.BulkIndexerResponseItem, err error) {
					if r.Status != http.StatusConflict || err != nil {
						t.Errorf("%+v %v", r, err)
					}
					conflicts.Add(1)
				},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := indexer.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if round == 0 && created.Load() != documents {
			t.Errorf("%d documents created, want %d", created.Load(), documents)
		}
	}
	found := stored(t, base)
	t.Logf("%d created, %d conflicts, %d tries again, %d stored", created.Load(), conflicts.Load(), retries.Load(), len(found))
	if len(found) != documents || created.Load() != documents || conflicts.Load() != documents {
		t.Errorf("want %d of each", documents)
	}
	for n, times := range found {
		if times != 1 {
			t.Errorf("document %s is there %d times", n, times)
		}
	}
	if retries.Load() == 0 {
		t.Error("the server was never saturated: the test says little")
	}
}

func TestElasticsearchsOwnClientWithAnAPIKey(t *testing.T) {
	base, token := start(t)
	for name, c := range map[string]struct{ config elasticsearch.Config }{
		"bare":    {elasticsearch.Config{APIKey: token}},
		"service": {elasticsearch.Config{ServiceToken: token}},
	} {
		c.config.Addresses = []string{base + "/api/elastic"}
		client, err := elasticsearch.NewTypedClient(c.config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Info().Do(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := client.Cluster.Health().Do(t.Context()); err != nil {
			t.Errorf("%s: health: %v", name, err)
		}
		if _, err := client.License.Get().Do(t.Context()); err != nil {
			t.Errorf("%s: license: %v", name, err)
		}
		if ok, err := client.Indices.ExistsIndexTemplate("logs").Do(t.Context()); err != nil || !ok {
			t.Errorf("%s: template: %v %v", name, ok, err)
		}
		if _, err := client.Indices.GetDataStream().Name("logs").Do(t.Context()); err != nil {
			t.Errorf("%s: data stream: %v", name, err)
		}
		if _, err := client.Index("logs").Request(map[string]any{"host": "typed", "n": name}).Do(t.Context()); err != nil {
			t.Errorf("%s: index: %v", name, err)
		}
	}
	if found := stored(t, base); len(found) != 2 {
		t.Errorf("stored: %v", found)
	}
}
