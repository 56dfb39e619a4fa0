//go:build linux

package bench

import (
	"context"
	"fmt"
	"time"

	"xmlcurld/cmd/lab/load"
	"xmlcurld/cmd/lab/rig"
	"xmlcurld/cmd/lab/testbed"
	"xmlcurld/cmd/lab/world"
)

// bench is everything that runs while it is measured.
type bench struct {
	testbed.Bed
	options  options
	large    testbed.Server // xmlcurld on the large world
	other    testbed.Server // the other build, on a large world of its own; nothing without -against
	subjects []*subject
	events   []event
	memory   int64 // the most that xmlcurld on the large world had resident, in bytes
}

// subject is one server under one load.
type subject struct {
	name     string
	question string // its name
	server   testbed.Server
	load     *load.Load
	rounds   []round
}

// round is one measurement.
type round struct {
	load.Sample
	server, postgres, load time.Duration // processor time
}

// Names of subjects are those of questions, with what answers if it is not xmlcurld on the large world.
const (
	byOther    = ", other build"
	byNginx    = ", nginx"
	byGo       = ", plain Go"
	smallWorld = ", 1,000 numbers"
	oneAtATime = ", one at a time"
)

// open makes the worlds and starts everything. It returns b with an error too, to be closed.
func open(ctx context.Context, o options) (b *bench, err error) {
	b = &bench{options: o}
	if b.Bed, err = testbed.Open(ctx, o.dir, o.Server); err != nil {
		return b, err
	}
	if b.large, err = b.ServeWorld(ctx, "xmlcurld", o.sizes); err != nil {
		return b, err
	}
	small, err := b.ServeWorld(ctx, "xmlcurld-small", b.few())
	if err != nil {
		return b, err
	}
	if o.against != "" {
		if b.other, err = b.serveOther(ctx); err != nil {
			return b, fmt.Errorf("the other build: %w", err)
		}
	}
	return b, b.addSubjects(ctx, small)
}

// few is the size of a world with a thousand numbers, and as much of everything else.
func (b *bench) few() world.Sizes {
	s := b.options.sizes
	s.Numbers = 1000
	return s
}

// addSubjects asks every question once, and sets up who will answer it: xmlcurld, and nginx with that very answer. To
// the first of them, a call, others answer too.
func (b *bench) addSubjects(ctx context.Context, small testbed.Server) error {
	s, n := b.options.sizes, b.options.inFlight
	questions, err := load.Questions(s)
	if err != nil {
		return err
	}
	answers := map[string][]byte{}
	for i := range questions {
		q := &questions[i]
		answer, err := q.AskFirst(ctx, b.large.Address, s)
		if err != nil {
			return fmt.Errorf("%s: %w", q.Name, err)
		}
		answers[q.Path()] = answer
	}
	nginx, err := b.Started(rig.StartNginx(ctx, b.Dir, answers))
	if err != nil {
		return err
	}
	call := questions[0]
	plain, err := b.Started(startConstant(ctx, b.Dir, answers[call.Path()]))
	if err != nil {
		return err
	}
	b.add(call.Name+byGo, call, plain, call.ConstantLoad(plain.Address, s, n))
	b.add(call.Name+smallWorld, call, small, call.Load(small.Address, b.few(), n)) // next to the large one, that it is compared with
	for _, q := range questions {
		inFlight := n
		if q.Alone {
			inFlight = 1
		}
		if err := b.addBoth(ctx, q.Name, q, nginx, inFlight); err != nil {
			return err
		}
	}
	return b.addBoth(ctx, call.Name+oneAtATime, call, nginx, 1)
}

// addBoth adds xmlcurld under the load of q, the other build if there is one, and nginx.
func (b *bench) addBoth(ctx context.Context, name string, q load.Question, nginx testbed.Server, inFlight int) error {
	b.add(name, q, b.large, q.Load(b.large.Address, b.options.sizes, inFlight))
	if err := b.addOther(ctx, name, q, inFlight); err != nil {
		return err
	}
	b.add(name+byNginx, q, nginx, q.ConstantLoad(nginx.Address, b.options.sizes, inFlight))
	return nil
}

// add adds a subject, if it is wanted.
func (b *bench) add(name string, q load.Question, by testbed.Server, l *load.Load) {
	if b.options.only.MatchString(name) {
		b.subjects = append(b.subjects, &subject{name: name, question: q.Name, server: by, load: l})
	}
}

// Measure measures every subject in every round, and then the events. Each round begins with another subject.
func (b *bench) Measure(ctx context.Context) (err error) {
	// What is slow the first time only: not least each page of a table, for each process of PostgreSQL's.
	for _, s := range b.subjects {
		if _, err := s.load.Run(2 * b.options.duration); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	for r := range b.options.rounds {
		rig.Progress("round %d of %d", r+1, b.options.rounds)
		for i := range b.subjects {
			s := b.subjects[(i+r)%len(b.subjects)]
			if err := b.measureOne(s); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	if err := b.measureEvents(ctx); err != nil {
		return err
	}
	b.memory, err = b.large.Process.PeakMemory()
	return err
}

// measureOne measures s, after a short time of the same load.
func (b *bench) measureOne(s *subject) error {
	if _, err := s.load.Run(b.options.duration / 10); err != nil {
		return err
	}
	pid := s.server.Process.PID()
	server, postgres, own := rig.ProcessorTime(pid), rig.ProcessorTime(b.Postgres), rig.OwnProcessorTime()
	outcome, err := s.load.Run(b.options.duration)
	s.rounds = append(s.rounds, round{
		Sample:   outcome.Sample(),
		server:   rig.ProcessorTime(pid) - server,
		postgres: rig.ProcessorTime(b.Postgres) - postgres,
		load:     rig.OwnProcessorTime() - own,
	})
	return err
}

// subject returns the subject of that name, or nil.
func (b *bench) subject(name string) *subject {
	for _, s := range b.subjects {
		if s.name == name {
			return s
		}
	}
	return nil
}
