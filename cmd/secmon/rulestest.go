package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/client/table"
)

type rulesTestCommand struct {
	ruleSources `embed:""`
	Rules       []string `env:"-" required:"" help:"Directories, ZIP archives or files with Sigma rules." type:"existingpath" placeholder:"PATH"`
	Events      string   `env:"-" required:"" help:"File of events as a shipper sends them: NDJSON or a JSON array, also compressed by gzip; - is standard input." placeholder:"FILE"`
	Expect      []string `env:"-" help:"RULE-ID=EVENTS, or a YAML file of such pairs; * is all rules that are not named. Leaves with 1 where it is otherwise." placeholder:"ID=N|FILE"`
	Format      string   `env:"-" enum:"text,json,github,junit" default:"text" help:"text, json, github (annotations of a workflow) or junit."`
	Strict      bool     `env:"-" help:"Leave with 1 also where a rule is inactive or a record cannot be read."`
}

// Run lets rules look at events, and compares with what is expected.
func (c *rulesTestCommand) Run(ctx context.Context) error {
	expected, err := expectations(c.Expect)
	if err != nil {
		return err
	}
	trees, done, err := openTrees(c.Rules)
	if err != nil {
		return err
	}
	defer done()
	lists, err := c.lists()
	if err != nil {
		return err
	}
	events, err := openEvents(c.Events)
	if err != nil {
		return err
	}
	defer events.Close() //nolint:errcheck // only read
	report, err := app.TestRules(ctx, trees, lists, bufio.NewReader(events))
	if err != nil {
		return err
	}
	wrong := expected.Compare(report)
	if err := writeTrial(os.Stdout, c.Format, report, wrong); err != nil {
		return err
	}
	switch {
	case report.Check.Refused > 0:
		return errRefused
	case len(wrong) > 0:
		return errUnexpected
	case c.Strict && report.Check.Inactive > 0:
		return errInactive
	case c.Strict && report.Unread > 0:
		return errUnread
	}
	return nil
}

func openEvents(path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	return os.Open(path) //nolint:gosec // the user's own path
}

// expectations reads pairs and files of them.
func expectations(given []string) (app.Expectations, error) {
	if len(given) == 0 {
		return nil, nil
	}
	all := app.Expectations{}
	for _, each := range given {
		if id, n, pair := strings.Cut(each, "="); pair {
			count, err := strconv.Atoi(n)
			if err != nil {
				return nil, fmt.Errorf("%s: %q is no number of events", each, n)
			}
			all[strings.ToLower(id)] = count
			continue
		}
		text, err := os.ReadFile(each) //nolint:gosec // the user's own path
		if err != nil {
			return nil, err
		}
		var pairs app.Expectations
		if err := yaml.Unmarshal(text, &pairs); err != nil {
			return nil, fmt.Errorf("%s: %w", each, err)
		}
		for id, n := range pairs {
			all[strings.ToLower(id)] = n
		}
	}
	return all, all.Check()
}

// trialJSON is the report with what is not as expected.
type trialJSON struct {
	*app.RuleTrialReport
	Unexpected []string `json:"unexpected"`
}

func writeTrial(w io.Writer, format string, r *app.RuleTrialReport, wrong []string) error {
	switch format {
	case "json":
		return writeJSON(w, trialJSON{r, append([]string{}, wrong...)})
	case "junit":
		return writeJUnit(w, trialSuite(r, wrong))
	case "github":
		_, err := io.WriteString(w, annotations(r.Check.Findings)+unexpectedAnnotations(wrong))
		return err
	}
	_, err := io.WriteString(w, trialText(r, wrong))
	return err
}

// trialText is for people.
func trialText(r *app.RuleTrialReport, wrong []string) string {
	var b strings.Builder
	for _, f := range r.Check.Findings {
		if f.Kind != app.FindingConverted {
			fmt.Fprintf(&b, "%s: %s: %s\n", table.Visible(place(f)), f.Kind, table.Visible(f.Message))
		}
	}
	for _, rejected := range r.Rejected {
		fmt.Fprintf(&b, "event in line %d: %s: %s\n", rejected.Line, rejected.Code, table.Visible(rejected.Message))
	}
	if more := r.Unread - len(r.Rejected); more > 0 {
		fmt.Fprintf(&b, "and %d more that cannot be read\n", more)
	}
	for _, hits := range r.Fired {
		fmt.Fprintf(&b, "%s  %s  (%s)\n  fires on %d events\n", hits.Rule, table.Visible(hits.Title), table.Visible(hits.Path), hits.Count)
		for _, hit := range hits.Hits {
			fmt.Fprintf(&b, "  line %d:", hit.Line)
			for _, m := range hit.Matched {
				fmt.Fprintf(&b, " %s=%q (%s: %s)", table.Visible(m.Field), m.Value, table.Visible(m.Selection), table.Visible(m.Pattern))
			}
			b.WriteByte('\n')
		}
		if more := hits.Count - len(hits.Hits); more > 0 {
			fmt.Fprintf(&b, "  and %d more\n", more)
		}
	}
	fmt.Fprintf(&b, "%d events, %d not readable; %d of %d rules fire\n", r.Events, r.Unread, len(r.Fired), r.Check.Detections)
	if r.Check.Correlations > 0 {
		fmt.Fprintf(&b, "%d correlations were not tried: they look at several events\n", r.Check.Correlations)
	}
	for _, line := range wrong {
		fmt.Fprintf(&b, "not as expected: %s\n", table.Visible(line))
	}
	return b.String()
}

// uri writes a path as a relative reference.
func uri(path string) string { return (&url.URL{Path: path}).EscapedPath() }
