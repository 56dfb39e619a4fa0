// Command xmlcurld answers FreeSWITCH's mod_xml_curl from Postgres.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/pflag"

	"xmlcurld/internal/sandbox"
)

// What the program ends with.
const (
	exitOK    = 0
	exitFault = 1
	exitUsage = 2 // a wrong verb, flag or setting
	exitPart  = 3 // what was printed is not all
)

// From where on memory is saved rather than time, in bytes. Of the server what is alive is a part of it, whoever sends what:
// together with the local rows of a million numbers, which may be mapped as a whole, it stays below 256 MiB. The other verbs
// may hold many rows of an edit, and end soon.
const (
	serverMemory = 80 << 20
	verbMemory   = 400 << 20
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // little is alive and much passes through: a few tens of MB more, and a tenth of the time back
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		limit := int64(verbMemory)
		if len(os.Args) > 1 && os.Args[1] == "serve" {
			limit = serverMemory
		}
		debug.SetMemoryLimit(limit)
	}
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore) // so a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// verb is a word that the program is started with, and what it does.
type verb struct {
	name, operands, about string
	flags                 func(*pflag.FlagSet) // its own, besides the settings; may be nil
	run                   func(context.Context, *invocation) error
}

// invocation is one run of a verb.
type invocation struct {
	config         config
	flags          *pflag.FlagSet
	operands       []string
	environ        []string
	stdout, stderr io.Writer
	log            *slog.Logger
	ask            func(ctx context.Context, question string) (answer string, err error) // whoever sits at the terminal
}

var verbs = []verb{
	{name: "serve", about: "answer FreeSWITCH until a signal comes", run: serve},
	{name: "migrate", about: "bring the database to this program's schema", run: migrate},
	{name: "render", operands: "FILE.conf | number NUMBER | user USER@DOMAIN", flags: renderFlags, run: render,
		about: "print the very document that a node would get; exit 1 when it is not found"},
	{name: "check", flags: checkFlags, run: checkRows,
		about: "print what is wrong with the rows although nothing refused it; exit 1 when something is an error or a warning"},
	{name: "plan", operands: "FILE.sql | -", flags: planFlags, run: showPlan,
		about: "print what an edit would do, and do nothing"},
	{name: "apply", operands: "[FILE.sql | -]", flags: applyFlags, run: apply,
		about: "print what an edit would do, ask, make exactly that, and wait for the switches; exit 1 when it is not made"},
	{name: "edit", operands: "tenant NAME | TABLE KEY...", flags: editFlags, run: edit,
		about: "open rows as a file in $VISUAL or $EDITOR, and apply what was changed"},
	{name: "import", operands: "DIR | --from fusionpbx URL", flags: importFlags, run: importTree,
		about: "bring a tree of FreeSWITCH's files into the database: show what that would do, ask, make it; what cannot be carried is listed"},
	{name: "export", operands: "DIR | --tenant NAME", flags: exportFlags, run: exportRows,
		about: "write a static tree with which FreeSWITCH runs without this server, or print a tenant's rows as SQL; exit 3 when secrets are left out"},
	{name: "explain", operands: "number NUMBER | user USER@DOMAIN | gateway NAME | address IP | row TABLE KEY", flags: explainFlags, run: explainWhy,
		about: "print why something is answered as it is, and by which rows; exit 1 when it is refused"},
	{name: "compare", operands: "DIR", flags: compareFlags, run: compareTree,
		about: "compare what a tree of FreeSWITCH's files says with what the server tells a node; exit 1 when they differ"},
	{name: "nodes", flags: nodesFlags, run: showNodes,
		about: "print what is known of each node; exit 1 when one is not in sync with the rows"},
	{name: "wait", flags: waitFlags, run: wait,
		about: "return when all nodes are in sync with what is committed now; exit 1 when they are not in time"},
	{name: "trace", flags: traceFlags, run: showTrace,
		about: "print what a number, user or node asks of the running server and gets, as it happens"},
	{name: "history", flags: historyFlags, run: showHistory,
		about: "print who changed which rows, when and why, the newest first; secrets are masked"},
	{name: "undo", operands: "EDIT", flags: undoFlags, run: undo,
		about: "take an edit back: show what that would do, ask, make it, and wait for the switches"},
	{name: "hash-password", operands: "[FILE]", run: hashPassword,
		about: "read a password, one line, from its input or a file and print its hash for table node_credential"},
	{name: "healthcheck", about: "ask the running server's /healthz; exit 1 when it does not answer", run: healthcheck},
	{name: sandbox.Verb, about: "boot a switch in a network of its own, as compare --freeswitch orders; not for people", run: runSandbox},
	{name: "version", about: "print the version", run: version},
}

func runSandbox(ctx context.Context, i *invocation) error {
	return sandbox.Inside(ctx, os.Stdin, i.stdout)
}

// run is the program without its process: it ends when its verb does, or soon after ctx is done.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage())
		return exitUsage
	}
	if args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		fmt.Fprint(stdout, usage())
		return exitOK
	}
	for _, v := range verbs {
		if v.name == args[0] {
			return v.start(ctx, args[1:], environ, stdout, stderr)
		}
	}
	fmt.Fprintf(stderr, "xmlcurld: unknown verb %q\n\n%s", args[0], usage())
	return exitUsage
}

func (v verb) start(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	flags := pflag.NewFlagSet(v.name, pflag.ContinueOnError)
	flags.SetOutput(io.Discard) // what is wrong is said below, once
	flags.Usage = func() {}
	addSettingFlags(flags)
	if v.flags != nil {
		v.flags(flags)
	}
	err := flags.Parse(args)
	if errors.Is(err, pflag.ErrHelp) {
		fmt.Fprint(stdout, v.usage(flags))
		return exitOK
	}
	if err == nil && flags.NArg() > 0 && v.operands == "" {
		err = fmt.Errorf("unexpected %q", flags.Arg(0))
	}
	if err != nil {
		return complain(stderr, usageError{err}, v.usage(flags))
	}
	config, err := loadConfig(flags, environ, v.name)
	if err != nil {
		return complain(stderr, err, "")
	}
	err = v.run(ctx, &invocation{
		config: config, flags: flags, operands: flags.Args(), environ: environ,
		stdout: stdout, stderr: stderr, log: newLogger(stderr, config), ask: askTerminal,
	})
	if err != nil {
		return complain(stderr, err, v.usage(flags))
	}
	return exitOK
}

// usageError is a fault in how a verb was called.
type usageError struct{ error }

// partError says why what was printed is not all.
type partError string

func (e partError) Error() string { return string(e) }

func complain(stderr io.Writer, err error, usage string) int {
	fmt.Fprintln(stderr, "xmlcurld:", err)
	if wrong := (usageError{}); errors.As(err, &wrong) {
		fmt.Fprint(stderr, "\n", usage)
		return exitUsage
	}
	if wrong := (faults)(nil); errors.As(err, &wrong) {
		return exitUsage
	}
	if part := partError(""); errors.As(err, &part) {
		return exitPart
	}
	return exitFault
}

func newLogger(w io.Writer, c config) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
