// Package shippers sends to the program by the clients that shippers are made of. It
// is a module of its own: the program needs none of them.
package shippers

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esutil"
)

// Elastic's own client takes the server for Elasticsearch, and its bulk indexer,
// against a server that holds a megabyte, has each document there once, however often
// it sent it.
func TestElasticsearchsOwnClient(t *testing.T) {
	p := start(t, "--max-in-flight-mb", "1")
	var retries atomic.Int64
	client, err := elasticsearch.NewClient(elasticsearch.Config{
		Addresses: []string{p.base + "/api/elastic"}, Username: "shipper", Password: p.token, CompressRequestBody: true,
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
	found := p.stored(t)
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
	p := start(t)
	for name, c := range map[string]struct{ config elasticsearch.Config }{
		"bare":    {elasticsearch.Config{APIKey: p.token}},
		"service": {elasticsearch.Config{ServiceToken: p.token}},
	} {
		c.config.Addresses = []string{p.base + "/api/elastic"}
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
	if found := p.stored(t); len(found) != 2 {
		t.Errorf("stored: %v", found)
	}
}
