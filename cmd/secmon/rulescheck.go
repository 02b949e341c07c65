package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/client/table"
	"github.com/security-monitor/secmon/monitor"
)

// ruleSources are the flags of commands that read rules without a database.
type ruleSources struct {
	Placeholders string `env:"-" type:"existingfile" placeholder:"FILE" help:"YAML file with lists of values by the names of placeholders."`
}

type rulesCheckCommand struct {
	ruleSources `embed:""`
	Paths       []string `arg:"" name:"path" help:"Directories, ZIP archives or files with Sigma rules." type:"existingpath"`
	Format      string   `env:"-" enum:"text,json,github,sarif,junit" default:"text" help:"text, json, github (annotations of a workflow), sarif or junit."`
	Strict      bool     `env:"-" help:"Leave with 1 also where a rule is inactive."`
}

var (
	errRefused    = errors.New("there are documents that are no rules")
	errInactive   = errors.New("there are rules that do not run")
	errUnread     = errors.New("there are records that cannot be read")
	errUnexpected = errors.New("the rules do not fire as expected")
)

// Run reads the rules as a server would, and says what is the matter with them.
func (c *rulesCheckCommand) Run(ctx context.Context) error {
	trees, done, err := openTrees(c.Paths)
	if err != nil {
		return err
	}
	defer done()
	lists, err := c.lists()
	if err != nil {
		return err
	}
	report, err := app.CheckRules(ctx, trees, lists)
	if err != nil {
		return err
	}
	if err := writeCheck(os.Stdout, c.Format, report); err != nil {
		return err
	}
	switch {
	case report.Refused > 0:
		return errRefused
	case c.Strict && report.Inactive > 0:
		return errInactive
	}
	return nil
}

// lists reads the file of placeholders.
func (s *ruleSources) lists() (monitor.Placeholders, error) {
	if s.Placeholders == "" {
		return nil, nil
	}
	text, err := os.ReadFile(s.Placeholders)
	if err != nil {
		return nil, err
	}
	var lists monitor.Placeholders
	if err := yaml.Unmarshal(text, &lists); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Placeholders, err)
	}
	for name, values := range lists {
		if err := (&monitor.Placeholder{Name: name, Values: values}).Check(); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", s.Placeholders, name, err)
		}
	}
	return lists, nil
}

// openTrees opens directories, archives and single files.
func openTrees(paths []string) ([]app.RuleTree, func(), error) {
	var trees []app.RuleTree
	var closers []func() error
	done := func() {
		for _, closeIt := range closers {
			_ = closeIt() // only read
		}
	}
	for _, path := range paths {
		if ending := filepath.Ext(path); ending == ".yml" || ending == ".yaml" {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				dir, name := filepath.Split(path)
				if dir == "" {
					dir = "."
				}
				trees = append(trees, app.RuleTree{Name: filepath.ToSlash(filepath.Clean(dir)), Files: os.DirFS(dir), Only: name})
				continue
			}
		}
		tree, closeIt, err := openTree(path)
		if err != nil {
			done()
			return nil, nil, err
		}
		closers = append(closers, closeIt)
		trees = append(trees, app.RuleTree{Name: filepath.ToSlash(path), Files: tree})
	}
	return trees, done, nil
}

func writeCheck(w io.Writer, format string, r *app.RuleCheckReport) error {
	switch format {
	case "json":
		return writeJSON(w, r)
	case "github":
		_, err := io.WriteString(w, annotations(r.Findings))
		return err
	case "junit":
		return writeJUnit(w, checkSuite(r))
	case "sarif":
		return writeJSON(w, sarifOf(r.Findings))
	default:
		_, err := io.WriteString(w, checkText(r))
		return err
	}
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// checkText is for people: a line for each finding, as compilers write them.
func checkText(r *app.RuleCheckReport) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s: %s: %s\n", table.Visible(place(f)), f.Kind, table.Visible(f.Message))
	}
	fmt.Fprintf(&b, "%s: %s (%s, %s, %s); %d inactive, %d refused, %d converted\n",
		counted(r.Files, "file"), counted(r.Rules, "rule"), counted(r.Detections, "detection"), counted(r.Correlations, "correlation"), counted(r.Filters, "filter"), r.Inactive, r.Refused, r.Converted)
	return b.String()
}

// place is path:line:column as far as they are known.
func place(f app.RuleFinding) string {
	if f.Line == 0 {
		return f.Path
	}
	return f.Path + ":" + strconv.Itoa(f.Line) + ":" + strconv.Itoa(max(f.Column, 1))
}

// annotations are workflow commands of GitHub Actions.
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
func annotations(findings []app.RuleFinding) string {
	text := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	levels := map[app.FindingKind]string{app.FindingRefused: "error", app.FindingInactive: "warning", app.FindingConverted: "notice"}
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "::%s file=%s,line=%d,col=%d,title=%s::%s\n",
			levels[f.Kind], property.Replace(f.Path), max(f.Line, 1), max(f.Column, 1), property.Replace("Sigma rule "+string(f.Kind)), text.Replace(f.Message))
	}
	return b.String()
}

// unexpectedAnnotations are of no file: the rule's is told in the message.
func unexpectedAnnotations(wrong []string) string {
	text := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	var b strings.Builder
	for _, line := range wrong {
		b.WriteString("::error title=Sigma rule not as expected::" + text.Replace(line) + "\n")
	}
	return b.String()
}
