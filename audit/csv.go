package audit

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/security-monitor/secmon/monitor"
)

var columns = []string{"seq", "at", "actor_kind", "actor", "action", "kind", "id", "before", "after"}

// WriteCSV writes a line for each change of each entry, for spreadsheets. It can
// not be verified: Write makes what can.
func WriteCSV(ctx context.Context, w io.Writer, behind, end Place, source Source) (int, error) {
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return 0, err
	}
	n, err := each(ctx, behind, end, source, func(e Entry) error { return writeLines(out, e) })
	if err != nil {
		return n, err
	}
	out.Flush()
	return n, out.Error()
}

func writeLines(out *csv.Writer, e Entry) error {
	var body monitor.EntryBody
	if err := json.Unmarshal(e.Body, &body); err != nil {
		return fmt.Errorf("journal entry %d: %w", e.Seq, err)
	}
	line := []string{strconv.FormatUint(e.Seq, 10), body.At.Format(time.RFC3339Nano), string(body.Actor.Kind), Cell(body.Actor.Name), Cell(body.Action), "", "", "", ""}
	if len(body.Changes) == 0 {
		return out.Write(line)
	}
	for _, c := range body.Changes {
		if line[4] = Cell(c.Action); c.Action == "" {
			line[4] = Cell(body.Action)
		}
		line[5], line[6], line[7], line[8] = string(c.Kind), c.ID.String(), Cell(string(c.Before)), Cell(string(c.After))
		if err := out.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// Cell makes a text harmless in a spreadsheet: what begins like a formula is
// preceded by an apostrophe. https://owasp.org/www-community/attacks/CSV_Injection
func Cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}
