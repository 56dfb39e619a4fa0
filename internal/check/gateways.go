package check

import (
	"fmt"
	"slices"
	"strings"

	"xmlcurld/db/table"
	"xmlcurld/internal/hunt"
)

// gateway is a gateway that is on.
type gateway struct {
	Name, Profile, Node, Tenant string
	Proxy, Realm                string
	Register                    bool
	Domain, User                string // of the user that it comes with; empty: it comes with its profile
	Transport                   string // register-transport
}

func (g *gateway) place() place { return place{"gateway", "name=" + g.Name, g.Tenant} }

// gatewaysQuery asks for all gateways, or for those whose proxy is like one of $1, and for those called $2 alone.
const gatewaysQuery = `
	SELECT g.name, g.profile, g.node, coalesce(g.tenant, ''), coalesce(g.proxy, ''), coalesce(g.realm, ''), g.register,
		coalesce(g.domain, ''), coalesce(g.user_id, ''), coalesce(p.value, '')
	FROM gateway g
	LEFT JOIN gateway_param p ON p.gateway = g.name AND p.name = 'register-transport' AND NOT p.expand
	WHERE g.enabled AND ($1::text[] IS NULL OR g.proxy LIKE ANY ($1::text[])) AND ($2::text[] IS NULL OR g.name = ANY ($2::text[]))
	ORDER BY g.name`

// gateways are all gateways. While nothing else has changed, they are those that did: what is found in one depends on no other.
func (w *world) gateways() ([]gateway, error) {
	return w.trunks.get(func() ([]gateway, error) { return w.gatewaysTo(nil) })
}

// gatewaysTo are those of gateways whose proxy is like one of patterns; nil: any.
func (w *world) gatewaysTo(patterns []string) ([]gateway, error) {
	var changed []string
	if slices.Equal(w.options.Changed, []string{"gateway"}) {
		changed = w.options.Gateways
	}
	return rows[gateway](w, gatewaysQuery, patterns, changed)
}

// profile returns a profile that is on, nil if there is none of that name.
func (w *world) profile(name string) *profile {
	if i := slices.IndexFunc(w.profiles, func(p profile) bool { return p.Name == name }); i >= 0 {
		return &w.profiles[i]
	}
	return nil
}

// running are the nodes that have a row of one node, in a profile that may be of one node, too.
func (w *world) running(p *profile, of string) (all []*node) {
	for i := range w.nodes {
		if n := &w.nodes[i]; n.is(of) && n.is(p.Node) {
			all = append(all, n)
		}
	}
	return all
}

// gatewayNowhere finds gateways that no node has.
func gatewayNowhere(w *world) (found []Finding, err error) {
	all, err := w.gateways()
	if err != nil {
		return nil, err
	}
	parsed, err := rows[struct{ Profile, Domain string }](w, `SELECT profile, name FROM sip_profile_domain WHERE parse`)
	for i := range all {
		g := &all[i]
		p := w.profile(g.Profile)
		switch {
		case p == nil: // its profile is off, and the gateway with it
		case g.Node != table.Common && p.Node != table.Common && g.Node != p.Node:
			found = append(found, g.place().finding(fmt.Sprintf("Gateway %s is for node %s, and its profile %s for node %s, so that no node has it.", g.Name, g.Node, p.Name, p.Node),
				"Give the gateway the node of its profile, or another profile."))
		case g.Domain != "" && !slices.ContainsFunc(parsed, func(d struct{ Profile, Domain string }) bool {
			return d.Profile == g.Profile && (d.Domain == g.Domain || d.Domain == "all")
		}):
			found = append(found, g.place().finding(fmt.Sprintf("Gateway %s comes with user %s@%s, and profile %s does not take the gateways of that domain.", g.Name, g.User, g.Domain, g.Profile),
				fmt.Sprintf("Insert %s into sip_profile_domain for profile %s with parse = true.", g.Domain, g.Profile)))
		}
	}
	return found, err
}

// gatewayRegistersTwice finds accounts that several switches register at a carrier.
func gatewayRegistersTwice(w *world) (found []Finding, err error) {
	all, err := w.gateways()
	for i := range all {
		g := &all[i]
		p := w.profile(g.Profile)
		if p == nil || !g.Register {
			continue
		}
		if on := w.running(p, g.Node); len(on) > 1 {
			found = append(found, g.place().finding(fmt.Sprintf("%d nodes register gateway %s with one account, so that calls from the carrier go to whichever registered last.", len(on), g.Name),
				"Set node to the one that is to register."))
		}
	}
	return found, err
}

// gatewayTransport finds gateways that a profile refuses: FreeSWITCH says so in its log only.
func gatewayTransport(w *world) (found []Finding, err error) {
	all, err := w.gateways()
	for i := range all {
		g := &all[i]
		p := w.profile(g.Profile)
		if p == nil || !slices.Contains([]string{"tls", "wss"}, strings.ToLower(g.Transport)) {
			continue
		}
		for _, n := range w.running(p, g.Node) {
			tls := p.on(n, "tls")
			if len(tls) == 0 || tls[len(tls)-1].literal() && !hunt.IsTrue(tls[len(tls)-1].Value) {
				found = append(found, place{"gateway_param", "gateway=" + g.Name + " name=register-transport", g.Tenant}.finding(
					fmt.Sprintf("Gateway %s registers over %s, and profile %s has no TLS, so that FreeSWITCH refuses the gateway.", g.Name, g.Transport, p.Name),
					fmt.Sprintf("Set parameter tls of profile %s to true, or choose another transport.", p.Name)))
				break
			}
		}
	}
	return found, err
}

