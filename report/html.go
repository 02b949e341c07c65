package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
)

//go:embed report.html
var pageSource string

// The template escapes by context. Nothing in the page is an address, a style or
// a script made of the incident's text, and its policy lets nothing be loaded.
var htmlPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"clock": clock,
	"join":  func(words []string) string { return strings.Join(words, " ") },
	"text": func(text string) string {
		return strings.Map(func(r rune) rune {
			if r == '\n' {
				return r
			}
			return visible(r)
		}, text)
	},
}).Parse(pageSource))

// HTML writes the report as a page that needs nothing else, for the browser's
// print.
func (d *Document) HTML() (string, error) {
	var out bytes.Buffer
	if err := htmlPage.Execute(&out, d); err != nil {
		return "", fmt.Errorf("write report: %w", err)
	}
	return out.String(), nil
}
