package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// manyRows is how many rows one transaction holds that is applied while calls are answered.
const manyRows = 10_000

// loadKind is what is committed while calls are answered, and what became of them.
type loadKind struct {
	name         string
	insert, undo string // statements; none: nothing is edited
	rounds       []loadRound
}

// loadRound is one measurement of calls.
type loadRound struct {
	sample
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
		{name: "ACL entries",
			insert: `INSERT INTO acl_entry (list, cidr) SELECT 'carriers', set_masklen((inet '12.0.0.0' + 256 * n)::cidr, 24) FROM generate_series(1, $1::integer) n`,
			undo:   `DELETE FROM acl_entry WHERE cidr << '12.0.0.0/6'`},
		{name: "new gateways",
			insert: `INSERT INTO gateway (name, profile, proxy) SELECT 'many' || n, 'external', '127.0.0.1' FROM generate_series(1, $1::integer) n`,
			undo:   `DELETE FROM gateway WHERE name LIKE 'many%'`},
	}
}

// measureLoads answers calls in every round with every kind of edit. Each round begins with another one.
func (b *editBench) measureLoads(ctx context.Context) error {
	if err := b.openCalls(ctx); err != nil {
		return err
	}
	if _, err := b.calls.run(b.options.duration / 2); err != nil { // what is slow the first time only
		return err
	}
	for r := range b.options.loads {
		progress("calls, round %d of %d", r+1, b.options.loads)
		for i := range b.loads {
			k := b.loads[(i+r)%len(b.loads)]
			if err := b.measureLoad(ctx, k); err != nil {
				return fmt.Errorf("calls, and %s: %w", k.name, err)
			}
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
	b.calls = call.load(b.options.sizes, b.options.inFlight)
	return b.calls.open(b.server.address)
}

// measureLoad answers calls while k is inserted, committed and applied.
func (b *editBench) measureLoad(ctx context.Context, k *loadKind) error {
	if err := rest(ctx); err != nil {
		return err
	}
	before := b.cost()
	var proved time.Duration
	applied := make(chan error, 1)
	go func() {
		var err error
		proved, err = b.apply(ctx, k.insert, manyRows)
		applied <- err
	}()
	sample, err := b.calls.run(b.options.duration)
	if err := errors.Join(err, <-applied); err != nil {
		return err
	}
	k.rounds = append(k.rounds, loadRound{sample, proved, b.cost().since(before)})
	_, err = b.apply(ctx, k.undo)
	return err
}

// apply executes a statement in a transaction and returns how long after its COMMIT it was proved.
func (b *editBench) apply(ctx context.Context, statement string, args ...any) (time.Duration, error) {
	if statement == "" {
		return 0, nil
	}
	tx, err := b.rows.Begin(ctx)
	if err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, statement, args...); err != nil {
		return 0, errors.Join(err, tx.Rollback(ctx))
	}
	began := time.Now()
	if err := tx.Commit(ctx); err != nil {
		return 0, err
	}
	err = b.proved(ctx, provedTime)
	return time.Since(began), err
}
