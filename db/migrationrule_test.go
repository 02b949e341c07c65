package db_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The schema is changed under the feet of programs of the version before, and those
// may come back over it (docs/upgrading.md). This test holds the rules for every
// migration that no release has had yet.

// contracting finds what a program of the version before would stumble over.
var contracting = []struct {
	what string
	is   *regexp.Regexp
}{
	{"DROP TABLE", regexp.MustCompile(`^DROP (TEMPORARY )?TABLE\b`)},
	{"DROP COLUMN", regexp.MustCompile(`\bDROP (COLUMN )?(IF EXISTS )?(\w+)`)}, // of ALTER TABLE; see harmlessDrop
	{"RENAME", regexp.MustCompile(`\bRENAME\b`)},
	{"CHANGE COLUMN, which may rename", regexp.MustCompile(`\bCHANGE (COLUMN )?\w`)},
	{"MODIFY to NOT NULL", regexp.MustCompile(`\bMODIFY (COLUMN )?.*\bNOT NULL\b`)},
	{"a new column NOT NULL without DEFAULT", regexp.MustCompile(`\bADD (COLUMN )?(IF NOT EXISTS )?\w+ [A-Z].*\bNOT NULL\b`)}, // see hasDefault
	{"a new UNIQUE key on a table that there is", regexp.MustCompile(`^(ALTER TABLE .*\bADD (CONSTRAINT \w+ )?UNIQUE\b|CREATE UNIQUE INDEX\b)`)},
	{"a foreign key or a check on a table that there is", regexp.MustCompile(`^ALTER TABLE .*\bADD (CONSTRAINT\b|FOREIGN KEY\b|CHECK\b)`)},
	{"DELETE or TRUNCATE", regexp.MustCompile(`^(DELETE|TRUNCATE)\b`)},
}

var (
	harmlessDrop = []string{"KEY", "INDEX", "PRIMARY", "DEFAULT", "PARTITION"}
	hasDefault   = regexp.MustCompile(`\b(DEFAULT|AS \()`)
	// contractNote lets a migration take something away: it names the migration from
	// which on no program uses it, and that one has been released.
	contractNote = regexp.MustCompile(`(?m)^-- contract: unused since (\d{4}), `)
)

// breaks gives what of a migration's way up a program of before would stumble over.
func breaks(migration string) []string {
	up, _, _ := strings.Cut(migration, "-- +goose Down")
	var found []string
	for _, statement := range statements(up) {
		for _, rule := range contracting {
			for _, part := range parts(statement) {
				if m := rule.is.FindStringSubmatch(part); m != nil && !excused(rule.what, part, m) && !slices.Contains(found, rule.what) {
					found = append(found, rule.what)
				}
			}
		}
	}
	return found
}

func excused(what, part string, m []string) bool {
	switch what {
	case "DROP COLUMN":
		return !strings.HasPrefix(part, "ALTER TABLE") || slices.Contains(harmlessDrop, m[3])
	case "a new column NOT NULL without DEFAULT":
		return !strings.HasPrefix(part, "ALTER TABLE") || hasDefault.MatchString(part)
	}
	return false
}

// statements gives them in upper case, without comments, names quoted or texts, with
// single spaces.
func statements(text string) []string {
	text = regexp.MustCompile(`(?s)--[^\n]*|/\*.*?\*/|#[^\n]*`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`'(?:[^'\\]|\\.|'')*'`).ReplaceAllString(text, "''")
	text = strings.ToUpper(strings.ReplaceAll(text, "`", ""))
	var all []string
	for statement := range strings.SplitSeq(text, ";") {
		if s := strings.Join(strings.Fields(statement), " "); s != "" {
			all = append(all, s)
		}
	}
	return all
}

// parts gives the single changes of an ALTER TABLE, each with its beginning.
func parts(statement string) []string {
	head := regexp.MustCompile(`^ALTER TABLE \w+ `).FindString(statement)
	if head == "" {
		return []string{statement}
	}
	var all []string
	depth, from := 0, len(head)
	for i := from; i <= len(statement); i++ {
		switch {
		case i == len(statement) || statement[i] == ',' && depth == 0:
			all = append(all, head+strings.TrimSpace(statement[from:i]))
			from = i + 1
		case statement[i] == '(':
			depth++
		case statement[i] == ')':
			depth--
		}
	}
	return all
}

