package compare

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"xmlcurld/db/table"
	"xmlcurld/internal/form"
	"xmlcurld/internal/hunt"
)

// users is how many users' rows are read at once.
const usersAtOnce = 500

// directory compares the directory, domain by domain.
func (c *comparison) directory() error {
	section := filled(c.tree, c.tree.Section("directory"))
	seen := map[string]bool{}
	for _, d := range section.all("domain") {
		name := strings.ToLower(d.soft("name"))
		at := of{"directory " + name, "users"}
		if seen[name] {
			c.explain(at, Difference{What: "a second domain " + name, Place: d.place(), Meaning: "the server does not have it"},
				"FreeSWITCH never reads it: it takes the first of the name")
			continue
		}
		seen[name] = true
		c.progress("domain " + name)
		if err := c.domain(name, d); err != nil {
			return err
		}
	}
	return c.domainsOfServer(seen)
}

// domainsOfServer tells of the domains that only the server has.
func (c *comparison) domainsOfServer(seen map[string]bool) error {
	names, err := c.server.names(`SELECT name::text COLLATE "C" FROM domain WHERE enabled AND ($1 = '' OR tenant = $1) ORDER BY 1`, c.Tenant)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !seen[name] {
			at := of{"directory " + name, "users"}
			c.compared(at.document, at.counted, 1)
			c.found(at, Difference{What: "domain " + name, Row: "domain " + name, Server: name, Meaning: "the switch would know a domain that the tree does not have"})
		}
	}
	return nil
}

// folk is a domain as FreeSWITCH looks through it.
type folk struct {
	domain *node
	users  []member          // that are no pointers, each id once, in FreeSWITCH's order
	byID   map[string]member // by id in lower case
	again  []*node           // users whose id an earlier one has
	groups []*node
}

// member is a user with the group in which FreeSWITCH finds it, nil if it stands in none.
type member struct {
	user, group *node
}

func readFolk(domain *node) *folk {
	f := &folk{domain: domain, byID: map[string]member{}, groups: domain.child("groups").all("group")}
	add := func(users []*node, group *node) {
		for _, u := range users {
			id, ok := u.attr("id")
			key := strings.ToLower(id)
			switch _, known := f.byID[key]; {
			case !ok || strings.EqualFold(u.soft("type"), "pointer"):
			case known:
				f.again = append(f.again, u)
			default:
				f.byID[key] = member{u, group}
				f.users = append(f.users, member{u, group})
			}
		}
	}
	for _, g := range f.groups {
		add(g.child("users").all("user"), g)
	}
	if users := domain.child("users"); users != nil {
		add(users.all("user"), nil)
	} else {
		add(domain.all("user"), nil)
	}
	return f
}

// merged are the settings of a user as switch_xml_merge_user makes them: those of the group and of the domain are added where
// the user has none of the name.
func (f *folk) merged(m member, list, element string) []setting {
	all := settingsOf(m.user.child(list), element)
	for _, from := range []*node{m.group, f.domain} {
		has := map[string]bool{}
		for _, s := range all {
			has[strings.ToLower(s.name)] = true
		}
		for _, s := range settingsOf(from.child(list), element) {
			if key := strings.ToLower(s.name); !has[key] {
				has[key] = true
				all = append(all, s)
			}
		}
	}
	return all
}

// domain compares a domain: what it says itself, its users for whatever FreeSWITCH asks for them, its groups, and its networks.
func (c *comparison) domain(name string, tree *node) error {
	at := of{"directory " + name, "users"}
	told := readFolk(tree)
	answer, err := c.server.section(form.Domain(c.Node, name))
	if what, err := asFault(err); err != nil || what != "" {
		c.fault(at, what)
		return err
	}
	server := answer.child("domain")
	if server == nil {
		c.compared(at.document, at.counted, len(told.users))
		c.found(at, Difference{
			What: "domain " + name, Place: tree.place(), Row: "domain " + name, Tree: tree.tag(), Meaning: "the switch would not know the domain, and none of its users",
		})
		return nil
	}
	heard := readFolk(server)
	for _, u := range told.again {
		c.explain(at, Difference{What: "a second user " + u.soft("id"), Place: u.place(), Meaning: "the server does not have it"},
			"FreeSWITCH never finds it: an earlier one has the id")
	}
	for start := 0; start < len(told.users); start += usersAtOnce {
		some := told.users[start:min(start+usersAtOnce, len(told.users))]
		if err := c.users(name, told, some); err != nil {
			return err
		}
	}
	for _, m := range heard.users {
		id := m.user.soft("id")
		if _, ok := told.byID[strings.ToLower(id)]; !ok {
			c.compared(at.document, at.counted, 1)
			c.found(at, Difference{
				What: "user " + id, Row: "domain_user " + name + " " + id, Server: id, Meaning: "the switch would know a user that the tree does not have",
			})
		}
	}
	for _, ask := range []func(string, *folk, *folk) error{c.domainItself, c.groups, c.networks, c.userGateways} {
		if err := ask(name, told, heard); err != nil {
			return err
		}
	}
	return nil
}

