package compare

import (
	"cmp"
	"slices"
	"strings"

	"xmlcurld/db"
	"xmlcurld/internal/hunt"
)

// sofia compares sofia.conf, profile by profile.
func (c *comparison) sofia() error {
	c.progress("sofia.conf")
	tree := c.configuration("sofia.conf")
	at := of{"sofia.conf", "profiles"}
	whole, err := c.server.configuration("sofia.conf")
	if what, err := asFault(err); err != nil || what != "" {
		c.fault(at, what)
		return err
	}
	c.settings(of{at.document, "global settings"}, "global_settings", settingsOf(tree.child("global_settings"), "param"),
		settingsOf(whole.child("global_settings"), "param"), rules{what: "param", row: func(name string) string { return "sofia_param " + name }})
	served := map[string]bool{}
	for _, p := range whole.child("profiles").all("profile") {
		served[p.soft("name")] = true
	}
	for _, p := range tree.child("profiles").all("profile") {
		name := p.soft("name")
		c.compared(at.document, at.counted, 1)
		if !served[name] {
			c.found(at, Difference{
				What: "profile " + name, Place: p.place(), Row: "sip_profile " + name, Tree: c.maskedTag("profile "+name, p), Meaning: "the switch would not have the profile",
			})
			continue
		}
		delete(served, name)
		if err := c.profile(p); err != nil {
			return err
		}
	}
	for _, name := range sorted(served) {
		c.compared(at.document, at.counted, 1)
		d := Difference{What: "profile " + name, Row: "sip_profile " + name, Server: name, Meaning: "the switch would have a profile that the tree does not have"}
		c.found(at, d)
	}
	return nil
}

// profile compares a profile with what the server says when FreeSWITCH starts it.
func (c *comparison) profile(tree *node) error {
	name := tree.soft("name")
	in := "profile " + name
	answer, err := c.server.configuration("sofia.conf", "profile", name)
	if what, err := asFault(err); err != nil || what != "" {
		c.fault(of{"sofia.conf", "profiles"}, what)
		return err
	}
	server := answer.child("profiles").child("profile")
	if server == nil {
		c.found(of{"sofia.conf", "profiles"}, Difference{What: in, Place: tree.place(), Meaning: "the switch would not get the profile when it starts it"})
		return nil
	}
	c.attributes(of{"sofia.conf", "profiles"}, in, tree, server)
	c.settings(of{"sofia.conf", "settings of profiles"}, in, settingsOf(tree.child("settings"), "param"), settingsOf(server.child("settings"), "param"), rules{
		what: "param", row: func(param string) string { return "sip_profile_param " + name + " " + param },
		many: takesAll,
	})
	c.nameSets(of{"sofia.conf", "aliases"}, in, "sip_profile_alias "+name, tree.child("aliases").all("alias"), server.child("aliases").all("alias"))
	c.domainsOf(in, "sip_profile_domain "+name, tree, server)
	c.gateways(of{"sofia.conf", "gateways"}, in, tree.child("gateways").all("gateway"), server.child("gateways").all("gateway"))
	for _, part := range tree.childrenBut("gateways", "aliases", "domains", "settings") {
		c.explain(of{"sofia.conf", "profiles"}, Difference{What: joined(in, part.name), Place: part.place(), Tree: c.maskedTag(in, part), Meaning: "the server does not say it"},
			"FreeSWITCH reads nothing of this name in a profile")
	}
	return nil
}

// takesAll reports whether a profile takes all values of a param, and not only the last one.
func takesAll(name string) bool {
	return name == "rtp-ip" || name == "alias" || name == "bind-params" || strings.HasPrefix(name, "apply-") && strings.HasSuffix(name, "-acl")
}

