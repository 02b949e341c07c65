package main

import "github.com/security-monitor/secmon/app"

// The part of SARIF that findings need.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Columns string        `json:"columnKind"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
)

var sarifLevels = map[app.FindingKind]string{app.FindingRefused: "error", app.FindingInactive: "warning", app.FindingConverted: "note"}

func sarifOf(findings []app.RuleFinding) sarifLog {
	results := make([]sarifResult, len(findings))
	for i, f := range findings {
		results[i] = sarifResult{
			RuleID: string(f.Kind), Level: sarifLevels[f.Kind], Message: sarifText{f.Message},
			Locations: []sarifLocation{{sarifPhysical{sarifArtifact{uri(f.Path)}, sarifRegion{max(f.Line, 1), max(f.Column, 1)}}}},
		}
	}
	driver := sarifDriver{Name: "secmon", Version: app.Version, Rules: []sarifRule{
		{string(app.FindingRefused), sarifText{"The document is no Sigma rule."}},
		{string(app.FindingInactive), sarifText{"The rule does not run."}},
		{string(app.FindingConverted), sarifText{"The rule is of Sigma 1 and was rewritten."}},
	}}
	return sarifLog{
		"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", "2.1.0",
		[]sarifRun{{sarifTool{driver}, "unicodeCodePoints", results}},
	}
}
