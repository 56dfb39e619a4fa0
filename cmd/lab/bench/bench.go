//go:build linux

// Package bench measures xmlcurld side by side with nginx.
//
// It makes a world of a given size in a private PostgreSQL server, starts the real xmlcurld on it, and beside it nginx with
// a constant of the same size for every answer that xmlcurld makes. nginx stands for the most that one machine gives: it
// reads the same request, and has nothing to find out. A handler of Go's own net/http with a constant shows how much of
// the distance is the language's.
//
// The load is FreeSWITCH's: real captured requests, each over a TCP connection of its own, which the caller closes
// when it has read the whole answer. Each request is about another number or user, from all over the data, and every
// answer is checked for status, size and what it must hold. The time of a request is from connect to its last byte.
//
// Load generator, PostgreSQL and the measured server share the machine's processors, for all that is measured alike.
// So what bounds every number here is processor time: that of the kernel for the connection, which nginx pays too, of
// the server, and of PostgreSQL's backends. The ratio to nginx says more than the number: what else the machine does
// falls on both. All are measured for a short while in turn, for several rounds that each begin with another one; ratios
// are taken within a round, and the median stands for them, with the lowest and the highest beside it.
//
// As lab calls it measures what a caller waits for, with real switches: see calls.go. As lab edits it measures how
// long an edit takes to be proved on a real switch: see edits.go. As lab overload it asks for more than the server can
// answer: see overload.go.
package bench

import (
	"context"
	"errors"
	"flag"
	"regexp"
	"time"
)

// options are what the command line says.
type options struct {
	sizes    sizes
	rounds   int
	duration time.Duration // of one measurement
	inFlight int
	only     *regexp.Regexp
	dir      string
	server   string
	against  string // another build of xmlcurld
	write    string
	quick    bool
}

// Run measures as args say.
func Run(ctx context.Context, args []string) error { return run(ctx, commandLine(args)) }

func commandLine(args []string) options {
	o := options{sizes: fullSize}
	flags := flag.NewFlagSet("lab bench", flag.ExitOnError)
	flags.IntVar(&o.sizes.tenants, "tenants", o.sizes.tenants, "tenants of the world, up to 9999")
	flags.IntVar(&o.sizes.numbers, "numbers", o.sizes.numbers, "numbers of the world")
	flags.IntVar(&o.sizes.users, "users", o.sizes.users, "users of the world, up to 9000 a tenant")
	flags.IntVar(&o.sizes.gateways, "gateways", o.sizes.gateways, "gateways of the world, over 4 profiles")
	flags.IntVar(&o.sizes.aclEntries, "acl-entries", o.sizes.aclEntries, "entries of access lists of the world")
	flags.IntVar(&o.sizes.nodes, "nodes", o.sizes.nodes, "nodes of the world, up to 99")
	flags.IntVar(&o.rounds, "rounds", 9, "rounds")
	flags.DurationVar(&o.duration, "time", 3*time.Second, "time of one measurement")
	flags.IntVar(&o.inFlight, "in-flight", 32, "connections in flight")
	flags.StringVar(&o.dir, "dir", "", "folder that keeps the worlds for the next run (none: a temporary one)")
	flags.StringVar(&o.server, "server", "", "xmlcurld to measure (none: it is built from here)")
	flags.StringVar(&o.against, "against", "", "another build of xmlcurld, measured in turn with this one, on a world of its own schema")
	flags.StringVar(&o.write, "write", "", "file, as docs/benchmarks.md, whose results are replaced by these")
	only := flags.String("only", "", "regular expression: measure only what has such a name")
	flags.BoolFunc("quick", "a sanity check: 100,000 numbers and 3 short rounds, if later flags do not say otherwise; no bar fails it", func(string) error {
		o.sizes.numbers, o.sizes.users, o.rounds, o.duration, o.quick = 100_000, 10_000, 3, 500*time.Millisecond, true
		return nil
	})
	_ = flags.Parse(args) // ends the program where it fails
	o.only = regexp.MustCompile(*only)
	return o
}

func run(ctx context.Context, o options) error {
	b, err := open(ctx, o)
	if err != nil {
		return errors.Join(err, b.close())
	}
	report, err := b.measure(ctx)
	if err := errors.Join(err, b.close()); err != nil {
		return err
	}
	return report.show(o.write, results, o.quick)
}
