package reconcile

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"xmlcurld/db/switchstate"
	"xmlcurld/internal/reconcile/liveswitch"
)

// soonTries is how often what failed is tried again at the next tick. After that it waits for a look at everything.
const soonTries = 8

// node takes care of one switch: a worker that looks at it now and then, and when it is told to.
type node struct {
	keeper *Keeper
	name   string
	stop   context.CancelFunc
	wake   chan struct{}

	mu    sync.Mutex
	told  aspects
	asked time.Time // by the database's clock, when somebody asked for a look last and waits for it; zero: nobody does
	fetch time.Time // by the database's clock, when the switch was seen to fetch a document last
	stirs bool      // it fetched one since the last look: it is there, or about to be

	// Below is the worker's own.
	sw        *liveswitch.Switch
	mine      bool // this server takes care of it
	lastLook  time.Time
	lastWhole time.Time
	findings  map[aspects]liveswitch.Findings
	tries     int           // looks in a row with nothing new told and nobody waiting
	rest      time.Duration // between tries to open its event socket, since it did not open
	retry     time.Time     // when to try that again
	saved     switchstate.NodeState
}

func newNode(k *Keeper, name string, stop context.CancelFunc) *node {
	n := &node{
		keeper: k, name: name, stop: stop, wake: make(chan struct{}, 1), told: everything,
		findings: make(map[aspects]liveswitch.Findings),
	}
	n.sw = liveswitch.New(k.rows.Rows, name, liveswitch.Options{
		AskTime: k.options.Pace.Ask, Sent: k.metrics.command, Stirred: func() { n.tell(fetched, time.Time{}) },
	})
	return n
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
	defer n.keeper.metrics.forget(n.name)
	defer n.sw.Disconnect()
	tick := time.NewTicker(n.keeper.options.Pace.Look)
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
	n.rest = min(max(2*n.rest, n.keeper.options.Pace.Away/16), n.keeper.options.Pace.Away)
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
	if !n.sw.Connected() && time.Now().Before(n.retry) {
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
		if (len(found.Pending) > 0 || found.Err != nil) && (n.tries < soonTries || a&(connection|fetched) != 0) {
			todo |= a
		}
	}
	if todo == everything {
		n.lastWhole = time.Now()
	}
	return todo, asked
}
