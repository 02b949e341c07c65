package app

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/ingest"
	"github.com/security-monitor/secmon/monitor"
)

// RuleCheckReport says what the engine makes of rule files.
type RuleCheckReport struct {
	Files        int           `json:"files"`
	Rules        int           `json:"rules"` // of all kinds
	Detections   int           `json:"detections"`
	Correlations int           `json:"correlations"`
	Filters      int           `json:"filters"`
	Refused      int           `json:"refused"`
	Inactive     int           `json:"inactive"`
	Converted    int           `json:"converted"`
	Findings     []RuleFinding `json:"findings"` // by path and line
}

// CheckRules reads and compiles rule files as a server does, without one.
func CheckRules(ctx context.Context, trees []RuleTree, lists monitor.Placeholders) (*RuleCheckReport, error) {
	in, err := readTrees(ctx, trees, lists)
	if err != nil {
		return nil, err
	}
	in.compile()
	return in.report(), nil
}

func readTrees(ctx context.Context, trees []RuleTree, lists monitor.Placeholders) (*ruleReader, error) {
	in := newRuleReader(detect.Options{Placeholders: lists})
	for _, tree := range trees {
		if err := in.readTree(ctx, tree); err != nil {
			return nil, err
		}
	}
	if in.files == 0 {
		return nil, errNoRules
	}
	return in, nil
}

func (in *ruleReader) report() *RuleCheckReport {
	r := &RuleCheckReport{Files: in.files, Rules: len(in.rules), Findings: slices.Clone(in.findings)}
	for _, rule := range in.rules {
		switch rule.Kind {
		case monitor.CorrelationRule:
			r.Correlations++
		case monitor.FilterRule:
			r.Filters++
		default:
			r.Detections++
		}
	}
	for _, f := range in.findings {
		switch f.Kind {
		case FindingRefused:
			r.Refused++
		case FindingInactive:
			r.Inactive++
		case FindingConverted:
			r.Converted++
		}
	}
	slices.SortStableFunc(r.Findings, func(a, b RuleFinding) int {
		if a.Path != b.Path {
			if a.Path < b.Path {
				return -1
			}
			return 1
		}
		return a.Line - b.Line
	})
	return r
}

// RuleHit is an event that made a rule fire.
type RuleHit struct {
	Line    int                    `json:"line"` // of the events' file
	Matched []monitor.MatchedField `json:"matched"`
}

// RuleHits are the events that made a rule fire.
type RuleHits struct {
	Rule  string    `json:"rule"` // id
	Title string    `json:"title"`
	Path  string    `json:"path"`
	Count int       `json:"count"`
	Hits  []RuleHit `json:"hits"` // the first maxHits
}

// RuleTrialReport says which rules fire on which events.
type RuleTrialReport struct {
	Check    *RuleCheckReport    `json:"check"`
	Events   int                 `json:"events"`
	Unread   int                 `json:"unread"`   // records that no server would take
	Rejected []*ingest.Rejection `json:"rejected"` // the first maxUnread of them
	Fired    []*RuleHits         `json:"fired"`    // by title
	known    map[string]*monitor.Rule
}

// maxUnread bounds what is shown of records that cannot be read.
const maxUnread = 1000

// errNoEvents is the error of a file without any record: a test that looks at
// nothing must not pass.
var errNoEvents = errors.New("there are no events in it")

// maxHits bounds what is shown of each rule.
const maxHits = 100

// TestRules lets rule files look at events as shippers send them, by the same
// engine and the same reading of logs as a server's: NDJSON or a JSON array, gzip
// too. What looks at several events, correlations, is not tried.
func TestRules(ctx context.Context, trees []RuleTree, lists monitor.Placeholders, events io.Reader) (*RuleTrialReport, error) {
	in, err := readTrees(ctx, trees, lists)
	if err != nil {
		return nil, err
	}
	set := in.compile()
	t := &offlineTrial{
		set: set, normaliser: ingest.NewNormaliser(), now: time.Now(), byRule: map[*monitor.Rule]*RuleHits{},
		report: &RuleTrialReport{Check: in.report(), Rejected: []*ingest.Rejection{}, Fired: []*RuleHits{}, known: map[string]*monitor.Rule{}},
	}
	for _, rule := range in.rules {
		t.report.known[rule.ID.String()] = rule
	}
	limits := ingest.DefaultLimits
	limits.BodyBytes, limits.Records = math.MaxInt64, math.MaxInt // of a file, not of a request
	unpacked, err := unpack(events)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	err = ingest.Split(unpacked, limits, func(line int, raw []byte, rejected *ingest.Rejection) error {
		t.look(line, raw, rejected)
		return ctx.Err()
	})
	if err == nil && t.report.Events == 0 {
		err = errNoEvents
	}
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	slices.SortStableFunc(t.report.Fired, func(a, b *RuleHits) int {
		if a.Title < b.Title {
			return -1
		}
		return 1
	})
	return t.report, nil
}

