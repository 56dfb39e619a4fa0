package nodes

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"xmlcurld/db"
	"xmlcurld/eventsocket"
)

const (
	// lookTimeout bounds one look at a switch, everything that has to be done on it included.
	lookTimeout = time.Minute
	// soonTries is how often what failed is tried again at the next tick. After that it waits for a look at everything.
	soonTries = 8
)

// node takes care of one switch.
type node struct {
	*Keeper
	name string
	stop context.CancelFunc
	wake chan struct{}

	mu    sync.Mutex
	told  aspects
	asked time.Time // by the database's clock, when somebody asked for a look last and waits for it; zero: nobody does
	fetch time.Time // by the database's clock, when the switch was seen to fetch a document last
	stirs bool      // it fetched one since the last look: it is there, or about to be

	// Below is the goroutine's own.
	mine      bool // this server takes care of it
	row       db.Node
	conn      *eventsocket.Conn
	took      login             // with which conn was opened
	runs      map[string]string // the gateways that it was seen to run since conn was opened, with their revisions
	stays     map[string]bool   // the modules that it did not unload since then, and will not
	loglevel  string            // what it was told since then: it cannot be asked
	usersSeen string            // the snapshot up to which changes of users were applied, as saved
	lastLook  time.Time
	lastWhole time.Time
	findings  map[aspects]findings
	tries     int           // looks in a row with nothing new told and nobody waiting
	rest      time.Duration // between tries to open its event socket, since it did not open
	retry     time.Time     // when to try that again
	refusal   string        // what the switch refused last in this look at an aspect
	saved     db.NodeState
	savedRow  db.Node
	savedAt   time.Time
}

// findings is what a look at one aspect came to.
type findings struct {
	pending []string // what the switch does not run yet
	restart []string // what it will run after a restart only
	err     error    // or what the switch said to a command whose effect is pending
}

func newNode(k *Keeper, name string, stop context.CancelFunc) *node {
	return &node{
		Keeper: k, name: name, stop: stop, wake: make(chan struct{}, 1), told: everything,
		findings: make(map[aspects]findings),
	}
}

// tell has the node look at some aspects, soon.
func (n *node) tell(a aspects, asked time.Time) {
	n.again(a, asked)
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n *node) run(ctx context.Context) {
	defer n.metrics.forget(n.name)
	defer n.disconnect()
	tick := time.NewTicker(n.pace.Look)
	defer tick.Stop()
	for {
		n.look(ctx)
		select {
		case <-n.wake:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if !n.gather(ctx) {
			return
		}
	}
}

// gather waits for more notices. It is false when ctx ends.
func (n *node) gather(ctx context.Context) bool {
	for began := time.Now(); ; {
		select {
		case <-time.After(n.patience() - time.Since(began)):
			return true
		case <-n.wake: // somebody may wait for it now
		case <-ctx.Done():
			return false
		}
	}
}

// patience is how long to wait for more notices before looking: little after a quiet time, more in a burst.
func (n *node) patience() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.asked.IsZero() || time.Since(n.lastLook) > burst {
		return gather
	}
	return burst / 2
}

// look brings the switch in step, if this server takes care of it, in the aspects that it was told of and in those that
// were not in step the last time.
func (n *node) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	if !n.claim() {
		return
	}
	todo, asked := n.due()
	if todo == 0 && (n.conn == nil || n.alive(ctx)) && asked.IsZero() {
		return
	}
	n.lastLook = time.Now()
	if err := n.lookAt(ctx, todo, asked); err != nil && ctx.Err() == nil {
		n.log.Warn("cannot look after a node", "node", n.name, "error", err)
		n.again(todo, asked)
	}
}

// fetchedAt tells when the switch fetched a document last. When that is news the switch is there, or about to be.
func (n *node) fetchedAt(at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stirs = n.stirs || at.After(n.fetch)
	n.fetch = at
}

// backOff doubles the rest before the event socket is tried again. Of many switches that are gone, each rests for another
// while.
func (n *node) backOff() {
	n.rest = min(max(2*n.rest, n.pace.Away/16), n.pace.Away)
	n.retry = time.Now().Add(n.rest*3/4 + rand.N(n.rest/4))
}

// again has aspects looked at at the next tick, or sooner.
func (n *node) again(a aspects, asked time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told |= a
	if asked.After(n.asked) {
		n.asked = asked
	}
}

