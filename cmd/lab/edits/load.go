//go:build linux

package edits

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"xmlcurld/cmd/lab/load"
	"xmlcurld/cmd/lab/rig"
	"xmlcurld/internal/pace"
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
	load.Sample
	before load.Sample   // of calls at a steady pace: the same right before the COMMIT
	lost   int           // calls that were refused, or not even asked since too many were waiting
	proved time.Duration // from COMMIT
	cost
}

// slower is how many times as long half of the calls waited as before.
func (r loadRound) slower() float64 { return r.P50 / r.before.P50 }

// cost is processor time.
type cost struct{ server, postgres, ofSwitch, own time.Duration }

func (b *bench) cost() cost {
	return cost{rig.ProcessorTime(b.server.Process.PID()), rig.ProcessorTime(b.Postgres), rig.ProcessorTime(b.switchProc.PID()), rig.OwnProcessorTime()}
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
func (b *bench) measureLoads(ctx context.Context) error {
	var err error
	if b.call, err = load.Call(b.options.sizes); err != nil {
		return err
	}
	if _, err := b.call.AskFirst(ctx, b.server.Address, b.options.sizes); err != nil {
		return err
	}
	b.saturating = b.call.Load(b.server.Address, b.options.sizes, b.options.inFlight)
	if _, err := b.saturating.Run(b.options.duration / 2); err != nil { // what is slow the first time only
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
func (b *bench) eachLoad(ctx context.Context, what string, rounds int, measure func(context.Context, *loadKind) error) error {
	for r := range rounds {
		rig.Progress("%s, round %d of %d", what, r+1, rounds)
		for i := range b.loads {
			k := b.loads[(i+r)%len(b.loads)]
			pace.Sleep(ctx, restTime)
			if err := measure(ctx, k); err != nil {
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
func (b *bench) remove(ctx context.Context, k *loadKind) error {
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

// measureSteadily is measureSteady, as often as k has it in a round.
func (b *bench) measureSteadily(ctx context.Context, k *loadKind) error {
	for n := range k.times {
		if n > 0 {
			if err := b.remove(ctx, k); err != nil {
				return err
			}
			pace.Sleep(ctx, restTime)
		}
		if err := b.measureSteady(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// measureSteady answers calls at a steady pace, before k is committed and from then until it is proved.
func (b *bench) measureSteady(ctx context.Context, k *loadKind) error {
	commit, err := b.prepare(ctx, k)
	if err != nil {
		return err
	}
	var r loadRound
	var spent cost
	outcomes, err := b.steady().RunThrough(load.Pass(leadTime), load.Pass(beforeTime),
		func() error {
			spent = b.cost()
			return load.Pass(countTime)()
		},
		func() (err error) {
			r.proved, err = commit(ctx)
			return err
		})
	if err != nil {
		return err
	}
	r.cost = b.cost().since(spent)
	before, meanwhile := outcomes[1], outcomes[3]
	if before.Lost() > 0 {
		return fmt.Errorf("%d calls were refused while nothing was edited", before.Lost())
	}
	if before.Asked() == 0 || meanwhile.Asked()+meanwhile.Skipped == 0 {
		return errors.New("no call came in time to be measured: take more calls a second")
	}
	r.before, r.Sample, r.lost = before.Sample(), meanwhile.Sample(), meanwhile.Lost()
	k.steady = append(k.steady, r)
	return nil
}

// steady are calls at a steady pace, from the first number on.
func (b *bench) steady() *load.Load {
	l := b.call.Load(b.server.Address, b.options.sizes, load.WaitingLimit)
	l.PerSecond, l.Refusable = b.options.perSecond, true
	return l
}

// prepare inserts k and returns what commits it, and returns how long after that it was proved.
func (b *bench) prepare(ctx context.Context, k *loadKind) (commit func(context.Context) (time.Duration, error), err error) {
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
func (b *bench) takeProcessor(ctx context.Context) error {
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
func (b *bench) measureSaturated(ctx context.Context, k *loadKind) error {
	before := b.cost()
	var proved time.Duration
	applied := make(chan error, 1)
	go func() {
		var err error
		proved, err = b.apply(ctx, k.insert, manyRows)
		applied <- err
	}()
	calls, err := b.saturating.Run(b.options.duration)
	if err := errors.Join(err, <-applied); err != nil {
		return err
	}
	k.saturated = append(k.saturated, loadRound{Sample: calls.Sample(), proved: proved, cost: b.cost().since(before)})
	return nil
}

// apply executes a statement in a transaction and returns how long after its COMMIT it was proved.
func (b *bench) apply(ctx context.Context, statement string, args ...any) (time.Duration, error) {
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
func (b *bench) begin(ctx context.Context, statement string, args ...any) (commit func(context.Context) (time.Duration, error), err error) {
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
