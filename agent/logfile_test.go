package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// reader reads a log as often as it is told, as agents one after the other do: each begins
// with what the spool knows.
type reader struct {
	t   *testing.T
	a   *Agent
	log *logFile
}

func newReader(t *testing.T, path string) *reader {
	t.Helper()
	r := &reader{t: t, a: newAgent(t, t.TempDir(), Config{})}
	r.again(path)
	return r
}

// again is what a start does.
func (r *reader) again(path string) {
	r.t.Helper()
	r.log = &logFile{Agent: r.a, path: path}
	ctx, stop := canceled()
	defer stop()
	_ = r.log.run(ctx) // up to its first look, which a stopped agent leaves out
}

func (r *reader) read() []string {
	r.t.Helper()
	if err := r.log.once(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	return texts(spooled(r.t, r.a.spool), "message")
}

func (r *reader) gaps() uint64 {
	_, skipped := r.a.notes.tell()
	return skipped
}

func TestLogIsFollowedThroughRotation(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "auth[1].log") // brackets are no pattern
	rotate := func(t *testing.T) {
		t.Helper()
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
	}
	write(t, path, "old 1\nold 2\n")
	r := newReader(t, path)
	for _, step := range []struct {
		reason string
		do     func()
		want   []string
	}{
		{"what was there at first is no news", func() {}, nil},
		{"lines come whole", func() { appendTo(t, path, "a\nhal") }, []string{"a"}},
		{"the rest of one", func() { appendTo(t, path, "f\n\nb\r\n") }, []string{"half", "b"}},
		{"rotated with a rest, which ends without a newline", func() {
			appendTo(t, path, "c\nd")
			rotate(t)
			appendTo(t, path, "e\n")
		}, []string{"c", "d", "e"}},
		{"rotated while nobody looked, and begun again", func() {
			appendTo(t, path, "f\n")
			rotate(t)
			appendTo(t, path, "g\n")
			r.again(path)
		}, []string{"f", "g"}},
		{"rotated, and the next is not there yet", func() { appendTo(t, path, "h\n"); rotate(t) }, nil},
		{"now it is", func() { appendTo(t, path, "i\n") }, []string{"h", "i"}},
		{"copied and emptied", func() {
			appendTo(t, path, "j\n")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, path+".1", string(text))
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
			appendTo(t, path, "k\n")
		}, []string{"j", "k"}},
	} {
		step.do()
		if got := r.read(); !slices.Equal(got, step.want) {
			t.Fatalf("%s: %q, want %q", step.reason, got, step.want)
		}
	}
	if r.gaps() != 0 {
		t.Errorf("%d gaps", r.gaps())
	}
}

func TestAGapOfALogIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "auth.log")
	write(t, path, "a\n")
	r := newReader(t, path)
	appendTo(t, path, "lost\n")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, path, "this is another file\n")
	if got := r.read(); !slices.Equal(got, []string{"this is another file"}) || r.gaps() != 1 {
		t.Errorf("%q, %d gaps", got, r.gaps())
	}
}

func TestLongLinesAreCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	r := newReader(t, path)
	write(t, path, strings.Repeat("x", 3*maxLine)+"\nnext\n\xff\n")
	if err := r.log.once(t.Context()); err != nil {
		t.Fatal(err)
	}
	records := spooled(t, r.a.spool)
	if len(records) != 3 || len(records[0]["message"].(string)) != maxLine || records[0]["cut"] != true || records[1]["message"] != "next" || records[2]["message"] != "\uFFFD" {
		t.Errorf("%d records", len(records))
	}
}

func TestManyLinesAreReadInParts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	r := newReader(t, path)
	var all strings.Builder
	for i := range 3*linesBatch + 7 {
		fmt.Fprintln(&all, i)
	}
	write(t, path, all.String())
	got := r.read()
	if len(got) != 3*linesBatch+7 || got[3*linesBatch+6] != fmt.Sprint(3*linesBatch+6) {
		t.Errorf("%d lines", len(got))
	}
}
