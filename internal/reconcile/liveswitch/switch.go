// Package liveswitch asks and tells one running switch over its event socket. There is a file for each aspect: what the switch
// holds in memory is compared with the rows, brought in sync by the gentlest means, and read back. A reply of +OK proves
// nothing: FreeSWITCH gives it for a gateway that it ignored, too.
package liveswitch

import (
	"context"
	"time"

	"xmlcurld/db"
	"xmlcurld/db/switchstate"
)

// Findings is what was found in one aspect.
type Findings struct {
	Pending []string // what the switch does not run yet
	Restart []string // what it will run after a restart only
	Err     error    // or what the switch said to a command whose effect is pending
}

// Switch is one switch. It is for one goroutine.
type Switch struct {
	Row     switchstate.Node // as it was read last; what the switch was seen to have is kept in it
	Refusal string           // what the switch refused last

	name    string
	rows    *switchstate.Rows
	options Options

	usersSeen string // the snapshot up to which changes of users were applied, as saved
	conn      socket
	took      login                // with which conn was opened
	runs      map[string]string    // the gateways that it was seen to run since conn was opened, with their revisions
	refused   map[string]*refused  // those that it refused since then
	logged    []string             // the reasons that it logged for not starting a gateway
	loads     map[string]time.Time // when it was heard to load which module
	zones     string               // the revision of timezones.conf whose zones it was seen to know
	stays     map[string]bool      // the modules that it will not unload
	loglevel  string               // what it was told since then: it cannot be asked
}

// Options are what a Switch needs besides the rows.
type Options struct {
	AskTime time.Duration        // for replies to what was sent at once
	Sent    func(command string) // is told the name of each command
	Stirred func()               // is told when the switch loads a module
	Dry     bool                 // nothing is sent but questions
	// InDoubt reports, in a dry run, whether a gateway is asked for its revision. Any other has the right one, if it is there at all.
	InDoubt func(db.GatewayRevision) bool
}

// New returns the switch of the node name, not connected.
func New(rows *switchstate.Rows, name string, o Options) *Switch {
	return &Switch{name: name, rows: rows, options: o}
}

// Update gives the switch its row as it was read now.
func (sw *Switch) Update(row switchstate.Node) {
	sw.usersSeen, row.UsersSeen = row.UsersSeen, ""
	sw.Row = row
	sw.noteLogin()
}

// noteLogin keeps where the switch answers, and to which password.
func (sw *Switch) noteLogin() {
	if sw.conn != nil {
		sw.Row.TookAddress, sw.Row.TookPassword = sw.took.address, sw.took.password
	}
}

// Connected reports whether the event socket is open.
func (sw *Switch) Connected() bool { return sw.conn != nil }

// Alive reports whether the switch still answers. If not, it is not connected any more.
func (sw *Switch) Alive(ctx context.Context) bool {
	if sw.conn == nil {
		return false
	}
	if _, err := sw.ask(ctx, "uptime", "s"); err != nil {
		sw.Disconnect()
		return false
	}
	return true
}

// setOf is the set of the keys of all.
func setOf[T any, K comparable](all []T, key func(T) K) map[K]bool {
	set := make(map[K]bool, len(all))
	for _, one := range all {
		set[key(one)] = true
	}
	return set
}
