//go:build linux

// Package edits measures how long after its COMMIT an edit by plain SQL is proved to be on a real switch, and on fifty
// simulated ones beside it; and how much slower calls are answered while many rows are applied. Proved is what xmlcurld
// wait takes for it.
package edits

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/cmd/lab/load"
	"xmlcurld/cmd/lab/rig"
	"xmlcurld/cmd/lab/testbed"
	"xmlcurld/cmd/lab/world"
	"xmlcurld/db/table"
	"xmlcurld/internal/fakeswitch"
	"xmlcurld/internal/pace"
	"xmlcurld/internal/reconcile"
)

// options are what the command line says.
type options struct {
	testbed.Options
	sizes     world.Sizes
	simulated int           // nodes
	rounds    int           // of each edit
	loads     int           // rounds of calls at a steady pace
	perSecond float64       // calls at that pace
	saturated int           // rounds of as many calls as are answered
	duration  time.Duration // of one of these
	inFlight  int
}

// bench is everything that runs while edits are measured.
type bench struct {
	testbed.Bed
	options    options
	server     testbed.Server
	idle       idleGroup
	switchProc *rig.Process
	rows       *pgx.Conn
	store      *table.Store
	carrier    *fakeswitch.Registrar
	edits      []*edit
	loads      []*loadKind
	call       load.Question
	saturating *load.Load
	made       int // edits so far: no two are alike
	manyCost   cost
}

func commandLine(args []string) options {
	o := options{sizes: world.Sizes{Tenants: 100, Numbers: 100_000, Users: 10_000, ACLEntries: 100, Nodes: 1}}
	flags := o.SwitchFlags("edits")
	flags.IntVar(&o.sizes.Numbers, "numbers", o.sizes.Numbers, "numbers of the world")
	flags.IntVar(&o.sizes.ACLEntries, "acl-entries", o.sizes.ACLEntries, "entries of access lists of the world")
	flags.IntVar(&o.simulated, "simulated", 50, "simulated nodes beside the real one")
	flags.IntVar(&o.rounds, "rounds", 15, "rounds of each edit")
	flags.IntVar(&o.loads, "loads", 15, "rounds of calls at a steady pace")
	flags.Float64Var(&o.perSecond, "calls", 300, "calls a second at that pace")
	flags.IntVar(&o.saturated, "saturated", 3, "rounds of as many calls as are answered")
	flags.DurationVar(&o.duration, "time", 10*time.Second, "time of one of these")
	flags.IntVar(&o.inFlight, "in-flight", 32, "connections in flight meanwhile")
	flags.BoolFunc("quick", "a sanity check: 3 rounds and short ones, if later flags do not say otherwise; no bar fails it", func(string) error {
		o.rounds, o.loads, o.saturated, o.duration, o.Quick = 3, 5, 1, 4*time.Second, true
		return nil
	})
	_ = flags.Parse(args) // it exits
	return o
}

// Run measures edits as args say.
func Run(ctx context.Context, args []string) error {
	o := commandLine(args)
	return testbed.Run(ctx, o.Options, Results, func() (testbed.Bench, error) { return open(ctx, o) })
}

// open makes the world and starts everything. It returns b with an error too, to be closed.
func open(ctx context.Context, o options) (b *bench, err error) {
	b = &bench{options: o, edits: allEdits(), loads: allLoads()}
	if b.Bed, err = testbed.Open(ctx, "", o.Server); err != nil {
		return b, err
	}
	url, err := world.URL(ctx, b.Cluster, o.sizes, world.OwnTables())
	if err != nil {
		return b, err
	}
	if err := b.connect(ctx, url); err != nil {
		return b, err
	}
	if err := b.insertSwitch(ctx); err != nil {
		return b, fmt.Errorf("make the switch a node: %w", err)
	}
	if b.server, err = b.Serve(ctx, "xmlcurld", url); err != nil {
		return b, err
	}
	return b, b.boot(ctx)
}

// connect opens what edits the rows, what waits for the switches, and the carrier.
func (b *bench) connect(ctx context.Context, url string) (err error) {
	if b.rows, err = pgx.Connect(ctx, url); err != nil {
		return err
	}
	b.OnClose(func() error { return b.rows.Close(context.WithoutCancel(ctx)) })
	if b.store, err = table.Open(ctx, url, prometheus.NewRegistry()); err != nil {
		return err
	}
	b.OnClose(func() error { b.store.Close(); return nil })
	if b.carrier, err = fakeswitch.NewRegistrar(rig.Localhost, ""); err != nil {
		return err
	}
	b.OnClose(func() error { b.carrier.Close(); return nil })
	return nil
}

// boot starts the switch, and returns when it runs what the rows say.
func (b *bench) boot(ctx context.Context) error {
	rig.Progress("starting a FreeSWITCH")
	conf, err := filepath.Abs(rig.Bootstrap)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(b.Dir, "switch-")
	if err != nil {
		return err
	}
	b.idle = openIdleGroup()
	b.OnClose(b.idle.close)
	b.switchProc, err = rig.StartFreeSWITCH(b.options.FreeSWITCH, conf, dir, rig.AfterOthers,
		"BOOTSTRAP_URL=http://"+b.server.Address+"/xml", "LOCAL_IP="+rig.Localhost, "SWITCHNAME="+realNode)
	if _, err = b.Started(b.switchProc, "", err); err != nil {
		return err
	}
	// It is to take no processor from the server, as if it ran on a machine of its own.
	if err := b.idle.add(b.switchProc.PID()); err != nil {
		return fmt.Errorf("let others go first: %w", err)
	}
	return b.switchProc.Await(ctx, func() error { return b.proved(ctx, time.Second) })
}

// proved returns when all nodes run what is committed by now.
func (b *bench) proved(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err := reconcile.Await(ctx, b.store.DB())
	return err
}

// Measure measures edits on the one switch, then with the simulated ones beside it, then calls.
func (b *bench) Measure(ctx context.Context) error {
	if err := b.measureEdits(ctx, func(e *edit) *[]time.Duration { return &e.one }); err != nil {
		return err
	}
	remove, err := b.addSimulated(ctx)
	if err != nil {
		return err
	}
	before := b.cost()
	err = b.measureEdits(ctx, func(e *edit) *[]time.Duration { return &e.many })
	b.manyCost = b.cost().since(before)
	if err := errors.Join(err, remove(ctx)); err != nil {
		return err
	}
	return b.measureLoads(ctx)
}

// measureEdits makes every edit in every round, after one that does not count, and adds the times to where into says.
func (b *bench) measureEdits(ctx context.Context, into func(*edit) *[]time.Duration) error {
	for r := range b.options.rounds + 1 {
		rig.Progress("edits, round %d of %d", r, b.options.rounds)
		for _, e := range b.edits {
			took, err := b.measureEdit(ctx, e)
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
			if times := into(e); r > 0 {
				*times = append(*times, took)
			}
		}
	}
	return nil
}

// measureEdit makes an edit and takes the time from its COMMIT. A while of nothing comes first, as between the edits that
// an operator makes.
func (b *bench) measureEdit(ctx context.Context, e *edit) (time.Duration, error) {
	pace.Sleep(ctx, restTime)
	b.made++
	tx, err := b.rows.Begin(ctx)
	if err != nil {
		return 0, err
	}
	if err := e.make(ctx, b, tx); err != nil {
		return 0, errors.Join(err, tx.Rollback(ctx))
	}
	began := time.Now()
	if err := tx.Commit(ctx); err != nil {
		return 0, err
	}
	if err := b.proved(ctx, provedTime); err != nil {
		return 0, err
	}
	took := time.Since(began)
	return took, e.check(b)
}
