package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/switchstate"
	"xmlcurld/internal/reconcile/liveswitch"
)

// foreseeAtOnce is how many switches are asked at a time.
const foreseeAtOnce = 16

// Foreseen is what an edit would bring to one switch.
type Foreseen struct {
	Node          string            `json:"node"`
	Commands      []string          `json:"commands"`      // that its keeper would send, in order
	Restart       []string          `json:"restart"`       // what would need a restart, as xmlcurld nodes shows it
	Calls         []liveswitch.Call `json:"calls"`         // up on gateways that would be replaced or removed, and on profiles to be restarted
	Registrations []string          `json:"registrations"` // user@domain of the phones that would lose theirs
	Pending       []string          `json:"pending"`       // commands that its keeper has to send whether or not the edit is made
	Unknown       string            `json:"unknown"`       // what cannot be told, and why; empty: nothing
}

// Foresight tells what an edit would bring to the switches that are up, once it is committed: what their keepers would do for
// rows with the edit, and would not do for rows without it. The switches are asked as their keepers ask them, and are told
// nothing. After and Before may be called in either order, each once. When After comes first, no more is looked at than what
// the edit may have touched.
type Foresight struct {
	secrets db.Secrets
	limit   time.Duration
	todo    aspects
	doubt   func(db.GatewayRevision) bool // whether a switch may run the gateway in another revision for the edit

	mu            sync.Mutex
	switches      map[string]*liveswitch.Switch
	before, after map[string]look
	nodes         []switchstate.Node // with the edit
}

// NewForesight returns a Foresight, to be closed. A switch gets limit to answer, and all of them together twice as long. One that
// does not answer is unknown, and no error.
func NewForesight(secrets db.Secrets, limit time.Duration) *Foresight {
	return &Foresight{
		secrets: secrets, limit: limit, todo: everything, doubt: func(db.GatewayRevision) bool { return true },
		switches: make(map[string]*liveswitch.Switch),
	}
}

// Close closes the event sockets.
func (f *Foresight) Close() {
	for _, sw := range f.switches {
		sw.Disconnect()
	}
}

// After looks at the switches with the rows that tx sees, which made the edit. The error is the database's. The transaction goes
// on as if it had not been asked, and nobody else may use it meanwhile.
func (f *Foresight) After(ctx context.Context, tx pgx.Tx) (err error) {
	return pretend(ctx, tx, func(tx pgx.Tx) error {
		rows := switchstate.InTransaction(tx, f.secrets)
		kinds, err := rows.Edited(ctx)
		if err != nil {
			return err
		}
		f.todo = 0
		for _, kind := range kinds {
			f.todo |= aspectsOf(kind)
		}
		names, known, err := rows.EditedGateways(ctx)
		if err != nil {
			return err
		}
		if known && !slices.ContainsFunc(kinds, movesGateways) {
			f.doubt = func(g db.GatewayRevision) bool { return g.OfUser || names[g.Name] }
		}
		f.nodes, f.after, err = f.lookAtAll(ctx, rows)
		return err
	})
}

// movesGateways reports whether an edit of a kind may give a switch gateways, or take them, of which no row changes. A user has
// such gateways, too.
func movesGateways(kind string) bool {
	return kind != "gateway" && kind != "user" && aspectsOf(kind)&gateways != 0
}

// Before looks at the switches with the rows that tx sees, in which the edit was not made yet, or was undone. As After, it
// returns the database's errors and leaves the transaction as it was.
func (f *Foresight) Before(ctx context.Context, tx pgx.Tx) (err error) {
	return pretend(ctx, tx, func(tx pgx.Tx) (err error) {
		_, f.before, err = f.lookAtAll(ctx, switchstate.InTransaction(tx, f.secrets))
		return err
	})
}

// pretend calls f with tx, and undoes what it did there: an error that would end tx as well.
func pretend(ctx context.Context, tx pgx.Tx, f func(pgx.Tx) error) error {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	return errors.Join(f(inner), inner.Rollback(context.WithoutCancel(ctx)))
}

// lookAtAll has all switches compared with rows, many at a time.
func (f *Foresight) lookAtAll(ctx context.Context, rows *switchstate.Rows) ([]switchstate.Node, map[string]look, error) {
	if f.todo == 0 {
		return nil, nil, nil
	}
	nodes, err := rows.Nodes(ctx)
	if err != nil {
		return nil, nil, err
	}
	looks := make(map[string]look)
	f.each(ctx, nodes, func(ctx context.Context, node switchstate.Node) {
		found := f.lookAt(ctx, rows, node)
		f.mu.Lock()
		defer f.mu.Unlock()
		looks[node.Name] = found
	})
	return nodes, looks, cmp.Or(rows.Err(), ctx.Err())
}

// each does something about each node, for some at a time, for as long as each of them and all of them have.
func (f *Foresight) each(ctx context.Context, nodes []switchstate.Node, do func(context.Context, switchstate.Node)) {
	ctx, cancel := context.WithTimeout(ctx, 2*f.limit)
	defer cancel()
	var tasks sync.WaitGroup
	turn := make(chan struct{}, foreseeAtOnce)
	for _, node := range nodes {
		turn <- struct{}{}
		tasks.Go(func() {
			defer func() { <-turn }()
			ctx, cancel := context.WithTimeout(ctx, f.limit)
			defer cancel()
			do(ctx, node)
		})
	}
	tasks.Wait()
}

