package liveswitch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"xmlcurld/db/switchstate"
	"xmlcurld/db/table"
	"xmlcurld/internal/eventsocket"
)

// manyUsers is from how many names on the whole cache is cleared, instead of one user after the other.
const manyUsers = 100

// Users has the switch forget users that changed: out of its cache, and those that are off, gone or have a new password
// out of its registrations as well.
func (sw *Switch) Users(ctx context.Context, found *Findings) error {
	changes, seen, err := sw.rows.UserChanges(ctx, sw.usersSeen, sw.Row.UsersNoted)
	if err != nil {
		return err
	}
	if err := sw.flush(ctx, changes); err != nil {
		return err
	}
	left, err := sw.unregisterUsers(ctx, changes)
	if err != nil {
		return err
	}
	for r := range left {
		found.Pending = append(found.Pending, "registration of "+r.User+"@"+r.Domain)
	}
	slices.Sort(found.Pending)
	if len(left) == 0 {
		sw.Row.UsersSeen = seen
	}
	return nil
}

// flush clears the cache of users. A lookup is cached under the key and the name that it was made with, so each name of a
// user is cleared under both keys.
func (sw *Switch) flush(ctx context.Context, changes []switchstate.UserChange) error {
	var commands []eventsocket.Command
	for _, c := range changes {
		// A user may be called mod_event_socket, and its domain reload: that cannot be said.
		if c.Name == "" || len(changes) > manyUsers || !sayable(c.Name+c.Domain+"reload") {
			return sw.command(ctx, "xml_flush_cache")
		}
		commands = append(commands, eventsocket.Command{"xml_flush_cache", "id", c.Name, c.Domain},
			eventsocket.Command{"xml_flush_cache", "number-alias", c.Name, c.Domain})
	}
	_, err := sw.askAll(ctx, commands)
	return err
}

// registration is a phone that is registered with a profile.
type registration struct {
	switchstate.Registration
	profile string
}

// unregisterUsers ends the registrations of those in changes who lose theirs, and of any who is not a user now, and
// returns those that the switch has all the same.
func (sw *Switch) unregisterUsers(ctx context.Context, changes []switchstate.UserChange) (map[registration]bool, error) {
	lost, err := sw.lostRegistrations(ctx, changes)
	if err != nil || len(lost) == 0 {
		return nil, err
	}
	left := lost
	_, err = sw.insist(ctx, settle, func() (bool, error) {
		var commands []eventsocket.Command
		for r := range left {
			commands = append(commands, eventsocket.Command{"sofia", "profile", r.profile, "flush_inbound_reg", r.User + "@" + r.Domain})
		}
		if _, err := sw.askAll(ctx, commands); err != nil {
			return false, err
		}
		has, err := sw.registrations(ctx)
		left = maps.Clone(lost)
		maps.DeleteFunc(left, func(r registration, _ bool) bool { return !has[r] })
		return len(left) == 0, err
	})
	return left, err
}

func (sw *Switch) lostRegistrations(ctx context.Context, changes []switchstate.UserChange) (map[registration]bool, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	has, err := sw.registrations(ctx)
	if err != nil || len(has) == 0 {
		return nil, err
	}
	var all []switchstate.Registration
	for r := range has {
		all = append(all, r.Registration)
	}
	strangers, err := sw.rows.Strangers(ctx, all)
	if err != nil {
		return nil, err
	}
	loses := setOf(strangers, func(r switchstate.Registration) switchstate.Registration { return r })
	for _, c := range changes {
		if c.Unregister {
			loses[switchstate.Registration{User: c.Name, Domain: c.Domain}] = true
		}
	}
	maps.DeleteFunc(has, func(r registration, _ bool) bool {
		return !loses[r.Registration] && !loses[switchstate.Registration{User: table.Fold(r.User), Domain: table.Fold(r.Domain)}]
	})
	return has, nil
}

// registrations asks which phones are registered, profile by profile: show registrations goes on to show those that were
// flushed. What a phone calls itself goes into a command; one that cannot be said is nobody's name in the rows either.
func (sw *Switch) registrations(ctx context.Context) (map[registration]bool, error) {
	running, err := sw.running(ctx)
	if err != nil {
		return nil, err
	}
	all := make(map[registration]bool)
	for _, profile := range slices.Sorted(maps.Keys(running)) {
		reply, err := sw.ask(ctx, "sofia", "status", "profile", profile, "reg")
		if err != nil {
			return nil, err
		}
		users, err := registeredUsers(reply)
		if err != nil {
			return nil, fmt.Errorf("profile %s: %w", profile, err)
		}
		for _, name := range users {
			if user, domain, _ := strings.Cut(name, "@"); sayable(name) {
				all[registration{switchstate.Registration{User: user, Domain: domain}, profile}] = true
			}
		}
	}
	return all, nil
}
