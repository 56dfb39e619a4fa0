package linear_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"xmlcurld/db"
	"xmlcurld/db/pg"
)

// ask asks a server one question. It returns the answer in words.
type ask func(ctx context.Context, from *db.Rulebook) (shown string, fresh pg.Freshness, err error)

// asking returns an ask of a question whose answer is put into words by show.
func asking[T any](question func(ctx context.Context, from *db.Rulebook) (db.Answer[T], error), show func(T) string) ask {
	return func(ctx context.Context, from *db.Rulebook) (string, pg.Freshness, error) {
		a, err := question(ctx, from)
		shown := show(a.Value)
		if a.NodeKnown {
			shown = "known: " + shown
		}
		return shown, a.Freshness, err
	}
}

func route(node, room, number string) ask {
	return asking(func(ctx context.Context, from *db.Rulebook) (db.Answer[db.Route], error) {
		return from.Route(ctx, db.Call{Node: node, Context: room, Number: number})
	}, showRoute)
}

func user(node, domain, name string) ask {
	return asking(func(ctx context.Context, from *db.Rulebook) (db.Answer[[]db.Domain], error) {
		return from.User(ctx, node, domain, name)
	}, showDomains)
}

func domain(node, name string) ask {
	return asking(func(ctx context.Context, from *db.Rulebook) (db.Answer[[]db.Domain], error) {
		return from.Domain(ctx, node, name)
	}, showDomains)
}

func users(node, domain string) ask {
	return asking(func(ctx context.Context, from *db.Rulebook) (db.Answer[[]db.Domain], error) {
		return from.Users(ctx, node, domain)
	}, showDomains)
}

// allUsers asks for the users of all domains, and shows those of one.
func allUsers(node, domain string) ask {
	return asking(func(ctx context.Context, from *db.Rulebook) (db.Answer[[]db.Domain], error) {
		return from.Users(ctx, node, "")
	},
		func(all []db.Domain) string {
			return showDomains(slices.DeleteFunc(all, func(d db.Domain) bool { return d.Name != domain }))
		})
}

func networks(node, domain string) ask {
	return asking(func(ctx context.Context, from *db.Rulebook) (db.Answer[[]db.Domain], error) {
		return from.Networks(ctx, node, domain)
	}, showDomains)
}

func group(node, domain, name string) ask {
	return asking(func(ctx context.Context, from *db.Rulebook) (db.Answer[[]db.Domain], error) {
		return from.Group(ctx, node, domain, name)
	}, showDomains)
}

func userGateways(node, domain, profile string) ask {
	return asking(func(ctx context.Context, from *db.Rulebook) (db.Answer[[]db.Domain], error) {
		return from.UserGateways(ctx, node, domain, profile)
	}, showDomains)
}

// acl shows the lists whose names begin with list.
func acl(node, list string) ask {
	return asking(func(ctx context.Context, from *db.Rulebook) (db.Answer[db.ACL], error) { return from.ACL(ctx, node) },
		func(a db.ACL) string { return showACL(a, list) })
}

// credential shows one of all. No answer about credentials says how fresh it is.
func credential(username string) ask {
	return func(ctx context.Context, from *db.Rulebook) (string, pg.Freshness, error) {
		all, err := from.Credentials(ctx)
		var words []string
		for _, c := range all {
			if c.Username == username {
				words = append(words, fmt.Sprintf("%s %s %t", c.Node, c.PasswordHash, c.Enabled))
			}
		}
		return strings.Join(words, " "), pg.Freshness{}, err
	}
}

func document(node, name string) ask {
	return asking(func(ctx context.Context, from *db.Rulebook) (db.Answer[db.Document], error) {
		return from.Document(ctx, node, "configuration", name)
	}, func(d db.Document) string { return d.Body })
}

// eventSocket, modules and nodeSettings show those whose names hold a part.

func eventSocket(node, part string) ask {
	return asking(func(ctx context.Context, from *db.Rulebook) (db.Answer[[]db.NodeSetting], error) {
		return from.EventSocket(ctx, node)
	},
		func(all []db.NodeSetting) string { return showSettings(settingsOf(all), part) })
}

func nodeSettings(node, part string) ask {
	return asking(func(ctx context.Context, from *db.Rulebook) (db.Answer[[]db.NodeSetting], error) {
		return from.Switch(ctx, node)
	},
		func(all []db.NodeSetting) string { return showSettings(settingsOf(all), part) })
}

func modules(node, part string) ask {
	return asking(func(ctx context.Context, from *db.Rulebook) (db.Answer[[]db.Module], error) {
		return from.Modules(ctx, node)
	},
		func(all []db.Module) string {
			var words []string
			for _, m := range all {
				if strings.Contains(m.Name, part) {
					words = append(words, m.Name)
				}
			}
			return strings.Join(words, " ")
		})
}