// sipNamesQuery asks for names of profiles, with who has them, and for the gateways that are called so, too.
const sipNamesQuery = `
	WITH p (name, relation, key, profile, node, tenant) AS (
		SELECT lower(name), 'sip_profile', 'name=' || name, name, node, '' FROM sip_profile WHERE enabled
		UNION ALL
		SELECT a.name, 'sip_profile_alias', format('profile=%s name=%s', a.profile, a.name), a.profile, p.node, ''
		FROM sip_profile_alias a JOIN sip_profile p ON p.name = a.profile WHERE p.enabled
		UNION ALL
		SELECT d.name, 'sip_profile_domain', format('profile=%s name=%s', d.profile, d.name), d.profile, p.node, ''
		FROM sip_profile_domain d JOIN sip_profile p ON p.name = d.profile WHERE p.enabled AND d.alias
	)
	SELECT * FROM p
	UNION ALL
	SELECT lower(g.name), 'gateway', 'name=' || g.name, '', CASE p.node WHEN '*' THEN g.node ELSE p.node END, coalesce(g.tenant, '')
	FROM gateway g JOIN sip_profile p ON p.name = g.profile
	WHERE g.enabled AND p.enabled AND lower(g.name) IN (SELECT name FROM p)
	ORDER BY 1, 2, 3`

type sipName struct{ Name, Table, Key, Profile, Node, Tenant string }

// sipNames are names that two have on one node, each with one who has it besides.
func sipNames(w *world, clash func(a, b sipName) bool, say func(a, b sipName) (what, remedy string)) (found []Finding, err error) {
	all, err := w.names.get(func() ([]sipName, error) { return rows[sipName](w, sipNamesQuery) })
	byName := make(map[string][]sipName)
	for _, n := range all {
		byName[n.Name] = append(byName[n.Name], n)
	}
	for _, n := range all {
		for _, other := range byName[n.Name] {
			if meet := n.Node == table.Common || other.Node == table.Common || n.Node == other.Node; meet && clash(n, other) {
				found = append(found, place{n.Table, n.Key, n.Tenant}.finding(say(n, other)))
				break
			}
		}
	}
	return found, err
}

// gatewayName finds gateways that are called as a profile is.
func gatewayName(w *world) ([]Finding, error) {
	return sipNames(w, func(a, b sipName) bool { return a.Table == "gateway" && b.Table != "gateway" },
		func(a, b sipName) (string, string) {
			return fmt.Sprintf("%s is a gateway and a name of profile %s: sofia/%s/… goes through the profile, sofia/gateway/%s/… through the gateway.", a.Name, b.Profile, a.Name, a.Name),
				"Give the gateway another name, so that nobody takes one for the other."
		})
}

// profileName finds further names of profiles that two profiles have on one node.
func profileName(w *world) ([]Finding, error) {
	return sipNames(w, func(a, b sipName) bool {
		return a.Table == "sip_profile_domain" && b.Table != "gateway" && (b.Profile != a.Profile)
	}, func(a, b sipName) (string, string) {
		return fmt.Sprintf("%s is to be a name of profile %s and of profile %s on one node: FreeSWITCH gives it to the one that starts first.", a.Name, a.Profile, b.Profile),
			"Set alias to false in all but one."
	})
}

// destinationUnknown finds gateways, profiles and users that dial strings name and nobody has.
func destinationUnknown(w *world) (found []Finding, err error) {
	gateways, err := rows[struct {
		Name    string
		Enabled bool
	}](w, `SELECT g.name, g.enabled AND p.enabled FROM gateway g JOIN sip_profile p ON p.name = g.profile`)
	if err != nil {
		return nil, err
	}
	on := make(map[string]bool)
	for _, g := range gateways {
		on[g.Name] = g.Enabled
	}
	profiles := make(map[string]bool)
	names, err := texts(w, `
		SELECT name FROM sip_profile WHERE enabled
		UNION ALL
		SELECT name FROM sip_profile_alias
		UNION ALL
		SELECT name FROM sip_profile_domain WHERE alias AND name <> 'all'
		UNION ALL
		SELECT d.name FROM domain d WHERE EXISTS (SELECT FROM sip_profile_domain WHERE alias AND name = 'all')`)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		profiles[table.Fold(name)] = true
	}
	for _, a := range w.actions {
		for _, leg := range a.dialled() {
			parts := strings.Split(leg, "/")
			if len(parts) < 2 || !fixed(parts[1]) || a.Expand && strings.Contains(leg, "$${") {
				continue
			}
			switch {
			case parts[0] == "sofia" && parts[1] == "gateway" && len(parts) > 3 && fixed(parts[2]):
				_, name, ofProfile := strings.Cut(parts[2], "::")
				if !ofProfile {
					name = parts[2]
				}
				if enabled, known := on[name]; !known {
					found = append(found, a.finding(fmt.Sprintf("Nobody has the gateway %s, so that this call fails.", name), "Name a gateway of table gateway; FreeSWITCH minds case here."))
				} else if !enabled {
					found = append(found, a.finding(fmt.Sprintf("Gateway %s is off, or its profile, so that this call fails.", name), "Set enabled of both to true, or name another gateway."))
				}
			case parts[0] == "sofia" && parts[1] != "gateway" && len(parts) > 2 && !profiles[table.Fold(parts[1])]:
				found = append(found, a.finding(fmt.Sprintf("Nobody has the SIP profile %s, so that this call fails.", parts[1]), "Name a profile of table sip_profile, or sofia/gateway/ and a gateway."))
			case parts[0] == "user":
				missing, err := w.userMissing(parts[1])
				if err != nil {
					return nil, err
				}
				if missing {
					found = append(found, a.finding(fmt.Sprintf("Nobody is the user %s, so that this call fails.", parts[1]), "Name a user of table domain_user, as 1001@acme.example."))
				}
			}
		}
	}
	return found, nil
}

