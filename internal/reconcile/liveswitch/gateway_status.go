package liveswitch

import (
	"context"
	"maps"
	"strings"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/internal/eventsocket"
)

// manyGateways is from how many on not every new one is asked for its revision.
const manyGateways = 100

// gatewayStatus is a gateway that the switch has.
type gatewayStatus struct {
	Name    string
	Profile string
	State   string // NOREG, REGED, TRYING, UNREGED, DOWN, …
}

func (g gatewayStatus) name() string { return g.Name }

// folded is the name by which the rows know the gateway.
func (g gatewayStatus) folded() string { return table.Fold(g.Name) }

// place tells apart a gateway and one of the same name in another profile.
func (g gatewayStatus) place() gatewayStatus { return gatewayStatus{Name: g.Name, Profile: g.Profile} }

// registers reports whether the gateway has a registration, or is about to.
func registers(g gatewayStatus) bool { return g.State != "NOREG" && g.State != "DOWN" }

// gatewayStatuses asks which gateways the switch has, with their states. For up to a second it also lists one that was
// killed, beside the one in its place.
func (sw *Switch) gatewayStatuses(ctx context.Context) ([]gatewayStatus, error) {
	reply, err := sw.ask(ctx, "sofia", "status", "gateway")
	if refusedBy(err) != nil {
		return nil, nil //nolint:nilerr // without mod_sofia there are none
	}
	return listedGateways(reply), err
}

// stale returns those of want that the switch does not run in their revision. One that was seen to run in it still does
// while it is among those that the switch has, once: FreeSWITCH changes none, it only makes them anew.
func (sw *Switch) stale(ctx context.Context, want []db.GatewayRevision, has []gatewayStatus) ([]db.GatewayRevision, error) {
	times := make(map[string]int, len(has))
	for _, g := range has {
		times[g.Name]++
	}
	sw.supposeRuns(want)
	maps.DeleteFunc(sw.runs, func(name, _ string) bool { return times[name] != 1 })
	var stale, doubtful []db.GatewayRevision
	for _, g := range want {
		switch {
		case sw.runs[g.Name] == g.Revision:
		case times[g.Name] == 0:
			stale = append(stale, g)
		default:
			doubtful = append(doubtful, g)
		}
	}
	left, err := sw.otherRevision(ctx, doubtful)
	return append(stale, left...), err
}

// otherRevision returns those of some that the switch says it runs in another revision, or not at all.
func (sw *Switch) otherRevision(ctx context.Context, some []db.GatewayRevision) ([]db.GatewayRevision, error) {
	var commands []eventsocket.Command
	for _, g := range some {
		commands = append(commands, eventsocket.Command{"sofia_gateway_data", g.Name, "ivar", db.RevisionVariable})
	}
	replies, err := sw.askAll(ctx, commands)
	if err != nil {
		return nil, err
	}
	var other []db.GatewayRevision
	for i, reply := range replies {
		if g := some[i]; strings.TrimSpace(reply.Body) == g.Revision {
			sw.runs[g.Name] = g.Revision
		} else {
			other = append(other, g)
		}
	}
	return other, nil
}

// missing returns those of started that the switch does not run in their revision yet, and which gateways it has, if it
// had to be asked for that. Each is asked for its revision, but for those beyond the first hundred that it did not have
// before: of so many it is enough that they are there, since the switch can have them from nowhere but the rows, and each
// question costs it a quarter of a millisecond.
func (sw *Switch) missing(ctx context.Context, started []db.GatewayRevision, before []gatewayStatus) (left []db.GatewayRevision, has []gatewayStatus, err error) {
	if len(started) <= manyGateways {
		left, err = sw.otherRevision(ctx, started)
		return left, nil, err
	}
	if has, err = sw.gatewayStatuses(ctx); err != nil {
		return nil, nil, err
	}
	had, there := setOf(before, gatewayStatus.name), setOf(has, gatewayStatus.name)
	var ask []db.GatewayRevision
	for _, g := range started {
		switch {
		case len(ask) < manyGateways || had[g.Name]:
			ask = append(ask, g)
		case there[g.Name]:
			sw.runs[g.Name] = g.Revision
		default:
			left = append(left, g)
		}
	}
	other, err := sw.otherRevision(ctx, ask)
	return append(left, other...), has, err
}

// known asks which of some the switch has by their names, and in their profiles. It gives each once: of a name that is
// listed twice in a profile, one is killed already.
func (sw *Switch) known(ctx context.Context, some []gatewayStatus) (known []gatewayStatus, err error) {
	var commands []eventsocket.Command
	for _, g := range some {
		commands = append(commands, eventsocket.Command{"sofia", "status", "gateway", g.Name})
	}
	replies, err := sw.askAll(ctx, commands)
	if err != nil {
		return nil, err
	}
	seen := make(map[gatewayStatus]bool)
	for i, g := range some {
		if !seen[g.place()] && gatewayProfile(replies[i].Body) == g.Profile {
			known = append(known, g)
		}
		seen[g.place()] = true
	}
	return known, nil
}
