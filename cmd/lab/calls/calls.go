//go:build linux

// Package calls measures what a caller waits for: SIPp calls four real switches, which differ in their dialplan only. One
// asks xmlcurld for it, with a million numbers; one asks nginx, which always gives what xmlcurld answered once; the other
// two have it as XML on their own disk, with one number, and with as many as make that slow. A call's post-dial delay is
// the time from its INVITE to the answer.
package calls

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"xmlcurld/cmd/lab/load"
	"xmlcurld/cmd/lab/report"
	"xmlcurld/cmd/lab/rig"
	"xmlcurld/cmd/lab/testbed"
	"xmlcurld/cmd/lab/world"
)

// callsPerSecond is slow enough for each call to be over before the next.
const callsPerSecond = 10

// options are what the command line says.
type options struct {
	testbed.Options
	sizes    world.Sizes
	rounds   int
	duration time.Duration // of one measurement
	dir      string
}

// bench is everything that runs while calls are measured.
type bench struct {
	testbed.Bed
	options                                  options
	conf                                     string // folder
	xmlcurld                                 testbed.Server
	asking, constant, oneNumber, manyNumbers *freeSWITCH
}

// manyNumbers is for how many numbers static XML is known to be slow.
const manyNumbers = 10_000

// disturbed is a p50 with one number, in ms, that tells of the machine and not of the dialplan. While the machine has
// other work, FreeSWITCH begins most calls 20 ms late.
const disturbed = 12

func commandLine(args []string) options {
	o := options{sizes: world.Full}
	flags := o.SwitchFlags("calls")
	flags.IntVar(&o.sizes.Numbers, "numbers", o.sizes.Numbers, "numbers of the world")
	flags.IntVar(&o.rounds, "rounds", 5, "rounds")
	flags.DurationVar(&o.duration, "time", 10*time.Second, "time of one measurement")
	flags.StringVar(&o.dir, "dir", "", "folder that keeps the world for the next run (none: a temporary one)")
	flags.BoolFunc("quick", "a sanity check: 100,000 numbers and 2 short rounds, if later flags do not say otherwise; no bar fails it", func(string) error {
		o.sizes.Numbers, o.sizes.Users, o.rounds, o.duration, o.Quick = 100_000, 10_000, 2, 3*time.Second, true
		return nil
	})
	_ = flags.Parse(args) // it exits
	return o
}

// Run measures calls as args say.
func Run(ctx context.Context, args []string) error {
	o := commandLine(args)
	return testbed.Run(ctx, o.Options, Results, func() (testbed.Bench, error) { return open(ctx, o) })
}

// open starts everything. It returns b with an error too, to be closed.
func open(ctx context.Context, o options) (b *bench, err error) {
	b = &bench{
		options:     o,
		asking:      &freeSWITCH{name: "asking", dialplan: "xmlcurld", numbers: o.sizes.Numbers},
		constant:    &freeSWITCH{name: "constant", dialplan: "a constant from nginx", numbers: 1},
		oneNumber:   &freeSWITCH{name: "one-number", dialplan: "static XML", numbers: 1},
		manyNumbers: &freeSWITCH{name: "many-numbers", dialplan: "static XML", numbers: manyNumbers},
	}
	for place, f := range b.switches() {
		if err := f.findPlace(place); err != nil {
			return b, err
		}
	}
	if b.conf, err = filepath.Abs(rig.Bootstrap); err != nil {
		return b, err
	}
	if b.Bed, err = testbed.Open(ctx, o.dir, o.Server); err != nil {
		return b, err
	}
	if err := b.startXMLCurld(ctx); err != nil {
		return b, err
	}
	call, err := load.Call(o.sizes)
	if err != nil {
		return b, err
	}
	call = call.WithoutPlus()
	answer, err := call.AskFirst(ctx, b.xmlcurld.Address, o.sizes) // about the only number of b.constant
	if err != nil {
		return b, err
	}
	if err := b.warm(call); err != nil {
		return b, err
	}
	if err := b.startConstant(ctx, call, answer); err != nil {
		return b, err
	}
	return b, b.startSwitches(ctx)
}

// database is the name of the world that is asked about.
const database = "calls"

// startXMLCurld makes the world, in which b.asking is a node, and starts xmlcurld on it.
func (b *bench) startXMLCurld(ctx context.Context) error {
	url, err := world.Copy(ctx, b.Cluster, b.options.sizes, world.OwnTables(), database)
	if err != nil {
		return err
	}
	if err := b.asking.insert(ctx, url); err != nil {
		return fmt.Errorf("make the switch a node: %w", err)
	}
	b.xmlcurld, err = b.Serve(ctx, "xmlcurld", url)
	return err
}

