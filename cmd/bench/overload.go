package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"
)

// overloadVerb makes this program ask for more than the server can answer. First it measures what the server answers to
// as many requests at a time as it lets in, then it asks for several times as much by the clock, and right afterwards for
// half as much.
const overloadVerb = "overload"

// overloadOptions are what the command line says after overloadVerb.
type overloadOptions struct {
	sizes    sizes
	factors  []float64
	inFlight int
	duration time.Duration // of one measurement
	dir      string
	server   string
}

func overloadCommandLine(args []string) overloadOptions {
	o := overloadOptions{sizes: smallSize, factors: []float64{1.5, 2, 4}}
	flags := flag.NewFlagSet("bench "+overloadVerb, flag.ExitOnError)
	flags.IntVar(&o.sizes.numbers, "numbers", 100_000, "numbers of the world")
	flags.IntVar(&o.inFlight, "in-flight", 64, "connections in flight at capacity")
	flags.DurationVar(&o.duration, "time", 5*time.Second, "time of one measurement")
	flags.StringVar(&o.dir, "dir", "", "folder that keeps the world for the next run (none: a temporary one)")
	flags.StringVar(&o.server, "server", "", "xmlcurld to measure (none: it is built from here)")
	_ = flags.Parse(args) // it exits
	return o
}

func runOverload(ctx context.Context, o overloadOptions) (err error) {
	if err := stayOn(serversProcessors()); err != nil { // and so do the children
		return err
	}
	b, err := openBase(ctx, o.dir, o.server)
	defer func() { err = errors.Join(err, b.close()) }()
	if err != nil {
		return err
	}
	s, err := b.serve(ctx, "xmlcurld", o.sizes)
	if err != nil {
		return err
	}
	questions, err := o.sizes.questions()
	if err != nil {
		return err
	}
	call := questions[0]
	answer, err := call.first(ctx, s.address, o.sizes)
	if err != nil {
		return err
	}
	call.length = len(answer)
	return o.measure(s, call)
}

func (o overloadOptions) measure(s server, call question) error {
	full := call.load(o.sizes, o.inFlight)
	if err := full.open(s.address); err != nil {
		return err
	}
	if _, err := full.run(time.Second); err != nil { // what is slow the first time only
		return err
	}
	capacity, err := full.run(o.duration)
	if err != nil {
		return err
	}
	fmt.Printf("| asked | a second | answered | refused | p50 ms | p99 ms | longest ms | refusal p50 ms | p99 ms |\n" +
		"| --- | --: | --: | --: | --: | --: | --: | --: | --: |\n")
	fmt.Printf("| %d at a time | %.0f | %.0f | 0 %% | %.1f | %.1f | | | |\n", o.inFlight, capacity.perSecond(), capacity.perSecond(),
		milliseconds(capacity.half), milliseconds(capacity.most))
	half := stream{*call.load(o.sizes, 1), capacity.perSecond() / 2, loadsProcessors()}
	if err := half.show("half of that", s.address, o.duration); err != nil {
		return err
	}
	for _, factor := range o.factors {
		much := stream{*call.load(o.sizes, 1), capacity.perSecond() * factor, loadsProcessors()}
		if err := much.show(fmt.Sprintf("%.3g times as much", factor), s.address, o.duration); err != nil {
			return err
		}
		for _, after := range []string{"half, the first 0.2 s after it", "half, the next"} {
			if err := half.show(after, s.address, 200*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

// show runs the stream and prints what became of it.
func (s stream) show(name, address string, duration time.Duration) error {
	f, err := s.run(address, duration)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	asked := len(f.answered) + len(f.refused)
	fmt.Printf("| %s | %.0f | %.0f | %.1f %% | %.1f | %.1f | %.1f | %.1f | %.1f |\n", name, float64(asked)/f.took.Seconds(), f.perSecond(),
		100*float64(len(f.refused))/float64(asked), f.percentile(f.answered, 50), f.percentile(f.answered, 99),
		f.percentile(f.answered, 100), f.percentile(f.refused, 50), f.percentile(f.refused, 99))
	return nil
}

// percentile is that of times, which are sorted, in ms; 0 when there are none.
func (flood) percentile(times []time.Duration, p int) float64 {
	if len(times) == 0 {
		return 0
	}
	return milliseconds(times[min(len(times)*p/100, len(times)-1)])
}
