package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/security-monitor/secmon/backup"
	"github.com/security-monitor/secmon/db"
	"github.com/security-monitor/secmon/monitor"
)

// Shelf says where backups are, beside what the AWS SDK finds by itself.
type Shelf struct {
	S3Endpoint string `name:"s3-endpoint" env:"SECMON_S3_ENDPOINT" help:"S3 server other than AWS's." placeholder:"URL"`
	S3Region   string `name:"s3-region" env:"SECMON_S3_REGION" help:"Region of the bucket; without it as the AWS SDK finds it." placeholder:"REGION"`
	S3PartMB   int    `name:"s3-part-mb" env:"SECMON_S3_PART_MB" help:"Parts of an upload, in MiB; S3 takes 10,000 of them, and three are in memory." default:"32"`
}

func (s *Shelf) options() backup.S3Options {
	return backup.S3Options{Endpoint: s.S3Endpoint, Region: s.S3Region, PartMB: s.S3PartMB}
}

// Sealing says whom a backup is encrypted for.
type Sealing struct {
	Recipients     []string `name:"recipient" help:"Public key (age1...) that the backup is encrypted for; may be given several times." placeholder:"KEY"`
	RecipientFiles []string `name:"recipients-file" help:"File with public keys, one in a line." type:"path" placeholder:"FILE"`
	PassphraseFile string   `name:"passphrase-file" help:"File with a passphrase, in place of public keys." type:"path" placeholder:"FILE"`
}

// Opening says what opens a backup, and which one it must be.
type Opening struct {
	Digest         string   `help:"What the backup's digest has to be, as it was printed when it was made." placeholder:"HEX"`
	IdentityFiles  []string `name:"identity-file" help:"File with the private key (AGE-SECRET-KEY-1...)." type:"path" placeholder:"FILE"`
	PassphraseFile string   `name:"passphrase-file" help:"File with the passphrase." type:"path" placeholder:"FILE"`
}

func (o *Opening) identities() (backup.Identities, error) {
	return backup.ParseIdentities(o.IdentityFiles, o.PassphraseFile)
}

// check refuses a backup that is whole, and another one than was meant: whoever has
// the public key can make one.
func (o *Opening) check(is backup.Contents) error {
	if o.Digest != "" && !strings.EqualFold(o.Digest, is.Manifest.Digest.String()) {
		return fmt.Errorf("the backup is whole, but it is another one: its digest is %s", is.Manifest.Digest)
	}
	return nil
}

// BackupDone says what a backup came to.
type BackupDone struct {
	Path     string // "" where it went to a pipe
	Header   backup.Header
	Manifest backup.Manifest
	Removed  []string // older ones, by the retention
}

// Backup writes the state of the configured database to a path, or to out where the
// path is -. The database is not migrated before. keep is how many backups stay on
// a shelf that names them itself; 0 for all.
func Backup(ctx context.Context, cfg Storage, to string, shelfOptions Shelf, sealing Sealing, keep int, out io.Writer, lg *slog.Logger) (done BackupDone, err error) {
	keys, err := backup.ParseRecipients(sealing.Recipients, sealing.RecipientFiles, sealing.PassphraseFile)
	if err != nil {
		return done, err
	}
	var shelf backup.Shelf
	name := ""
	if to != "-" {
		if shelf, name, err = backup.Find(ctx, to, shelfOptions.options()); err != nil {
			return done, err
		}
	}
	if keep > 0 && (shelf == nil || name != "") {
		return done, errors.New("--keep is for a directory or a prefix, which ends with a slash: the names there are ours")
	}
	store, closeAll, err := openUnmigrated(ctx, cfg, lg)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	snapshot, err := store.Snapshot(ctx)
	if err != nil {
		return done, err
	}
	defer snapshot.Close()
	done.Header = headerOf(snapshot)
	write := func(w io.Writer) (err error) {
		done.Manifest, err = backup.Write(ctx, w, keys, done.Header, snapshot)
		return err
	}
	if shelf == nil {
		return done, write(out)
	}
	if name == "" {
		name = backup.Name(done.Header)
	}
	if err := shelf.Put(ctx, name, write); err != nil {
		return done, err
	}
	done.Path = shelf.Path(name)
	done.Removed, err = backup.Retain(ctx, shelf, keep)
	return done, err
}

