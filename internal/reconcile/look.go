package reconcile

import (
	"context"
	"errors"
	"time"

	"xmlcurld/db"
)

// lookTimeout bounds one look at a switch, everything that has to be done on it included.
const lookTimeout = time.Minute

// findings is what a look at one aspect came to.
type findings struct {
	pending []string // what the switch does not run yet
	restart []string // what it will run after a restart only
	err     error    // or what the switch said to a command whose effect is pending
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
