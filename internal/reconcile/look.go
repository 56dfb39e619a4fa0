package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"xmlcurld/db"
	"xmlcurld/internal/reconcile/liveswitch"
)

// lookTimeout bounds one look at a switch, everything that has to be done on it included.
const lookTimeout = time.Minute

// look brings the switch in sync, if this server takes care of it, in the aspects that it was told of and in those that
// were not in sync the last time.
func (n *node) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	if !n.claim() {
		return
	}
	todo, asked := n.due()
	if todo == 0 && (!n.sw.Connected() || n.sw.Alive(ctx)) && asked.IsZero() {
		return
	}
	n.lastLook = time.Now()
	if err := n.lookAt(ctx, todo, asked); err != nil && ctx.Err() == nil {
		n.keeper.options.Log.Warn("cannot look after a node", "node", n.name, "error", err)
		n.again(todo, asked)
	}
}

// claim reports whether this server takes care of the switch. One that it takes over it looks at whole.
func (n *node) claim() bool {
	mine, err := n.keeper.claims.Claim(n.name)
	if err != nil || !mine {
		if n.mine {
			n.sw.Disconnect()
			n.keeper.metrics.forget(n.name)
		}
		n.mine = false
		return false
	}
	if !n.mine {
		n.mine = true
		n.findings = make(map[aspects]liveswitch.Findings)
		n.again(everything, time.Time{})
	}
	return true
}

// lookAt looks at some aspects and saves what it found. Notices come in the order of the commits: so if somebody asked,
// all that was committed before that has been told of, and is among what was looked at by then. The error is the
// database's: then nothing is known.
func (n *node) lookAt(ctx context.Context, todo aspects, asked time.Time) error {
	rows, err := n.keeper.rows.Nodes(ctx, n.name)
	if err != nil || len(rows) == 0 {
		return err
	}
	row := rows[0]
	n.sw.Update(row)
	if row.Refers && !asked.IsZero() { // files change without a notice
		todo |= gateways | fetched
	}
	if row.Fault != "" {
		n.sw.Disconnect()
		n.findings[connection] = liveswitch.Findings{Pending: []string{"event socket: its password"}, Err: errors.New(row.Fault)}
		return n.save(ctx, time.Time{})
	}
	look := n.inspect
	if row.Address == "" || row.Password == "" {
		n.sw.Disconnect()
		look = n.judge
	} else if !n.sw.Connected() {
		todo = everything
		if err := n.sw.Connect(ctx); err != nil {
			n.findings[connection] = liveswitch.Findings{Pending: []string{"event socket"}, Err: err}
			n.backOff()
			return n.save(ctx, time.Time{})
		}
		n.rest, n.tries = 0, 0
		delete(n.findings, connection)
	}
	if err := look(ctx, todo); err != nil {
		return err
	}
	if todo == everything {
		asked = row.ReadAt
	}
	return n.save(ctx, asked)
}

// inspect looks at aspect after aspect while the switch answers. The error is the database's.
func (n *node) inspect(ctx context.Context, todo aspects) error {
	for _, step := range steps(n.sw, todo) {
		if !n.claim() { // another server may have it by now
			return nil
		}
		n.sw.Refusal = ""
		var found liveswitch.Findings
		err := step.look(ctx, &found)
		if errors.Is(err, db.ErrUnavailable) {
			return err
		}
		if found.Err = err; err == nil && len(found.Pending) > 0 && n.sw.Refusal != "" {
			found.Err = errors.New(n.sw.Refusal)
		}
		n.findings[step.aspect] = found
		if liveswitch.Lost(err) {
			n.sw.Disconnect()
			n.findings[connection] = liveswitch.Findings{Pending: []string{"event socket"}, Err: err}
			return nil
		}
	}
	return nil
}

// step looks at one aspect.
type step struct {
	aspect aspects
	look   func(context.Context, *liveswitch.Findings) error
}

// steps look at some aspects of a switch, one after the other.
func steps(sw *liveswitch.Switch, todo aspects) []step {
	return slices.DeleteFunc([]step{
		{modules, sw.Modules},
		{limits, sw.Limits},
		{lists, sw.Lists},
		{profiles, sw.Profiles},
		{gateways, sw.Gateways},
		{users, sw.Users},
		{fetched, sw.Fetched},
	}, func(s step) bool { return todo&s.aspect == 0 })
}

// judge tells what can be told of a switch whose event socket this server does not have.
func (n *node) judge(ctx context.Context, todo aspects) error {
	if todo == 0 {
		return nil
	}
	var found liveswitch.Findings
	err := n.sw.CompareFetches(ctx, &found)
	if err == nil {
		n.findings = map[aspects]liveswitch.Findings{fetched: found}
	}
	return err
}
