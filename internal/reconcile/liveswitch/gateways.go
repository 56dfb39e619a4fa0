package liveswitch

import (
	"context"
	"maps"
	"slices"
	"time"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/internal/eventsocket"
)

const (
	// settle is how long a gateway may take to be what it was made: a registrar's answer lies in it.
	settle = 4 * time.Second
	// poll is how often the switch is asked meanwhile.
	poll = 25 * time.Millisecond
)

// Gateways brings the switch's gateways in sync: it starts new ones, replaces changed ones, and takes away those that
// the rows have no more. Each carries its revision as a variable, which the switch gives back. Those of a profile that
// does not run come with it, and those of one that the rows have no more go with it.
func (sw *Switch) Gateways(ctx context.Context, found *Findings) error {
	want, err := sw.rows.GatewayRevisions(ctx, sw.name)
	if err != nil {
		return err
	}
	running, err := sw.running(ctx)
	if err != nil {
		return err
	}
	want = slices.DeleteFunc(want, func(g db.GatewayRevision) bool { return !running[g.Profile] })
	has, err := sw.gatewayStatuses(ctx)
	if err != nil {
		return err
	}
	if err := sw.removeGateways(ctx, want, has, found); err != nil {
		return err
	}
	stale, err := sw.stale(ctx, sw.readable(want, found), has)
	if err != nil {
		return err
	}
	if stale, err = sw.resting(ctx, sw.withoutRescanned(stale, has), found); err != nil || len(stale) == 0 {
		return err
	}
	if stale, err = sw.replaceGateways(ctx, stale, has, found); err != nil {
		return err
	}
	left, now := stale, []gatewayStatus(nil)
	run, err := sw.await(ctx, settle, func() (bool, error) {
		left, now, err = sw.missing(ctx, left, has)
		return len(left) == 0, err
	})
	if !run && err == nil {
		err = sw.restRefused(ctx, left, found)
	}
	if err != nil {
		return err
	}
	return sw.awaitAnswers(ctx, stale, now)
}

// readable are those of want whose passwords this server can read. The others stay as the switch has them, if it does.
func (sw *Switch) readable(want []db.GatewayRevision, found *Findings) []db.GatewayRevision {
	return slices.DeleteFunc(want, func(g db.GatewayRevision) bool {
		if g.Fault != "" {
			found.Pending = append(found.Pending, "gateway "+g.Name+": its password")
			sw.Refusal = g.Fault
		}
		return g.Fault != ""
	})
}

// awaitAnswers gives the carriers of gateways that register the time to answer. What they answer is their own. If it was
// asked just now which gateways the switch has, that is now.
func (sw *Switch) awaitAnswers(ctx context.Context, some []db.GatewayRevision, now []gatewayStatus) error {
	waiting := setOf(some, func(g db.GatewayRevision) string { return g.Name })
	answered := func(has []gatewayStatus) bool {
		return !slices.ContainsFunc(has, func(g gatewayStatus) bool { return waiting[g.Name] && slices.Contains(undecided, g.State) })
	}
	if now != nil && answered(now) {
		return nil
	}
	_, err := sw.await(ctx, settle, func() (bool, error) {
		has, err := sw.gatewayStatuses(ctx)
		return answered(has), err
	})
	return err
}

// undecided are the states of a gateway that is about to register.
var undecided = []string{"UNREGED", "REGISTER", "TRYING"}

// removeGateways takes away what the rows do not hold. One that moved to another profile is not surplus but changed.
func (sw *Switch) removeGateways(ctx context.Context, want []db.GatewayRevision, has []gatewayStatus, found *Findings) error {
	wanted := setOf(want, func(g db.GatewayRevision) string { return table.Fold(g.Name) })
	surplus := slices.DeleteFunc(slices.Clone(has), func(g gatewayStatus) bool { return wanted[g.folded()] || !sayable(g.Name) })
	if len(surplus) == 0 {
		return nil
	}
	sofia, err := sw.rows.Sofia(ctx, sw.name, "", "")
	if err != nil {
		return err
	}
	served := setOf(sofia.Value.Profiles, func(p db.Profile) string { return p.Name })
	gone := slices.DeleteFunc(surplus, func(g gatewayStatus) bool { return !served[g.Profile] })
	left, err := sw.endGateways(ctx, gone)
	for _, g := range gone {
		if left[g.folded()] {
			found.Pending = append(found.Pending, "gateway "+g.Name+": remove")
		}
	}
	return err
}

// endGateways kills gateways and returns the names of those that are there all the same. One that is killed has no name any
// more, though it is listed for a while. Of many none is asked for by its name, which takes the switch as long as killing
// it: they are waited for until the list is without them.
func (sw *Switch) endGateways(ctx context.Context, some []gatewayStatus) (left map[string]bool, err error) {
	if len(some) > manyGateways {
		if err := sw.kill(ctx, some); err != nil {
			return nil, err
		}
		return sw.awaitGone(ctx, some)
	}
	if _, err := sw.killGateways(ctx, some); err != nil {
		return nil, err
	}
	known, err := sw.known(ctx, some)
	return setOf(known, gatewayStatus.folded), err
}