// users compares some users of a domain.
func (c *comparison) users(domain string, told *folk, some []member) error {
	var questions []table.Question
	for _, m := range some {
		questions = append(questions, table.ForUser.About(c.Node, table.Fold(domain), table.Fold(m.user.soft("id"))))
	}
	if err := c.server.rows.Ask(c.ctx, questions); err != nil {
		return err
	}
	for _, m := range some {
		if err := c.user(domain, told, m); err != nil {
			return err
		}
	}
	return nil
}

// emptyPassword is the param by which the server forbids what FreeSWITCH allows without it.
const (
	emptyPassword   = "allow-empty-password"
	noEmptyPassword = "the server never lets a user without a password in"
)

// isCredential reports whether a param is what a user proves itself with.
func isCredential(param string) bool { return param == "password" || param == "a1-hash" }

func (c *comparison) user(domain string, told *folk, m member) error {
	id := m.user.soft("id")
	at, in, row := of{"directory " + domain, "users"}, "user "+id, "domain_user "+domain+" "+id
	c.compared(at.document, at.counted, 1)
	params := told.merged(m, "params", "param")
	answer, err := c.server.section(form.Register(c.Node, id, domain))
	what, err := asFault(err)
	if err != nil {
		return err
	}
	match, ok := readFolk(answer.child("domain").orNone()).byID[strings.ToLower(id)]
	open := !slices.ContainsFunc(params, func(s setting) bool { return isCredential(s.name) && s.value != "" })
	if !ok {
		d := Difference{What: in, Place: m.user.place(), Row: row, Tree: id, Server: what, Meaning: "the switch would not know the user"}
		if open {
			c.explain(at, d, "it has neither a password nor an a1-hash: FreeSWITCH would let anybody in as this user, and the server tells of no such user")
			return nil
		}
		c.found(at, d)
		return nil
	}
	heard := readFolk(answer.child("domain"))
	c.userAttributes(at, in, m.user, match.user)
	c.settings(of{at.document, "params of users"}, in, params, heard.merged(match, "params", "param"), rules{
		what: "param", row: func(string) string { return row },
		explain: func(name, _, _ string) string {
			switch {
			case name == emptyPassword:
				return noEmptyPassword
			case open && isCredential(name):
				return "in the tree it has neither a password nor an a1-hash, and FreeSWITCH would let anybody in as this user"
			}
			return ""
		},
	})
	c.settings(of{at.document, "variables of users"}, in, told.merged(m, "variables", "variable"), heard.merged(match, "variables", "variable"), rules{
		what: "variable", row: func(string) string { return row },
	})
	c.settings(of{at.document, "variables of users"}, in, told.merged(m, "profile-variables", "variable"), heard.merged(match, "profile-variables", "variable"), rules{
		what: "profile variable", row: func(string) string { return row },
	})
	for _, part := range m.user.childrenBut("params", "variables", "profile-variables", "gateways") {
		if other := match.user.child(part.name); other != nil {
			c.elements(at, part, other, row, in)
			continue
		}
		if part.saysNothing() {
			continue
		}
		c.found(at, Difference{What: joined(in, label(part)), Place: part.place(), Row: row, Tree: c.maskedTag(in, part), Meaning: "the switch would not be told it"})
	}
	return nil
}

