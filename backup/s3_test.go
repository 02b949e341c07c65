package backup_test

import (
	"bytes"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/security-monitor/secmon/backup"
)

// cutting ends each download after so many bytes, as a network that breaks does.
type cutting struct {
	next http.Handler
	at   atomic.Int64 // 0: never
	gets atomic.Int64
}

func (c *cutting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if at := c.at.Load(); r.Method == http.MethodGet && at > 0 && !strings.Contains(r.URL.RawQuery, "list-type") {
		c.gets.Add(1)
		w = &cutWriter{w, at}
	}
	c.next.ServeHTTP(w, r)
}

type cutWriter struct {
	http.ResponseWriter

	left int64
}

func (w *cutWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > w.left {
		_, _ = w.ResponseWriter.Write(p[:w.left])
		w.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	w.left -= int64(len(p))
	return w.ResponseWriter.Write(p)
}

// fakeS3 is an S3 server in this process with the bucket backups. uploads counts
// what was begun in parts and neither ended nor taken back.
func fakeS3(t *testing.T) (options backup.S3Options, uploads func() int) {
	t.Helper()
	options, uploads, _ = fakeS3Cutting(t)
	return options, uploads
}

func fakeS3Cutting(t *testing.T) (options backup.S3Options, uploads func() int, cut *cutting) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("backups"); err != nil {
		t.Fatal(err)
	}
	cut = &cutting{next: gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()}
	server := httptest.NewServer(cut)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return backup.S3Options{Endpoint: server.URL, Region: "eu-central-1", PartMB: 5}, func() int {
		response, err := http.Get(server.URL + "/backups?uploads") //nolint:noctx // a test
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close() //nolint:errcheck // a test
		var list struct{ Upload []struct{ Key string } }
		if err := xml.NewDecoder(response.Body).Decode(&list); err != nil {
			t.Fatal(err)
		}
		return len(list.Upload)
	}, cut
}

// A download that breaks goes on where it broke; an object that was replaced
// meanwhile is not mixed with the one that was begun.
func TestDownloadGoesOnWhereItBroke(t *testing.T) {
	options, _, cut := fakeS3Cutting(t)
	shelf, name, err := backup.Find(t.Context(), "s3://backups/x.backup", options)
	if err != nil || name != "x.backup" || shelf.Path(name) != "s3://backups/x.backup" {
		t.Fatal(name, err)
	}
	content := make([]byte, 1<<20)
	_, _ = rand.Read(content)
	put := func(b []byte) {
		if err := shelf.Put(t.Context(), name, func(w io.Writer) error { _, err := w.Write(b); return err }); err != nil {
			t.Fatal(err)
		}
	}
	put(content)
	cut.at.Store(300_000)
	file, err := shelf.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(file)
	if err != nil || !bytes.Equal(got, content) || cut.gets.Load() != 4 {
		t.Errorf("%d of %d bytes in %d downloads, %v", len(got), len(content), cut.gets.Load(), err)
	}
	_ = file.Close()

	if file, err = shelf.Get(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	put(bytes.Repeat([]byte("other"), len(content)/5))
	if got, err := io.ReadAll(file); err == nil {
		t.Errorf("two objects became one of %d bytes", len(got))
	}
	_ = file.Close()
}

func TestBucketThatRefuses(t *testing.T) {
	options, _ := fakeS3(t)
	h, data := state(1)
	_, to, _ := key(t)
	shelf, name, err := backup.Find(t.Context(), "s3://nobodys/x.backup", options)
	if err != nil {
		t.Fatal(err)
	}
	err = shelf.Put(t.Context(), name, func(w io.Writer) error {
		_, err := backup.Write(t.Context(), w, to, h, data)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "s3://nobodys/x.backup") {
		t.Errorf("upload to a bucket that is not there: %v", err)
	}
	for _, path := range []string{"s3:///x", "ftp://x/y"} {
		if _, _, err := backup.Find(t.Context(), path, options); err == nil {
			t.Errorf("%s is no place", path)
		}
	}
	if _, err := shelf.Get(t.Context(), "x"); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("a download from there: %v", err)
	}
}

// Other servers than AWS's need no region.
func TestBucketWithoutARegion(t *testing.T) {
	options, _ := fakeS3(t)
	options.Region = ""
	shelf, _, err := backup.Find(t.Context(), "s3://backups/prod/", options)
	if err != nil {
		t.Fatal(err)
	}
	if err := shelf.Put(t.Context(), "x", func(w io.Writer) error { _, err := w.Write([]byte("x")); return err }); err != nil {
		t.Error(err)
	}
	if files, err := shelf.List(t.Context()); err != nil || len(files) != 1 {
		t.Errorf("%v %v", files, err)
	}
}