// attributes compares all attributes of two elements.
func (c *comparison) attributes(at of, in string, tree, server *node, but ...string) {
	for _, a := range slices.Concat(tree.attrs, server.attrs) {
		told, has := tree.attr(a.Name)
		heard, hears := server.attr(a.Name)
		if told == heard && has == hears || slices.Contains(but, a.Name) {
			continue
		}
		but = append(but, a.Name)
		c.found(at, Difference{
			What: joined(in, "attribute "+a.Name), Place: tree.place(), Tree: c.masked(in, a.Name, told), Server: c.masked(in, a.Name, heard),
			Meaning: "the switch would be told something else",
		})
	}
}

// nameSets compares elements that are nothing but names.
func (c *comparison) nameSets(at of, in, row string, tree, server []*node) {
	names := func(all []*node) (set []string) {
		for _, n := range all {
			set = append(set, n.soft("name"))
		}
		return set
	}
	told, heard := names(tree), names(server)
	for i, name := range told {
		c.compared(at.document, at.counted, 1)
		if !slices.Contains(heard, name) {
			c.found(at, Difference{What: joined(in, label(tree[i])), Place: tree[i].place(), Row: row, Tree: name, Meaning: "the switch would not have the name"})
		}
	}
	for i, name := range heard {
		if !slices.Contains(told, name) {
			c.compared(at.document, at.counted, 1)
			c.found(at, Difference{What: joined(in, label(server[i])), Row: row, Server: name, Meaning: "the switch would have a name that the tree does not give"})
		}
	}
}

// domainsOf compares the domains that a profile looks up.
func (c *comparison) domainsOf(in, row string, tree, server *node) {
	at := of{"sofia.conf", "domains of profiles"}
	said := func(n *node) string {
		return "alias " + word(hunt.IsTrue(n.soft("alias"))) + ", parse " + word(hunt.IsTrue(n.soft("parse")))
	}
	heard := map[string]string{}
	for _, d := range server.child("domains").all("domain") {
		heard[strings.ToLower(d.soft("name"))] = said(d)
	}
	for _, d := range tree.child("domains").all("domain") {
		name := strings.ToLower(d.soft("name"))
		c.compared(at.document, at.counted, 1)
		if heard[name] != said(d) {
			c.found(at, Difference{
				What: joined(in, "domain "+name), Place: d.place(), Row: row + " " + name, Tree: said(d), Server: heard[name],
				Meaning: "the profile would know the domain's users, or its gateways, in another way",
			})
		}
		delete(heard, name)
	}
	for name, what := range heard {
		c.compared(at.document, at.counted, 1)
		c.found(at, Difference{
			What: joined(in, "domain "+name), Row: row + " " + name, Server: what, Meaning: "the profile would look up a domain that the tree does not name",
		})
	}
}

