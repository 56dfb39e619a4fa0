//go:build linux

package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"time"

	"xmlcurld/cmd/lab/rig"
	"xmlcurld/db/dbtest/fault"
	"xmlcurld/db/localpg"
	"xmlcurld/internal/pace"
)

const (
	// calm is how long all must be answered from the database before the next thing breaks: so long that whoever was
	// connected meanwhile must know of all commits until then.
	calm = fresh + 300*time.Millisecond
	// recovery is how long that may take to begin.
	recovery = 10 * time.Second
	// stepTime ends a fault that cannot be made or mended.
	stepTime = time.Minute
)

// chaos is everything that runs.
type chaos struct {
	options  options
	chance   *rand.Rand
	dir      string
	remove   func()
	pair     *fault.Pair
	primary  *address
	server   *server
	truth    *truth
	asked    *asked
	load     *load
	editor   *editor
	happened []event
	memory   []int64 // resident, in bytes: before the first fault, and after each round
}

// event is a breakage that happened.
type event struct {
	name                string
	began, mended, over time.Time
}

// open starts everything, and asks for a while. It returns c with an error too, to be closed.
func open(ctx context.Context, o options) (c *chaos, err error) {
	c = &chaos{options: o, chance: rand.New(rand.NewPCG(o.seed, 0)), primary: &address{}, truth: newTruth()}
	if c.dir, c.remove, err = fault.TempDir(); err != nil {
		return c, err
	}
	if err := c.startDatabases(ctx); err != nil {
		return c, err
	}
	if err := c.startServer(ctx); err != nil {
		return c, err
	}
	if c.asked, err = newQuestions(); err != nil {
		return c, err
	}
	questions := c.asked.all()
	answers, err := consult(ctx, c.primary.get(), questions)
	if err != nil {
		return c, err
	}
	c.truth.learn(questions, answers, time.Time{}, time.Time{})
	return c, c.warmUp(ctx, questions)
}

func (c *chaos) startDatabases(ctx context.Context) (err error) {
	rig.Progress("starting a primary and its standby")
	if c.pair, err = fault.StartPair(ctx, c.dir); err != nil {
		return err
	}
	c.primary.set(c.primaryURL())
	if err := makeWorld(ctx, c.pair.Primary); err != nil {
		return err
	}
	return c.pair.AwaitStandby(ctx)
}

func (c *chaos) primaryURL() string { return urlAs(c.pair.Primary, localpg.Superuser) }

func (c *chaos) startServer(ctx context.Context) (err error) {
	binary := c.options.server
	if binary == "" {
		rig.Progress("building xmlcurld")
		if binary, err = rig.Build(ctx, c.dir); err != nil {
			return err
		}
	}
	who, err := c.pair.Primary.Account()
	if err != nil {
		return err
	}
	if c.server, err = newServer(binary, c.dir, c.pair.URL(role, database), who); err != nil {
		return err
	}
	if err := c.server.start(ctx); err != nil {
		return err
	}
	return c.server.process.Await(ctx, func() error { return rig.Ready(c.server.admin) })
}

// warmUp asks every question that comes again once, and then begins with load and edits.
func (c *chaos) warmUp(ctx context.Context, questions []*question) error {
	c.load = newLoad(c.server.address, c.asked, c.options.seed, patience)
	for _, q := range questions {
		r := c.load.ask(q)
		if r.outcome != answered {
			return fmt.Errorf("%s: not answered while all is well (%d)", q.name(), r.outcome)
		}
		c.load.keep(r)
	}
	c.load.start(c.options.rate)
	c.editor = startEditor(c.primary, c.truth, questions, c.options.seed)
	if err := c.calmDown(ctx, time.Now()); err != nil {
		return err
	}
	return c.weigh()
}

// weigh takes down how much memory the server has.
func (c *chaos) weigh() error {
	resident, err := c.server.process.Memory()
	c.memory = append(c.memory, resident)
	return err
}

// breakThings goes through the faults until the time is over.
func (c *chaos) breakThings(ctx context.Context) error {
	only, err := regexp.Compile(c.options.only)
	if err != nil {
		return err
	}
	end := time.Now().Add(c.options.time)
	for round := 1; round == 1 || time.Now().Before(end); round++ {
		for _, b := range breakages {
			if c.options.short && !b.short || !only.MatchString(b.name) {
				continue
			}
			rig.Progress("round %d: %s", round, b.name)
			if err := c.breakOne(ctx, b); err != nil {
				return fmt.Errorf("%s: %w", b.name, err)
			}
		}
		if err := c.weigh(); err != nil {
			return err
		}
	}
	return nil
}

// breakOne lets b happen, and returns when all has calmed down.
func (c *chaos) breakOne(ctx context.Context, b breakage) error {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	hold := c.options.hold
	if !c.options.short {
		hold = hold/2 + time.Duration(c.chance.Int64N(int64(hold)))
	}
	e := event{name: b.name, began: time.Now()}
	if err := b.happen(c, ctx, hold); err != nil {
		return err
	}
	e.mended = time.Now()
	if err := c.pair.AwaitStandby(ctx); err != nil {
		return err
	}
	err := c.calmDown(ctx, e.mended)
	e.over = time.Now()
	c.happened = append(c.happened, e)
	return err
}

// calmDown returns when all has been answered from the database for a while, or will not be.
func (c *chaos) calmDown(ctx context.Context, since time.Time) error {
	for until := time.Now().Add(recovery); !c.load.recovered(calm, since) && time.Now().Before(until); {
		select {
		case <-c.server.process.Done():
			return errors.New("xmlcurld ended by itself")
		default:
		}
		if pace.Sleep(ctx, 20*time.Millisecond); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// learnRest learns what was right for the questions that came once: nobody edited it.
func (c *chaos) learnRest(ctx context.Context) error {
	var once []*question
	for _, r := range c.load.records {
		if r.question.first {
			once = append(once, r.question)
		}
	}
	for some := range slices.Chunk(once, 100) {
		answers, err := consult(ctx, c.primary.get(), some)
		if err != nil {
			return err
		}
		c.truth.learn(some, answers, time.Time{}, time.Time{})
	}
	return nil
}

// close stops everything.
func (c *chaos) close() error {
	var err error
	if c.server != nil && c.server.process != nil {
		c.server.process.Stop()
	}
	if c.pair != nil {
		err = c.pair.Stop()
	}
	if c.remove != nil {
		c.remove()
	}
	return err
}
