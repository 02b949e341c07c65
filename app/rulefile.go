package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/security-monitor/secmon/detect"
	"github.com/security-monitor/secmon/monitor"
)

// FindingKind tells what is the matter with a rule file apart.
type FindingKind string

// The kinds of findings, the gravest first.
const (
	FindingRefused   FindingKind = "refused"   // a document is no rule
	FindingInactive  FindingKind = "inactive"  // a rule does not run, or a filter misses one
	FindingConverted FindingKind = "converted" // Sigma 1 was rewritten as Sigma 2
)

// RuleFinding is something to know about a document of a rule file. Line and
// Column count from 1, Column in characters; both are 0 where it is about the file.
type RuleFinding struct {
	Kind    FindingKind `json:"kind"`
	Path    string      `json:"path"`
	Line    int         `json:"line,omitempty"`
	Column  int         `json:"column,omitempty"`
	Rule    string      `json:"rule,omitempty"` // its id, where there is a rule
	Title   string      `json:"title,omitempty"`
	Message string      `json:"message"`
}

// RuleTree is a tree of rule files. Its name stands before their paths.
type RuleTree struct {
	Name  string
	Files fs.FS
	Only  string // the only file that counts; empty for all that end in .yml or .yaml
}

// ruleReader gathers the rules of files, and what is the matter with them.
type ruleReader struct {
	options  detect.Options
	files    int
	rules    []*monitor.Rule
	lines    map[*monitor.Rule]int        // where each begins in its file
	byID     map[monitor.ID]*monitor.Rule // the first of each id
	findings []RuleFinding
}

func newRuleReader(o detect.Options) *ruleReader {
	return &ruleReader{options: o, byID: map[monitor.ID]*monitor.Rule{}, lines: map[*monitor.Rule]int{}}
}

// Bounds of a tree: what a small archive can be unpacked to, and what a small file
// can be wrong about.
const (
	maxTreeBytes    = 256 << 20
	maxTreeFiles    = 100_000
	maxTreeFindings = 100_000
)

// readTree reads all rule files of a tree. A file that cannot be read is a finding.
func (in *ruleReader) readTree(ctx context.Context, tree RuleTree) error {
	take := func(name string, source []byte, problem error) error {
		if shown := path.Join(tree.Name, name); problem != nil {
			in.files++
			in.findings = append(in.findings, RuleFinding{Kind: FindingRefused, Path: shown, Message: problem.Error()})
		} else {
			in.read(shown, source)
		}
		if len(in.findings) > maxTreeFindings {
			return fmt.Errorf("more than %d findings: are these Sigma rules?", maxTreeFindings)
		}
		return ctx.Err()
	}
	if tree.Only != "" {
		source, problem := readRuleFile(tree.Files, tree.Only)
		return take(tree.Only, source, problem)
	}
	return RuleFiles(ctx, tree.Files, take)
}

// RuleFiles hands on every .yml and .yaml file of a tree in order, or why it cannot
// be read. What begins with a dot is left out, folders too: a repository's own
// files are no rules. A tree that is too large is an error.
func RuleFiles(ctx context.Context, tree fs.FS, take func(name string, source []byte, problem error) error) error {
	bytes, files := 0, 0
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && strings.HasPrefix(path.Base(name), "."):
			return fs.SkipDir
		case entry.IsDir() || !isRuleFile(name):
			return ctx.Err()
		}
		source, problem := readRuleFile(tree, name)
		bytes, files = bytes+len(source), files+1
		if bytes > maxTreeBytes || files > maxTreeFiles {
			return fmt.Errorf("the tree has more than %d MiB or %d files of rules", maxTreeBytes>>20, maxTreeFiles)
		}
		return take(name, source, problem)
	})
	if err != nil {
		return fmt.Errorf("read rules: %w", err)
	}
	return nil
}

func isRuleFile(name string) bool {
	base := path.Base(name)
	return (strings.HasSuffix(base, ".yml") || strings.HasSuffix(base, ".yaml")) && !strings.HasPrefix(base, ".")
}

// readRuleFile reads no more than a rule file may have, whatever an archive says of
// its size, and nothing that might never end: a pipe, a device.
func readRuleFile(tree fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(tree, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is no regular file")
	}
	file, err := tree.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	source, err := io.ReadAll(io.LimitReader(file, detect.MaxFile+1))
	if err == nil && len(source) > detect.MaxFile {
		err = fmt.Errorf("has more than %d bytes", detect.MaxFile)
	}
	if err != nil {
		return nil, err
	}
	return source, nil
}

// read takes the documents of a file. Of several rules with one id the first counts.
func (in *ruleReader) read(path string, source []byte) {
	in.files++
	file := detect.ParseAll(source, in.options)
	for _, p := range file.Problems {
		in.findings = append(in.findings, RuleFinding{Kind: FindingRefused, Path: path, Line: p.Line, Column: p.Column, Message: p.Message})
	}
	for _, r := range file.Rules {
		finding := RuleFinding{Path: path, Line: r.Line, Column: 1, Rule: r.ID.String(), Title: r.Title}
		if first := in.byID[r.ID]; first != nil {
			finding.Kind, finding.Message = FindingRefused, fmt.Sprintf("has the same id as %s", first.Path)
			if first.Path == path {
				finding.Message = fmt.Sprintf("has the same id as the rule in line %d", in.lines[first])
			}
			in.findings = append(in.findings, finding)
			continue
		}
		r.Path = path
		in.byID[r.ID], in.lines[r.Rule] = r.Rule, r.Line
		in.rules = append(in.rules, r.Rule)
		if r.Converted != "" {
			finding.Kind, finding.Message = FindingConverted, r.Converted
			in.findings = append(in.findings, finding)
		}
		if r.State != monitor.RuleActive {
			finding.Kind, finding.Message = FindingInactive, r.StateReason
			in.findings = append(in.findings, finding)
		}
	}
}

// compile puts the rules together, and notes what only then shows: filters that
// miss a rule, and the like.
func (in *ruleReader) compile() *detect.Ruleset {
	set := detect.Compile(in.rules, in.options)
	for _, p := range set.Problems() {
		if p.Rule.State == monitor.RuleActive {
			in.findings = append(in.findings, RuleFinding{
				Kind: FindingInactive, Path: p.Rule.Path, Line: in.lines[p.Rule], Column: 1, Rule: p.Rule.ID.String(), Title: p.Rule.Title, Message: p.Err.Error(),
			})
		}
	}
	return set
}

// problems gives the findings of a kind as an import reports them.
func (in *ruleReader) problems(kind FindingKind) []monitor.RuleFileProblem {
	var list []monitor.RuleFileProblem
	for _, f := range in.findings {
		if f.Kind != kind {
			continue
		}
		message := f.Message
		if kind == FindingRefused && f.Line > 0 {
			message = (&detect.SyntaxError{Line: f.Line, Column: f.Column, Message: f.Message}).Error()
		} else if f.Line > 1 {
			message = fmt.Sprintf("line %d, %q: %s", f.Line, f.Title, f.Message)
		}
		list = append(list, monitor.RuleFileProblem{Path: f.Path, Message: message})
	}
	return list
}

// errNoRules is the error of trees without any rule file.
var errNoRules = errors.New("there is no file whose name ends in .yml or .yaml")
