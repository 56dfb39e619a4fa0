//go:build linux

package bench

import (
	"context"
	"fmt"
	"time"

	"xmlcurld/cmd/lab/rig"
)

// bench is everything that runs while it is measured.
type bench struct {
	base
	options  options
	large    server // xmlcurld on the large world
	other    server // the other build, on a large world of its own; nothing without -against
	subjects []*subject
}

// server is what answers.
type server struct {
	process *rig.Process
	address string
}

// subject is one server under one load.
type subject struct {
	name     string
	question question
	server   server
	load     *load
	rounds   []round
}

// round is one measurement.
type round struct {
	sample
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
	if b.base, err = openBase(ctx, o.dir, o.server); err != nil {
		return b, err
	}
	if b.large, err = b.serve(ctx, "xmlcurld", o.sizes); err != nil {
		return b, err
	}
	small, err := b.serve(ctx, "xmlcurld-small", o.sizes.few())
	if err != nil {
		return b, err
	}
	if o.against != "" {
		if b.other, err = b.serveOther(ctx, o.against, o.sizes); err != nil {
			return b, fmt.Errorf("the other build: %w", err)
		}
	}
	return b, b.addSubjects(ctx, small)
}

// addSubjects asks every question once, and sets up who will answer it: xmlcurld, and nginx with that very answer. To
// the first of them, a call, others answer too.
func (b *bench) addSubjects(ctx context.Context, small server) error {
	s, n := b.options.sizes, b.options.inFlight
	questions, err := s.questions()
	if err != nil {
		return err
	}
	answers := map[string][]byte{}
	for i, q := range questions {
		answer, err := q.first(ctx, b.large.address, s)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		questions[i].length, answers[q.path()] = len(answer), answer
	}
	nginx, err := b.started(startNginx(ctx, b.dir, answers))
	if err != nil {
		return err
	}
	call := questions[0]
	plain, err := b.started(startConstant(ctx, b.dir, answers[call.path()]))
	if err != nil {
		return err
	}
	b.add(call.name+byGo, call, plain, call.constantLoad(s, n))
	b.add(call.name+smallWorld, call, small, call.load(s.few(), n)) // next to the large one, that it is compared with
	for _, q := range questions {
		inFlight := n
		if q.alone {
			inFlight = 1
		}
		b.add(q.name, q, b.large, q.load(s, inFlight))
		if err := b.addOther(ctx, q.name, q, q.load(s, inFlight)); err != nil {
			return err
		}
		b.add(q.name+byNginx, q, nginx, q.constantLoad(s, inFlight))
	}
	b.add(call.name+oneAtATime, call, b.large, call.load(s, 1))
	if err := b.addOther(ctx, call.name+oneAtATime, call, call.load(s, 1)); err != nil {
		return err
	}
	b.add(call.name+oneAtATime+byNginx, call, nginx, call.constantLoad(s, 1))
	for _, s := range b.subjects {
		if err := s.load.open(s.server.address); err != nil {
			return err
		}
	}
	return nil
}

// add adds a subject, if it is wanted.
func (b *bench) add(name string, q question, by server, l *load) {
	if b.options.only.MatchString(name) {
		b.subjects = append(b.subjects, &subject{name: name, question: q, server: by, load: l})
	}
}

// measure measures every subject in every round. Each round begins with another subject.
func (b *bench) measure(ctx context.Context) (report, error) {
	// What is slow the first time only: not least each page of a table, for each process of PostgreSQL's.
	for _, s := range b.subjects {
		if _, err := s.load.run(2 * b.options.duration); err != nil {
			return report{}, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	for r := range b.options.rounds {
		progress("round %d of %d", r+1, b.options.rounds)
		for i := range b.subjects {
			s := b.subjects[(i+r)%len(b.subjects)]
			if err := b.measureOne(s); err != nil {
				return report{}, fmt.Errorf("%s: %w", s.name, err)
			}
			if err := ctx.Err(); err != nil {
				return report{}, err
			}
		}
	}
	memory, err := b.large.process.PeakMemory()
	if err != nil {
		return report{}, err
	}
	return b.report(memory), nil
}

// measureOne measures s, after a short time of the same load.
func (b *bench) measureOne(s *subject) error {
	if _, err := s.load.run(b.options.duration / 10); err != nil {
		return err
	}
	pid := s.server.process.PID()
	server, postgres, own := processorTime(pid), processorTime(b.postgres), ownProcessorTime()
	sample, err := s.load.run(b.options.duration)
	s.rounds = append(s.rounds, round{
		sample:   sample,
		server:   processorTime(pid) - server,
		postgres: processorTime(b.postgres) - postgres,
		load:     ownProcessorTime() - own,
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
