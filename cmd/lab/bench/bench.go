//go:build linux

// Package bench measures xmlcurld side by side with nginx.
//
// It makes a world of a given size in a private PostgreSQL server, starts the real xmlcurld on it, and beside it nginx with
// a constant of the same size for every answer that xmlcurld makes. nginx stands for the most that one machine gives: it
// reads the same request, and has nothing to find out. A handler of Go's own net/http with a constant shows how much of
// the distance is the language's.
//
// How the load asks, package load tells.
//
// Load generator, PostgreSQL and the measured server share the machine's processors, for all that is measured alike.
// So what bounds every number here is processor time: that of the kernel for the connection, which nginx pays too, of
// the server, and of PostgreSQL's backends. The ratio to nginx says more than the number: what else the machine does
// falls on both. All are measured for a short while in turn, for several rounds that each begin with another one; ratios
// are taken within a round, and the median stands for them, with the lowest and the highest beside it.
package bench

import (
	"context"
	"regexp"
	"time"

	"xmlcurld/cmd/lab/testbed"
	"xmlcurld/cmd/lab/world"
)

// options are what the command line says.
type options struct {
	testbed.Options
	sizes    world.Sizes
	rounds   int
	duration time.Duration // of one measurement
	inFlight int
	only     *regexp.Regexp
	dir      string
	against  string // another build of xmlcurld
}

// Run measures as args say.
func Run(ctx context.Context, args []string) error {
	o := commandLine(args)
	return testbed.Run(ctx, o.Options, Results, func() (testbed.Bench, error) { return open(ctx, o) })
}

func commandLine(args []string) options {
	o := options{sizes: world.Full}
	flags := o.Flags("bench")
	flags.IntVar(&o.sizes.Tenants, "tenants", o.sizes.Tenants, "tenants of the world, up to 9999")
	flags.IntVar(&o.sizes.Numbers, "numbers", o.sizes.Numbers, "numbers of the world")
	flags.IntVar(&o.sizes.Users, "users", o.sizes.Users, "users of the world, up to 9000 a tenant")
	flags.IntVar(&o.sizes.Gateways, "gateways", o.sizes.Gateways, "gateways of the world, over 4 profiles")
	flags.IntVar(&o.sizes.ACLEntries, "acl-entries", o.sizes.ACLEntries, "entries of access lists of the world")
	flags.IntVar(&o.sizes.Nodes, "nodes", o.sizes.Nodes, "nodes of the world, up to 99")
	flags.IntVar(&o.rounds, "rounds", 9, "rounds")
	flags.DurationVar(&o.duration, "time", 3*time.Second, "time of one measurement")
	flags.IntVar(&o.inFlight, "in-flight", 32, "connections in flight")
	flags.StringVar(&o.dir, "dir", "", "folder that keeps the worlds for the next run (none: a temporary one)")
	flags.StringVar(&o.against, "against", "", "another build of xmlcurld, measured in turn with this one, on a world of its own schema")
	only := flags.String("only", "", "regular expression: measure only what has such a name")
	flags.BoolFunc("quick", "a sanity check: 100,000 numbers and 3 short rounds, if later flags do not say otherwise; no bar fails it", func(string) error {
		o.sizes.Numbers, o.sizes.Users, o.rounds, o.duration, o.Quick = 100_000, 10_000, 3, 500*time.Millisecond, true
		return nil
	})
	_ = flags.Parse(args) // ends the program where it fails
	o.only = regexp.MustCompile(*only)
	return o
}
