//go:build linux

package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"xmlcurld/cmd/lab/rig"
)

// callsVerb makes this program measure calls: SIPp calls four real switches, which differ in their dialplan only. One
// asks xmlcurld for it, with a million numbers; one asks nginx, which always gives what xmlcurld answered once; the other
// two have it as XML on their own disk, with one number, and with as many as make that slow. A call's post-dial delay is
// the time from its INVITE to the answer.
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
	options                                  callOptions
	conf                                     string // folder
	xmlcurld                                 server
	asking, constant, oneNumber, manyNumbers *freeSWITCH
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

// Calls measures calls as args say.
func Calls(ctx context.Context, args []string) error {
	return runCalls(ctx, callsCommandLine(args))
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
	b = &callBench{
		options:     o,
		asking:      &freeSWITCH{name: "asking", dialplan: "xmlcurld", numbers: o.sizes.numbers},
		constant:    &freeSWITCH{name: "constant", dialplan: "a constant from nginx", numbers: 1},
		oneNumber:   &freeSWITCH{name: "one-number", dialplan: "static XML", numbers: 1},
		manyNumbers: &freeSWITCH{name: "many-numbers", dialplan: "static XML", numbers: manyNumbers},
	}
	for place, f := range b.switches() {
		if err := f.findPlace(place); err != nil {
			return b, err
		}
	}
	if b.conf, err = filepath.Abs(bootstrap); err != nil {
		return b, err
	}
	if b.base, err = openBase(ctx, o.dir, o.server); err != nil {
		return b, err
	}
	if err := b.startXMLCurld(ctx); err != nil {
		return b, err
	}
	call, answer, err := b.firstCall(ctx)
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

// startXMLCurld makes the world, and starts xmlcurld on it.
func (b *callBench) startXMLCurld(ctx context.Context) error {
	url, err := callsURL(ctx, b.cluster, b.options.sizes, b.asking)
	if err != nil {
		return err
	}
	b.xmlcurld, err = b.start(ctx, "xmlcurld", url)
	return err
}

// firstCall is the question about the only number of b.constant, and what xmlcurld answers.
func (b *callBench) firstCall(ctx context.Context) (call question, answer []byte, err error) {
	questions, err := b.options.sizes.questions()
	if err != nil {
		return question{}, nil, err
	}
	call = questions[0]
	call.body = strings.ReplaceAll(call.body, "%2B27", "27") // as SIPp writes it
	answer, err = call.first(ctx, b.xmlcurld.address, b.options.sizes)
	call.length = len(answer)
	return call, answer, err
}

const (
	warmTime    = 10 * time.Second // is enough to ask for something on nearly every page of a million numbers
	warmCallers = 32               // connections
)

// warm asks about numbers from all over. PostgreSQL, which was just started, and the copy of a world, which nobody has read,
// are to be as they are where calls came all day: it would read the page of each number for the first time.
func (b *callBench) warm(call question) error {
	progress("asking for numbers from all over")
	l := call.load(b.options.sizes, warmCallers)
	if err := l.open(b.xmlcurld.address); err != nil {
		return err
	}
	_, err := l.run(warmTime)
	return err
}

// startConstant starts nginx with that answer to call, for b.constant to ask.
func (b *callBench) startConstant(ctx context.Context, call question, answer []byte) error {
	nginx, err := b.started(startNginx(ctx, b.dir, map[string][]byte{call.path(): answer}))
	b.constant.url = "http://" + nginx.address + call.path()
	return err
}

// startSwitches starts that which asks for everything, and those that have their configuration as XML, and their numbers
// unless they ask for them.
func (b *callBench) startSwitches(ctx context.Context) error {
	if err := b.boot(ctx, b.asking, b.conf,
		"BOOTSTRAP_URL=http://"+b.xmlcurld.address+"/xml", "LOCAL_IP="+localhost, "SWITCHNAME="+b.asking.name); err != nil {
		return err
	}
	for _, f := range []*freeSWITCH{b.constant, b.oneNumber, b.manyNumbers} {
		conf, err := os.MkdirTemp(b.dir, "conf-")
		if err != nil {
			return err
		}
		b.cleanup = append(b.cleanup, func() error { return os.RemoveAll(conf) })
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
func (b *callBench) boot(ctx context.Context, f *freeSWITCH, conf string, env ...string) error {
	progress("starting a FreeSWITCH: %s, %d numbers", f.dialplan, f.numbers)
	dir, err := os.MkdirTemp(memory, "xmlcurld-bench-"+f.name+"-")
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
	return []*freeSWITCH{b.asking, b.constant, b.oneNumber, b.manyNumbers}
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
