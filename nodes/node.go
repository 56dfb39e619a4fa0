package nodes

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	// saveTime bounds saving what a look found, which has to be known even when the look took all the time there was.
	saveTime = 2 * time.Second
)

// node takes care of one switch.
type node struct {
	*Keeper
	name string
	stop context.CancelFunc
	wake chan struct{}

	mu     sync.Mutex
	told   aspects
	urgent bool // somebody waits for it

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
	tries     int    // looks in a row at what was not in step, with nothing new told
	refusal   string // what the switch refused last in this look at an aspect
	saved     db.NodeState
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
func (n *node) tell(a aspects, urgent bool) {
	n.mu.Lock()
	n.told |= a
	n.urgent = n.urgent || urgent
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n *node) run(ctx context.Context) {
	defer n.metrics.forget(n.name)
	defer n.disconnect()
	tick := time.NewTicker(lookEvery)
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
	if n.urgent || time.Since(n.lastLook) > burst {
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
	todo := n.due()
	if todo == 0 && (n.conn == nil || n.alive(ctx)) {
		return
	}
	n.lastLook = time.Now()
	if err := n.lookAt(ctx, todo); err != nil && ctx.Err() == nil {
		n.log.Warn("cannot look after a node", "node", n.name, "error", err)
		n.again(todo)
	}
}

// again has aspects looked at once more at the next tick.
func (n *node) again(a aspects) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told |= a
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
		n.again(everything)
	}
	return true
}

// due takes what has to be looked at.
func (n *node) due() aspects {
	n.mu.Lock()
	todo := n.told
	n.told, n.urgent = 0, false
	n.mu.Unlock()
	if n.tries++; todo != 0 {
		n.tries = 0
	}
	if time.Since(n.lastWhole) > wholeEvery {
		todo = everything
	}
	for a, found := range n.findings {
		// A module that does not load now will hardly do so two seconds from now.
		if (len(found.pending) > 0 || found.err != nil) && (n.tries < soonTries || a&(connection|fetched) != 0) {
			todo |= a
		}
	}
	if todo == everything {
		n.lastWhole = time.Now()
		n.runs = make(map[string]string)
	}
	return todo
}

// alive reports whether the switch still answers; if not, everything has to be looked at.
func (n *node) alive(ctx context.Context) bool {
	if _, err := n.ask(ctx, "uptime", "s"); err != nil {
		n.disconnect()
		return false
	}
	return true
}

// lookAt looks at some aspects and saves what it found. The error is the database's: then nothing is known.
func (n *node) lookAt(ctx context.Context, todo aspects) error {
	row, there, err := n.rows.Node(ctx, n.name)
	if err != nil || !there {
		return err
	}
	n.usersSeen, row.UsersSeen = row.UsersSeen, ""
	n.row = row
	if row.Fault != "" {
		n.disconnect()
		n.findings[connection] = findings{pending: []string{"event socket: its password"}, err: errors.New(row.Fault)}
		return n.save(ctx, nil)
	}
	if row.Address == "" || row.Password == "" {
		n.disconnect()
		return n.judge(ctx)
	}
	if n.conn == nil {
		todo = everything
		if err := n.connect(ctx); err != nil {
			n.findings[connection] = findings{pending: []string{"event socket"}, err: err}
			return n.save(ctx, nil)
		}
		delete(n.findings, connection)
	}
	n.row.TookAddress, n.row.TookPassword = n.took.address, n.took.password
	if err := n.inspect(ctx, todo); err != nil {
		return err
	}
	if todo != everything {
		return n.save(ctx, nil)
	}
	return n.save(ctx, &row.ReadAt)
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

// save keeps what was found, for xmlcurld nodes and for the server that takes over. looked is when a look at everything
// began.
func (n *node) save(ctx context.Context, looked *time.Time) error {
	if !n.mine {
		return nil
	}
	state := db.NodeState{
		Node: n.name, Server: n.server, Reachable: n.conn != nil,
		Pending: []string{}, RestartRequired: []string{}, LookedAt: looked,
	}
	for a := aspects(1); a <= connection; a <<= 1 {
		found := n.findings[a]
		state.Pending = append(state.Pending, found.pending...)
		state.RestartRequired = append(state.RestartRequired, found.restart...)
		if found.err != nil {
			state.LastError = fmt.Sprintf("%s: %v", a, found.err)
		}
	}
	if state.LastError != "" && len(state.Pending) == 0 {
		state.Pending = append(state.Pending, "unknown")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	since, err := n.rows.SaveNodeState(ctx, state, n.row)
	if err != nil {
		return err
	}
	state.PendingSince = since
	n.report(state)
	return nil
}

// report tells metrics and, when it is news, the log.
func (n *node) report(state db.NodeState) {
	n.metrics.set(state)
	news := !slices.Equal(state.Pending, n.saved.Pending) || !slices.Equal(state.RestartRequired, n.saved.RestartRequired) ||
		state.LastError != n.saved.LastError || state.Reachable != n.saved.Reachable
	n.saved = state
	if !news {
		return
	}
	switch {
	case state.LastError != "":
		n.log.Warn("node not in step", "node", n.name, "reachable", state.Reachable, "pending", state.Pending, "error", state.LastError)
	case len(state.Pending) > 0:
		n.log.Info("node not in step yet", "node", n.name, "pending", state.Pending)
	case len(state.RestartRequired) > 0:
		n.log.Warn("node in step but for what a restart takes", "node", n.name, "restart_required", state.RestartRequired)
	default:
		n.log.Info("node in step", "node", n.name)
	}
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
