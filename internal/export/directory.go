package export

import (
	"fmt"
	"html"
	"slices"

	"xmlcurld/db/table"
	"xmlcurld/internal/form"
)

// directory writes a file for each domain. The server tells what all users may know of each other, and of one user at a time the
// rest; in a file each user stands with all of it.
func (w *writer) directory() error {
	domains, err := w.keys(table.Domain)
	if err != nil {
		return err
	}
	profiles, err := w.render(form.Configuration(w.node, "sofia.conf"))
	if err != nil {
		return err
	}
	for _, key := range domains {
		if err := w.domain(key[0], profiles[0].all("profiles", "profile")); err != nil {
			return fmt.Errorf("domain %s: %w", key[0], err)
		}
	}
	return nil
}

func (w *writer) domain(name string, profiles []*element) error {
	path := "directory/" + name + ".xml"
	all, err := w.render(form.Domain(w.node, name)) // with all users
	if err != nil || all == nil {
		return err
	}
	domain := all[0]
	if groups := domain.first("groups"); groups != nil {
		users := groups.first("group", "users")
		kept := users.inside[:0]
		for _, u := range users.inside {
			id := html.UnescapeString(u.attr("id"))
			own, err := w.render(form.Register(w.node, id, name))
			if err != nil {
				w.leave(path, "user %s: %v", id, err)
				continue
			}
			kept = append(kept, own[0].first("groups", "group", "users", "user"))
			// All of the domain's settings stand only beside one user.
			domain.inside = append(slices.DeleteFunc(own[0].inside, func(e *element) bool { return e.is("groups") }), groups)
		}
		users.inside = kept
		withoutStrangers(groups, kept)
		if err := w.userGateways(path, name, kept, profiles); err != nil {
			return err
		}
	}
	w.include(path, all)
	return nil
}

// withoutStrangers takes those who are no users out of groups.
func withoutStrangers(groups *element, users []*element) {
	there := make(map[string]bool, len(users))
	for _, u := range users {
		there[u.attr("id")] = true
	}
	for _, g := range groups.inside[1:] {
		members := g.first("users")
		members.inside = slices.DeleteFunc(members.inside, func(u *element) bool { return !there[u.attr("id")] })
	}
}

// userGateways adds the gateways that come with users.
func (w *writer) userGateways(path, domain string, users, profiles []*element) error {
	of := make(map[string]string) // profiles, by user
	for _, p := range profiles {
		profile := p.attr("name")
		all, err := w.render(form.Domain(w.node, domain).With("domain", domain).With("purpose", "gateways").With("profile", profile))
		if err != nil {
			return err
		}
		for _, d := range all {
			for _, from := range d.all("groups", "group", "users", "user") {
				i := slices.IndexFunc(users, func(u *element) bool { return u.attr("id") == from.attr("id") })
				if i < 0 || from.first("gateways") == nil {
					continue
				}
				if other := of[from.attr("id")]; other != "" {
					w.leave(path, "user %s has gateways of the profiles %s and %s: a file tells each profile of all of them, so those of %[3]s are left out",
						from.attr("id"), other, profile)
					continue
				}
				of[from.attr("id")] = profile
				users[i].inside = append(users[i].inside, from.first("gateways"))
			}
		}
	}
	return nil
}
