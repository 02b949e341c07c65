package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/security-monitor/secmon/app"
)

// The part of JUnit's XML that continuous integration shows.
// https://github.com/testmoapp/junitxml
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitMessage `xml:"failure"`
		Skipped *junitMessage `xml:"skipped"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
	}
)

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Skipped != nil {
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// checkSuite has a failure for each refused document, a skipped case for each rule
// that does not run, and one case for all the others.
func checkSuite(r *app.RuleCheckReport) junitSuite {
	s := junitSuite{Name: "secmon rules check"}
	for _, f := range r.Findings {
		name := f.Title
		if name == "" {
			name = place(f)
		}
		c := junitCase{Class: f.Path, Name: name, File: f.Path, Line: f.Line}
		switch f.Kind {
		case app.FindingRefused:
			c.Failure = &junitMessage{place(f) + ": " + f.Message}
		case app.FindingInactive:
			c.Skipped = &junitMessage{place(f) + ": " + f.Message}
		case app.FindingConverted:
			continue
		}
		s.add(c)
	}
	s.add(junitCase{Class: "rules", Name: fmt.Sprintf("%d rules in %d files", r.Rules, r.Files)})
	return s
}

// trialSuite is checkSuite, with a failure for each expectation that is not met.
func trialSuite(r *app.RuleTrialReport, wrong []string) junitSuite {
	s := checkSuite(r.Check)
	s.Name = "secmon rules test"
	for _, line := range wrong {
		rule, _, _ := strings.Cut(line, " ")
		s.add(junitCase{Class: "expectations", Name: rule, Failure: &junitMessage{line}})
	}
	s.add(junitCase{Class: "events", Name: fmt.Sprintf("%d events, %d not readable; %d rules fire", r.Events, r.Unread, len(r.Fired))})
	return s
}

// writeJUnit leaves out what XML cannot hold: encoding/xml writes U+FFFD for it.
func writeJUnit(w io.Writer, s junitSuite) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(junitSuites{Suites: []junitSuite{s}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
