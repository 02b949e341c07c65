package backup_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/security-monitor/secmon/backup"
	"github.com/security-monitor/secmon/monitor"
)

// rows is a database in memory.
type rows map[string][]backup.Row

func (r rows) Rows(_ context.Context, table string, f func([][]byte) error) error {
	for _, row := range r[table] {
		if err := f(row); err != nil {
			return err
		}
	}
	return nil
}

// taken is what a restore got.
type taken struct {
	rows  rows
	table string
}

func (t *taken) Begin(context.Context, backup.Header) error { t.rows = rows{}; return nil }
func (t *taken) Table(_ context.Context, table backup.Table) error {
	t.table = table.Name
	return nil
}

func (t *taken) Row(_ context.Context, row [][]byte) error {
	copied := make(backup.Row, len(row))
	for i, value := range row {
		if value != nil {
			copied[i] = append([]byte{}, value...)
		}
	}
	t.rows[t.table] = append(t.rows[t.table], copied)
	return nil
}

// state is a header with a journal of n entries, and its rows.
func state(n int) (backup.Header, rows) {
	columns := func(names ...string) (all []backup.Column) {
		for _, name := range names {
			all = append(all, backup.Column{Name: name, Kind: "text"})
		}
		return all
	}
	h := backup.Header{MadeAt: time.Date(2026, 11, 27, 22, 0, 0, 0, time.UTC), Program: "test", Schema: 17, Epoch: 5, Days: []string{"2026-11-27"}, Tables: []backup.Table{
		{Name: "alerts", Columns: columns("id", "title", "assignee")},
		{Name: "empty", Columns: columns("id")},
		{Name: "journal", Columns: columns("seq", "body", "hash")},
	}}
	data := rows{"alerts": {{{0, 1, 0xff, 0}, []byte("naïve 😀\n'\\\""), nil}, {[]byte("b"), {}, []byte("x")}}}
	var at backup.Place
	for seq := uint64(1); seq <= uint64(n); seq++ { //nolint:gosec // small
		body := []byte(fmt.Sprintf(`{"n":%d}`, seq))
		at = backup.Place{Seq: seq, Hash: monitor.ChainHash(at.Hash, seq, body)}
		data["journal"] = append(data["journal"], backup.Row{[]byte(fmt.Sprint(seq)), body, append([]byte{}, at.Hash[:]...)})
	}
	h.Journal.End = at
	return h, data
}

func key(t *testing.T) (*age.X25519Identity, backup.Recipients, backup.Identities) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return identity, backup.Recipients{identity.Recipient()}, backup.Identities{identity}
}

