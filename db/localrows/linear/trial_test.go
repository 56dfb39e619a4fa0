package linear_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/localrows"
	"xmlcurld/db/table"
)

const (
	readers = 160 // enough that questions travel together
	writers = 4
	// patience is for one answer, on a machine that has much else to do.
	patience = time.Minute
	// deadline is for one answer while the database is made unavailable: a question that waits for a restore gives way to it.
	deadline = 2 * time.Second
)

// server is one of those that are asked, with connections and local rows of its own.
type server struct {
	url, dir string

	asked sync.RWMutex    // held by who asks, and alone while the server is started anew
	from  [2]*db.Rulebook // over the source for those who call, and the one for those who keep switches in sync
	stop  func()
}

// start starts the server on the local rows that it left behind, if there are any.
func (s *server) start() error {
	store, err := table.Open(context.Background(), s.url, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	local, err := localrows.Open(store, s.dir, 0, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		store.Close()
		return err
	}
	ctx, end := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() { local.Run(ctx) })
	s.from = [2]*db.Rulebook{
		db.NewRulebook(localrows.NewSource(store, local), nil),
		db.NewRulebook(localrows.NewStrictSource(store, local), nil),
	}
	s.stop = func() {
		end()
		following.Wait()
		_ = local.Close()
		store.Close()
	}
	return nil
}

// trial is writers that make versions of objects, and readers that ask servers for them.
type trial struct {
	url     string
	objects []*object
	asked   []*object // the same, each as often as its share of the questions
	servers []*server
	steps   []step // what else happens, one after the other

	ctx  context.Context
	fail context.CancelCauseFunc

	checks, commits, excused atomic.Int64
	taken                    atomic.Int64 // steps
	unavailable              atomic.Int64 // odd while the database is made unavailable, or servers find back to it

	emptying sync.RWMutex // held alone while a table is emptied
	mu       sync.Mutex
	ways     map[string]int64 // commits, by the way that they were made
}

// step is something that happens once in a trial.
type step struct {
	name string
	do   func(r *trial) error
}

// newTrial fills the database at url with the first versions of objects, and starts two servers on it.
func newTrial(t *testing.T, url string, objects []*object, steps ...step) *trial {
	t.Helper()
	r := &trial{url: url, objects: objects, steps: steps, ways: make(map[string]int64)}
	ctx, cancel := context.WithTimeout(t.Context(), trialTime)
	defer cancel()
	r.ctx = ctx
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, world); err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if _, err := conn.Exec(ctx, o.fill(o.kind.setup, 0)); err != nil {
			t.Fatalf("%v: %v", o, err)
		}
		if err := r.commit(conn, &ways[0], []*object{o}); err != nil {
			t.Fatal(err)
		}
		r.asked = append(r.asked, slices.Repeat([]*object{o}, max(1, o.kind.share))...)
	}
	dir := t.TempDir()
	for i := range 2 {
		s := &server{url: url, dir: filepath.Join(dir, strconv.Itoa(i))}
		if err := s.start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.stop() })
		r.servers = append(r.servers, s)
	}
	return r
}

// run makes at least so many checks, and a commit for a hundred of them, and takes all steps meanwhile. It fails at the
// first answer that is wrong, and when all that takes longer than limit.
func (r *trial) run(t *testing.T, checks int64, limit time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	r.ctx, r.fail = context.WithCancelCause(ctx)
	began := time.Now()
	least := checks / 100
	done := func() bool {
		return r.ctx.Err() != nil || r.checks.Load() >= checks && r.commits.Load() >= least && r.taken.Load() == int64(len(r.steps)) && r.allWays()
	}
	var all sync.WaitGroup
	for range readers {
		all.Go(func() {
			for !done() {
				r.note(r.check(r.servers[rand.IntN(len(r.servers))], r.asked[rand.IntN(len(r.asked))]))
			}
		})
	}
	for range writers {
		all.Go(func() { r.note(r.write(done)) })
	}
	all.Go(func() { r.note(r.takeSteps(checks)) })
	all.Wait()
	if err := context.Cause(r.ctx); err != nil {
		t.Errorf("after %d checks and %d commits, in step %d of %d: %v", r.checks.Load(), r.commits.Load(), r.taken.Load(), len(r.steps), err)
	}
	t.Logf("%d checks, %d of them excused, %d commits (%v), %d steps in %v", r.checks.Load(), r.excused.Load(), r.commits.Load(), r.ways,
		r.taken.Load(), time.Since(began))
}

func (r *trial) note(err error) {
	if err != nil {
		r.fail(err)
	}
}

// allWays reports whether versions were made in all ways.
func (r *trial) allWays() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range ways {
		if r.ways[ways[i].name] == 0 {
			return false
		}
	}
	return true
}

// takeSteps takes the steps, evenly spread over the checks.
func (r *trial) takeSteps(checks int64) error {
	for i, s := range r.steps {
		for due := checks * int64(i+1) / int64(len(r.steps)+1); r.checks.Load() < due; {
			if !r.pause() {
				return nil
			}
		}
		if err := s.do(r); err != nil {
			return errors.Join(errors.New(s.name), err)
		}
		r.taken.Add(1)
	}
	return nil
}

// pause waits a moment. It returns false when the trial has failed, or takes too long.
func (r *trial) pause() bool {
	select {
	case <-r.ctx.Done():
		return false
	case <-time.After(2 * time.Millisecond):
		return true
	}
}

// check asks s something about o and compares the answer with the versions that it may show.
func (r *trial) check(s *server, o *object) error {
	fresh, err := r.ask(s, o, o.aQuestion())
	if fresh {
		r.checks.Add(1)
	}
	return err
}

// ask asks s question q. It returns false for an answer that is marked as stale, or for none, which only a database that
// is made unavailable excuses.
func (r *trial) ask(s *server, o *object, q int) (fresh bool, err error) {
	s.asked.RLock()
	defer s.asked.RUnlock()
	before := r.unavailable.Load()
	limit := patience
	if before%2 != 0 {
		limit = deadline
	}
	ctx, cancel := context.WithTimeout(r.ctx, limit)
	defer cancel()
	least, asked := o.least(), time.Now()
	shown, freshness, err := o.asks[q](ctx, s.from[rand.IntN(len(s.from))])
	answered := time.Now()
	if err == nil {
		err = freshness.Reason
	}
	v, ok := o.versionOf(q, shown, least)
	excused := before%2 != 0 || r.unavailable.Load() != before || r.ctx.Err() != nil
	switch {
	case excused && (err != nil || !ok && o.kind.questions[q].bare):
		r.excused.Add(1)
		return false, nil
	case err != nil:
		return false, errors.Join(errors.New("no current answer: "+o.report(q, shown, least, asked, answered)), err)
	case !ok:
		return false, errors.New("a wrong answer: " + o.report(q, shown, least, asked, answered))
	}
	o.saw(v)
	return true, nil
}
