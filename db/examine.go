package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/security-monitor/secmon/monitor"
)

// Needs are what a server with this configuration wants of the database.
type Needs struct {
	MaxConns  int
	MaxRecord int              // bytes of one event
	Now       func() time.Time // time.Now where nil
	MaxGroups int              // of one correlation rule; DefaultMaxGroups where 0
}

// examineTime bounds one question.
const examineTime = 5 * time.Second

// The oldest servers that the SQL of this program runs on.
var (
	oldestMySQL   = [3]int{8, 0, 19}
	oldestMariaDB = [3]int{10, 6, 0}
)

// examination is one look at a database; it changes nothing.
type examination struct {
	db    *sql.DB
	cfg   *mysql.Config
	needs Needs
	found []monitor.Diagnosis
}

// Examine says whether the database in dsn is what the program needs. It changes
// nothing there, and its messages hold nothing secret.
func Examine(ctx context.Context, dsn string, needs Needs) []monitor.Diagnosis {
	if needs.Now == nil {
		needs.Now = time.Now
	}
	cfg, err := parseDSN(dsn)
	if err != nil || cfg.DBName == "" { // the driver's error may quote the DSN
		return []monitor.Diagnosis{monitor.Fault("database.dsn", "the DSN cannot be read, or names no database", "Write it as USER:PASSWORD@tcp(HOST:3306)/DATABASE?tls=true (--database-dsn).")}
	}
	cfg.Timeout = examineTime
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return []monitor.Diagnosis{monitor.Fault("database.dsn", "the DSN cannot be used: "+masked(err, cfg), "Check its parameters.")}
	}
	e := &examination{db: sql.OpenDB(connector), cfg: cfg, needs: needs}
	defer e.db.Close() //nolint:errcheck // it was only read
	e.db.SetMaxOpenConns(1)
	if !e.reach(ctx) {
		return e.found
	}
	for _, check := range []func(context.Context) error{e.version, e.session, e.server, e.privileges, e.latency, e.migrations, e.correlations, e.archive} {
		asked, cancel := context.WithTimeout(ctx, examineTime)
		if err := check(asked); err != nil {
			e.add(monitor.Fault("database.questions", "a question was not answered: "+masked(err, cfg), "See the server's error log."))
		}
		cancel()
	}
	return e.found
}

func (e *examination) add(d monitor.Diagnosis) { e.found = append(e.found, d) }

// masked is an error's text without the password.
func masked(err error, cfg *mysql.Config) string {
	if cfg.Passwd == "" {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), cfg.Passwd, "***")
}

func (e *examination) reach(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, examineTime)
	defer cancel()
	err := e.db.PingContext(ctx)
	switch {
	case err == nil:
		e.add(monitor.Fine("database.reach", "%s answers", e.cfg.Addr))
	case hasNumber(err, 1045), hasNumber(err, 1044), hasNumber(err, 1698):
		e.add(monitor.Fault("database.reach", "the server refuses the user: "+masked(err, e.cfg), "Check name, password and database of --database-dsn, and from where the user may come."))
	case hasNumber(err, 1049):
		e.add(monitor.Fault("database.reach", "there is no database "+e.cfg.DBName, "Run secmon migrate with a user that may create it, or create it."))
	default:
		e.add(monitor.Fault("database.reach", e.cfg.Addr+" does not answer: "+masked(err, e.cfg), "Check host and port, that the server runs, DNS, security groups and network policies."))
	}
	if err == nil && e.cfg.Net == "tcp" && e.cfg.TLSConfig == "" && !strings.HasPrefix(e.cfg.Addr, "127.") && !strings.HasPrefix(e.cfg.Addr, "localhost") {
		e.add(monitor.Warn("database.tls", "the connection is not encrypted", "Add tls=true to the DSN."))
	}
	return err == nil
}

func (e *examination) text(ctx context.Context, question string) (string, error) {
	var answer sql.NullString
	err := e.db.QueryRowContext(ctx, question).Scan(&answer)
	return answer.String, err
}

var versionNumber = regexp.MustCompile(`(\d+)\.(\d+)\.(\d+)`)

func (e *examination) version(ctx context.Context) error {
	text, err := e.text(ctx, "SELECT VERSION()")
	if err != nil {
		return err
	}
	e.add(aboutVersion(text))
	return nil
}

