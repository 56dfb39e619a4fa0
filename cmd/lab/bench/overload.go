//go:build linux

package bench

import (
	"context"
	"errors"
	"flag"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
)

// overloadVerb makes this program ask for more than the server can answer. First it measures what the server answers when
// it is as busy as it can be, to so many requests at a time; then it asks for several times as much by the clock, and
// right afterwards for half as much.
//
// How long a call takes is not measured on those that make the load: a thread that has more to ask than it can would
// measure how late it is itself. It is measured on probes: calls like the others, at a low and steady pace, made by a
// thread that goes before those of the load. Server and PostgreSQL have one half of the processors, load and probes have
// the other. A processor makes some 12,000 connections a second, which is mostly the kernel's work; for that to be several
// times what the server answers, calls are heavier here than in other measurements: their extension has many actions.
const overloadVerb = "overload"

// overloadOptions are what the command line says after overloadVerb.
type overloadOptions struct {
	sizes    sizes
	factors  []float64
	inFlight int
	actions  int
	rounds   int
	duration time.Duration // of one measurement
	dir      string
	server   string
	write    string
}

func overloadCommandLine(args []string) overloadOptions {
	o := overloadOptions{sizes: smallSize, factors: []float64{1.5, 2, 4}}
	flags := flag.NewFlagSet("lab "+overloadVerb, flag.ExitOnError)
	flags.IntVar(&o.sizes.numbers, "numbers", 100_000, "numbers of the world")
	flags.IntVar(&o.inFlight, "in-flight", 32, "connections in flight when the server is busy, and no more than that")
	flags.IntVar(&o.actions, "actions", 100, "actions that each call gets besides the usual ones")
	flags.IntVar(&o.rounds, "rounds", 3, "rounds")
	flags.DurationVar(&o.duration, "time", 5*time.Second, "time of one measurement")
	flags.StringVar(&o.dir, "dir", "", "folder that keeps the world for the next run (none: a temporary one)")
	flags.StringVar(&o.server, "server", "", "xmlcurld to measure (none: it is built from here)")
	flags.StringVar(&o.write, "write", "", "file, as docs/benchmarks.md, whose results are replaced by these")
	_ = flags.Parse(args) // it exits
	return o
}

// Overload asks for more than the server can answer, as args say.
func Overload(ctx context.Context, args []string) error {
	return runOverload(ctx, overloadCommandLine(args))
}

func runOverload(ctx context.Context, o overloadOptions) error {
	b, err := openOverload(ctx, o)
	if err := complete(ctx, b, err); err != nil {
		return err
	}
	return b.report().show(o.write, overloadResults, false)
}

// overloadBench is everything that runs while it is measured, and what was.
type overloadBench struct {
	base
	options overloadOptions
	server  server
	call    question
	rounds  []overloadRound
}

// openOverload starts the server on a world of its own. It returns b with an error too, to be closed.
func openOverload(ctx context.Context, o overloadOptions) (b *overloadBench, err error) {
	b = &overloadBench{options: o}
	if err := stayOn(serversProcessors()); err != nil { // and so do the children
		return b, err
	}
	if b.base, err = openBase(ctx, o.dir, o.server); err != nil {
		return b, err
	}
	url, err := b.heavierWorld(ctx)
	if err != nil {
		return b, err
	}
	if b.server, err = b.start(ctx, overloadVerb, url); err != nil {
		return b, err
	}
	if err := b.askFirst(ctx); err != nil {
		return b, err
	}
	// Go would have as many threads at work as there are processors left: a probe must not wait for another thread's turn.
	runtime.GOMAXPROCS(2 + len(loadsProcessors()))
	return b, stayOn(loadsProcessors())
}

// askFirst asks the server the first call, to know how long an answer is.
func (b *overloadBench) askFirst(ctx context.Context) error {
	questions, err := b.options.sizes.questions()
	if err != nil {
		return err
	}
	b.call = questions[0]
	answer, err := b.call.first(ctx, b.server.address, b.options.sizes)
	b.call.length = len(answer)
	return err
}

// heavierWorld returns the URL of a copy of a world, in which calls have more actions.
func (b *overloadBench) heavierWorld(ctx context.Context) (url string, err error) {
	if err := copyWorld(ctx, b.cluster, b.options.sizes, overloadVerb); err != nil {
		return "", err
	}
	url = b.cluster.URL(overloadVerb)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, `INSERT INTO action (extension, position, application, data)
		SELECT 'inbound', 100 + n, 'set', 'variable_' || n || '=%{tenant} ${caller_id_number} %{number}' FROM generate_series(1, $1::int) n`, b.options.actions)
	return url, err
}

// measure measures all of it in every round.
func (b *overloadBench) measure(ctx context.Context) error {
	if _, err := b.busy(time.Second); err != nil { // what is slow the first time only
		return err
	}
	for n := range b.options.rounds {
		progress("round %d of %d", n+1, b.options.rounds)
		if err := b.measureRound(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (b *overloadBench) measureRound() error {
	r := overloadRound{}
	var err error
	if r.busy, err = b.busy(b.options.duration); err != nil {
		return err
	}
	capacity := r.busy.load.perSecond()
	for _, factor := range b.options.factors {
		much, err := b.ask(capacity*factor, b.options.duration)
		if err != nil {
			return err
		}
		after, err := b.ask(capacity/2, afterTime)
		if err != nil {
			return err
		}
		r.floods, r.after = append(r.floods, much), append(r.after, after)
	}
	b.rounds = append(b.rounds, r)
	return nil
}

const (
	// afterTime is how long it is seen how the server does when the load is over.
	afterTime = 200 * time.Millisecond
	probes    = 200 // a second
	niceLoad  = 10
)

// probed is what a load came to, and the probes beside it.
type probed struct {
	load, probes flood
	server       time.Duration // processor time
}

// busy keeps as many requests under way as the options say.
func (b *overloadBench) busy(duration time.Duration) (probed, error) {
	return b.run(stream{most: b.options.inFlight}, duration)
}

// ask asks so many times a second.
func (b *overloadBench) ask(perSecond float64, duration time.Duration) (probed, error) {
	return b.run(stream{perSecond: perSecond, most: waitingLimit}, duration)
}

// run runs s with probes beside it.
func (b *overloadBench) run(s stream, duration time.Duration) (p probed, err error) {
	s.load, s.callers, s.nice = *b.call.load(b.options.sizes, 0), len(loadsProcessors()), niceLoad
	probe := stream{load: *b.call.load(b.options.sizes, 0), perSecond: probes, most: waitingLimit, callers: 1}
	done := make(chan error)
	go func() {
		var err error
		p.probes, err = probe.run(b.server.address, duration)
		done <- err
	}()
	before := processorTime(b.server.process.PID())
	p.load, err = s.run(b.server.address, duration)
	err = errors.Join(err, <-done)
	p.server = processorTime(b.server.process.PID()) - before
	return p, err
}
