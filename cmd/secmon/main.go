// Command secmon is Security Monitor: the server and its tools.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/security-monitor/secmon/app"
	"github.com/security-monitor/secmon/client/table"
	"github.com/security-monitor/secmon/monitor"
)

type commands struct {
	Config  string           `help:"Configuration file (YAML)." type:"existingfile" env:"SECMON_CONFIG" placeholder:"FILE"`
	Version kong.VersionFlag `env:"-" help:"Print the version and leave."`

	Serve      serveCommand      `cmd:"" help:"Run the server."`
	Ingest     ingestCommand     `cmd:"" help:"Send events from files or standard input to a server."`
	Agent      agentCommand      `cmd:"" help:"Report about this machine to a server: ports, connections, processes, new files, logins."`
	Tail       tailCommand       `cmd:"" help:"Follow a feed of a server: alerts, events, incidents, the journal, or an entity."`
	Rules      rulesCommand      `cmd:"" help:"Import, check and try detection rules."`
	Indicators indicatorsCommand `cmd:"" help:"Import lists of threat intelligence."`
	Login      loginCommand      `cmd:"" help:"Log in to a server, for the commands that ask one."`
	Logout     logoutCommand     `cmd:"" help:"End a login."`
	Whoami     whoamiCommand     `cmd:"" help:"Say which server is asked, and who it takes you for."`
	Context    contextCommand    `cmd:"" help:"List the logins, and choose the current one."`
	Query      queryCommand      `cmd:"" help:"Run any GraphQL operation, or a saved one by its name."`
	Alerts     alertsCommand     `cmd:"" help:"List alerts and work on them."`
	Incidents  incidentsCommand  `cmd:"" help:"List incidents."`
	Events     eventsCommand     `cmd:"" help:"Search the stored events."`
	Export     exportCommand     `cmd:"" help:"Write alerts, events, incidents or indicators of a server to a file."`
	Tokens     tokensCommand     `cmd:"" help:"API tokens of a server: list, make and revoke them."`
	Token      tokenCommand      `cmd:"" help:"API tokens in the database itself, without a login."`
	User       userCommand       `cmd:"" help:"Make users and set passwords."`
	Journal    journalCommand    `cmd:"" help:"Verify and export the journal."`
	Migrate    migrateCommand    `cmd:"" help:"Bring the database to the newest version."`
	Backup     backupCommand     `cmd:"" help:"Back up the whole state, encrypted; verify and list backups."`
	Archive    archiveCommand    `cmd:"" help:"List, verify and restore events that were archived."`
	Restore    restoreCommand    `cmd:"" help:"Fill an empty database from a backup."`
	Keys       keysCommand       `cmd:"" help:"Make keys, and seal secrets anew with another."`
	Epoch      epochCommand      `cmd:"" help:"Tell every feed that the database was put back."`
	Doctor     doctorCommand     `cmd:"" help:"Check configuration, database, Redis, clock, disk and limits, and say what to do. Leaves with 1 where something is wrong."`
	Probe      probeCommand      `cmd:"" help:"Wait until servers answer."`
	Completion completionCommand `cmd:"" help:"Print the script that lets a shell complete commands, flags, logins and rules."`
	Complete   completeCommand   `cmd:"" name:"__complete" hidden:"" help:"What may stand in place of the last word."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "secmon:", table.Lines(err.Error())) // a server's words may be in it
		os.Exit(exitCode(err))                                       //nolint:gocritic // stop only restores the signals
	}
}

func run(ctx context.Context, args []string) error {
	var c commands
	parser, err := kong.New(&c, kong.Name("secmon"),
		kong.Description("Security events in, Sigma rules run on them, alerts live on every screen."),
		kong.Vars{"version": app.Version, "datadir": defaultDataDir()},
		kong.DefaultEnvars("SECMON"), kong.UsageOnError())
	if err != nil {
		return err
	}
	// The file comes under environment and flags: kong asks resolvers last.
	var faults []monitor.Diagnosis
	if file := configFile(args); file != "" {
		var resolver kong.Resolver
		if isDoctor(args) {
			resolver = forgivingFile(file, &faults)
		} else if resolver, err = readConfigFile(file); err != nil {
			return err
		}
		if err := kong.Resolvers(resolver).Apply(parser); err != nil {
			return err
		}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return usage{err}
	}
	c.Doctor.faults = faults
	parsed.Bind(parser)
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}

// defaultDataDir is ~/.local/share/secmon or what the system has in its place.
func defaultDataDir() string {
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "secmon")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "secmon-data"
	}
	return filepath.Join(home, ".local", "share", "secmon")
}

// quiet is the log of commands whose output is for people or pipes.
func quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