// userMissing reports whether nobody is called id@domain, by id or alias.
func (w *world) userMissing(name string) (bool, error) {
	user, domain, ok := strings.Cut(name, "@")
	if !ok {
		return false, nil
	}
	some, err := texts(w, `SELECT id FROM domain_user WHERE domain = lower($1) AND enabled AND (id = lower($2) OR number_alias = lower($2))`, domain, user)
	return err == nil && len(some) == 0, err
}

// domainUnknown finds domains that a profile names and nobody has.
func domainUnknown(w *world) (found []Finding, err error) {
	all, err := rows[struct{ Table, Key, Profile, Domain, Use string }](w, `
		SELECT 'sip_profile_domain', format('profile=%s name=%s', profile, name), profile::text, name::text, 'looks up' FROM sip_profile_domain
		WHERE name <> 'all'
		UNION ALL
		SELECT 'sip_profile_param', format('profile=%s node=%s name=%s position=%s', profile, node, name, position), profile, value, 'registers phones in'
		FROM sip_profile_param
		WHERE name IN ('force-register-domain', 'force-register-db-domain') AND value !~ '[$]'
		ORDER BY 1, 2`)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool)
	names, err := texts(w, `SELECT name FROM domain`)
	for _, name := range names {
		known[name] = true
	}
	for _, d := range all {
		if !known[table.Fold(d.Domain)] {
			found = append(found, place{d.Table, d.Key, ""}.finding(fmt.Sprintf("Profile %s %s %s, and nobody has that domain.", d.Profile, d.Use, d.Domain),
				"Name a domain of table domain."))
		}
	}
	return found, err
}

// profilePort finds profiles that listen where another one does on the same node: the second to start fails.
func profilePort(w *world) (found []Finding, err error) {
	for i := range w.nodes {
		n := &w.nodes[i]
		taken := make(map[string]string)
		for j := range w.profiles {
			p := &w.profiles[j]
			if !n.is(p.Node) {
				continue
			}
			at := p.address(n, "sip-ip") + " port " + p.value(n, "sip-port", "5060")
			if first, ok := taken[at]; ok {
				found = append(found, place{"sip_profile", "name=" + p.Name, ""}.finding(
					fmt.Sprintf("On node %s profiles %s and %s listen at one address, %s, so that only one of them starts.", n.Name, first, p.Name, strings.TrimSpace(at)),
					"Give one of them another sip-port or sip-ip."))
				continue
			}
			taken[at] = p.Name
		}
	}
	return found, nil
}

// addressUnspecified finds addresses of profiles that are nobody's: FreeSWITCH takes one of its own instead.
func addressUnspecified(w *world) (found []Finding, err error) {
	const remedy = "Write the address itself, or $${local_ip_v4} with expand."
	columns, err := rows[struct{ Node, Column string }](w, `
		SELECT n.name, c.name
		FROM node n
		CROSS JOIN LATERAL (VALUES ('local_ip', n.local_ip), ('external_ip', n.external_ip)) c (name, address)
		WHERE host(c.address) = '0.0.0.0'
		ORDER BY 1, 2 DESC`)
	for _, c := range columns {
		found = append(found, place{"node", "name=" + c.Node, ""}.finding(
			fmt.Sprintf("No profile can have the address 0.0.0.0, as %s of node %s says: FreeSWITCH takes an address of its own instead.", c.Column, c.Node), remedy))
	}
	for i := range w.profiles {
		for _, p := range w.profiles[i].Params {
			if slices.Contains([]string{"sip-ip", "rtp-ip", "ext-sip-ip", "ext-rtp-ip"}, p.Name) && p.Value == "0.0.0.0" {
				found = append(found, p.place().finding(fmt.Sprintf("Profile %s cannot have %s 0.0.0.0: FreeSWITCH takes an address of its own instead.", p.Profile, p.Name), remedy))
			}
		}
	}
	return found, err
}
