//go:build linux

// Package chaos shows what callers notice when things break under a running xmlcurld, and judges it.
//
// It makes a small world in a real PostgreSQL primary and its streaming standby, starts the real xmlcurld with the URL of
// both, and asks it as several nodes would, with requests that a real FreeSWITCH sent: known and unknown numbers, users,
// access lists, SIP profiles, modules, limits. A question is asked as mod_xml_curl does with one address: a connection of
// its own, nothing is tried twice, and two seconds of patience. So each failure here is one that a caller may have noticed.
//
// Meanwhile rows are edited by SQL, and then one thing after another breaks and is mended: see faults.go.
//
// The judge knows for each question every answer that was ever right, byte for byte, and from when until when: whoever
// edits renders the answers from the primary after each commit. See judge.go for what is wrong.
package chaos

import (
	"context"
	"errors"
	"flag"
	"time"
)

// options are what the command line says.
type options struct {
	time   time.Duration // the faults are gone through again and again until it is over
	hold   time.Duration // how long a fault lasts, about
	rate   int           // questions a second
	seed   uint64
	only   string
	short  bool
	server string
	write  string
}

// Results is where docs/failure.md has what a run came to.
const Results = "results"

// Run breaks things as args say, and reports on standard output. It returns an error when a bar was missed.
func Run(ctx context.Context, args []string) error { return run(ctx, commandLine(args)) }

func commandLine(args []string) options {
	var o options
	flags := flag.NewFlagSet("lab chaos", flag.ExitOnError)
	flags.DurationVar(&o.time, "time", 10*time.Minute, "time after which no further round begins")
	flags.DurationVar(&o.hold, "hold", 3*time.Second, "how long a fault lasts; in the long form half to one and a half times that, by chance")
	flags.IntVar(&o.rate, "rate", 150, "questions a second")
	flags.Uint64Var(&o.seed, "seed", 1, "what chance begins with")
	flags.StringVar(&o.only, "only", "", "regular expression: only faults with such a name")
	flags.StringVar(&o.server, "server", "", "xmlcurld to judge (none: it is built from here)")
	flags.StringVar(&o.write, "write", "", "file, as docs/failure.md, whose results are replaced by these")
	flags.BoolFunc("short", "one round of some of the faults, as the tests do, if later flags do not say otherwise", func(string) error {
		o.beShort()
		return nil
	})
	_ = flags.Parse(args) // ends the program where it fails
	return o
}

// beShort makes a run of some seconds.
func (o *options) beShort() { o.time, o.hold, o.rate, o.short = 0, 900*time.Millisecond, 100, true }

func run(ctx context.Context, o options) (err error) {
	c, err := open(ctx, o)
	if err == nil {
		err = c.breakThings(ctx)
	}
	c.load.stop()
	c.editor.stop()
	if err == nil {
		err = c.learnRest(ctx)
	}
	if err := errors.Join(err, c.close()); err != nil {
		return err
	}
	return c.report().Show(o.write, Results, false)
}
