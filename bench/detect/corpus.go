package detect

import (
	"archive/zip"
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/monitor"
)

// rule is a document of the archive.
type rule struct {
	path      string
	source    []byte
	logSource monitor.LogSource
}

// event is one record of a log.
type event struct {
	raw  []byte
	rec  monitor.Record
	rule string // of a labelled event: the path of the rule that it must make fire
}

// corpus is what every engine gets.
type corpus struct {
	rules []rule
	sets  []*set
}

// set is a mix of events, in an order that is the same for all engines.
type set struct {
	name    string
	events  []*event
	serials []*serial // of events that are to be another each time
	round   int
}

// again makes the set ready to be gone through once more.
func (s *set) again() {
	for _, each := range s.serials {
		s.round++
		each.renew(s.round)
	}
}

// labelledSet is the name of the set whose events say which rule they are for.
const labelledSet = "labelled"

// activeFolders of the archive are those whose rules SigmaHQ means to be used.
var activeFolders = []string{"rules", "rules-emerging-threats", "rules-threat-hunting", "rules-compliance"}

// readCorpus reads rules and events of a directory of corpora.
func readCorpus(dir string) (*corpus, error) {
	rules, err := readRules(filepath.Join(dir, "sigma", "sigma-rules.zip"))
	if err != nil {
		return nil, err
	}
	natural, err := readLog(filepath.Join(dir, "windows", "otrf-sample.jsonl.gz"))
	if err != nil {
		return nil, err
	}
	labelled, err := readLabelled(filepath.Join(dir, "sigma", "labelled.jsonl"))
	if err != nil {
		return nil, err
	}
	processes, serials, err := multiply(slices.DeleteFunc(slices.Clone(natural), func(e *event) bool { return e.rec.LogSource.Category != "process_creation" }), 10_000)
	if err != nil {
		return nil, err
	}
	c := &corpus{rules: rules}
	c.add("process_creation", processes)
	c.sets[0].serials = serials
	c.add("natural mix", natural)
	c.add(labelledSet, labelled)
	return c, nil
}

// add shuffles the events, so that an engine which sees only some of them sees
// all kinds.
func (c *corpus) add(name string, events []*event) {
	events = slices.Clone(events)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	c.sets = append(c.sets, &set{name: name, events: events})
}

// What no two processes share: a process's GUID, ids, and the time of day.
var (
	uniqueGUID   = regexp.MustCompile(`(\{[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-)[0-9a-fA-F]{4}-`)
	uniqueNumber = regexp.MustCompile(`("(?:NewProcessId|ProcessId|RecordNumber|ThreadID)":"?(?:0x)?)[0-9a-f]+`)
	uniqueTime   = regexp.MustCompile(`([T ][0-9]{2}):[0-9]{2}:[0-9]{2}`)
)

// multiply adds copies, each with times and ids of its own, and some with a command
// line that is, until there are so many events.
func multiply(events []*event, count int) ([]*event, []*serial, error) {
	list := slices.Clone(events)
	var serials []*serial
	for len(list) < count {
		n, from := len(list), list[len(list)%len(events)]
		raw := uniqueGUID.ReplaceAll(from.raw, fmt.Appendf(nil, "${1}%04x-", n))
		raw = uniqueNumber.ReplaceAll(raw, fmt.Appendf(nil, "${1}%d", 1000+n))
		raw = uniqueTime.ReplaceAll(raw, fmt.Appendf(nil, "${1}:%02d:%02d", n/60%60, n%60))
		if n%newCommandLines == 0 {
			raw = numbered(raw)
		}
		e, err := newEvent(raw, from.rule)
		if err != nil {
			return nil, nil, err
		}
		if s := newSerial(e); s != nil {
			serials = append(serials, s)
		}
		list = append(list, e)
	}
	return list, serials, nil
}

func readRules(path string) ([]rule, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer archive.Close() //nolint:errcheck // it was read
	var rules []rule
	for _, f := range archive.File {
		folder, _, _ := strings.Cut(f.Name, "/")
		if !slices.Contains(activeFolders, folder) || !strings.HasSuffix(f.Name, ".yml") {
			continue
		}
		source, err := readFile(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		parsed, err := detect.Parse(source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		rules = append(rules, rule{f.Name, source, parsed.LogSource})
	}
	slices.SortFunc(rules, func(a, b rule) int { return strings.Compare(a.path, b.path) })
	return rules, nil
}

func readFile(f *zip.File) (_ []byte, err error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return io.ReadAll(r)
}

func readLog(path string) ([]*event, error) {
	var list []*event
	err := lines(path, func(line []byte) error {
		e, err := newEvent(line, "")
		list = append(list, e)
		return err
	})
	return list, err
}

func readLabelled(path string) ([]*event, error) {
	var list []*event
	err := lines(path, func(line []byte) error {
		var c struct {
			Path   string            `json:"rule_path"`
			Events []json.RawMessage `json:"events"`
		}
		if err := json.Unmarshal(line, &c); err != nil {
			return err
		}
		for _, raw := range c.Events {
			e, err := newEvent(raw, c.Path)
			if err != nil {
				return err
			}
			list = append(list, e)
		}
		return nil
	})
	return list, err
}

var received = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// newEvent reads a record as ingest does: every engine gets Sigma's fields.
func newEvent(raw []byte, of string) (*event, error) {
	e := &event{raw: slices.Clone(raw), rule: of}
	var about monitor.Event
	return e, ingest.NewNormaliser().Normalise(e.raw, received, &about, &e.rec)
}

func lines(path string, each func([]byte) error) (err error) {
	f, err := os.Open(path) //nolint:gosec // what the caller of the benchmark names
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was read
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return err
		}
	}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 16<<20)
	for scanner.Scan() {
		if err := each(scanner.Bytes()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return scanner.Err()
}