func TestRulesFindWhatBreaksTheVersionBefore(t *testing.T) {
	for _, c := range []struct{ up, want string }{
		{"DROP TABLE users;", "DROP TABLE"},
		{"alter table users drop column name;", "DROP COLUMN"},
		{"ALTER TABLE users DROP name, ADD KEY x (id);", "DROP COLUMN"},
		{"ALTER TABLE users ADD KEY x (a, b), DROP COLUMN IF EXISTS `name`;", "DROP COLUMN"},
		{"ALTER TABLE users RENAME COLUMN a TO b;", "RENAME"},
		{"RENAME TABLE a TO b;", "RENAME"},
		{"ALTER TABLE users RENAME TO people;", "RENAME"},
		{"ALTER TABLE users CHANGE COLUMN a b INT NULL;", "CHANGE COLUMN, which may rename"},
		{"ALTER TABLE users MODIFY COLUMN a DATETIME(6) NOT NULL;", "MODIFY to NOT NULL"},
		{"ALTER TABLE users ADD COLUMN a INT NOT NULL;", "a new column NOT NULL without DEFAULT"},
		{"ALTER TABLE users\n  ADD COLUMN b INT NULL, -- DEFAULT 0\n  ADD a DECIMAL(10, 2) NOT NULL;", "a new column NOT NULL without DEFAULT"},
		{"ALTER TABLE users ADD COLUMN a INT NOT NULL COMMENT 'DEFAULT';", "a new column NOT NULL without DEFAULT"},
		{"ALTER TABLE users ADD UNIQUE KEY x (a);", "a new UNIQUE key on a table that there is"},
		{"CREATE UNIQUE INDEX x ON users (a);", "a new UNIQUE key on a table that there is"},
		{"ALTER TABLE users ADD CONSTRAINT x FOREIGN KEY (a) REFERENCES b (c);", "a foreign key or a check on a table that there is"},
		{"DELETE FROM users;", "DELETE or TRUNCATE"},
		{"TRUNCATE users;", "DELETE or TRUNCATE"},

		{"CREATE TABLE x (id INT NOT NULL, UNIQUE KEY (id));", ""},
		{"ALTER TABLE users ADD COLUMN a INT NOT NULL DEFAULT 0, ADD COLUMN b JSON NULL, ADD KEY k (a);", ""},
		{"ALTER TABLE users ADD COLUMN a INT AS (b + 1) STORED NOT NULL;", ""},
		{"ALTER TABLE users DROP KEY a, DROP INDEX b;", ""},
		{"ALTER TABLE users MODIFY COLUMN a INT NULL;", ""},
		{"-- DROP TABLE users;\nUPDATE users SET a = 'DROP TABLE x; RENAME';", ""},
		{"INSERT INTO a (b) SELECT c FROM d;\n\n-- +goose Down\nDROP TABLE a;", ""},
	} {
		if got := strings.Join(breaks("-- +goose Up\n"+c.up), "; "); got != c.want {
			t.Errorf("%s\n  finds %q, want %q", c.up, got, c.want)
		}
	}
}

// released reads which migrations the last release had, with their hashes.
func released(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.Open("../docs/schema/released.migrations")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // a test
	all := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		sum, name, ok := strings.Cut(lines.Text(), "  ") // as sha256sum writes
		if !ok {
			t.Fatalf("released.migrations: %q", lines.Text())
		}
		all[name] = sum
	}
	return all
}

func number(name string) int {
	n, _ := strconv.Atoi(name[:4])
	return n
}

// faults checks the migrations of a directory against those that were released.
func faults(t *testing.T, dir string, was map[string]string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.sql"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	last := 0
	for name := range was {
		last = max(last, number(name))
	}
	var found []string
	seen := map[int]bool{}
	for _, path := range names {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		if seen[number(name)] {
			found = append(found, name+": its number is taken")
		}
		seen[number(name)] = true
		sum := sha256.Sum256(text)
		if released, ok := was[name]; ok {
			if hex.EncodeToString(sum[:]) != released {
				found = append(found, name+": it was released, and is not changed any more")
			}
			continue
		}
		if number(name) <= last {
			found = append(found, name+": its number is lower than the last released one: databases that have that one would never run it")
		}
		broken := breaks(string(text))
		if len(broken) == 0 {
			continue
		}
		note := contractNote.FindStringSubmatch(string(text))
		if note == nil {
			found = append(found, name+": "+strings.Join(broken, ", ")+": the version before still runs on it")
		} else if since, _ := strconv.Atoi(note[1]); since > last {
			found = append(found, name+": "+strings.Join(broken, ", ")+": what it takes away is used by the last release")
		}
	}
	for name := range was {
		if !seen[number(name)] {
			found = append(found, name+": it was released, and is gone")
		}
	}
	slices.Sort(found)
	return found
}

func TestMigrationsLeaveTheVersionBeforeRunning(t *testing.T) {
	for _, fault := range faults(t, "migrations", released(t)) {
		t.Errorf("%s (docs/upgrading.md)", fault)
	}
}

func TestRulesOverMigrationsFindEachFault(t *testing.T) {
	sum := func(text string) string {
		h := sha256.Sum256([]byte(text))
		return hex.EncodeToString(h[:])
	}
	const create, drop = "-- +goose Up\nCREATE TABLE a (id INT);\n", "-- +goose Up\nDROP TABLE a;\n"
	noted := func(since string) string {
		return "-- +goose Up\n-- contract: unused since " + since + ", the table a.\nDROP TABLE a;\n"
	}
	was := map[string]string{"0001_init.sql": sum(create), "0002_more.sql": sum(create)}
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"a new table", map[string]string{"0003_x.sql": create}, ""},
		{"a drop in the release that stops using it", map[string]string{"0003_x.sql": drop}, "0003_x.sql: DROP TABLE: the version before still runs on it"},
		{"a drop that names a migration of the same release", map[string]string{"0003_x.sql": create, "0004_y.sql": noted("0003")}, "0004_y.sql: DROP TABLE: what it takes away is used by the last release"},
		{"a drop one release later", map[string]string{"0003_x.sql": noted("0002")}, ""},
		{"a released one that was changed", map[string]string{"0002_more.sql": create + "-- x\n"}, "0002_more.sql: it was released, and is not changed any more"},
		{"a released one that is gone", map[string]string{"0002_more.sql": ""}, "0002_more.sql: it was released, and is gone"},
		{"one that comes too late", map[string]string{"0000_early.sql": create}, "0000_early.sql: its number is lower than the last released one: databases that have that one would never run it"},
		{"two of a number", map[string]string{"0003_x.sql": create, "0003_y.sql": create}, "0003_y.sql: its number is taken"},
	} {
		dir := t.TempDir()
		files := map[string]string{"0001_init.sql": create, "0002_more.sql": create}
		for name, text := range c.files {
			files[name] = text
		}
		for name, text := range files {
			if text == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Join(faults(t, dir, was), "; "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
