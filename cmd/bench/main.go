// Command bench measures xmlcurld side by side with nginx.
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
// As bench calls it measures what a caller waits for, with real switches: see calls.go. As bench edits it measures how
// long an edit takes to be proved on a real switch: see edits.go. As bench overload it asks for more than the server can
// answer: see overload.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"syscall"
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

// The kernel ends a child when the thread that started it ends: the main thread lasts as long as the program.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) == 3 && os.Args[1] == constantVerb {
		fail(serveConstant(os.Args[2], os.Stdin))
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == callsVerb {
		fail(runCalls(ctx, callsCommandLine(os.Args[2:])))
		return
	}
	if len(os.Args) > 1 && os.Args[1] == editsVerb {
		fail(runEdits(ctx, editsCommandLine(os.Args[2:])))
		return
	}
	if len(os.Args) > 1 && os.Args[1] == overloadVerb {
		fail(runOverload(ctx, overloadCommandLine(os.Args[2:])))
		return
	}
	fail(run(ctx, commandLine()))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func commandLine() options {
	o := options{sizes: fullSize}
	flag.IntVar(&o.sizes.tenants, "tenants", o.sizes.tenants, "tenants of the world, up to 9999")
	flag.IntVar(&o.sizes.numbers, "numbers", o.sizes.numbers, "numbers of the world")
	flag.IntVar(&o.sizes.users, "users", o.sizes.users, "users of the world, up to 9000 a tenant")
	flag.IntVar(&o.sizes.gateways, "gateways", o.sizes.gateways, "gateways of the world, over 4 profiles")
	flag.IntVar(&o.sizes.aclEntries, "acl-entries", o.sizes.aclEntries, "entries of access lists of the world")
	flag.IntVar(&o.sizes.nodes, "nodes", o.sizes.nodes, "nodes of the world, up to 99")
	flag.IntVar(&o.rounds, "rounds", 9, "rounds")
	flag.DurationVar(&o.duration, "time", 3*time.Second, "time of one measurement")
	flag.IntVar(&o.inFlight, "in-flight", 32, "connections in flight")
	flag.StringVar(&o.dir, "dir", "", "folder that keeps the worlds for the next run (none: a temporary one)")
	flag.StringVar(&o.server, "server", "", "xmlcurld to measure (none: it is built from here)")
	flag.StringVar(&o.against, "against", "", "another build of xmlcurld, measured in turn with this one, on a world of its own schema")
	flag.StringVar(&o.write, "write", "", "file, as BENCHMARKS.md, whose results are replaced by these")
	only := flag.String("only", "", "regular expression: measure only what has such a name")
	flag.BoolFunc("quick", "a sanity check: 100,000 numbers and 3 short rounds, if later flags do not say otherwise; no bar fails it", func(string) error {
		o.sizes.numbers, o.sizes.users, o.rounds, o.duration, o.quick = 100_000, 10_000, 3, 500*time.Millisecond, true
		return nil
	})
	flag.Parse()
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
