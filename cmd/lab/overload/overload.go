//go:build linux

// Package overload asks for more than the server can answer. First it measures what the server answers when it is as busy
// as it can be, to so many requests at a time; then it asks for several times as much by the clock, and right afterwards
// for half as much.
//
// How long a call takes is not measured on those that make the load: a thread that has more to ask than it can would
// measure how late it is itself. It is measured on probes: calls like the others, at a low and steady pace, made by a
// thread that goes before those of the load. Server and PostgreSQL have one half of the processors, load and probes have
// the other. A processor makes some 12,000 connections a second, which is mostly the kernel's work; for that to be several
// times what the server answers, calls are heavier here than in other measurements: their extension has many actions.
package overload

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/cmd/lab/load"
	"xmlcurld/cmd/lab/rig"
	"xmlcurld/cmd/lab/testbed"
	"xmlcurld/cmd/lab/world"
)

// database is the name of the world that is asked about.
const database = "overload"

// options are what the command line says.
type options struct {
	testbed.Options
	sizes    world.Sizes
	factors  []float64
	inFlight int
	actions  int
	rounds   int
	duration time.Duration // of one measurement
	dir      string
}

func commandLine(args []string) options {
	o := options{sizes: world.Small, factors: []float64{1.5, 2, 4}}
	flags := o.Flags("overload")
	flags.IntVar(&o.sizes.Numbers, "numbers", 100_000, "numbers of the world")
	flags.IntVar(&o.inFlight, "in-flight", 32, "connections in flight when the server is busy, and no more than that")
	flags.IntVar(&o.actions, "actions", 100, "actions that each call gets besides the usual ones")
	flags.IntVar(&o.rounds, "rounds", 3, "rounds")
	flags.DurationVar(&o.duration, "time", 5*time.Second, "time of one measurement")
	flags.StringVar(&o.dir, "dir", "", "folder that keeps the world for the next run (none: a temporary one)")
	_ = flags.Parse(args) // it exits
	return o
}

// Run asks for more than the server can answer, as args say.
func Run(ctx context.Context, args []string) error {
	o := commandLine(args)
	return testbed.Run(ctx, o.Options, Results, func() (testbed.Bench, error) { return open(ctx, o) })
}

// bench is everything that runs while it is measured, and what was.
type bench struct {
	testbed.Bed
	options options
	server  testbed.Server
	call    load.Question
	length  int // of an answer
	rounds  []round
}

// open starts the server on a world of its own. It returns b with an error too, to be closed.
func open(ctx context.Context, o options) (b *bench, err error) {
	b = &bench{options: o}
	if err := stayOn(serversProcessors()); err != nil { // and so do the children
		return b, err
	}
	if b.Bed, err = testbed.Open(ctx, o.dir, o.Server); err != nil {
		return b, err
	}
	url, err := b.heavierWorld(ctx)
	if err != nil {
		return b, err
	}
	if b.server, err = b.Serve(ctx, "overload", url); err != nil {
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
func (b *bench) askFirst(ctx context.Context) (err error) {
	if b.call, err = load.Call(b.options.sizes); err != nil {
		return err
	}
	answer, err := b.call.AskFirst(ctx, b.server.Address, b.options.sizes)
	b.length = len(answer)
	return err
}

// heavierWorld returns the URL of a copy of a world, in which calls have more actions.
func (b *bench) heavierWorld(ctx context.Context) (url string, err error) {
	if url, err = world.Copy(ctx, b.Cluster, b.options.sizes, world.OwnTables(), database); err != nil {
		return "", err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, `INSERT INTO action (extension, position, application, data)
		SELECT 'inbound', 100 + n, 'set', 'variable_' || n || '=%{tenant} ${caller_id_number} %{number}' FROM generate_series(1, $1::int) n`, b.options.actions)
	return url, err
}

// Measure measures all of it in every round.
func (b *bench) Measure(ctx context.Context) error {
	if _, err := b.busy(time.Second); err != nil { // what is slow the first time only
		return err
	}
	for n := range b.options.rounds {
		rig.Progress("round %d of %d", n+1, b.options.rounds)
		if err := b.measureRound(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) measureRound() error {
	r := round{}
	var err error
	if r.busy, err = b.busy(b.options.duration); err != nil {
		return err
	}
	capacity := r.busy.load.PerSecond()
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
	load, probes load.Outcome
	server       time.Duration // processor time
}

// busy keeps as many requests under way as the options say.
func (b *bench) busy(duration time.Duration) (probed, error) {
	return b.run(b.calls(b.options.inFlight, 0), duration)
}

// ask asks so many times a second.
func (b *bench) ask(perSecond float64, duration time.Duration) (probed, error) {
	return b.run(b.calls(load.WaitingLimit, perSecond), duration)
}

// calls are calls that the server may refuse, from the first number on.
func (b *bench) calls(inFlight int, perSecond float64) *load.Load {
	l := b.call.Load(b.server.Address, b.options.sizes, inFlight)
	l.PerSecond, l.Refusable = perSecond, true
	return l
}

// run runs l with probes beside it.
func (b *bench) run(l *load.Load, duration time.Duration) (p probed, err error) {
	l.Callers, l.Nice = len(loadsProcessors()), niceLoad
	probe := b.calls(load.WaitingLimit, probes)
	probe.Callers = 1
	done := make(chan error)
	go func() {
		var err error
		p.probes, err = probe.Run(duration)
		done <- err
	}()
	before := rig.ProcessorTime(b.server.Process.PID())
	p.load, err = l.Run(duration)
	err = errors.Join(err, <-done)
	p.server = rig.ProcessorTime(b.server.Process.PID()) - before
	return p, err
}