func aboutVersion(text string) monitor.Diagnosis {
	name, oldest := "MySQL", oldestMySQL
	if strings.Contains(strings.ToLower(text), "mariadb") {
		name, oldest = "MariaDB", oldestMariaDB
	}
	var is [3]int
	m := versionNumber.FindStringSubmatch(strings.TrimPrefix(text, "5.5.5-")) // how old MariaDB begins
	for i := range is {
		if m != nil {
			is[i], _ = strconv.Atoi(m[i+1]) // digits
		}
	}
	if slices.Compare(is[:], oldest[:]) < 0 {
		return monitor.Fault("database.version", name+" "+text, fmt.Sprintf("Use MySQL %d.%d.%d or MariaDB %d.%d, or later.", oldestMySQL[0], oldestMySQL[1], oldestMySQL[2], oldestMariaDB[0], oldestMariaDB[1]))
	}
	return monitor.Fine("database.version", "%s %s", name, text)
}

// session looks at what each of our connections has.
func (e *examination) session(ctx context.Context) error {
	mode, err := e.text(ctx, "SELECT @@SESSION.sql_mode")
	if err != nil {
		return err
	}
	modes := strings.Split(mode, ",")
	switch {
	case !slices.Contains(modes, "STRICT_ALL_TABLES") && !slices.Contains(modes, "STRICT_TRANS_TABLES"):
		e.add(monitor.Fault("database.sql_mode", "the SQL mode is not strict: values that do not fit would be cut silently", "Add sql_mode=%27STRICT_ALL_TABLES%27 to the DSN, or set it at the server."))
	case slices.Contains(modes, "ANSI_QUOTES") || slices.Contains(modes, "NO_BACKSLASH_ESCAPES"):
		e.add(monitor.Fault("database.sql_mode", "the SQL mode changes how texts are quoted: "+mode, "Take ANSI_QUOTES and NO_BACKSLASH_ESCAPES away, by sql_mode in the DSN."))
	default:
		e.add(monitor.Fine("database.sql_mode", "%s", mode))
	}
	var offset int
	if err := e.db.QueryRowContext(ctx, "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW())").Scan(&offset); err != nil {
		return err
	}
	if offset > 1 || offset < -1 {
		e.add(monitor.Warn("database.time_zone", fmt.Sprintf("the sessions' clock differs from UTC by %d s", offset), "Add time_zone=%27%2B00:00%27 to the DSN, so that what people read in the database is UTC."))
	} else {
		e.add(monitor.Fine("database.time_zone", "UTC"))
	}
	return e.isolation(ctx)
}

func (e *examination) isolation(ctx context.Context) error {
	begun, err := e.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted, ReadOnly: true})
	if err != nil {
		e.add(monitor.Fault("database.isolation", "READ COMMITTED is refused: "+masked(err, e.cfg), "The server has to be InnoDB, without a proxy that keeps the isolation level."))
		return nil
	}
	_ = begun.Rollback()
	logging, err := e.text(ctx, "SELECT IF(@@GLOBAL.log_bin, @@GLOBAL.binlog_format, 'OFF')")
	if err != nil {
		return err
	}
	e.add(aboutLogging(logging))
	return nil
}

func aboutLogging(format string) monitor.Diagnosis {
	if format == "STATEMENT" {
		return monitor.Fault("database.isolation", "the binary log is of the format STATEMENT, in which READ COMMITTED cannot write", "Set binlog_format=ROW at the server.")
	}
	return monitor.Fine("database.isolation", "READ COMMITTED (binary log: %s)", format)
}

// server looks at what holds for all connections.
func (e *examination) server(ctx context.Context) error {
	var packet, most, readOnly int
	if err := e.db.QueryRowContext(ctx, "SELECT @@GLOBAL.max_allowed_packet, @@GLOBAL.max_connections, @@GLOBAL.read_only").Scan(&packet, &most, &readOnly); err != nil {
		return err
	}
	const statement, good = 8 << 20, 32 << 20
	switch {
	case packet < statement+2*e.needs.MaxRecord:
		e.add(monitor.Fault("database.max_allowed_packet", fmt.Sprintf("%d MiB: large batches would be refused", packet>>20), "Set max_allowed_packet to 64M at the server."))
	case packet < good:
		e.add(monitor.Warn("database.max_allowed_packet", fmt.Sprintf("%d MiB", packet>>20), "Set max_allowed_packet to 64M at the server: journal entries of large changes need it."))
	default:
		e.add(monitor.Fine("database.max_allowed_packet", "%d MiB", packet>>20))
	}
	if e.needs.MaxConns*10 > most*8 {
		e.add(monitor.Warn("database.max_connections", fmt.Sprintf("the server takes %d connections, this replica wants %d", most, e.needs.MaxConns), "Raise max_connections at the server or lower --max-conns; count all replicas."))
	} else {
		e.add(monitor.Fine("database.max_connections", "%d, of which this replica wants %d", most, e.needs.MaxConns))
	}
	if readOnly != 0 {
		e.add(monitor.Fault("database.writable", "the server is read-only: a replica, or a primary after a failover", "Use the address of the primary (on RDS the cluster's or instance's endpoint, not the reader's)."))
	} else {
		e.add(monitor.Fine("database.writable", "it takes changes"))
	}
	return nil
}

