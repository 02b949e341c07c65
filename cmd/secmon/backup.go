package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/security-monitor/secmon/app"
)

type backupCommand struct {
	Create backupCreateCommand `cmd:"" default:"withargs" help:"Write a backup (what secmon backup does by itself)."`
	Verify backupVerifyCommand `cmd:"" help:"Read a backup to its end and check every count and hash, without a database. Leaves with 1 when something is wrong."`
	List   backupListCommand   `cmd:"" help:"List the files of a directory or a prefix."`
	Keygen backupKeygenCommand `cmd:"" help:"Make a pair of keys: the private one in a new file, the public one on standard output."`
}

type backupCreateCommand struct {
	app.Storage `embed:""`
	app.Shelf   `embed:""`
	app.Sealing `embed:""`
	To          string `required:"" help:"File, directory, s3://BUCKET/KEY, s3://BUCKET/PREFIX/, or - for standard output. In a directory or prefix it is named by its time." placeholder:"PATH"`
	Keep        int    `help:"How many backups a directory or prefix keeps, of those named by their time: older ones are removed. 0: all."`
}

// Run writes the backup. What it is goes to standard error.
func (c *backupCreateCommand) Run(ctx context.Context) error {
	if c.To == "-" && term.IsTerminal(int(os.Stdout.Fd())) {
		return errors.New("a backup is no text: send standard output to a file or a pipe")
	}
	begun := time.Now()
	done, err := app.Backup(ctx, c.Storage, c.To, c.Shelf, c.Sealing, c.Keep, os.Stdout, quiet())
	if done.Manifest.Rows > 0 && (err == nil || done.Path != "") {
		fmt.Fprintf(os.Stderr, "%s: %d rows of %d tables as of %s, journal up to entry %d, in %s\ndigest %s\n", orDash(done.Path), done.Manifest.Rows, len(done.Manifest.Tables),
			done.Header.MadeAt.Format(time.RFC3339), done.Header.Journal.End.Seq, time.Since(begun).Round(time.Millisecond), done.Manifest.Digest)
	}
	for _, name := range done.Removed {
		fmt.Fprintf(os.Stderr, "removed %s\n", name)
	}
	return err
}

func orDash(path string) string {
	if path == "" {
		return "-"
	}
	return path
}

type backupVerifyCommand struct {
	app.Shelf   `embed:""`
	app.Opening `embed:""`
	File        string `arg:"" help:"The backup: a file, s3://BUCKET/KEY, or - for standard input."`
	Tables      bool   `env:"-" help:"Print the rows and the hash of each table, too."`
}

// Run prints what the backup is.
func (c *backupVerifyCommand) Run(ctx context.Context) error {
	is, err := app.VerifyBackup(ctx, c.File, c.Shelf, c.Opening, os.Stdin)
	if err != nil {
		return err
	}
	h := is.Header
	fmt.Printf("whole: as of %s, by secmon %s, schema %d, database %s\njournal: entries %d to %d, epoch %d\n%d rows of %d tables\ndigest %s\n",
		h.MadeAt.Format(time.RFC3339Nano), h.Program, h.Schema, h.Server, h.Journal.Behind.Seq+1, h.Journal.End.Seq, h.Epoch, is.Manifest.Rows, len(is.Manifest.Tables), is.Manifest.Digest)
	if c.Tables {
		for _, t := range is.Manifest.Tables {
			fmt.Printf("%s\t%d\t%s\n", t.Name, t.Rows, t.Hash)
		}
	}
	if is.Broken != 0 {
		return fmt.Errorf("the file is what was written, but journal entry %d in it was changed, or one before it was taken out, before the backup was made", is.Broken)
	}
	return nil
}

type backupListCommand struct {
	app.Shelf `embed:""`
	At        string `arg:"" help:"Directory, or s3://BUCKET/PREFIX/."`
}

// Run prints size, time and name of each file.
func (c *backupListCommand) Run(ctx context.Context) error {
	files, err := app.ListBackups(ctx, c.At, c.Shelf)
	for _, f := range files {
		fmt.Printf("%d\t%s\t%s\n", f.Bytes, f.Modified.UTC().Format(time.RFC3339), f.Name)
	}
	return err
}

type backupKeygenCommand struct {
	File string `arg:"" help:"File for the private key; it must not be there yet." type:"path"`
}

// Run makes the keys.
func (c *backupKeygenCommand) Run() error {
	public, err := app.NewBackupKey(c.File)
	if err == nil {
		fmt.Println(public)
	}
	return err
}

type restoreCommand struct {
	app.Storage        `embed:""`
	app.Shelf          `embed:""`
	app.Opening        `embed:""`
	app.RestoreOptions `embed:""`
	File               string `arg:"" help:"The backup: a file, s3://BUCKET/KEY, or - for standard input."`
}

// Run restores, and says what the operator has to know.
func (c *restoreCommand) Run(ctx context.Context) error {
	begun := time.Now()
	done, err := app.Restore(ctx, c.Storage, c.File, c.Shelf, c.Opening, c.RestoreOptions, os.Stdin, quiet())
	if err != nil {
		return err
	}
	fmt.Printf("restored the state of %s: %d rows of %d tables, journal up to entry %d, in %s\n", done.Header.MadeAt.Format(time.RFC3339), done.Manifest.Rows,
		len(done.Manifest.Tables), done.Header.Journal.End.Seq, time.Since(begun).Round(time.Millisecond))
	fmt.Printf("epoch %d: every cursor from before is told CURSOR_EXPIRED. Everybody has to log in again.\n", done.Epoch)
	if c.RevokeTokens {
		fmt.Printf("%d API tokens revoked\n", done.Revoked)
	} else {
		fmt.Println("API tokens are those of then: one revoked since counts again (secmon token list).")
	}
	if done.Broken != 0 {
		fmt.Fprintf(os.Stderr, "secmon: the journal was changed before the backup was made: entry %d does not follow from the one before it\n", done.Broken)
	}
	return nil
}

type epochCommand struct {
	New epochNewCommand `cmd:"" help:"Make every cursor invalid: after any restore of the database that secmon restore did not do (a snapshot, a point in time, a dump)."`
}

type epochNewCommand struct {
	app.Storage `embed:""`
}

// Run makes the new epoch.
func (c *epochNewCommand) Run(ctx context.Context) error {
	old, now, err := app.NewEpoch(ctx, c.Storage, quiet())
	if err == nil {
		fmt.Printf("epoch %d, was %d: every cursor from before is told CURSOR_EXPIRED\n", now, old)
	}
	return err
}
