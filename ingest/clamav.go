package ingest

import (
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// Lines of ClamAV's programs: clamscan's and clamdscan's output, the log files of clamd
// and freshclam (with their times), and both in syslog.
// https://docs.clamav.net/manual/Usage/Scanning.html
//
//	/home/ana/eicar.com: Win.Test.EICAR_HDB-1 FOUND
//	Mon May  4 09:30:00 2026 -> /tmp/x: Unix.Trojan.Mirai-1(44d88612fea8a8f36de82e1278abb02f:68) FOUND

// clamWords are what freshclam's lines and clamd's others begin with.
var clamWords = []struct {
	begin, action string
	outcome       monitor.Outcome
}{
	{"ClamAV update process started", "signatures_update", monitor.OutcomeUnknown},
	{"daily.c", "signatures_current", monitor.OutcomeSuccess},
	{"main.c", "signatures_current", monitor.OutcomeSuccess},
	{"bytecode.c", "signatures_current", monitor.OutcomeSuccess},
	{"Database updated", "signatures_updated", monitor.OutcomeSuccess},
	{"Database correctly reloaded", "signatures_updated", monitor.OutcomeSuccess},
	{"Your ClamAV installation is OUTDATED", "program_outdated", monitor.OutcomeFailure},
	{"Can't download", "signatures_update_failed", monitor.OutcomeFailure},
	{"Update failed", "signatures_update_failed", monitor.OutcomeFailure},
	{"ClamAV-clamonacc", "scan_started", monitor.OutcomeUnknown},
	{"SelfCheck: ", "self_check", monitor.OutcomeUnknown},
}

func isClamAV(v *fastjson.Value) bool {
	line := lineOf(v)
	if line == "" || v.Exists("product") {
		return false
	}
	if _, rest, stamped := clamTime(line); stamped {
		line = rest
	}
	return clamLine(line) || strings.HasSuffix(line, " FOUND") && clamFinding(line).signature != ""
}

func clamLine(line string) bool {
	for _, begin := range []string{"ClamAV update process started", "WARNING: Your ClamAV installation is OUTDATED", "daily.cvd ", "daily.cld ", "main.cvd ", "main.cld ", "bytecode.cvd ", "bytecode.cld "} {
		if strings.HasPrefix(line, begin) {
			return true
		}
	}
	return false
}

// clamTime takes the time from a line of a log file: "Mon May  4 09:30:00 2026 -> ".
func clamTime(line string) (at time.Time, rest string, ok bool) {
	stamp, rest, ok := strings.Cut(line, " -> ")
	if !ok || len(stamp) != len(time.ANSIC) {
		return at, line, false
	}
	at, err := time.Parse(time.ANSIC, stamp)
	return at, rest, err == nil
}

func normaliseClamAV(in *input) {
	in.rec.flatten("", in.v)
	in.ev.Host = lineHost(in.v)
	in.occurred("@timestamp", "timestamp", "time", "date")
	line := lineOf(in.v)
	if at, rest, ok := clamTime(line); ok {
		in.occurredAt(at)
		line = rest
	}
	program := "clamd"
	if clamLine(line) {
		program = "freshclam"
	}
	in.ev.Process = program
	in.describeProgram(program, line)
}

// finding is what a scanner found; the path and the text before the last ": ".
type finding struct{ path, signature, hash, size string }

func clamFinding(line string) finding {
	body, ok := strings.CutSuffix(line, " FOUND")
	if !ok {
		return finding{}
	}
	i := strings.LastIndex(body, ": ")
	if i <= 0 {
		return finding{}
	}
	f := finding{path: body[:i], signature: body[i+2:]}
	if name, rest, ok := strings.Cut(strings.TrimSuffix(f.signature, ")"), "("); ok { // ExtendedDetectionInfo
		f.signature = name
		f.hash, f.size, _ = strings.Cut(rest, ":")
	}
	if strings.ContainsAny(f.signature, " \t") || !scanned(f.path) {
		return finding{}
	}
	return f
}

// scanned tells whether a text can be what clamd names: a path, or a stream.
func scanned(path string) bool {
	if len(path) > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/') {
		return true
	}
	return path[0] == '/' || path[0] == '.' || strings.HasPrefix(path, "instream") || strings.HasPrefix(path, "stream") || strings.HasPrefix(path, "fd[")
}

func (in *input) describeClamAV(program, message string) {
	ev, rec := in.ev, in.rec
	if at, rest, ok := clamTime(message); ok {
		in.occurredAt(at)
		message = rest
	}
	plain := strings.TrimPrefix(strings.TrimPrefix(message, "WARNING: "), "ERROR: ")
	if f := clamFinding(message); f.signature != "" {
		rec.LogSource.Category = "antivirus"
		ev.Class, ev.Action, ev.Severity = monitor.ClassDetectionFinding, "malware_detected", monitor.SeverityHigh
		ev.FilePath, ev.FileHash = f.path, f.hash
		in.addFields([2]string{"Signature", f.signature}, [2]string{"Filename", f.path}, [2]string{"md5", f.hash}, [2]string{"FileSize", f.size})
		ev.Message = "ClamAV found " + f.signature + " in " + f.path
		if ev.Host != "" {
			ev.Message += " on " + ev.Host
		}
		return
	}
	for _, w := range clamWords {
		if strings.HasPrefix(plain, w.begin) {
			ev.Action, ev.Outcome = w.action, w.outcome
			break
		}
	}
	if strings.HasPrefix(message, "ERROR: ") || ev.Outcome == monitor.OutcomeFailure {
		ev.Outcome, ev.Severity = monitor.OutcomeFailure, monitor.SeverityLow
	}
	if ev.Message = message; ev.Host != "" {
		ev.Message = program + " on " + ev.Host + ": " + message
	}
}