// userAttributes compares the attributes of a user. FreeSWITCH finds it by its id in any case.
func (c *comparison) userAttributes(at of, in string, tree, server *node) {
	const unread = "mailbox" // it was of a FreeSWITCH of long ago
	c.attributes(at, in, tree, server, "type", "id", "cidr", unread)
	if told, heard := tree.soft("cidr"), server.soft("cidr"); sameNetworks(told) != sameNetworks(heard) {
		c.found(at, Difference{
			What: joined(in, "attribute cidr"), Place: tree.place(), Tree: told, Server: heard, Meaning: "the user would be known by other networks",
		})
	}
	if told, heard := tree.soft("id"), server.soft("id"); told != heard {
		c.explain(at, Difference{What: joined(in, "attribute id"), Place: tree.place(), Tree: told, Server: heard, Meaning: "the id is in lower case"},
			"FreeSWITCH finds a user by its id in any case, and the rows have it in one")
	}
	if told, ok := tree.attr(unread); ok {
		c.explain(at, Difference{What: joined(in, "attribute "+unread), Place: tree.place(), Tree: told, Meaning: "the server does not say it"}, "no part of FreeSWITCH reads it")
	}
}

// sameNetworks are networks as FreeSWITCH takes them: 192.0.2.1/24 is 192.0.2.0/24.
func sameNetworks(list string) string {
	var all []string
	for _, text := range strings.Split(list, ",") {
		if prefix, err := netip.ParsePrefix(strings.TrimSpace(text)); err == nil {
			text = prefix.Masked().String()
		}
		all = append(all, text)
	}
	return strings.Join(all, ",")
}

// saysNothing reports whether nothing stands in an element.
func (n *node) saysNothing() bool { return len(n.attrs)+len(n.children) == 0 && n.text == "" }

// orNone is n, or an element with nothing in it.
func (n *node) orNone() *node {
	if n == nil {
		return &node{}
	}
	return n
}

// domainItself compares what a domain says for all its users, and what stands in it besides them. Users are compared with what
// they take of it.
func (c *comparison) domainItself(name string, told, heard *folk) error {
	at := of{"directory " + name, "domain"}
	row := func(string) string { return "domain " + name }
	c.compared(at.document, at.counted, 1)
	c.attributes(at, "domain", told.domain, heard.domain, "name")
	for _, kind := range [][2]string{{"params", "param"}, {"variables", "variable"}, {"profile-variables", "variable"}} {
		server := settingsOf(heard.domain.child(kind[0]), kind[1])
		c.settings(at, "", settingsOf(told.domain.child(kind[0]), kind[1]), server, rules{
			what: kind[1], row: row,
			explain: func(name, _, _ string) string {
				if name == emptyPassword {
					return noEmptyPassword
				}
				if strings.Contains(name, "pass") {
					return "an answer about many users tells no passwords: one about a user does"
				}
				return ""
			},
		})
	}
	for _, part := range told.domain.childrenBut("params", "variables", "profile-variables", "groups", "users", "user") {
		if part.saysNothing() {
			continue
		}
		c.found(at, Difference{What: label(part), Place: part.place(), Row: row(""), Tree: c.maskedTag(name, part), Meaning: "the switch would not be told it"})
	}
	return nil
}

// groups compares who is in a group, in which order, and how each is reached.
func (c *comparison) groups(domain string, told, heard *folk) error {
	at := of{"directory " + domain, "groups"}
	seen := map[string]bool{}
	for _, g := range told.groups {
		name := g.soft("name")
		if seen[strings.ToLower(name)] {
			continue // its users are found, and compared; as a group the first one is taken
		}
		seen[strings.ToLower(name)] = true
		c.compared(at.document, at.counted, 1)
		answer, err := c.server.section(form.Domain(c.Node, domain).With("domain", domain).With("group", name))
		if what, err := asFault(err); err != nil || what != "" {
			c.fault(at, what)
			return err
		}
		c.group(at, domain, g, told, answer.child("domain").orNone())
	}
	for _, g := range heard.groups {
		name := g.soft("name")
		if !seen[strings.ToLower(name)] && !strings.EqualFold(name, table.EveryUsersGroup) {
			c.compared(at.document, at.counted, 1)
			c.found(at, Difference{
				What: "group " + name, Row: "domain_group " + domain + " " + name, Server: name, Meaning: "the switch would know a group that the tree does not have",
			})
		}
	}
	return nil
}