// claim reports whether this server takes care of the switch. One that it takes over it looks at whole.
func (n *node) claim() bool {
	mine, err := n.claims.Claim(n.name)
	if err != nil || !mine {
		if n.mine {
			n.disconnect()
			n.metrics.forget(n.name)
		}
		n.mine = false
		return false
	}
	if !n.mine {
		n.mine = true
		n.findings = make(map[aspects]findings)
		n.again(everything, time.Time{})
	}
	return true
}

// due takes what has to be looked at, and when that was asked for.
func (n *node) due() (todo aspects, asked time.Time) {
	n.mu.Lock()
	todo, asked = n.told, n.asked
	stirs := n.stirs
	n.told, n.asked, n.stirs = 0, time.Time{}, false
	n.mu.Unlock()
	if stirs || todo == everything || !asked.IsZero() {
		n.rest, n.retry = 0, time.Time{}
	}
	if n.conn == nil && time.Now().Before(n.retry) {
		return 0, asked // once it is there, everything has to be looked at
	}
	if n.tries++; todo != 0 || !asked.IsZero() {
		n.tries = 0
	}
	if time.Since(n.lastWhole) > wholeEvery {
		todo = everything
	}
	for a, found := range n.findings {
		// A module that does not load now will hardly do so two seconds from now, unless somebody waits for it.
		if (len(found.pending) > 0 || found.err != nil) && (n.tries < soonTries || a&(connection|fetched) != 0) {
			todo |= a
		}
	}
	if todo == everything {
		n.lastWhole = time.Now()
	}
	return todo, asked
}

// alive reports whether the switch still answers; if not, everything has to be looked at.
func (n *node) alive(ctx context.Context) bool {
	if _, err := n.ask(ctx, "uptime", "s"); err != nil {
		n.disconnect()
		return false
	}
	return true
}

// lookAt looks at some aspects and saves what it found. Notices come in the order of the commits: so if somebody asked,
// all that was committed before that has been told of, and is among what was looked at by then. The error is the
// database's: then nothing is known.
func (n *node) lookAt(ctx context.Context, todo aspects, asked time.Time) error {
	row, there, err := n.rows.Node(ctx, n.name)
	if err != nil || !there {
		return err
	}
	n.usersSeen, row.UsersSeen = row.UsersSeen, ""
	n.row = row
	if row.Refers && !asked.IsZero() { // files change without a notice
		todo |= gateways | fetched
	}
	if row.Fault != "" {
		n.disconnect()
		n.findings[connection] = findings{pending: []string{"event socket: its password"}, err: errors.New(row.Fault)}
		return n.save(ctx, time.Time{})
	}
	if row.Address == "" || row.Password == "" {
		n.disconnect()
		if todo == everything {
			asked = row.ReadAt
		}
		return n.judge(ctx, todo, asked)
	}
	if n.conn == nil {
		todo = everything
		if err := n.connect(ctx); err != nil {
			n.findings[connection] = findings{pending: []string{"event socket"}, err: err}
			n.backOff()
			return n.save(ctx, time.Time{})
		}
		n.rest, n.tries = 0, 0
		delete(n.findings, connection)
	}
	n.row.TookAddress, n.row.TookPassword = n.took.address, n.took.password
	if err := n.inspect(ctx, todo); err != nil {
		return err
	}
	if todo == everything {
		asked = row.ReadAt
	}
	return n.save(ctx, asked)
}

// inspect looks at aspect after aspect while the switch answers. The error is the database's.
func (n *node) inspect(ctx context.Context, todo aspects) error {
	for _, step := range []struct {
		aspect aspects
		look   func(context.Context) (findings, error)
	}{
		{modules, n.modules},
		{limits, n.limits},
		{lists, n.lists},
		{profiles, n.profiles},
		{gateways, n.gateways},
		{users, n.users},
		{fetched, n.fetched},
	} {
		if todo&step.aspect == 0 {
			continue
		}
		if !n.claim() { // another server may have it by now
			return nil
		}
		n.refusal = ""
		found, err := step.look(ctx)
		if errors.Is(err, db.ErrUnavailable) {
			return err
		}
		if found.err = err; err == nil && len(found.pending) > 0 && n.refusal != "" {
			found.err = errors.New(n.refusal)
		}
		n.findings[step.aspect] = found
		if lost := (lostError{}); errors.As(err, &lost) {
			n.disconnect()
			n.findings[connection] = findings{pending: []string{"event socket"}, err: err}
			return nil
		}
	}
	return nil
}

// pause waits for d.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
