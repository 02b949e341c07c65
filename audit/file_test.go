package audit_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/security-monitor/secmon/audit"
	"github.com/security-monitor/secmon/monitor"
)

// chain is a journal in memory.
type chain []audit.Entry

func newChain(t *testing.T, n int) chain {
	t.Helper()
	var c chain
	var hash [32]byte
	for seq := uint64(1); seq <= uint64(n); seq++ { //nolint:gosec // small
		body, err := json.Marshal(monitor.EntryBody{
			At: time.Unix(int64(seq), 0).UTC(), Actor: monitor.Actor{Kind: monitor.ActorUser, Name: "=cmd|' /C calc'!A0"}, Action: monitor.ActionAlertClose, //nolint:gosec // small
			Changes: []monitor.Change{{Kind: monitor.KindAlert, After: json.RawMessage(fmt.Sprintf(`{"title":"<b>\u2028 & \"%d\" ü"}`, seq))}},
		})
		if err != nil {
			t.Fatal(err)
		}
		hash = monitor.ChainHash(hash, seq, body)
		c = append(c, audit.Entry{Seq: seq, Hash: hash, Body: body})
	}
	return c
}

func (c chain) read(_ context.Context, seq, last uint64, limit int) ([]audit.Entry, error) {
	from := min(seq, uint64(len(c)))
	to := min(last, from+uint64(limit), uint64(len(c))) //nolint:gosec // small
	return c[from:to], nil
}

func (c chain) place(seq uint64) audit.Place {
	if seq == 0 {
		return audit.Place{}
	}
	return audit.Place{Seq: seq, Hash: c[seq-1].Hash}
}

func write(t *testing.T, c chain, from, to uint64) []byte {
	t.Helper()
	var out bytes.Buffer
	n, err := audit.Write(t.Context(), &out, 7, c.place(from), c.place(to), c.read)
	if err != nil || n != int(to-from) { //nolint:gosec // small
		t.Fatal(n, err)
	}
	return out.Bytes()
}

func TestExportVerifies(t *testing.T) {
	c := newChain(t, 450)
	for _, r := range [][2]uint64{{0, 450}, {3, 450}, {0, 1}, {200, 401}, {5, 5}} {
		report, err := audit.Verify(bytes.NewReader(write(t, c, r[0], r[1])))
		if err != nil || report.Entries != int(r[1]-r[0]) || report.End != c.place(r[1]) { //nolint:gosec // small
			t.Errorf("%v: %+v %v", r, report, err)
		}
	}
}

// Any byte of an entry or of the frame that is changed, any line that is taken
// out, doubled or exchanged, and any end that is cut off is found.
func TestExportThatWasTouchedDoesNotVerify(t *testing.T) {
	c := newChain(t, 4)
	file := write(t, c, 1, 4)
	verify := func(name string, changed []byte) {
		t.Helper()
		report, err := audit.Verify(bytes.NewReader(changed))
		if err == nil {
			t.Errorf("%s: verified %+v", name, report)
		} else if fault := (audit.Fault{}); !errors.As(err, &fault) {
			t.Errorf("%s: %v is no fault", name, err)
		}
	}
	epoch := bytes.Index(file, []byte(`"epoch":7`)) + len(`"epoch":`) // says nothing of the chain
	for i := range file {
		if i == epoch || i == len(file)-1 { // nor does the last line's end
			continue
		}
		changed := bytes.Clone(file)
		changed[i] ^= 1
		// JSON may say the same in two ways: what it says is what counts.
		if report, err := audit.Verify(bytes.NewReader(changed)); err == nil && (report.Entries != 3 || report.End != c.place(4)) {
			t.Errorf("byte %d (%q for %q): verified %+v", i, changed[i], file[i], report)
		}
	}
	lines := bytes.SplitAfter(file, []byte("\n"))
	join := func(l ...[]byte) []byte { return bytes.Join(l, nil) }
	verify("an entry taken out", join(lines[0], lines[1], lines[3], lines[4]))
	verify("the first taken out", join(lines[0], lines[2], lines[3], lines[4]))
	verify("the last taken out", join(lines[0], lines[1], lines[2], lines[4]))
	verify("an entry doubled", join(lines[0], lines[1], lines[1], lines[2], lines[3], lines[4]))
	verify("two exchanged", join(lines[0], lines[2], lines[1], lines[3], lines[4]))
	verify("cut", join(lines[:4]...))
	verify("cut inside a line", file[:len(file)/2])
	verify("without a head", join(lines[1:]...))
	verify("empty", nil)
	verify("more behind the end", join(file, lines[1]))
	for _, entry := range []string{"alert.close", "ü"} {
		verify("other words", bytes.Replace(file, []byte(entry), []byte("alert.raise"), 1))
	}
}

func TestSourceWithAHoleIsAnError(t *testing.T) {
	c := newChain(t, 5)
	holed := func(ctx context.Context, seq, last uint64, limit int) ([]audit.Entry, error) {
		entries, err := c.read(ctx, seq, last, limit)
		return append(entries[:2:2], entries[3:]...), err
	}
	if _, err := audit.Write(t.Context(), &bytes.Buffer{}, 1, c.place(0), c.place(5), holed); err == nil || !strings.Contains(err.Error(), "3") {
		t.Errorf("got %v", err)
	}
}

func TestCSVIsHarmlessInASpreadsheet(t *testing.T) {
	c := newChain(t, 3)
	var out bytes.Buffer
	if n, err := audit.WriteCSV(t.Context(), &out, c.place(0), c.place(3), c.read); err != nil || n != 3 {
		t.Fatal(n, err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatal(rows, err)
	}
	for _, row := range rows[1:] {
		if row[3] != "'=cmd|' /C calc'!A0" || row[4] != "alert.close" {
			t.Errorf("%q", row)
		}
	}
}