// wanted are the rights that the program and its migrations use.
var wanted = []string{"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "INDEX", "REFERENCES"}

func (e *examination) privileges(ctx context.Context) error {
	rows, err := e.db.QueryContext(ctx, "SHOW GRANTS")
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	var grants []string
	for rows.Next() {
		var grant string
		if err := rows.Scan(&grant); err != nil {
			return err
		}
		grants = append(grants, grant)
	}
	e.add(aboutGrants(grants, e.cfg.DBName))
	return rows.Err()
}

var grantLine = regexp.MustCompile("^GRANT (.+) ON (\\*|`[^`]+`)\\.\\* TO ")

func aboutGrants(grants []string, database string) monitor.Diagnosis {
	has := map[string]bool{}
	roles := false
	for _, grant := range grants {
		m := grantLine.FindStringSubmatch(grant)
		if m == nil {
			roles = roles || strings.HasPrefix(grant, "GRANT `") || strings.HasPrefix(grant, "GRANT '")
			continue
		}
		if on := strings.Trim(m[2], "`"); on != "*" && !matchesName(on, database) {
			continue
		}
		for _, right := range strings.Split(m[1], ",") {
			has[strings.TrimSpace(right)] = true
		}
	}
	if has["ALL PRIVILEGES"] {
		return monitor.Fine("database.privileges", "all")
	}
	var missing []string
	for _, right := range wanted {
		if !has[right] {
			missing = append(missing, right)
		}
	}
	switch {
	case len(missing) == 0:
		return monitor.Fine("database.privileges", "%s", strings.Join(wanted, ", "))
	case roles:
		return monitor.Warn("database.privileges", "some rights come by a role and could not be read: "+strings.Join(missing, ", "), "Make sure that the role has them.")
	default:
		return monitor.Fault("database.privileges", "missing: "+strings.Join(missing, ", "), "GRANT "+strings.Join(missing, ", ")+" ON `"+database+"`.* to the user. CREATE, ALTER, DROP and INDEX serve migrations, and the partitions of each day.")
	}
}

// matchesName tells whether a grant's pattern (% and _, escaped by \) is for a database.
func matchesName(pattern, name string) bool {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteString(regexp.QuoteMeta(string(pattern[i])))
		case c == '%':
			b.WriteString(".*")
		case c == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	matched, err := regexp.MatchString("^"+b.String()+"$", name)
	return err == nil && matched
}

// latency measures the way to the server, and how its clock differs from ours.
func (e *examination) latency(ctx context.Context) error {
	best, skew := time.Hour, time.Duration(0)
	for range 5 {
		begun, ours := time.Now(), e.needs.Now()
		theirs, err := clockOf(ctx, e.db)
		if err != nil {
			return err
		}
		if took := time.Since(begun); took < best {
			best, skew = took, theirs.Sub(ours.Add(took/2))
		}
	}
	e.add(aboutLatency(best))
	e.add(aboutSkew(skew))
	return nil
}

func aboutLatency(best time.Duration) monitor.Diagnosis {
	text := best.Round(10 * time.Microsecond).String()
	switch {
	case best > 100*time.Millisecond:
		return monitor.Fault("database.latency", text+" for a question: screens will be slow, ingest slower", "Run program and database in one region, without a VPN between them.")
	case best > 10*time.Millisecond:
		return monitor.Warn("database.latency", text+" for a question", "Run program and database in one region.")
	default:
		return monitor.Fine("database.latency", "%s for a question", text)
	}
}

func aboutSkew(skew time.Duration) monitor.Diagnosis {
	text := "the database's clock differs from ours by " + skew.Round(time.Millisecond).String()
	switch {
	case skew.Abs() > 30*time.Second:
		return monitor.Fault("clock", text, "Mend the time synchronisation: logins, tokens and one-time passwords fail, and times of alerts are wrong.")
	case skew.Abs() > time.Second:
		return monitor.Warn("clock", text, "Mend the time synchronisation of this machine or of the server.")
	default:
		return monitor.Fine("clock", "%s", text)
	}
}

var migrationFile = regexp.MustCompile(`^migrations/(\d+)_`)

// newestMigration is the number of the newest one that this program knows.
func newestMigration() (int, error) {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql")
	newest := 0
	for _, name := range files {
		if m := migrationFile.FindStringSubmatch(name); m != nil {
			n, _ := strconv.Atoi(m[1]) // digits
			newest = max(newest, n)
		}
	}
	return newest, err
}

func (e *examination) migrations(ctx context.Context) error {
	newest, err := newestMigration()
	if err != nil {
		return err
	}
	var applied sql.NullInt64
	err = e.db.QueryRowContext(ctx, "SELECT MAX(version_id) FROM goose_db_version WHERE is_applied = 1").Scan(&applied)
	var refused *mysql.MySQLError
	switch is := int(applied.Int64); {
	case errors.As(err, &refused) && refused.Number == 1146:
		e.add(monitor.Warn("migrations", fmt.Sprintf("the database is empty, %d migrations are to be done", newest), "secmon serve does them at its start, secmon migrate without one."))
	case err != nil:
		return err
	case is < newest:
		e.add(monitor.Warn("migrations", fmt.Sprintf("the database is at %d, the program at %d: %d are to be done", is, newest, newest-is), "secmon serve does them at its start, secmon migrate without one."))
	case is > newest:
		e.add(monitor.Warn("migrations", fmt.Sprintf("the database is at %d, newer than this program, which knows %d", is, newest), "The version before runs on it after a rollback (docs/upgrading.md); older ones may not understand what is in it."))
	default:
		e.add(monitor.Fine("migrations", "the database is at %d, as the program", is))
	}
	return nil
}

// archive tells whether old events could be archived.
func (e *examination) archive(ctx context.Context) error {
	const check = "database.archive"
	var day, why string
	err := e.db.QueryRowContext(ctx, "SELECT DATE_FORMAT(day, '%Y-%m-%d'), error FROM event_archives WHERE error <> '' ORDER BY day LIMIT 1").Scan(&day, &why)
	switch {
	case hasNumber(err, 1146): // nothing has been migrated yet
		return nil
	case errors.Is(err, sql.ErrNoRows):
		e.add(monitor.Fine(check, "no archive has failed"))
		return nil
	case err != nil:
		return err
	}
	e.add(monitor.Warn(check, "events of "+day+" could not be archived, and are not deleted: "+why, "See docs/archive.md: reach, rights and space of the archive."))
	return nil
}

// correlations finds rules that keep as many groups as they may, or nearly.
func (e *examination) correlations(ctx context.Context) error {
	const check, asked = "database.correlations", 0.8
	most := cmp.Or(e.needs.MaxGroups, DefaultMaxGroups)
	rows, err := e.db.QueryContext(ctx, "SELECT COALESCE(r.title, HEX(c.rule_id)), c.kept FROM (SELECT rule_id, COUNT(*) AS kept FROM correlation_state GROUP BY rule_id HAVING COUNT(*) >= ?) c LEFT JOIN rules r ON r.id = c.rule_id ORDER BY c.kept DESC LIMIT 5", int(asked*float64(most)))
	if hasNumber(err, 1146) { // nothing has been migrated yet
		return nil
	}
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // it was only read
	var names []string
	fullest := 0
	for rows.Next() {
		var title string
		var kept int
		if err := rows.Scan(&title, &kept); err != nil {
			return err
		}
		names = append(names, fmt.Sprintf("%s (%d)", title, kept))
		fullest = max(fullest, kept)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	const advice = "Group by fewer or other fields, shorten the timespan, or raise --correlation-max-groups."
	switch {
	case fullest >= most:
		e.add(monitor.Warn(check, fmt.Sprintf("of %d groups that each may keep, some have so many, and forget those that would be done first: %s", most, strings.Join(names, ", ")), advice))
	case fullest > 0:
		e.add(monitor.Warn(check, fmt.Sprintf("of %d groups that each may keep, these have 80 %% of them: %s", most, strings.Join(names, ", ")), advice))
	default:
		e.add(monitor.Fine(check, "no rule is near its %d groups", most))
	}
	return nil
}