const (
	warmTime        = 10 * time.Second // is enough to ask for something on nearly every page of a million numbers
	warmConnections = 32
)

// warm asks about numbers from all over. PostgreSQL, which was just started, and the copy of a world, which nobody has read,
// are to be as they are where calls came all day: it would read the page of each number for the first time.
func (b *bench) warm(call load.Question) error {
	rig.Progress("asking for numbers from all over")
	_, err := call.Load(b.xmlcurld.Address, b.options.sizes, warmConnections).Run(warmTime)
	return err
}

// startConstant starts nginx with that answer to call, for b.constant to ask.
func (b *bench) startConstant(ctx context.Context, call load.Question, answer []byte) error {
	nginx, err := b.Started(rig.StartNginx(ctx, b.Dir, map[string][]byte{call.Path(): answer}))
	b.constant.url = "http://" + nginx.Address + call.Path()
	return err
}

// startSwitches starts that which asks for everything, and those that have their configuration as XML, and their numbers
// unless they ask for them.
func (b *bench) startSwitches(ctx context.Context) error {
	if err := b.boot(ctx, b.asking, b.conf,
		"BOOTSTRAP_URL=http://"+b.xmlcurld.Address+"/xml", "LOCAL_IP="+rig.Localhost, "SWITCHNAME="+b.asking.name); err != nil {
		return err
	}
	for _, f := range []*freeSWITCH{b.constant, b.oneNumber, b.manyNumbers} {
		conf, err := os.MkdirTemp(b.Dir, "conf-")
		if err != nil {
			return err
		}
		b.OnClose(func() error { return os.RemoveAll(conf) })
		if err := f.writeConf(conf, b.conf); err != nil {
			return err
		}
		if err := b.boot(ctx, f, conf); err != nil {
			return err
		}
	}
	return nil
}

// memory holds what switches write, as in docker-compose.yml: each answer is written to two files before it is read.
const memory = "/dev/shm"

// boot starts f on the conf tree. All that it writes goes into a folder that lasts as long as it.
func (b *bench) boot(ctx context.Context, f *freeSWITCH, conf string, env ...string) error {
	rig.Progress("starting a FreeSWITCH: %s, %d numbers", f.dialplan, f.numbers)
	dir, err := os.MkdirTemp(memory, "xmlcurld-bench-"+f.name+"-")
	if err != nil {
		return err
	}
	b.OnClose(func() error { return os.RemoveAll(dir) })
	p, err := f.start(ctx, b.options.FreeSWITCH, conf, dir, env...)
	if _, err = b.Started(p, f.address, err); err != nil {
		return fmt.Errorf("%s, %d numbers: %w", f.dialplan, f.numbers, err)
	}
	return nil
}

func (b *bench) switches() []*freeSWITCH {
	return []*freeSWITCH{b.asking, b.constant, b.oneNumber, b.manyNumbers}
}

// Measure calls every switch in every round. Each round begins with another one. It is an error if the machine has other work.
func (b *bench) Measure(ctx context.Context) error {
	all := b.switches()
	for r := range b.options.rounds {
		rig.Progress("round %d of %d", r+1, b.options.rounds)
		for i := range all {
			f := all[(i+r)%len(all)]
			if err := b.measureOne(ctx, f, r); err != nil {
				return fmt.Errorf("%s, %d numbers: %w", f.dialplan, f.numbers, err)
			}
		}
	}
	if half := report.Over(b.oneNumber.rounds, delays.p50).Median; half > disturbed {
		return fmt.Errorf("a call to the only number there is takes %.1f ms: the machine has other work, so that nothing can be said", half)
	}
	return nil
}

// measureOne makes the calls of round r, after those of a second, in which what sleeps wakes up.
func (b *bench) measureOne(ctx context.Context, f *freeSWITCH, r int) error {
	count := int(b.options.duration.Seconds() * callsPerSecond)
	first := r * (callsPerSecond + count)
	if _, err := rig.Call(ctx, b.Dir, f.address, f.called(first, callsPerSecond), callsPerSecond); err != nil {
		return err
	}
	took, err := rig.Call(ctx, b.Dir, f.address, f.called(first+callsPerSecond, count), callsPerSecond)
	f.rounds = append(f.rounds, took)
	return err
}
