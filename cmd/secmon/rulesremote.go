package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/client"
	"github.com/security-monitor/secmon/client/table"
	"github.com/security-monitor/secmon/monitor"
)

type rulesListCommand struct {
	connection `embed:""`
	pageFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" env:"-" help:"Query line as in the dashboard, such as 'level:>=high product:windows'; all without it."`
}

var ruleList = listing{
	`query($first: Int!, $after: String, $filter: RuleFilter) { list: rules(first: $first, after: $after, filter: $filter) {
		nodes { id version kind title level status author tags techniques logSource { product category service } path enabled stage state stateReason health healthReason createdAt updatedAt }
		pageInfo { hasNextPage endCursor } } }`,
	[]table.Column{{Title: "LEVEL"}, {Title: "ENABLED"}, {Title: "HEALTH"}, {Title: "PRODUCT"}, {Title: "CATEGORY"}, {Title: "TITLE", Wide: true}, {Title: "ID"}},
	[]string{"level", "enabled", "health", "logSource.product", "logSource.category", "title", "id"},
}

// Run prints the list.
func (c *rulesListCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	return ruleList.run(ctx, r, map[string]any{"filter": lineFilter(c.Query)}, c.pageFlags, c.Output)
}

type rulesShowCommand struct {
	connection `embed:""`
	outputFlag `embed:""`
	ID         string `arg:"" env:"-" help:"Id of the rule: as lists print it, or the UUID of its YAML."`
}

var ruleView = showing{
	monitor.KindRule,
	`query($id: ID!) { node: rule(id: $id) { id version kind title description level status author references falsePositives tags techniques logSource { product category service }
		source path enabled stage health healthReason state stateReason createdAt updatedAt } }`,
	[][2]string{
		{"id", "id"},
		{"title", "title"},
		{"level", "level"},
		{"status", "status"},
		{"author", "author"},
		{"enabled", "enabled"},
		{"health", "health"},
		{"why", "healthReason"},
		{"product", "logSource.product"},
		{"category", "logSource.category"},
		{"service", "logSource.service"},
		{"tags", "tags"},
		{"path", "path"},
		{"version", "version"},
		{"updated", "updatedAt"},
		{"source", "source"},
	},
}

// Run prints the rule with its YAML.
func (c *rulesShowCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	return ruleView.run(ctx, r, c.ID, c.Output)
}

type rulesEnableCommand struct {
	connection `embed:""`
	IDs        []string `arg:"" env:"-" name:"id" help:"Ids of the rules."`
}

// Run lets the rules fire.
func (c *rulesEnableCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	return each(ctx, r, monitor.KindRule, c.IDs, `mutation($input: RuleEnableInput!) { payload: ruleEnable(input: $input) { errors { code message } } }`, nil, "enabled")
}

type rulesDisableCommand struct {
	connection `embed:""`
	IDs        []string `arg:"" env:"-" name:"id" help:"Ids of the rules."`
}

// Run stops the rules.
func (c *rulesDisableCommand) Run(ctx context.Context) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	return each(ctx, r, monitor.KindRule, c.IDs, `mutation($input: RuleDisableInput!) { payload: ruleDisable(input: $input) { errors { code message } } }`, nil, "disabled")
}

// What ruleImport takes at once.
const (
	importFiles = 200
	importBytes = 1 << 20
)

type ruleFile struct {
	Path   string `json:"path"`
	Source string `json:"source"`
}

// importPart is what the server says of a part of an import.
type importPart struct {
	Added, Updated, Unchanged    int
	Inactive, Refused, Converted []monitor.RuleFileProblem
	Errors                       []client.UserError
}

// importTo sends the files of a tree to a server, part by part.
func importTo(ctx context.Context, r *remote, tree fs.FS, enable bool) (*app.RuleReport, error) {
	report := &app.RuleReport{}
	var part []ruleFile
	size := 0
	flush := func() error {
		if len(part) == 0 {
			return nil
		}
		err := sendRules(ctx, r, part, enable, report)
		part, size = nil, 0
		return err
	}
	err := app.RuleFiles(ctx, tree, func(path string, source []byte, problem error) error {
		report.Files++
		if problem == nil && len(source) > importBytes-(16<<10) {
			problem = fmt.Errorf("has %d bytes; a server takes less than %d at once: split the file, or import into the database", len(source), importBytes)
		}
		if problem != nil {
			report.Refused = append(report.Refused, monitor.RuleFileProblem{Path: path, Message: problem.Error()})
			return nil //nolint:nilerr // it is in the report
		}
		if len(part) == importFiles || size+len(source) > importBytes-(16<<10) {
			if err := flush(); err != nil {
				return err
			}
		}
		part, size = append(part, ruleFile{path, string(source)}), size+len(source)
		return nil
	})
	if err == nil {
		err = flush()
	}
	return report, partialIfStored(report, err)
}

func partialIfStored(report *app.RuleReport, err error) error {
	if err == nil {
		return nil
	}
	return partialIf(report.Added+report.Updated > 0, err)
}

func sendRules(ctx context.Context, r *remote, files []ruleFile, enable bool, report *app.RuleReport) error {
	var data struct{ Payload json.RawMessage }
	err := r.ask(ctx, `mutation($input: RuleImportInput!) { payload: ruleImport(input: $input) { added updated unchanged inactive { path message } refused { path message } converted { path message } errors { code message } } }`,
		map[string]any{"input": map[string]any{"files": files, "enable": enable}}, &data)
	if err != nil {
		return err
	}
	var got importPart
	if err := json.Unmarshal(data.Payload, &got); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	report.Added, report.Updated, report.Unchanged = report.Added+got.Added, report.Updated+got.Updated, report.Unchanged+got.Unchanged
	report.Inactive, report.Refused, report.Converted = append(report.Inactive, got.Inactive...), append(report.Refused, got.Refused...), append(report.Converted, got.Converted...)
	return client.UserErrors(got.Errors)
}

// tellImport prints what became of an import.
func tellImport(path string, report *app.RuleReport, verbose bool) error {
	_, _ = fmt.Fprintf(os.Stdout, "%s: %d added, %d updated, %d unchanged; of these %d inactive, %d converted; %d refused\n",
		counted(report.Files, "file"), report.Added, report.Updated, report.Unchanged, len(report.Inactive), len(report.Converted), len(report.Refused))
	list("inactive", report.Inactive, verbose)
	list("converted", report.Converted, verbose)
	list("refused", report.Refused, verbose)
	return verdict(path, report)
}
