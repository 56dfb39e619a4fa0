// Package reconcile keeps every switch in sync with the rows: it notices a committed edit, and has each switch compared with
// the rows and brought in sync (package liveswitch). It keeps what was found for xmlcurld nodes and xmlcurld wait.
//
// Nothing is handed on from edit to switch. Each look compares what the rows say with what the switch says, so a notice
// that was missed, a server that was down or a switch that was away costs time and nothing else. Notices only say when
// to look, and at what.
package reconcile

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db/switchstate"
	"xmlcurld/db/table"
)

const (
	// wholeEvery is how often everything is read back, whether or not a notice came.
	wholeEvery = 30 * time.Second
	// gather is how long after a notice more of them are waited for, so that one statement after the other is one edit.
	gather = 20 * time.Millisecond
	// burst is the time within which a further notice belongs to a burst: then looks are half of it apart.
	burst = 200 * time.Millisecond
	// forgetEvery is how often old changes of users are deleted.
	forgetEvery = time.Hour
)

// Options are what a Keeper needs besides the rows.
type Options struct {
	Server     string // this server's name, shown by xmlcurld nodes
	Log        *slog.Logger
	Registerer prometheus.Registerer
	Pace       Pace // zero: that of Steady
}

// Pace is how long a Keeper waits for what.
type Pace struct {
	Look time.Duration // between looks: bounds how long a missed notice, a switch that is back or another server's death go unseen
	Ask  time.Duration // for replies to what was sent at once
	Away time.Duration // at most, between tries to reach a switch that is not there
}

// Steady is the pace of the program.
var Steady = Pace{Look: 2 * time.Second, Ask: 15 * time.Second, Away: 30 * time.Second}

// Keeper takes care of the switches that no other server takes care of.
type Keeper struct {
	rows    *switchstate.Store
	claims  *switchstate.Claims
	options Options
	metrics *metrics
	wake    chan struct{} // the nodes may be others now

	mu    sync.Mutex
	nodes map[string]*node
}

// New makes a Keeper and registers its metrics.
func New(rows *switchstate.Store, o Options) *Keeper {
	if o.Pace == (Pace{}) {
		o.Pace = Steady
	}
	return &Keeper{
		rows: rows, claims: switchstate.NewClaims(rows.DB()), options: o, metrics: newMetrics(o.Registerer),
		wake: make(chan struct{}, 1), nodes: make(map[string]*node),
	}
}

// Run keeps the switches until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { k.rows.Listen(ctx, k.notice) })
	look := time.NewTicker(k.options.Pace.Look)
	defer look.Stop()
	forget := time.NewTicker(forgetEvery)
	defer forget.Stop()
	for {
		k.startNodes(ctx, &all)
		select {
		case <-look.C:
		case <-k.wake:
		case <-forget.C:
			if err := k.rows.ForgetChanges(ctx); err != nil && ctx.Err() == nil {
				k.options.Log.Warn("cannot forget old changes of users", "error", err)
			}
		case <-ctx.Done():
			all.Wait()
			k.claims.Close()
			return
		}
	}
}

// notice has every node look at what a change of one kind can make different. Whoever waits learns when all that was
// told before was looked at.
func (k *Keeper) notice(about table.Notice) {
	if about.Lost != nil {
		k.options.Log.Warn("not listening for edits, so they are looked for now and then", "error", about.Lost)
		return
	}
	what := aspectsOf(about.Kind)
	if what == everything {
		select {
		case k.wake <- struct{}{}:
		default:
		}
	}
	if what == 0 && about.Asked.IsZero() {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, n := range k.nodes {
		n.tell(what, about.Asked)
	}
}

// startNodes starts to take care of nodes that were inserted, and stops with those that were deleted.
func (k *Keeper) startNodes(ctx context.Context, all *sync.WaitGroup) {
	rows, err := k.rows.Nodes(ctx)
	if err != nil {
		if ctx.Err() == nil {
			k.options.Log.Warn("cannot read the nodes", "error", err)
		}
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	there := make(map[string]bool, len(rows))
	for _, row := range rows {
		there[row.Name] = true
		if k.nodes[row.Name] == nil {
			own, cancel := context.WithCancel(ctx)
			n := newNode(k, row.Name, cancel)
			k.nodes[row.Name] = n
			all.Go(func() { n.run(own) })
		}
		k.nodes[row.Name].fetchedAt(row.FetchedAt)
	}
	for name, n := range k.nodes {
		if !there[name] {
			n.stop()
			delete(k.nodes, name)
		}
	}
}
