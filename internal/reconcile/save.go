package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"xmlcurld/db/switchstate"
)

// saveTime bounds saving what a look found, which has to be known even when the look took all the time there was.
const saveTime = 2 * time.Second

// save keeps what was found, for xmlcurld nodes and for the server that takes over. What was committed before looked has
// been looked at; zero: there is no news of that.
func (n *node) save(ctx context.Context, looked time.Time) error {
	if !n.mine {
		return nil
	}
	state := switchstate.NodeState{
		Node: n.name, Server: n.keeper.options.Server, Reachable: n.sw.Connected(),
		Pending: []string{}, RestartRequired: []string{},
	}
	if !looked.IsZero() {
		state.LookedAt = &looked
	}
	for a := aspects(1); a <= connection; a <<= 1 {
		found := n.findings[a]
		state.Pending = append(state.Pending, found.Pending...)
		state.RestartRequired = append(state.RestartRequired, found.Restart...)
		if found.Err != nil {
			state.LastError = fmt.Sprintf("%s: %v", a, found.Err)
		}
	}
	// What a switch says may be any bytes, and Postgres takes no text that is not UTF-8 or holds a zero.
	state.LastError = text(state.LastError)
	for _, list := range [][]string{state.Pending, state.RestartRequired} {
		for i := range list {
			list[i] = text(list[i])
		}
	}
	if state.LastError != "" && len(state.Pending) == 0 {
		state.Pending = append(state.Pending, "unknown")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	since, err := n.keeper.rows.SaveNodeState(ctx, state, n.sw.Row)
	if err != nil {
		return err
	}
	state.PendingSince = since
	n.report(state)
	return nil
}

// text is said as Postgres can keep it.
func text(said string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(said, "\uFFFD"), "\x00", "\uFFFD")
}

// report tells metrics and, when it is news, the log.
func (n *node) report(state switchstate.NodeState) {
	n.keeper.metrics.set(state)
	news := !same(state, n.saved)
	n.saved = state
	if !news {
		return
	}
	switch {
	case state.LastError != "":
		n.keeper.options.Log.Warn("node not in sync", "node", n.name, "reachable", state.Reachable, "pending", state.Pending, "error", state.LastError)
	case len(state.Pending) > 0:
		n.keeper.options.Log.Info("node not in sync yet", "node", n.name, "pending", state.Pending)
	case len(state.RestartRequired) > 0:
		n.keeper.options.Log.Warn("node in sync but for what a restart takes", "node", n.name, "restart_required", state.RestartRequired)
	default:
		n.keeper.options.Log.Info("node in sync", "node", n.name)
	}
}

// same reports whether two states say the same of the switch, now and then.
func same(a, b switchstate.NodeState) bool {
	return slices.Equal(a.Pending, b.Pending) && slices.Equal(a.RestartRequired, b.RestartRequired) &&
		a.LastError == b.LastError && a.Reachable == b.Reachable
}