func (c *comparison) group(at of, domain string, g *node, told *folk, answer *node) {
	name := g.soft("name")
	row := "domain_group " + domain + " " + name
	heard := readFolk(answer)
	var server *node
	for _, other := range heard.groups {
		if server == nil && strings.EqualFold(other.soft("name"), name) {
			server = other
		}
	}
	ids := func(group *node) (all []string) {
		for _, u := range group.child("users").all("user") {
			all = append(all, strings.ToLower(u.soft("id")))
		}
		return all
	}
	d := Difference{What: "group " + name, Place: g.place(), Row: row, Tree: some(ids(g)), Server: some(ids(server)), Meaning: "a call to the group would reach others, or in another order"}
	a, b := ids(g), ids(server)
	if !slices.Equal(a, b) {
		everybody := slices.Sorted(slices.Values(a))
		switch {
		case strings.EqualFold(name, table.EveryUsersGroup) && slices.Equal(everybody, slices.Sorted(slices.Values(b))):
			d.Meaning = "a call to all, one after the other, would ring in another order"
			c.explain(at, d, "the group holds everybody, in the order of the ids")
		default:
			c.found(at, d)
		}
	}
	for _, u := range g.child("users").all("user") {
		m, ok := told.byID[strings.ToLower(u.soft("id"))]
		match, also := heard.byID[strings.ToLower(u.soft("id"))]
		if !ok || !also {
			continue
		}
		m.group, match.group = g, server
		c.settings(of{at.document, "dial strings of groups"}, joined("group "+name, "user "+u.soft("id")), dialStrings(told.merged(m, "params", "param")),
			dialStrings(heard.merged(match, "params", "param")), rules{what: "param", row: func(string) string { return row }})
	}
}

// some are names in a row, as many as can be read.
func some(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// dialStrings are the settings by which a call to a group reaches a user.
func dialStrings(all []setting) (dial []setting) {
	for _, s := range all {
		if s.name == "dial-string" || s.name == "group-dial-string" {
			dial = append(dial, s)
		}
	}
	return dial
}

// networks compares the networks of users, which access lists that name the domain let in.
func (c *comparison) networks(domain string, told, _ *folk) error {
	at := of{"directory " + domain, "networks of users"}
	answer, err := c.server.section(form.Domain(c.Node, domain).With("domain", domain).With("purpose", "network-list"))
	if what, err := asFault(err); err != nil || what != "" {
		c.fault(at, what)
		return err
	}
	list := func(f *folk) (all []setting) {
		for _, m := range f.users {
			if cidr, ok := m.user.attr("cidr"); ok {
				all = append(all, setting{m.user.soft("id"), sameNetworks(cidr), m.user})
			}
		}
		return all
	}
	c.settings(at, "", list(told), list(readFolk(answer.child("domain").orNone())), rules{
		what: "networks of user", row: func(id string) string { return "domain_user " + domain + " " + id },
	})
	return nil
}

// userGateways compares the gateways that come with users, for each profile that takes them from the domain.
func (c *comparison) userGateways(domain string, told, _ *folk) error {
	at := of{"directory " + domain, "gateways of users"}
	var all []*node
	for _, m := range told.users {
		all = append(all, m.user.child("gateways").all("gateway")...)
	}
	asked := false
	for _, p := range c.configuration("sofia.conf").child("profiles").all("profile") {
		if !slices.ContainsFunc(p.child("domains").all("domain"), func(d *node) bool {
			return hunt.IsTrue(d.soft("parse")) && (strings.EqualFold(d.soft("name"), domain) || strings.EqualFold(d.soft("name"), "all"))
		}) {
			continue
		}
		asked = true
		name := p.soft("name")
		answer, err := c.server.section(form.Domain(c.Node, domain).With("purpose", "gateways").With("profile", name))
		if what, err := asFault(err); err != nil || what != "" {
			c.fault(at, what)
			return err
		}
		var served []*node
		for _, m := range readFolk(answer.child("domain").orNone()).users {
			served = append(served, m.user.child("gateways").all("gateway")...)
		}
		c.gateways(at, "profile "+name, all, served)
	}
	if !asked && len(all) > 0 {
		c.compared(at.document, at.counted, len(all))
		c.explain(at, Difference{What: label(all[0]), Place: all[0].place(), Meaning: "the server does not have it"},
			"FreeSWITCH never reads it: no profile has a domain with parse for it")
	}
	return nil
}