func word(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// gateways compares gateways by their names.
func (c *comparison) gateways(at of, in string, tree, server []*node) {
	served := map[string]*node{}
	for _, g := range server {
		served[g.soft("name")] = g
	}
	for _, g := range tree {
		name := g.soft("name")
		row := "gateway " + name
		c.compared(at.document, at.counted, 1)
		match, seen := served[name]
		switch {
		case match != nil:
			c.gateway(at, in, g, match)
			served[name] = nil
		case seen:
			c.explain(at, Difference{What: joined(in, "a second gateway "+name), Place: g.place(), Meaning: "the server has the first"},
				"FreeSWITCH ignores a gateway whose name another one has")
		default:
			c.found(at, Difference{What: joined(in, row), Place: g.place(), Row: row, Tree: c.maskedTag(in, g), Meaning: "the switch would not have the gateway"})
		}
	}
	for _, g := range server {
		if name := g.soft("name"); served[name] != nil {
			c.compared(at.document, at.counted, 1)
			c.found(at, Difference{
				What: joined(in, "gateway "+name), Row: "gateway " + name, Server: c.maskedTag(in, g), Meaning: "the switch would have a gateway that the tree does not have",
			})
		}
	}
}

// gatewayDefaults are what FreeSWITCH takes where a gateway says nothing of them: the server says them always.
var gatewayDefaults = map[string]string{"register": "true", "caller-id-in-from": "false"}

func (c *comparison) gateway(at of, in string, tree, server *node) {
	name := tree.soft("name")
	in = joined(in, "gateway "+name)
	at.counted = "settings of gateways"
	c.attributes(at, in, tree, server)
	c.settings(at, in, gatewayParams(tree), gatewayParams(server), rules{
		what: "param", row: func(string) string { return "gateway " + name }, defaults: gatewayDefaults, truth: []string{"register", "caller-id-in-from"},
		explain: func(name, _, server string) string {
			if server == "" && !slices.Contains(gatewayReads, name) {
				return "FreeSWITCH reads no param of this name in a gateway"
			}
			return ""
		},
	})
	var heard []setting
	for _, s := range directed(partOf(server, "variables", "variable")) {
		if strings.HasPrefix(s.name, db.RevisionVariable) {
			c.explain(at, Difference{
				What: joined(in, "variable "+db.RevisionVariable), Row: "gateway " + name, Server: s.value, Meaning: "incoming calls have one variable more",
			}, "by it the server knows which version of the gateway the switch runs")
			continue
		}
		heard = append(heard, s)
	}
	said := directed(partOf(tree, "variables", "variable"))
	for _, s := range said {
		if strings.HasPrefix(s.name, db.RevisionVariable) {
			c.explain(at, Difference{
				What: joined(in, "variable "+db.RevisionVariable), Place: s.element.place(), Tree: s.value, Meaning: "incoming calls have one variable less",
			}, exportedMark)
		}
	}
	said = slices.DeleteFunc(said, func(s setting) bool { return strings.HasPrefix(s.name, db.RevisionVariable) })
	c.settings(at, in, said, heard, rules{
		what: "variable", row: func(variable string) string { return "gateway_variable " + name + " " + variable }, many: func(string) bool { return true },
	})
	for _, part := range tree.childrenBut("params", "param", "variables", "variable") {
		if !part.saysNothing() {
			c.elements(at, part, server.child(part.name).orNone(), "gateway "+name, in)
		}
	}
}

// gatewayReads are the params that FreeSWITCH reads in a gateway.
var gatewayReads = strings.Fields(`register scheme realm username extension-in-contact auth-username password caller-id-in-from extension contact-in-ping
	ping ping-max ping-min ping-user-agent ping-monitoring proxy context expire-seconds 908-retry-seconds retry-seconds timeout-seconds retry_seconds
	from-user from-domain contact-host register-proxy outbound-proxy distinct-to destination-prefix rfc-5626 reg-id contact-params register-transport
	gw-auth-acl`)

// gatewayParams are the params of a gateway, with those that FreeSWITCH makes of others: the realm is the proxy or else the
// name, and the proxy the realm.
func gatewayParams(gateway *node) []setting {
	all := partOf(gateway, "params", "param")
	last := map[string]string{}
	for _, s := range all {
		last[s.name] = s.value
	}
	realm := cmp.Or(last["realm"], last["proxy"], gateway.soft("name"))
	for name, value := range map[string]string{"realm": realm, "proxy": cmp.Or(last["proxy"], realm)} {
		if last[name] == "" {
			all = append(all, setting{name, value, gateway})
		}
	}
	return all
}

// partOf are the settings of a gateway: those in the list, or else those that stand in it directly.
func partOf(gateway *node, list, element string) []setting {
	if in := gateway.child(list); in != nil {
		return settingsOf(in, element)
	}
	return settingsOf(gateway, element)
}

// directed are variables with the direction in their names, as FreeSWITCH keeps two lists.
func directed(all []setting) (both []setting) {
	for _, s := range all {
		direction, ok := s.element.attr("direction")
		if !ok {
			direction = "both"
		}
		s.name += " " + strings.ToLower(direction)
		both = append(both, s)
	}
	return both
}
