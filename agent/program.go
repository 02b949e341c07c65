package agent

import (
	"context"
	"regexp"
	"strings"

	"github.com/shirou/gopsutil/v4/process"
)

// program is what a process runs.
type program struct {
	Name, Executable, CommandLine, User string
}

// maxCommand bounds the bytes of a command line in a record.
const maxCommand = 8 << 10

// programCache asks for each process once; it lives for one look.
type programCache map[int32]program

func (c programCache) of(ctx context.Context, pid int32) program {
	if pid <= 0 {
		return program{}
	}
	p, ok := c[pid]
	if !ok {
		if found, err := process.NewProcessWithContext(ctx, pid); err == nil {
			p = programOf(ctx, found)
		}
		c[pid] = p
	}
	return p
}

// programOf gives what may be read of a process; it may have ended meanwhile.
func programOf(ctx context.Context, p *process.Process) (is program) {
	is.Name, _ = p.NameWithContext(ctx)
	is.Executable, _ = p.ExeWithContext(ctx)
	command, _ := p.CmdlineWithContext(ctx)
	is.CommandLine = cutText(withoutSecrets(strings.TrimSpace(command)), maxCommand)
	is.User, _ = p.UsernameWithContext(ctx)
	return is
}

// Secrets on a command line: the value of an option or variable that is named for one,
// and the password in an address.
var (
	secretOption  = regexp.MustCompile(`(?i)((?:^|[\s"'])-{0,2}[a-z0-9_.-]*(?:password|passwd|passphrase|secret|token|api[_-]?key)[a-z0-9_.-]*)(=|\s+)("[^"]*"|'[^']*'|[^\s"']+)`)
	secretAddress = regexp.MustCompile(`(://[^/\s:@]*:)[^/\s@]+@`)
)

// withoutSecrets puts *** for what looks like a secret: other people read events. A word
// behind a bare name counts only behind an option.
func withoutSecrets(command string) string {
	command = secretOption.ReplaceAllStringFunc(command, func(found string) string {
		part := secretOption.FindStringSubmatch(found)
		if part[2] != "=" && (!strings.HasPrefix(strings.TrimLeft(part[1], " \t\"'"), "-") || strings.HasPrefix(part[3], "-")) {
			return found
		}
		return part[1] + part[2] + "***"
	})
	return secretAddress.ReplaceAllString(command, "$1***@")
}

// cutText cuts a text to a number of bytes; JSON replaces half a character.
func cutText(s string, most int) string {
	return strings.ToValidUTF8(s[:min(len(s), most)], "\uFFFD")
}