func write(t *testing.T, to backup.Recipients, h backup.Header, data rows) []byte {
	t.Helper()
	var file bytes.Buffer
	if _, err := backup.Write(t.Context(), &file, to, h, data); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestBackupComesBackAsItWas(t *testing.T) {
	_, to, from := key(t)
	h, data := state(3)
	file := write(t, to, h, data)
	for _, secret := range []string{"naïve", "journal", "schema", "secmon"} {
		if bytes.Contains(file, []byte(secret)) {
			t.Errorf("%q stands in the file in the clear", secret)
		}
	}
	var got taken
	is, err := backup.Read(t.Context(), bytes.NewReader(file), from, &got)
	if err != nil {
		t.Fatal(err)
	}
	h.Format = backup.Format
	if diff := cmp.Diff(h, is.Header); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(data, got.rows); diff != "" {
		t.Error(diff)
	}
	if is.Broken != 0 || is.Manifest.Rows != 5 || len(is.Manifest.Tables) != 3 {
		t.Errorf("%+v", is.Manifest)
	}
	// age and zstd alone open it: no program of ours is needed to get at the data.
	opened, err := age.Decrypt(bytes.NewReader(file), from...)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := zstd.NewReader(opened)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := io.ReadAll(unpacked); err != nil || !bytes.Contains(plain, []byte("naïve")) {
		t.Error(err)
	}
}

// Wherever a file is cut and whichever bit of it is turned: it is found.
func TestEveryCutAndEveryChangedByteIsFound(t *testing.T) {
	_, to, from := key(t)
	h, data := state(2)
	file := write(t, to, h, data)
	refused := func(name string, changed []byte) {
		t.Helper()
		_, err := backup.Read(t.Context(), bytes.NewReader(changed), from, &taken{})
		var damage backup.Damage
		if err == nil || !errors.As(err, &damage) && !errors.Is(err, backup.ErrNoKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for n := range file {
		refused(fmt.Sprintf("cut at %d of %d", n, len(file)), file[:n])
		changed := bytes.Clone(file)
		changed[n] ^= 1 << (n % 8)
		refused(fmt.Sprintf("byte %d changed", n), changed)
	}
	refused("more behind the end", append(bytes.Clone(file), 0))
	refused("text", []byte("hello"))
}

// reseal gives a file with other frames inside: what somebody can make who has the
// public key only, or a program with a fault.
func reseal(t *testing.T, file []byte, to backup.Recipients, from backup.Identities, change func([]byte) []byte) []byte {
	t.Helper()
	opened, err := age.Decrypt(bytes.NewReader(file), from...)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := zstd.NewReader(opened)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	sealed, err := age.Encrypt(&out, to...)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := zstd.NewWriter(sealed)
	if err != nil {
		t.Fatal(err)
	}
	_, err = packed.Write(change(plain))
	if err = errors.Join(err, packed.Close(), sealed.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestFramesThatDoNotBelongTogetherAreFound(t *testing.T) {
	_, to, from := key(t)
	h, data := state(2)
	file := write(t, to, h, data)
	for _, c := range []struct {
		name, want string
		change     func([]byte) []byte
	}{
		{"as it was", "", func(b []byte) []byte { return b }},
		{"the manifest is missing", "cut off", func(b []byte) []byte { return b[:bytes.LastIndex(b, []byte(`{"tables":`))-2] }},
		{"another value", "rows of alerts", func(b []byte) []byte { return bytes.Replace(b, []byte("naïve"), []byte("naive!"), 1) }},
		{"a row is missing", "rows of alerts", func(b []byte) []byte {
			row := []byte("r\x05\x02b\x01\x02x")
			if !bytes.Contains(b, row) {
				t.Fatal("the row is not there")
			}
			return bytes.Replace(b, row, nil, 1)
		}},
		{"a row comes twice", "rows of alerts", func(b []byte) []byte {
			row := []byte("r\x05\x02b\x01\x02x")
			return bytes.Replace(b, row, append(bytes.Clone(row), row...), 1)
		}},
		{"a table of another name", "where", func(b []byte) []byte { return bytes.Replace(b, []byte("t\x05empty"), []byte("t\x05emptx"), 1) }},
		{"another header", "manifest", func(b []byte) []byte { return bytes.Replace(b, []byte(`"schema":17`), []byte(`"schema":16`), 1) }},
		{"more behind the manifest", "follows", func(b []byte) []byte { return append(b, 'x') }},
		{"a frame without end", "frame of", func(b []byte) []byte {
			return append(bytes.Clone(b[:bytes.Index(b, []byte("r\x05\x02b"))]), 'r', 0xff, 0xff, 0xff, 0xff, 0x7f)
		}},
		{"a row that says more than it has", "shorter", func(b []byte) []byte {
			return bytes.Replace(b, []byte("r\x05\x02b\x01\x02x"), []byte("r\x05\x7fb\x01\x02x"), 1)
		}},
	} {
		_, err := backup.Read(t.Context(), bytes.NewReader(reseal(t, file, to, from, c.change)), from, nil)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	other := reseal(t, file, to, from, func(b []byte) []byte { return bytes.Replace(b, []byte(backup.Format), []byte("secmon-backup/9"), 1) })
	if _, err := backup.Read(t.Context(), bytes.NewReader(other), from, nil); !errors.Is(err, backup.ErrFormat) {
		t.Errorf("a later format: %v", err)
	}
}

// A journal that somebody had changed before is told from a file that is damaged.
func TestJournalThatWasChangedBeforeIsTold(t *testing.T) {
	_, to, from := key(t)
	for name, change := range map[string]func(*backup.Header, rows){
		"a body":      func(_ *backup.Header, r rows) { r["journal"][1][1] = []byte(`{"n":7}`) },
		"an entry":    func(_ *backup.Header, r rows) { r["journal"] = slices.Delete(r["journal"], 1, 2) },
		"the newest":  func(_ *backup.Header, r rows) { r["journal"] = r["journal"][:1] },
		"not a digit": func(_ *backup.Header, r rows) { r["journal"][1][0] = []byte("x") },
	} {
		h, data := state(3)
		change(&h, data)
		is, err := backup.Read(t.Context(), bytes.NewReader(write(t, to, h, data)), from, nil)
		if err != nil || is.Broken != 2 {
			t.Errorf("%s: broken at %d, %v", name, is.Broken, err)
		}
	}
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	private := filepath.Join(dir, "key")
	public, err := backup.NewIdentity(private)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.NewIdentity(private); err == nil {
		t.Error("a key was written over another")
	}
	if info, err := os.Stat(private); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the private key: %v %v", info.Mode(), err)
	}
	secret, _ := os.ReadFile(private)
	passphrase := file("passphrase", "correct horse battery staple\n")
	h, data := state(1)
	sealed := map[string]backup.Recipients{}
	for name, r := range map[string]struct {
		keys, files []string
		passphrase  string
	}{
		"key": {keys: []string{public}}, "file": {files: []string{file("public", "# ours\n"+public+"\n")}}, "passphrase": {passphrase: passphrase},
	} {
		if sealed[name], err = backup.ParseRecipients(r.keys, r.files, r.passphrase); err != nil {
			t.Fatal(name, err)
		}
	}
	byKey, err := backup.ParseIdentities([]string{private}, "")
	if err != nil {
		t.Fatal(err)
	}
	byPassphrase, err := backup.ParseIdentities(nil, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	_, _, others := key(t)
	for name, opens := range map[string]backup.Identities{"key": byKey, "file": byKey, "passphrase": byPassphrase} {
		made := write(t, sealed[name], h, data)
		if _, err := backup.Read(t.Context(), bytes.NewReader(made), opens, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := backup.Read(t.Context(), bytes.NewReader(made), others, nil); !errors.Is(err, backup.ErrNoKey) {
			t.Errorf("%s by another's key: %v", name, err)
		}
	}
	// A rotation of the key: both open what was made for both, the old one what is old.
	newer, _, newIdentity := key(t)
	both := append(backup.Recipients{newer.Recipient()}, sealed["key"]...)
	for name, opens := range map[string]backup.Identities{"old": byKey, "new": newIdentity} {
		if _, err := backup.Read(t.Context(), bytes.NewReader(write(t, both, h, data)), opens, nil); err != nil {
			t.Errorf("made for both, opened by the %s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"no key":             second(backup.ParseRecipients(nil, nil, "")),
		"both":               second(backup.ParseRecipients([]string{public}, nil, passphrase)),
		"short passphrase":   second(backup.ParseRecipients(nil, nil, file("short", "hunter2"))),
		"private for public": second(backup.ParseRecipients(nil, []string{private}, "")),
		"no private key":     second(backup.ParseIdentities(nil, "")),
		"public for private": second(backup.ParseIdentities([]string{file("wrong", public)}, "")),
		"broken private key": second(backup.ParseIdentities([]string{file("broken", strings.ToLower(string(secret)))}, "")),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(strings.ToUpper(err.Error()), "SECRET") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows a secret: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// failing stops in the middle of a table.
type failing struct{ rows }

var errAway = errors.New("the database went away")

func (f failing) Rows(ctx context.Context, table string, take func([][]byte) error) error {
	if table == "journal" {
		return errAway
	}
	return f.rows.Rows(ctx, table, take)
}

func TestBackupThatFailedIsNoBackup(t *testing.T) {
	_, to, from := key(t)
	h, data := state(3)
	var file bytes.Buffer
	if _, err := backup.Write(t.Context(), &file, to, h, failing{data}); !errors.Is(err, errAway) {
		t.Errorf("got %v", err)
	}
	var damage backup.Damage
	if _, err := backup.Read(t.Context(), &file, from, nil); !errors.As(err, &damage) {
		t.Errorf("what was written: %v", err)
	}
	// A disk or a network that fails while it is read is not the file's fault.
	whole := write(t, to, h, data)
	broken := io.MultiReader(bytes.NewReader(whole[:len(whole)/2]), iotestErr{})
	if _, err := backup.Read(t.Context(), broken, from, nil); !errors.Is(err, errAway) || errors.As(err, &damage) {
		t.Errorf("a reader that fails: %v", err)
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errAway }

// shelves are the kinds of places, each empty.
func shelves(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"directory": t.TempDir() + "/", "bucket": "s3://backups/prod/"}
}

func TestShelvesKeepWholeFilesOnly(t *testing.T) {
	options, uploads := fakeS3(t)
	big := make([]byte, 13<<20) // three parts
	_, _ = rand.Read(big)
	for kind, path := range shelves(t) {
		shelf, name, err := backup.Find(t.Context(), path, options)
		if err != nil || name != "" {
			t.Fatal(kind, name, err)
		}
		for _, size := range []int{0, 10, len(big)} {
			if err := shelf.Put(t.Context(), "x.backup", func(w io.Writer) error { _, err := w.Write(big[:size]); return err }); err != nil {
				t.Fatal(kind, err)
			}
			file, err := shelf.Get(t.Context(), "x.backup")
			if err != nil {
				t.Fatal(kind, err)
			}
			got, err := io.ReadAll(file)
			if err = errors.Join(err, file.Close()); err != nil || !bytes.Equal(got, big[:size]) {
				t.Errorf("%s: %d of %d bytes, %v", kind, len(got), size, err)
			}
		}
		err = shelf.Put(t.Context(), "y.backup", func(w io.Writer) error { _, _ = w.Write(big); return errAway })
		if !errors.Is(err, errAway) {
			t.Errorf("%s: a write that fails: %v", kind, err)
		}
		files, err := shelf.List(t.Context())
		if err != nil || len(files) != 1 || files[0].Name != "x.backup" || files[0].Bytes != int64(len(big)) {
			t.Errorf("%s has %v, %v", kind, files, err)
		}
		if kind == "directory" {
			if entries, _ := os.ReadDir(path); len(entries) != 1 {
				t.Errorf("parts are left: %v", entries)
			}
		}
		if _, err := shelf.Get(t.Context(), "y.backup"); err == nil {
			t.Errorf("%s: what failed is there", kind)
		}
	}
	if n := uploads(); n != 0 {
		t.Errorf("%d uploads are left unfinished", n)
	}
}

// A backup that is killed leaves its part behind; the next one takes it away, and
// nothing that somebody may still write or that is not a part.
func TestNextBackupRemovesWhatKilledOnesLeft(t *testing.T) {
	dir := t.TempDir()
	shelf, _, err := backup.Find(t.Context(), dir, backup.S3Options{})
	if err != nil {
		t.Fatal(err)
	}
	// The name that a part has, as a killed backup leaves it.
	var part string
	left := errors.New("killed")
	_ = shelf.Put(t.Context(), "x", func(io.Writer) error {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Fatalf("while it is written: %v, %v", entries, err)
		}
		part = entries[0].Name()
		return left
	})
	old := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stale := part + "0"
	old(stale)
	others := []string{".secmon-part-notes", ".part-123", "secmon-20261127T020000Z-1.backup", "secmon-part-1"}
	for _, name := range others {
		old(name)
	}
	writing, err := os.OpenFile(old(part+"1"), os.O_RDWR, 0) // by another process, which is slow
	if err != nil {
		t.Fatal(err)
	}
	defer writing.Close() //nolint:errcheck // a test
	if err := syscall.Flock(int(writing.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	fresh := part + "2" // begun just now on another machine
	if err := os.WriteFile(filepath.Join(dir, fresh), nil, 0o600); err != nil {
		t.Fatal(err)
	}

	err = shelf.Put(t.Context(), "x.backup", func(w io.Writer) error {
		if _, err := os.Stat(filepath.Join(dir, stale)); !errors.Is(err, os.ErrNotExist) {
			t.Error("the room is not free before the next one is written")
		}
		_, err := w.Write([]byte("whole"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(slices.Values(append(others, part+"1", fresh, "x.backup")))
	var got []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("in the directory (-want +got):\n%s", diff)
	}
}

// Two backups at once: the second leaves the first one's part alone, however long
// nothing came.
func TestPartThatIsWrittenIsLocked(t *testing.T) {
	dir := t.TempDir()
	shelf, _, err := backup.Find(t.Context(), dir, backup.S3Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = shelf.Put(t.Context(), "slow.backup", func(io.Writer) error {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Fatalf("while it is written: %v, %v", entries, err)
		}
		if err := os.Chtimes(filepath.Join(dir, entries[0].Name()), time.Time{}, time.Now().Add(-time.Hour)); err != nil {
			return err
		}
		return shelf.Put(t.Context(), "quick.backup", func(io.Writer) error { return nil })
	})
	if err != nil {
		t.Errorf("the slow one: %v", err)
	}
}

func TestRetentionRemovesTheOldestOfOurs(t *testing.T) {
	options, _ := fakeS3(t)
	for kind, path := range shelves(t) {
		shelf, _, err := backup.Find(t.Context(), path, options)
		if err != nil {
			t.Fatal(err)
		}
		put := func(name string) {
			if err := shelf.Put(t.Context(), name, func(w io.Writer) error { _, err := w.Write([]byte("x")); return err }); err != nil {
				t.Fatal(err)
			}
		}
		put("notes.txt")
		put("secmon-before-the-migration.backup")
		for day := 1; day <= 5; day++ {
			h, _ := state(day)
			h.MadeAt = h.MadeAt.AddDate(0, 0, day)
			put(backup.Name(h))
		}
		if removed, err := backup.Retain(t.Context(), shelf, 0); err != nil || removed != nil {
			t.Errorf("%s: 0 removes %v, %v", kind, removed, err)
		}
		removed, err := backup.Retain(t.Context(), shelf, 2)
		if diff := cmp.Diff([]string{"secmon-20261130T220000Z-3.backup", "secmon-20261129T220000Z-2.backup", "secmon-20261128T220000Z-1.backup"}, removed); diff != "" || err != nil {
			t.Errorf("%s: %s %v", kind, diff, err)
		}
		if files, err := shelf.List(t.Context()); err != nil || len(files) != 4 {
			t.Errorf("%s keeps %v, %v", kind, files, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		f.Fatal(err)
	}
	header, _ := json.Marshal(backup.Header{Format: backup.Format, Tables: []backup.Table{{Name: "a", Columns: []backup.Column{{Name: "b"}}}}})
	f.Add(append([]byte{'h', byte(len(header))}, header...))
	f.Add([]byte("h\x02{}t\x01ar\x02\x02x"))
	f.Fuzz(func(t *testing.T, plain []byte) {
		var file bytes.Buffer
		sealed, _ := age.Encrypt(&file, identity.Recipient())
		packed, _ := zstd.NewWriter(sealed, zstd.WithEncoderConcurrency(1))
		_, _ = packed.Write(plain)
		_, _ = packed.Close(), sealed.Close()
		if is, err := backup.Read(t.Context(), &file, backup.Identities{identity}, nil); err == nil && is.Header.Format != backup.Format {
			t.Error("it read something else")
		}
	})
}
