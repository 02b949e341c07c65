package agent

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// fakeJournalctl stands for journalctl: lines of a file, of which the number is the cursor.
// It understands what the agent asks, and leaves with an error on anything else.
const fakeJournalctl = `#!/bin/sh
after=; last=; follow=
for arg in "$@"; do
  case $arg in
    --after-cursor=*) after=${arg#*=} ;;
    --lines=1) last=yes ;;
    --follow) follow=yes ;;
    --no-tail|--output=json|--no-pager|--quiet|--since=@[0-9]*) ;;
    _TRANSPORT=audit|+|SYSLOG_FACILITY=*|_PID=1) ;;
    *) echo "unknown: $arg" >&2; exit 3 ;;
  esac
done
write() { awk -v after="${after:-0}" -v upto="$1" 'NR > after && NR <= upto { printf "{\"__CURSOR\":\"%d\",\"MESSAGE\":\"%s\"}\n", NR, $0 }' "$JOURNAL"; }
[ -n "$last" ] && { write 1000 | tail -n 1; exit; }
[ -n "$follow" ] || exit 4
while :; do
  upto=$(wc -l < "$JOURNAL")
  write "$upto" || exit
  after=$upto
  sleep 0.05
done
`

func TestJournalGoesOnBehindWhatIsInTheSpool(t *testing.T) {
	bin := t.TempDir()
	log := filepath.Join(bin, "journal")
	if err := os.WriteFile(filepath.Join(bin, "journalctl"), []byte(fakeJournalctl), 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("JOURNAL", log)
	write(t, log, "before\n")
	a := newAgent(t, t.TempDir(), Config{JournalMatches: DefaultJournalMatches})
	var told []string
	has := func(message string) func() bool {
		return func() bool {
			told = append(told, texts(spooled(t, a.spool), "MESSAGE")...)
			return slices.Contains(told, message)
		}
	}
	stop := running(t, &journal{Agent: a})
	eventually(t, "the end of the journal", func() bool { known, _ := a.spool.Known("journal"); return len(known) == 1 })
	appendTo(t, log, "one\n")
	eventually(t, "an entry", has("one"))
	stop()
	appendTo(t, log, "while away\n")
	stop = running(t, &journal{Agent: a})
	eventually(t, "what came meanwhile", has("while away"))
	appendTo(t, log, "two\nthree\n")
	eventually(t, "more", has("three"))
	stop()
	if want := []string{"one", "while away", "two", "three"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestJournalctlThatFailsIsAFault(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "journalctl"), []byte("#!/bin/sh\necho no permission >&2\nexit 1\n"), 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	a := newAgent(t, t.TempDir(), Config{})
	err := (&journal{Agent: a}).run(t.Context())
	if err == nil || err.Error() != "journalctl: exit status 1: no permission" {
		t.Error(err)
	}
	if found, _ := FindLogs(t.Context()); found {
		t.Error("it has a journal")
	}
}