func headerOf(s *db.Snapshot) backup.Header {
	h := backup.Header{
		MadeAt: s.At, Program: Version, Server: s.Server, Schema: s.Schema, Epoch: s.Chain.Epoch, Days: s.Days,
		Journal: backup.Span{
			Behind: backup.Place{Seq: s.Chain.Begin, Hash: s.Chain.BeginHash},
			End:    backup.Place{Seq: s.Chain.End, Hash: s.Chain.EndHash},
		},
	}
	for _, t := range s.Tables {
		table := backup.Table{Name: t.Name}
		for _, c := range t.Columns {
			table.Columns = append(table.Columns, backup.Column{Name: c.Name, Kind: c.Kind})
		}
		h.Tables = append(h.Tables, table)
	}
	return h
}

// openBackup gives the bytes of a backup: a path's, or those of in for -.
func openBackup(ctx context.Context, from string, shelf Shelf, in io.Reader) (io.ReadCloser, error) {
	if from == "-" {
		return io.NopCloser(in), nil
	}
	where, name, err := backup.Find(ctx, from, shelf.options())
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, fmt.Errorf("%s is a directory: name the backup (secmon backup list)", from)
	}
	return where.Get(ctx, name)
}

// VerifyBackup reads a backup to its end, without a database.
func VerifyBackup(ctx context.Context, from string, shelf Shelf, opening Opening, in io.Reader) (backup.Contents, error) {
	keys, err := opening.identities()
	if err != nil {
		return backup.Contents{}, err
	}
	file, err := openBackup(ctx, from, shelf, in)
	if err != nil {
		return backup.Contents{}, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	is, err := backup.Read(ctx, file, keys, nil)
	if err == nil {
		err = opening.check(is)
	}
	return is, err
}

// noFolder says what a path would have to be that names a single file or object.
func noFolder(path string) error {
	switch _, err := os.Stat(path); {
	case strings.HasPrefix(path, "s3://"):
		return fmt.Errorf("%s names an object: a prefix ends with a slash", path)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no directory %s; of one that is to be made the name ends with a slash", path)
	case err != nil:
		return err
	default:
		return fmt.Errorf("%s is a file, and no directory", path)
	}
}

// ListBackups gives the files of a directory or a prefix.
func ListBackups(ctx context.Context, at string, shelf Shelf) ([]backup.File, error) {
	where, name, err := backup.Find(ctx, at, shelf.options())
	if err != nil {
		return nil, err
	}
	if name != "" {
		return nil, noFolder(at)
	}
	return where.List(ctx)
}

// RestoreDone says what a restore came to.
type RestoreDone struct {
	backup.Contents
	Epoch   uint64 // the new one
	Revoked int    // API tokens
}

// RestoreOptions say where a backup may go, and what else is done.
type RestoreOptions struct {
	Replace      string `env:"-" help:"Drop every table of this database first; say its name (the private one is secmon)." placeholder:"DATABASE"`
	New          bool   `env:"-" help:"Make the private database of --data-dir where there is none."`
	RevokeTokens bool   `env:"-" name:"revoke-tokens" help:"End every API token: for a restore after a break-in."`
}

// Restore fills the configured database, which must be empty or be named by
// Replace, from a backup, and brings it to the newest version. Until it returns
// without an error no server starts on that database.
func Restore(ctx context.Context, cfg Storage, from string, shelf Shelf, opening Opening, o RestoreOptions, in io.Reader, lg *slog.Logger) (done RestoreDone, err error) {
	keys, err := opening.identities()
	if err != nil {
		return done, err
	}
	file, err := openBackup(ctx, from, shelf, in)
	if err != nil {
		return done, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	dsn, stop, err := storageDSN(ctx, cfg, whenMissing(o.New), lg)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	var proven *backup.Hash
	sink := &restoreSink{dsn: dsn, replace: o.Replace, prove: func(ctx context.Context) error {
		if from == "-" {
			return monitor.Errorf(monitor.CodeBadInput, "--replace reads the backup twice, to prove it whole before anything is dropped: give it as a file or s3://BUCKET/KEY, not by a pipe")
		}
		is, err := VerifyBackup(ctx, from, shelf, opening, nil)
		if err != nil {
			return fmt.Errorf("nothing was changed: %w", err)
		}
		proven = &is.Manifest.Digest
		return nil
	}}
	defer sink.close()
	if done.Contents, err = backup.Read(ctx, file, keys, sink); err != nil {
		return done, err
	}
	if err := opening.check(done.Contents); err != nil {
		return done, err
	}
	if proven != nil && *proven != done.Manifest.Digest {
		return done, fmt.Errorf("%s was replaced by another backup while it was read", from)
	}
	if o.RevokeTokens {
		if done.Revoked, err = sink.into.RevokeTokens(ctx, time.Now()); err != nil {
			return done, err
		}
	}
	if done.Epoch, err = sink.into.Finish(ctx); err != nil {
		return done, err
	}
	sink.close()
	store, err := db.Open(ctx, db.Options{DSN: dsn, MaxConns: cfg.MaxConns})
	if err != nil {
		return done, err
	}
	defer store.Close() //nolint:errcheck // never fails
	return done, store.NoteRestore(ctx)
}

// restoreSink takes the database when the backup's beginning has proved readable.
type restoreSink struct {
	dsn, replace string
	prove        func(context.Context) error // that the backup is whole and the one that was meant
	into         *db.Restore
}

func (s *restoreSink) Begin(ctx context.Context, h backup.Header) (err error) {
	if newest := db.NewestSchema(); h.Schema > newest { // before anything is dropped
		return monitor.Errorf(monitor.CodeConflict, "the backup has version %d of the schema, and this program knows %d: use the program that made it (%s), or a newer one", h.Schema, newest, h.Program)
	}
	if s.into, err = db.BeginRestore(ctx, s.dsn, s.replace); err != nil {
		return err
	}
	if s.into.Replaces() {
		if err := s.prove(ctx); err != nil {
			return err
		}
	}
	var tables []db.CopyTable
	for _, t := range h.Tables {
		table := db.CopyTable{Name: t.Name}
		for _, c := range t.Columns {
			table.Columns = append(table.Columns, db.CopyColumn{Name: c.Name, Kind: c.Kind})
		}
		tables = append(tables, table)
	}
	return s.into.Prepare(ctx, h.Schema, tables, h.Days)
}

func (s *restoreSink) Table(ctx context.Context, t backup.Table) error {
	return s.into.Table(ctx, t.Name)
}

func (s *restoreSink) Row(ctx context.Context, row [][]byte) error { return s.into.Row(ctx, row) }

func (s *restoreSink) close() {
	if s.into != nil {
		s.into.Close()
		s.into = nil
	}
}

// NewEpoch ends every cursor of the configured database; see db.Store.NewEpoch.
func NewEpoch(ctx context.Context, cfg Storage, lg *slog.Logger) (old, now uint64, err error) {
	store, closeAll, err := OpenStore(ctx, cfg, lg)
	if err != nil {
		return 0, 0, err
	}
	old, now, err = store.NewEpoch(ctx)
	return old, now, errors.Join(err, closeAll())
}

// NewBackupKey makes a pair of keys for backups; see backup.NewIdentity.
func NewBackupKey(file string) (public string, err error) { return backup.NewIdentity(file) }
