//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

const (
	// manyRows is how many rows one transaction holds that is applied while calls are answered.
	manyRows = 10_000
	// quietTime is how long calls at a steady pace are measured while nothing is edited.
	quietTime = 2 * time.Second
	// leadTime is how long there are calls before any of them counts: the first wait for what was away.
	leadTime = 300 * time.Millisecond
	// beforeTime is how long calls are measured right before the COMMIT.
	beforeTime = time.Second
	// countTime is how long after it counted processor time this program has let go of the processors.
	countTime = 50 * time.Millisecond
)

// loadKind is what is committed while calls are answered, and what became of them.
type loadKind struct {
	name              string
	insert, undo      string // statements; none: nothing is edited
	table             string // that they edit
	times             int    // in a round of calls at a steady pace: what is applied soon is seen more often
	busy              bool   // and another program takes a processor, as a switch does that reads what was edited
	steady, saturated []loadRound
	removed           []time.Duration // from COMMIT of undo to proved, while nobody calls
}

// loadRound is one measurement of calls.
type loadRound struct {
	sample
	before sample        // of calls at a steady pace: the same right before the COMMIT
	lost   int           // calls that were refused, or not even asked since too many were waiting
	proved time.Duration // from COMMIT
	cost
}

// slower is how many times as long half of the calls waited as before.
func (r loadRound) slower() float64 { return p50(r.sample) / p50(r.before) }

// cost is processor time.
type cost struct{ server, postgres, ofSwitch, own time.Duration }

func (b *editBench) cost() cost {
	return cost{processorTime(b.server.process.PID()), processorTime(b.postgres), processorTime(b.switchProc.PID()), ownProcessorTime()}
}

func (c cost) since(before cost) cost {
	return cost{c.server - before.server, c.postgres - before.postgres, c.ofSwitch - before.ofSwitch, c.own - before.own}
}

func allLoads() []*loadKind {
	return []*loadKind{
		{name: "nothing", times: 1},
		{name: "nothing, and a processor is taken", busy: true, times: 1},
		{name: "ACL entries", times: 5, table: "acl_entry",
			insert: `INSERT INTO acl_entry (list, cidr) SELECT 'carriers', set_masklen((inet '12.0.0.0' + 256 * n)::cidr, 24) FROM generate_series(1, $1::integer) n`,
			undo:   `DELETE FROM acl_entry WHERE cidr << '12.0.0.0/6'`},
		{name: "new gateways", times: 1, table: "gateway",
			insert: `INSERT INTO gateway (name, profile, proxy) SELECT 'many' || n, 'external', '127.0.0.1' FROM generate_series(1, $1::integer) n`,
			undo:   `DELETE FROM gateway WHERE name LIKE 'many%'`},
	}
}

// measureLoads answers calls with every kind of edit: at a steady pace, and then as fast as they are answered.
func (b *editBench) measureLoads(ctx context.Context) error {
	if err := b.openCalls(ctx); err != nil {
		return err
	}
	if _, err := b.calls.run(b.options.duration / 2); err != nil { // what is slow the first time only
		return err
	}
	if err := b.eachLoad(ctx, "calls at a steady pace", b.options.loads, b.measureSteadily); err != nil {
		return err
	}
	return b.eachLoad(ctx, "as many calls as are answered", b.options.saturated, func(ctx context.Context, k *loadKind) error {
		if k.busy {
			return nil
		}
		return b.measureSaturated(ctx, k)
	})
}

