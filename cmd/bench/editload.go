package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"time"
)

const (
	// manyRows is how many rows one transaction holds that is applied while calls are answered.
	manyRows = 10_000
	// quietTime is how long calls at a steady pace are measured while nothing is edited.
	quietTime = 3 * time.Second
	// leadTime is how long there have been calls before anything is committed: the first of them wait for what was away, and
	// for this program, which counts processor time.
	leadTime = 300 * time.Millisecond
)

// loadKind is what is committed while calls are answered, and what became of them.
type loadKind struct {
	name              string
	insert, undo      string // statements; none: nothing is edited
	busy              bool   // and another program takes a processor, as a switch does that reads what was edited
	steady, saturated []loadRound
	removed           []time.Duration // from COMMIT of undo to proved, while nobody calls
}

// loadRound is one measurement of calls.
type loadRound struct {
	sample
	lost   int           // calls that were refused, or not even asked since too many were waiting
	proved time.Duration // from COMMIT
	cost
}

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
		{name: "nothing"},
		{name: "nothing, and a processor is taken", busy: true},
		{name: "ACL entries",
			insert: `INSERT INTO acl_entry (list, cidr) SELECT 'carriers', set_masklen((inet '12.0.0.0' + 256 * n)::cidr, 24) FROM generate_series(1, $1::integer) n`,
			undo:   `DELETE FROM acl_entry WHERE cidr << '12.0.0.0/6'`},
		{name: "new gateways",
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
	if err := b.eachLoad(ctx, "calls at a steady pace", b.options.loads, b.measureSteady); err != nil {
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
			if k.undo == "" {
				continue
			}
			removed, err := b.apply(ctx, k.undo)
			if err != nil {
				return err
			}
			k.removed = append(k.removed, removed)
		}
	}
	return nil
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

// measureSteady answers calls at a steady pace from when k is committed until it is proved. A call that is refused waits as
// long as any may.
func (b *editBench) measureSteady(ctx context.Context, k *loadKind) error {
	commit, err := b.prepare(ctx, k)
	if err != nil {
		return err
	}
	var before cost
	var proved time.Duration
	lead := func() {
		before = b.cost()
		time.Sleep(leadTime)
	}
	f, err := b.steady.runWhile(b.server.address, lead, func() (err error) {
		proved, err = commit(ctx)
		return err
	})
	if err != nil {
		return err
	}
	lost := len(f.refused) + f.skipped
	times := append(f.answered, slices.Repeat([]time.Duration{patience}, lost)...)
	n := len(times)
	calls := sample{answers: len(f.answered), took: f.took, half: times[n/2], most: times[n*99/100]}
	k.steady = append(k.steady, loadRound{calls, lost, proved, b.cost().since(before)})
	return nil
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
		_ = exec.CommandContext(ctx, "sh", "-c", "while :; do :; done").Run() // it is killed
		return 0, nil
	}, nil
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
	k.saturated = append(k.saturated, loadRound{calls, 0, proved, b.cost().since(before)})
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