// sayable reports whether a name that the switch told can be said in a command.
func sayable(name string) bool { return (eventsocket.Command{"sofia", name}).Check() == nil }

// replaceGateways kills those that are there in another revision and starts them all: one lookup a gateway, or one a
// profile when there are many. It returns those that it started.
func (sw *Switch) replaceGateways(ctx context.Context, stale []db.GatewayRevision, has []gatewayStatus, found *Findings) ([]db.GatewayRevision, error) {
	profileOf := make(map[string]string, len(stale))
	for _, g := range stale {
		profileOf[table.Fold(g.Name)] = g.Profile
	}
	former := slices.DeleteFunc(slices.Clone(has), func(h gatewayStatus) bool { return profileOf[h.folded()] == "" })
	killed, err := sw.killGateways(ctx, former)
	if err != nil {
		return nil, err
	}
	replaced := setOf(killed, gatewayStatus.place)
	left, err := sw.awaitGone(ctx, slices.DeleteFunc(former, func(h gatewayStatus) bool {
		return profileOf[h.folded()] == h.Profile && replaced[h.place()]
	}))
	if err != nil {
		return nil, err
	}
	var started []db.GatewayRevision
	byProfile := make(map[string][]db.GatewayRevision)
	for _, g := range stale {
		if left[table.Fold(g.Name)] {
			found.Restart = append(found.Restart, "gateway "+g.Name+": its profile, which has lost it")
			continue
		}
		started = append(started, g)
		byProfile[g.Profile] = append(byProfile[g.Profile], g)
	}
	for _, profile := range slices.Sorted(maps.Keys(byProfile)) {
		if err := sw.startGateways(ctx, profile, byProfile[profile]); err != nil {
			return nil, err
		}
	}
	return started, nil
}

// awaitGone returns when some are no more, which takes FreeSWITCH up to a second after killgw, and with which names one is
// there all the same. One that is started under the name of another profile's, while that lingers, takes over the name
// but not the place in the profile: from then on none of that name could be reached there any more.
func (sw *Switch) awaitGone(ctx context.Context, some []gatewayStatus) (left map[string]bool, err error) {
	if len(some) == 0 {
		return nil, nil
	}
	going := setOf(some, gatewayStatus.place)
	_, err = sw.await(ctx, settle, func() (bool, error) {
		has, err := sw.gatewayStatuses(ctx)
		left = setOf(slices.DeleteFunc(has, func(g gatewayStatus) bool { return !going[g.place()] }), gatewayStatus.folded)
		return len(left) == 0, err
	})
	return left, err
}

// killGateways kills gateways and returns them, but for those that the switch does not know by name: they are killed
// already, or were lost.
func (sw *Switch) killGateways(ctx context.Context, some []gatewayStatus) (killed []gatewayStatus, err error) {
	known, err := sw.known(ctx, some)
	if err != nil {
		return nil, err
	}
	return known, sw.kill(ctx, known)
}

// kill kills gateways, each registered one after it gave up its registration: killed at once, its un-REGISTER would leave
// after the REGISTER of the one in its place, and the carrier would end without any.
func (sw *Switch) kill(ctx context.Context, some []gatewayStatus) error {
	if err := sw.unregister(ctx, some); err != nil {
		return err
	}
	var commands []eventsocket.Command
	for _, g := range some {
		delete(sw.runs, g.Name)
		commands = append(commands, eventsocket.Command{"sofia", "profile", g.Profile, "killgw", g.Name})
	}
	_, err := sw.askAll(ctx, commands)
	return err
}

// unregister has gateways give up their registrations, and returns when they did.
func (sw *Switch) unregister(ctx context.Context, some []gatewayStatus) error {
	waiting := make(map[string]bool)
	var commands []eventsocket.Command
	for _, g := range some {
		if registers(g) {
			waiting[g.Name] = true
			commands = append(commands, eventsocket.Command{"sofia", "profile", g.Profile, "unregister", g.Name})
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	if _, err := sw.askAll(ctx, commands); err != nil {
		return err
	}
	_, err := sw.await(ctx, settle, func() (bool, error) {
		has, err := sw.gatewayStatuses(ctx)
		return !slices.ContainsFunc(has, func(g gatewayStatus) bool { return waiting[g.Name] && registers(g) }), err
	})
	return err
}

// startGateways starts gateways, and again while the switch's fetch fails: they were killed for it.
func (sw *Switch) startGateways(ctx context.Context, profile string, some []db.GatewayRevision) error {
	_, err := sw.insist(ctx, settle, func() (bool, error) {
		err := sw.startOnce(ctx, profile, some)
		if refusedBy(err) != nil {
			return false, nil //nolint:nilerr // to be tried again
		}
		return err == nil, err
	})
	return err
}

// startOnce starts gateways of one profile by one command. A user's gateway comes with a rescan only.
func (sw *Switch) startOnce(ctx context.Context, profile string, some []db.GatewayRevision) error {
	if slices.ContainsFunc(some, func(g db.GatewayRevision) bool { return g.OfUser }) {
		return sw.rescan(ctx, profile)
	}
	which := some[0].Name
	if len(some) > 1 {
		which = "_all_"
	}
	_, err := sw.ask(ctx, "sofia", "profile", profile, "startgw", which)
	return err
}
