package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/client/table"
	"github.com/security-monitor/secmon/monitor"
)

type rulesCommand struct {
	List    rulesListCommand    `cmd:"" help:"List the rules of a server."`
	Show    rulesShowCommand    `cmd:"" help:"Show a rule of a server, with its YAML."`
	Enable  rulesEnableCommand  `cmd:"" help:"Let rules of a server fire."`
	Disable rulesDisableCommand `cmd:"" help:"Stop rules of a server."`
	Import  rulesImportCommand  `cmd:"" help:"Import Sigma rules from a directory or a ZIP archive: into the database, or with --login through a server. Leaves with 2 where files were refused and the others are stored."`
	Check   rulesCheckCommand   `cmd:"" help:"Check Sigma rules without a server: what runs, what does not, and why. Leaves with 1 where a document is no rule."`
	Test    rulesTestCommand    `cmd:"" help:"Let Sigma rules look at events without a server, and compare with what is expected."`
}

type rulesImportCommand struct {
	app.Storage `embed:""`
	connection  `embed:""`
	Login       bool   `env:"-" help:"Import through the server of the login, or of --token and --server, in place of the database."`
	Path        string `arg:"" help:"Directory or ZIP archive with .yml files." type:"existingpath"`
	Disabled    bool   `env:"-" help:"Import new rules disabled."`
	Verbose     bool   `env:"-" short:"v" help:"List every rule that is inactive, converted or refused."`
}

// Run imports the rules and reports on each that does not run. Inactive rules are
// stored and wait for what they need: only refused files make it a partial success.
func (c *rulesImportCommand) Run(ctx context.Context) error {
	tree, done, err := openTree(c.Path)
	if err != nil {
		return err
	}
	defer done() //nolint:errcheck // only read
	if c.Login {
		return c.throughServer(ctx, tree)
	}
	store, closeAll, err := app.OpenStore(ctx, c.Storage, quiet())
	if err != nil {
		return err
	}
	report, err := app.ImportRules(ctx, store, tree, monitor.SystemActor, !c.Disabled)
	if err != nil {
		return errors.Join(err, closeAll())
	}
	return errors.Join(tellImport(c.Path, report, c.Verbose), closeAll())
}

func (c *rulesImportCommand) throughServer(ctx context.Context, tree fs.FS) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	report, err := importTo(ctx, r, tree, !c.Disabled)
	if err != nil {
		return err
	}
	return tellImport(c.Path, report, c.Verbose)
}

func verdict(path string, report *app.RuleReport) error {
	switch refused := len(report.Refused); {
	case report.Files == 0:
		return fmt.Errorf("%s has no .yml or .yaml file", path)
	case refused > 0:
		return partial{fmt.Errorf("%d of %s refused; the rules of the others are stored", refused, counted(report.Files, "file"))}
	}
	return nil
}

// list prints the first few problems, or all of them.
func list(title string, problems []monitor.RuleFileProblem, all bool) {
	const few = 5
	for i, p := range problems {
		if i == few && !all {
			fmt.Printf("  ... and %d more (-v lists them)\n", len(problems)-few)
			return
		}
		fmt.Printf("  %s: %s: %s\n", title, table.Visible(p.Path), table.Visible(p.Message))
	}
}

// openTree opens a directory or a ZIP archive. Links lead nowhere out of the
// directory: whose rules are checked must not choose what else is read.
func openTree(path string) (fs.FS, func() error, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		root, err := os.OpenRoot(path)
		if err != nil {
			return nil, nil, err
		}
		return root.FS(), root.Close, nil
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is neither a directory nor a ZIP archive", path)
	}
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%s is neither a directory nor a ZIP archive: %w", path, err)
	}
	return archive, archive.Close, nil
}