// look is what a dry run found.
type look struct {
	commands, restart []string
	fault             string // why it is not all
	failed            string // why nothing is known
}

// lookAt has a switch compared with rows.
func (f *Foresight) lookAt(ctx context.Context, rows *switchstate.Rows, row switchstate.Node) (found look) {
	sw := f.meet(row.Name)
	sw.From(rows)
	sw.Update(row)
	err := f.connect(ctx, sw, row)
	if err == nil {
		err = f.inspect(ctx, sw, &found)
	}
	switch {
	case err == nil:
	case ctx.Err() != nil:
		found.failed = fmt.Sprintf("no answer within %v", f.limit)
	default:
		found.failed = err.Error()
	}
	return found
}

// meet returns the switch of a node.
func (f *Foresight) meet(node string) *liveswitch.Switch {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.switches[node] == nil {
		f.switches[node] = liveswitch.New(nil, node, liveswitch.Options{
			AskTime: f.limit, Sent: func(string) {}, Stirred: func() {}, Dry: true, InDoubt: f.doubt,
		})
	}
	return f.switches[node]
}

func (f *Foresight) connect(ctx context.Context, sw *liveswitch.Switch, row switchstate.Node) error {
	switch {
	case row.Fault != "":
		return errors.New("the event socket's password: " + row.Fault)
	case row.Address == "" || row.Password == "":
		return errors.New("the node has no event socket")
	case sw.Connected():
		return nil
	}
	return sw.Connect(ctx)
}

// inspect does a dry run. The error is why nothing is known.
func (f *Foresight) inspect(ctx context.Context, sw *liveswitch.Switch, found *look) error {
	sw.Noted() // what every switch is told that is met
	var faults []string
	for _, step := range steps(sw, f.todo) {
		sw.Refusal = ""
		var findings liveswitch.Findings
		err := step.look(ctx, &findings)
		switch {
		case liveswitch.Lost(err) || ctx.Err() != nil:
			sw.Disconnect()
			return cmp.Or(err, ctx.Err())
		case err != nil:
			faults = append(faults, fmt.Sprintf("%s: %v", step.aspect, err))
		case sw.Refusal != "": // not the switch's: in a dry run it refuses nothing
			faults = append(faults, fmt.Sprintf("%s: %s", step.aspect, sw.Refusal))
		}
		found.restart = append(found.restart, findings.Restart...)
	}
	found.commands, found.fault = sw.Noted(), strings.Join(faults, "; ")
	return nil
}

// Foreseen returns what the edit would bring to each node's switch. Of a node that is new, or whose event socket could not be
// reached without the edit, all is the edit's. None: no switch holds anything of what was edited in memory.
func (f *Foresight) Foreseen(ctx context.Context) []Foreseen {
	all := make(map[string]Foreseen)
	f.each(ctx, f.nodes, func(ctx context.Context, node switchstate.Node) {
		is := f.foresee(ctx, node.Name)
		f.mu.Lock()
		defer f.mu.Unlock()
		all[node.Name] = is
	})
	inOrder := make([]Foreseen, len(f.nodes))
	for i, node := range f.nodes {
		inOrder[i] = all[node.Name]
	}
	return inOrder
}

func (f *Foresight) foresee(ctx context.Context, node string) Foreseen {
	was, will := f.before[node], f.after[node]
	is := Foreseen{
		Node: node, Commands: without(will.commands, was.commands), Restart: without(will.restart, was.restart),
		Calls: []liveswitch.Call{}, Registrations: []string{}, Pending: slices.DeleteFunc(without(was.commands, nil), liveswitch.Greets),
		Unknown: cmp.Or(will.failed, will.fault),
	}
	if will.failed != "" {
		return is
	}
	ended, users := liveswitch.Ends(is.Commands)
	is.Registrations = append(is.Registrations, users...)
	if stopped := ofProfiles(is.Restart); len(ended)+len(stopped) > 0 {
		calls, err := f.meet(node).Calls(ctx, ended, stopped)
		if is.Calls = append(is.Calls, calls...); err != nil {
			is.Unknown = "calls: " + err.Error()
		}
	}
	return is
}

// ofProfiles are the profiles that have to be restarted.
func ofProfiles(restart []string) (profiles []string) {
	for _, what := range restart {
		if what, ok := strings.CutPrefix(what, "profile "); ok {
			name, _, _ := strings.Cut(what, ": ")
			profiles = append(profiles, name)
		}
	}
	return slices.Compact(profiles)
}

// without returns all but one of each that is in others.
func without(all, others []string) []string {
	left, times := []string{}, make(map[string]int)
	for _, one := range others {
		times[one]++
	}
	for _, one := range all {
		if times[one]--; times[one] < 0 {
			left = append(left, one)
		}
	}
	return left
}