// sofia shows the parameters of all profiles, the profiles and the gateways whose names begin with one.
func sofia(node, profile, gateway, shown string) ask {
	return asking(func(ctx context.Context, from *db.Rulebook) (db.Answer[db.Sofia], error) {
		return from.Sofia(ctx, node, profile, gateway)
	}, func(s db.Sofia) string { return showSofia(s, shown) })
}

func showRoute(r db.Route) string {
	words := []string{"in " + r.Context}
	if n := r.Called; n != nil {
		words = append(words, fmt.Sprintf("%s of %s, name %s, forward %s:", n.Number, n.Tenant, n.DisplayName, n.ForwardNumber))
	}
	for _, e := range r.Extensions {
		words = append(words, showExtension(e))
	}
	if r.NotFound != nil {
		words = append(words, "not found: "+showExtension(r.NotFound))
	}
	return strings.Join(words, " ")
}

func showExtension(e *db.Extension) string {
	words := []string{e.Name + e.Body}
	for _, c := range e.Conditions {
		for _, a := range c.Actions {
			words = append(words, a.Application+" "+a.Data)
		}
	}
	return "(" + strings.Join(words, ", ") + ")"
}

func showDomains(all []db.Domain) string {
	var words []string
	for _, d := range all {
		words = append(words, d.Name)
		if d.DialString != "" {
			words = append(words, "dial "+d.DialString)
		}
		words = append(words, showSettings(d.Params, "")+showSettings(d.Variables, ""))
		for _, u := range d.Users {
			words = append(words, "("+showUser(u)+")")
		}
		for _, g := range d.Groups {
			words = append(words, "group "+g.Name+": "+strings.Join(g.Users, " "))
		}
	}
	return strings.Join(slices.DeleteFunc(words, empty), " ")
}

func showUser(u db.User) string {
	words := []string{u.ID, u.NumberAlias, u.Password, u.CallerIDName, u.CIDR, showSettings(u.Params, "") + showSettings(u.Variables, "")}
	for _, g := range u.Gateways {
		words = append(words, showGateway(g))
	}
	return strings.Join(slices.DeleteFunc(words, empty), " ")
}

func empty(word string) bool { return word == "" }

func settingsOf(all []db.NodeSetting) (settings []db.Setting) {
	for _, s := range all {
		settings = append(settings, s.Setting)
	}
	return settings
}

// showSettings shows those whose names hold part.
func showSettings(all []db.Setting, part string) string {
	var words strings.Builder
	for _, s := range all {
		if strings.Contains(s.Name, part) {
			fmt.Fprintf(&words, "[%s=%s]", s.Name, s.Value)
		}
	}
	return words.String()
}

func showACL(a db.ACL, list string) string {
	var words []string
	for _, e := range a.Entries {
		if !strings.HasPrefix(e.List, list) {
			continue
		}
		word := e.List
		if e.DefaultAllow {
			word += " by default"
		}
		word += ":"
		if e.Allow {
			word += "allow"
		}
		if e.CIDR.IsValid() {
			word += " " + e.CIDR.String()
		}
		if e.Domain != "" {
			word += " " + e.Domain + " " + e.Networks
		}
		if e.PortMin > 0 {
			word += fmt.Sprintf(" ports %d-%d", e.PortMin, e.PortMax)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func showSofia(s db.Sofia, shown string) string {
	words := []string{}
	for _, p := range s.Params {
		if strings.HasPrefix(p.Name, shown) {
			words = append(words, p.Name+"="+p.Value)
		}
	}
	for _, p := range s.Profiles {
		if strings.HasPrefix(p.Name, shown) {
			words = append(words, "profile "+p.Name, showSettings(p.Params, "param"), strings.Join(p.Aliases, " "))
			for _, d := range p.Domains {
				words = append(words, d.Name)
			}
		}
		for _, g := range p.Gateways {
			if strings.HasPrefix(g.Name, shown) {
				words = append(words, p.Name+"/"+showGateway(g))
			}
		}
	}
	return strings.Join(slices.DeleteFunc(words, empty), " ")
}

// showGateway leaves out what is the same in all versions, and the revision, which nobody can foretell. Settings are by name.
func showGateway(g db.Gateway) string {
	var words []string
	for _, s := range g.Settings {
		if s.Name == "proxy" || s.Name == "extension" || s.Name == "version" {
			words = append(words, s.Name+"="+s.Value)
		}
	}
	slices.Sort(words)
	return g.Name + " " + strings.Join(words, " ")
}
