package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"xmlcurld/cmd/internal/rig"
)

// callsVerb makes this program measure calls: SIPp calls three real switches, which differ in their dialplan only. One
// asks xmlcurld for it, with a million numbers; the other two have it as XML on their own disk, with one number, and
// with as many as make that slow. A call's post-dial delay is the time from its INVITE to the answer.
const callsVerb = "calls"

// callsPerSecond is slow enough for each call to be over before the next.
const callsPerSecond = 10

// callOptions are what the command line says after callsVerb.
type callOptions struct {
	switchOptions
	sizes    sizes
	rounds   int
	duration time.Duration // of one measurement
	dir      string
}

// callBench is everything that runs while calls are measured.
type callBench struct {
	base
	options                        callOptions
	conf                           string // folder
	asking, oneNumber, manyNumbers *freeSWITCH
}

// manyNumbers is for how many numbers static XML is known to be slow.
const manyNumbers = 10_000

// disturbed is a p50 with one number, in ms, that tells of the machine and not of the dialplan. While the machine has
// other work, FreeSWITCH begins most calls 20 ms late.
const disturbed = 12

func callsCommandLine(args []string) callOptions {
	o := callOptions{sizes: fullSize}
	flags := o.flags(callsVerb)
	flags.IntVar(&o.sizes.numbers, "numbers", o.sizes.numbers, "numbers of the world")
	flags.IntVar(&o.rounds, "rounds", 5, "rounds")
	flags.DurationVar(&o.duration, "time", 10*time.Second, "time of one measurement")
	flags.StringVar(&o.dir, "dir", "", "folder that keeps the world for the next run (none: a temporary one)")
	flags.BoolFunc("quick", "a sanity check: 100,000 numbers and 2 short rounds, if later flags do not say otherwise; no bar fails it", func(string) error {
		o.sizes.numbers, o.sizes.users, o.rounds, o.duration, o.quick = 100_000, 10_000, 2, 3*time.Second, true
		return nil
	})
	_ = flags.Parse(args) // it exits
	return o
}

func runCalls(ctx context.Context, o callOptions) error {
	if err := o.check(callsVerb); err != nil {
		return err
	}
	b, err := openCalls(ctx, o)
	if err := complete(ctx, b, err); err != nil {
		return err
	}
	if half := b.oneNumber.spread(50).median; half > disturbed {
		return fmt.Errorf("a call to the only number there is takes %.1f ms: the machine has other work, so that nothing can be said", half)
	}
	return b.report().show(o.write, callsResults, o.quick)
}

// openCalls starts everything. It returns b with an error too, to be closed.
func openCalls(ctx context.Context, o callOptions) (b *callBench, err error) {
	b = &callBench{options: o}
	if b.conf, err = filepath.Abs(bootstrap); err != nil {
		return b, err
	}
	if b.asking, err = newFreeSWITCH("asking", "xmlcurld", o.sizes.numbers, 0); err != nil {
		return b, err
	}
	if b.oneNumber, err = newFreeSWITCH("one-number", "static XML", 1, 1); err != nil {
		return b, err
	}
	if b.manyNumbers, err = newFreeSWITCH("many-numbers", "static XML", manyNumbers, 2); err != nil {
		return b, err
	}
	if b.base, err = openBase(ctx, o.dir, o.server); err != nil {
		return b, err
	}
	if err := b.startAsking(ctx); err != nil {
		return b, err
	}
	for _, f := range []*freeSWITCH{b.oneNumber, b.manyNumbers} {
		if err := b.startStatic(ctx, f); err != nil {
			return b, err
		}
	}
	return b, nil
}

// startAsking makes the world, and starts xmlcurld on it and the switch that asks.
func (b *callBench) startAsking(ctx context.Context) error {
	url, err := callsURL(ctx, b.cluster, b.options.sizes, b.asking)
	if err != nil {
		return err
	}
	xmlcurld, err := b.start(ctx, "xmlcurld", url)
	if err != nil {
		return err
	}
	return b.boot(ctx, b.asking, b.conf,
		"XMLCURL_URL=http://"+xmlcurld.address+"/xml", "LOCAL_IP="+localhost, "SWITCHNAME="+b.asking.name)
}

// startStatic starts a switch that has its numbers as XML.
func (b *callBench) startStatic(ctx context.Context, f *freeSWITCH) error {
	conf, err := os.MkdirTemp(b.dir, "conf-")
	if err != nil {
		return err
	}
	b.cleanup = append(b.cleanup, func() error { return os.RemoveAll(conf) })
	if err := f.writeConf(conf, b.conf); err != nil {
		return err
	}
	return b.boot(ctx, f, conf)
}

// boot starts f on the conf tree. All that it writes goes into a folder that lasts as long as it.
func (b *callBench) boot(ctx context.Context, f *freeSWITCH, conf string, env ...string) error {
	progress("starting a FreeSWITCH: %s, %d numbers", f.dialplan, f.numbers)
	dir, err := os.MkdirTemp(b.dir, f.name+"-")
	if err != nil {
		return err
	}
	b.cleanup = append(b.cleanup, func() error { return os.RemoveAll(dir) })
	p, err := f.start(ctx, b.options.freeSWITCH, conf, dir, env...)
	if _, err = b.started(p, f.address, err); err != nil {
		return fmt.Errorf("%s, %d numbers: %w", f.dialplan, f.numbers, err)
	}
	return nil
}

func (b *callBench) switches() []*freeSWITCH {
	return []*freeSWITCH{b.asking, b.oneNumber, b.manyNumbers}
}

// measure calls every switch in every round. Each round begins with another one.
func (b *callBench) measure(ctx context.Context) error {
	all := b.switches()
	for r := range b.options.rounds {
		progress("round %d of %d", r+1, b.options.rounds)
		for i := range all {
			f := all[(i+r)%len(all)]
			if err := b.measureOne(ctx, f, r); err != nil {
				return fmt.Errorf("%s, %d numbers: %w", f.dialplan, f.numbers, err)
			}
		}
	}
	return nil
}

// measureOne makes the calls of round r, after those of a second, in which what sleeps wakes up.
func (b *callBench) measureOne(ctx context.Context, f *freeSWITCH, r int) error {
	count := int(b.options.duration.Seconds() * callsPerSecond)
	first := r * (callsPerSecond + count)
	if _, err := rig.Call(ctx, b.dir, f.address, f.called(first, callsPerSecond), callsPerSecond); err != nil {
		return err
	}
	took, err := rig.Call(ctx, b.dir, f.address, f.called(first+callsPerSecond, count), callsPerSecond)
	f.rounds = append(f.rounds, took)
	return err
}