// unpack tells gzip by its first bytes, so that a pipe may have it too.
func unpack(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	if head, err := buffered.Peek(2); err != nil || head[0] != 0x1f || head[1] != 0x8b {
		return buffered, nil //nolint:nilerr // what is shorter is no gzip; reading it tells
	}
	return gzip.NewReader(buffered)
}

type offlineTrial struct {
	set        *detect.Ruleset
	normaliser *ingest.Normaliser
	now        time.Time
	report     *RuleTrialReport
	byRule     map[*monitor.Rule]*RuleHits
	ev         monitor.Event
	rec        monitor.Record
	matches    []monitor.Match
}

func (t *offlineTrial) look(line int, raw []byte, rejected *ingest.Rejection) {
	t.report.Events++
	t.ev, t.rec = monitor.Event{}, monitor.Record{}
	if rejected == nil {
		if err := t.normaliser.Normalise(raw, t.now, &t.ev, &t.rec); err != nil {
			rejected = &ingest.Rejection{Line: line, Code: ingest.CodeMalformed, Message: err.Error()}
		}
	}
	if rejected != nil {
		if t.report.Unread++; len(t.report.Rejected) < maxUnread {
			t.report.Rejected = append(t.report.Rejected, rejected)
		}
		return
	}
	t.matches = t.set.Match(&t.rec, t.matches[:0])
	for _, m := range t.matches {
		hits := t.byRule[m.Rule]
		if hits == nil {
			hits = &RuleHits{Rule: m.Rule.ID.String(), Title: m.Rule.Title, Path: m.Rule.Path, Hits: []RuleHit{}}
			t.byRule[m.Rule] = hits
			t.report.Fired = append(t.report.Fired, hits)
		}
		if hits.Count++; len(hits.Hits) < maxHits {
			hits.Hits = append(hits.Hits, RuleHit{Line: line, Matched: m.Matched})
		}
	}
}

// Expectations are how many events each rule is expected to fire on, by its id;
// "*" is all other rules together.
type Expectations map[string]int

// Others is the key of the rules that are not named.
const Others = "*"

// Compare says where the report is not as expected.
func (e Expectations) Compare(r *RuleTrialReport) []string {
	var wrong []string
	counts, others := map[string]int{}, 0
	for _, hits := range r.Fired {
		counts[hits.Rule] = hits.Count
		if _, named := e[hits.Rule]; !named {
			others += hits.Count
		}
	}
	for id, want := range e {
		got := counts[id]
		switch rule := r.known[id]; {
		case id == Others:
			if others != want {
				wrong = append(wrong, fmt.Sprintf("the rules that are not named fire %d times, want %d", others, want))
			}
		case rule == nil:
			wrong = append(wrong, fmt.Sprintf("%s: there is no such rule", id))
		case rule.Kind == monitor.CorrelationRule || rule.Kind == monitor.FilterRule:
			wrong = append(wrong, fmt.Sprintf("%s (%s) is a %s: it is not tried by itself", id, rule.Title, strings.ToLower(string(rule.Kind))))
		case rule.State != monitor.RuleActive:
			wrong = append(wrong, fmt.Sprintf("%s (%s) does not run: %s", id, rule.Title, rule.StateReason))
		case got != want:
			wrong = append(wrong, fmt.Sprintf("%s (%s) fires on %d events, want %d", id, rule.Title, got, want))
		}
	}
	slices.Sort(wrong)
	return wrong
}

// Check gives an error for expectations that cannot be meant.
func (e Expectations) Check() error {
	for id, n := range e {
		if _, err := monitor.ParseID(id); err != nil && id != Others {
			return fmt.Errorf("%q is no rule's id", id)
		}
		if n < 0 {
			return fmt.Errorf("%s: %d events", id, n)
		}
	}
	if len(e) == 0 {
		return errors.New("nothing is expected")
	}
	return nil
}
