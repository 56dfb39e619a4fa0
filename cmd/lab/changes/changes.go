//go:build linux

// Package changes measures what it costs that every change is remembered, and how long an operator waits for what tells of
// changes: how much slower many numbers are loaded than by another build, and how long the verbs history, plan, explain and
// check take in a large world.
package changes

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/cmd/lab/rig"
	"xmlcurld/cmd/lab/testbed"
	"xmlcurld/cmd/lab/world"
	"xmlcurld/db/table"
)

// options are what the command line says.
type options struct {
	testbed.Options
	sizes   world.Sizes
	changes int // in the history
	rounds  int // of each question
	loads   int // rounds of each load
	dir     string
	against string // another build of xmlcurld
}

// bench is everything that is measured.
type bench struct {
	testbed.Bed
	options  options
	full     string // the world's URL
	past     string // that of the world with a long history
	store    *table.Store
	subjects []*subject
	loads    []*load
	copied   []byte // rows of COPY
}

func commandLine(args []string) options {
	o := options{sizes: world.Full}
	flags := o.Flags("changes")
	flags.IntVar(&o.sizes.Numbers, "numbers", o.sizes.Numbers, "numbers that are loaded, and that the world holds")
	flags.IntVar(&o.sizes.Users, "users", o.sizes.Users, "users of the world")
	flags.IntVar(&o.changes, "changes", 10_000_000, "changes in the history")
	flags.IntVar(&o.rounds, "rounds", 9, "rounds of each question; 0: none are asked")
	flags.IntVar(&o.loads, "loads", 3, "rounds of loading numbers; 0: none are loaded")
	flags.StringVar(&o.dir, "dir", "", "folder that keeps the worlds for the next run (none: a temporary one)")
	flags.StringVar(&o.against, "against", "", "another build of xmlcurld: numbers are loaded in turn into a world of its own schema")
	flags.BoolFunc("quick", "a sanity check: 50,000 numbers, 100,000 changes and few rounds, if later flags do not say otherwise; no bar fails it", func(string) error {
		o.sizes.Numbers, o.sizes.Users, o.changes, o.rounds, o.loads, o.Quick = 50_000, 10_000, 100_000, 3, 1, true
		return nil
	})
	_ = flags.Parse(args) // ends the program where it fails
	return o
}

// Run measures changes as args say.
func Run(ctx context.Context, args []string) error {
	o := commandLine(args)
	return testbed.Run(ctx, o.Options, Results, func() (testbed.Bench, error) { return open(ctx, o) })
}

// open makes the worlds. It returns b with an error too, to be closed.
func open(ctx context.Context, o options) (b *bench, err error) {
	b = &bench{options: o, loads: allLoads()}
	if o.rounds > 0 {
		b.subjects = allSubjects(o.sizes)
	}
	if b.Bed, err = testbed.Open(ctx, o.dir, o.Server); err != nil {
		return b, err
	}
	own := world.OwnTables()
	if b.full, err = world.URL(ctx, b.Cluster, o.sizes, own); err != nil {
		return b, err
	}
	if b.past, err = world.With(ctx, b.Cluster, b.few(), own, historySQL(o.changes, o.sizes.Numbers)...); err != nil {
		return b, err
	}
	if b.store, err = table.Open(ctx, b.past, prometheus.NewRegistry()); err != nil {
		return b, err
	}
	b.OnClose(func() error { b.store.Close(); return nil })
	return b, nil
}

// few is the size of a world with as much of everything as the large one, but one number, and few users.
func (b *bench) few() world.Sizes {
	s := b.options.sizes
	s.Numbers, s.Users = 1, s.Tenants
	return s
}

// Measure asks every question in every round, after one that does not count, and then loads numbers.
func (b *bench) Measure(ctx context.Context) error {
	for r := range b.options.rounds + 1 {
		rig.Progress("questions, round %d of %d", r, b.options.rounds)
		for _, s := range b.subjects {
			took, err := s.ask(ctx, b, r)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if r > 0 {
				s.times = append(s.times, took)
			}
		}
	}
	return b.measureLoads(ctx)
}