// eachLoad measures with every kind of edit in every round. Each round begins with another one.
func (b *editBench) eachLoad(ctx context.Context, what string, rounds int, measure func(context.Context, *loadKind) error) error {
	for r := range rounds {
		progress("%s, round %d of %d", what, r+1, rounds)
		for i := range b.loads {
			k := b.loads[(i+r)%len(b.loads)]
			if err := errors.Join(rest(ctx), measure(ctx, k)); err != nil {
				return fmt.Errorf("%s, and %s: %w", what, k.name, err)
			}
			if err := b.remove(ctx, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// remove takes away what k inserted, and what would be left of it until autovacuum comes: it would be read with the next rows.
func (b *editBench) remove(ctx context.Context, k *loadKind) error {
	if k.undo == "" {
		return nil
	}
	removed, err := b.apply(ctx, k.undo)
	if err != nil {
		return err
	}
	k.removed = append(k.removed, removed)
	_, err = b.rows.Exec(ctx, "VACUUM "+k.table)
	return err
}

// openCalls sets up the load that the other benchmark puts on the dialplan.
func (b *editBench) openCalls(ctx context.Context) error {
	questions, err := b.options.sizes.questions()
	if err != nil {
		return err
	}
	call := questions[0]
	answer, err := call.first(ctx, b.server.address, b.options.sizes)
	if err != nil {
		return err
	}
	call.length = len(answer)
	b.steady = stream{load: *call.load(b.options.sizes, 1), perSecond: b.options.perSecond, most: waitingLimit, callers: len(processors())}
	b.calls = call.load(b.options.sizes, b.options.inFlight)
	return b.calls.open(b.server.address)
}

// measureSteadily is measureSteady, as often as k has it in a round.
func (b *editBench) measureSteadily(ctx context.Context, k *loadKind) error {
	for n := range k.times {
		if n > 0 {
			if err := errors.Join(b.remove(ctx, k), rest(ctx)); err != nil {
				return err
			}
		}
		if err := b.measureSteady(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// measureSteady answers calls at a steady pace, before k is committed and from then until it is proved.
func (b *editBench) measureSteady(ctx context.Context, k *loadKind) error {
	commit, err := b.prepare(ctx, k)
	if err != nil {
		return err
	}
	var r loadRound
	var spent cost
	floods, err := b.steady.runThrough(b.server.address, pass(leadTime), pass(beforeTime),
		func() error {
			spent = b.cost()
			return pass(countTime)()
		},
		func() (err error) {
			r.proved, err = commit(ctx)
			return err
		})
	if err != nil {
		return err
	}
	r.cost = b.cost().since(spent)
	before, meanwhile := floods[1], floods[3]
	if before.lost() > 0 {
		return fmt.Errorf("%d calls were refused while nothing was edited", before.lost())
	}
	if before.asked() == 0 || meanwhile.asked()+meanwhile.skipped == 0 {
		return errors.New("no call came in time to be measured: take more calls a second")
	}
	r.before, r.sample, r.lost = before.sample(), meanwhile.sample(), meanwhile.lost()
	k.steady = append(k.steady, r)
	return nil
}

// pass lets time pass.
func pass(d time.Duration) func() error {
	return func() error { time.Sleep(d); return nil }
}

func (f flood) lost() int { return len(f.refused) + f.skipped }

// sample is what f comes to. A call that is refused waits as long as any may.
func (f flood) sample() sample {
	all := sampleOf(append(slices.Clone(f.answered), slices.Repeat([]time.Duration{patience}, f.lost())...), f.took)
	all.answers = len(f.answered)
	return all
}

// prepare inserts k and returns what commits it, and returns how long after that it was proved.
func (b *editBench) prepare(ctx context.Context, k *loadKind) (commit func(context.Context) (time.Duration, error), err error) {
	if k.insert != "" {
		return b.begin(ctx, k.insert, manyRows)
	}
	return func(ctx context.Context) (time.Duration, error) {
		ctx, cancel := context.WithTimeout(ctx, quietTime)
		defer cancel()
		if !k.busy {
			<-ctx.Done()
			return 0, nil
		}
		return 0, b.takeProcessor(ctx)
	}, nil
}

// takeProcessor does nothing but that, until ctx ends, and goes after others as the switch does.
func (b *editBench) takeProcessor(ctx context.Context) error {
	takes := exec.CommandContext(ctx, "sh", "-c", "while :; do :; done")
	takes.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := takes.Start(); err != nil {
		return err
	}
	err := b.idle.add(takes.Process.Pid)
	_ = takes.Wait() // it is killed
	return err
}

// measureSaturated answers as many calls as it can while k is inserted, committed and applied.
func (b *editBench) measureSaturated(ctx context.Context, k *loadKind) error {
	before := b.cost()
	var proved time.Duration
	applied := make(chan error, 1)
	go func() {
		var err error
		proved, err = b.apply(ctx, k.insert, manyRows)
		applied <- err
	}()
	calls, err := b.calls.run(b.options.duration)
	if err := errors.Join(err, <-applied); err != nil {
		return err
	}
	k.saturated = append(k.saturated, loadRound{sample: calls, proved: proved, cost: b.cost().since(before)})
	return nil
}

// apply executes a statement in a transaction and returns how long after its COMMIT it was proved.
func (b *editBench) apply(ctx context.Context, statement string, args ...any) (time.Duration, error) {
	if statement == "" {
		return 0, nil
	}
	commit, err := b.begin(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return commit(ctx)
}

// begin executes a statement in a transaction and returns what commits it, and returns how long after that it was proved.
func (b *editBench) begin(ctx context.Context, statement string, args ...any) (commit func(context.Context) (time.Duration, error), err error) {
	tx, err := b.rows.Begin(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, statement, args...); err != nil {
		return nil, errors.Join(err, tx.Rollback(ctx))
	}
	return func(ctx context.Context) (time.Duration, error) {
		began := time.Now()
		if err := tx.Commit(ctx); err != nil {
			return 0, err
		}
		err := b.proved(ctx, provedTime)
		return time.Since(began), err
	}, nil
}
