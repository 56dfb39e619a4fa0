package check

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"xmlcurld/db/table"
)

// entry is an entry of an access list that is on, with a network.
type entry struct {
	ID                         int64
	List, Node, Action, Tenant string
	Text                       string // the network
	Low, High                  int    // ports; 0: any
	network                    netip.Prefix
}

func (e *entry) place() place {
	return place{"acl_entry", fmt.Sprintf("list=%s node=%s cidr=%s", e.List, e.Node, e.Text) + ports(e), e.Tenant}
}

func ports(e *entry) string {
	if e.Low == 0 {
		return ""
	}
	return fmt.Sprintf(" port=[%d,%d]", e.Low, e.High)
}

// meets reports whether both can decide about one address and port, on one node.
func (e *entry) meets(o *entry) bool {
	return e.List == o.List && (e.Node == table.Common || o.Node == table.Common || e.Node == o.Node) &&
		(e.Low == 0 || o.Low == 0 || e.Low <= o.High && o.Low <= e.High)
}

func (w *world) entries() ([]*entry, error) { return w.networks.get(w.readEntries) }

// readEntries reads them as acl.conf is made of them.
func (w *world) readEntries() (all []*entry, err error) {
	_, err = w.rows.Read(w.ctx, table.ForACL.About(table.Common), func(rows table.Rows) error {
		return rows.Each(table.ACLEntry, "", func(id string, row []byte) error {
			e, err := newEntry(id, strings.Split(string(row), table.Separator))
			if err == nil && e != nil && !w.off[e.Tenant] {
				all = append(all, e)
			}
			return err
		})
	})
	slices.SortFunc(all, func(a, b *entry) int { return cmp.Compare(a.ID, b.ID) })
	return all, err
}

// newEntry makes an entry of its row, nil if it has no network.
func newEntry(id string, row []string) (e *entry, err error) {
	const fields = 8
	if len(row) != fields {
		return nil, fmt.Errorf("entry %s of an access list: %d fields", id, len(row))
	}
	if row[4] == "" {
		return nil, nil
	}
	e = &entry{List: row[0], Node: row[1], Action: row[2], Tenant: row[3], Text: row[4]}
	e.network, err = netip.ParsePrefix(e.Text)
	var errs [3]error
	e.ID, errs[0] = strconv.ParseInt(id, 10, 64)
	e.Low, errs[1] = strconv.Atoi(row[6])
	e.High, errs[2] = strconv.Atoi(row[7])
	return e, errors.Join(err, errors.Join(errs[:]...))
}

// around calls f with each pair of entries of which the first network is the second one or holds it, the shortest prefix first.
func around(all []*entry, f func(outer, inner *entry)) {
	type where struct {
		list    string
		network netip.Prefix
	}
	at, lengths := make(map[where][]*entry), make(map[string][]int)
	for _, e := range all {
		at[where{e.List, e.network}] = append(at[where{e.List, e.network}], e)
		if bits := e.network.Bits(); !slices.Contains(lengths[e.List], bits) {
			lengths[e.List] = append(lengths[e.List], bits)
		}
	}
	for _, some := range lengths {
		slices.Sort(some)
	}
	for _, inner := range all {
		for _, bits := range lengths[inner.List] {
			if bits > inner.network.Bits() {
				break
			}
			outer, _ := inner.network.Addr().Prefix(bits) // bits are those of its family or fewer: no error
			for _, o := range at[where{inner.List, outer}] {
				if o != inner {
					f(o, inner)
				}
			}
		}
	}
}

// networksConflict finds equal networks of one list that are let in and kept out.
func networksConflict(w *world) (found []Finding, err error) {
	all, err := w.entries()
	around(all, func(o, i *entry) {
		if o.network == i.network && o.Action != i.Action && o.meets(i) && o.Node == i.Node && o.ID < i.ID {
			found = append(found, i.place().finding(
				fmt.Sprintf("List %s is to %s and to %s %s: FreeSWITCH does what the older entry says, %s.", i.List, o.Action, i.Action, i.Text, o.Action),
				"Delete one of the two entries, or give them ports that do not overlap."))
		}
	})
	return found, err
}

// networksNested finds networks of a list within one of the opposite action.
func networksNested(w *world) (found []Finding, err error) {
	all, err := w.entries()
	nearest := make(map[*entry]*entry)
	around(all, func(o, i *entry) {
		if o.network != i.network && o.meets(i) { // the last is the nearest
			nearest[i] = o
		}
	})
	for _, i := range all {
		if o := nearest[i]; o != nil && o.Action != i.Action {
			found = append(found, i.place().finding(
				fmt.Sprintf("List %s is to %s %s and to %s %s, which lies in it: the longer prefix decides, so that %s is %s.", i.List, o.Action, o.Text, i.Action, i.Text, i.Text, past[i.Action]),
				"Nothing, if that is meant; otherwise delete one of the two entries."))
		}
	}
	return found, err
}

var past = map[string]string{"allow": "let in", "deny": "kept out"}

// userNetwork finds users who are known by a network that another user has, too: calls from there are always the first one's.
func userNetwork(w *world) (found []Finding, err error) {
	all, err := rows[struct{ Domain, User, Tenant, Network, List, First string }](w, `
		SELECT o.domain, o.id, o.tenant, o.network, o.list, o.first
		FROM (
			SELECT u.domain, u.id, d.tenant, n.network::text, e.list, first_value(u.id || '@' || u.domain) OVER same AS first, row_number() OVER same AS nth
			FROM acl_entry e
			JOIN domain d ON d.name = e.domain
			CROSS JOIN LATERAL (SELECT id, domain, cidr FROM domain_user WHERE domain = d.name AND enabled AND cidr IS NOT NULL OFFSET 0) u
			CROSS JOIN LATERAL unnest(u.cidr) n (network)
			WHERE e.enabled AND d.enabled AND e.node = '*' AND e.domain IS NOT NULL
			WINDOW same AS (PARTITION BY e.list, n.network ORDER BY e.id, u.id)
		) o
		WHERE o.nth > 1
		ORDER BY 1, 2, 4`)
	for _, u := range all {
		found = append(found, place{"domain_user", fmt.Sprintf("domain=%s id=%s", u.Domain, u.User), u.Tenant}.finding(
			fmt.Sprintf("%s@%s is to be known by %s in list %s, and so is %s: FreeSWITCH takes calls from there for one of them.", u.User, u.Domain, u.Network, u.List, u.First),
			"Give each user networks of its own."))
	}
	return found, err
}

// listUnknown finds access lists that nobody has: FreeSWITCH lets nobody in by them.
func listUnknown(w *world) (found []Finding, err error) {
	names, err := texts(w, `SELECT name FROM acl_list`)
	if err != nil {
		return nil, err
	}
	const query = `
		SELECT 'sip_profile_param', format('profile=%s node=%s name=%s position=%s', p.profile, p.node, p.name, p.position), '', p.name::text, split_part(p.value, ':', 1)
		FROM sip_profile_param p
		WHERE p.name ~ '^(apply-.*-acl|apply-proxy-acl-x-token|apply-inbound-acl-x-token|local-network-acl)$' AND p.value !~ '[$/]'
		UNION ALL
		SELECT 'gateway_param', format('gateway=%s name=%s', p.gateway, p.name), coalesce(g.tenant, ''), p.name, p.value
		FROM gateway_param p
		JOIN gateway g ON g.name = p.gateway
		WHERE p.name = 'gw-auth-acl' AND p.value !~ '[$/]'
		UNION ALL
		SELECT 'domain_param', format('domain=%s name=%s', p.domain, p.name), d.tenant, p.name, p.value
		FROM domain_param p
		JOIN domain d ON d.name = p.domain
		WHERE p.name = 'auth-acl' AND p.value !~ '[$/]'
		UNION ALL
		SELECT 'domain_user_param', format('domain=%s user_id=%s name=%s', p.domain, p.user_id, p.name), d.tenant, p.name, p.value
		FROM domain_user_param p
		JOIN domain d ON d.name = p.domain
		WHERE p.name = 'auth-acl' AND p.value !~ '[$/]'`
	all, err := rows[struct{ Table, Key, Tenant, Param, List string }](w, query)
	for _, p := range all {
		if p.List == "" || p.List == "none" || strings.HasSuffix(p.List, ".auto") || slices.Contains(names, p.List) {
			continue
		}
		found = append(found, place{p.Table, p.Key, p.Tenant}.finding(fmt.Sprintf("%s names the access list %s, which nobody has, so that it lets nobody in.", p.Param, p.List),
			"Name a list of table acl_list, or one that FreeSWITCH makes itself, such as localnet.auto."))
	}
	return found, err
}

//go:embed carriers.json
var carriersJSON []byte

// carrier is what a carrier publishes about its networks.
type carrier struct {
	Name       string   `json:"name"`
	Hosts      []string `json:"hosts"` // of its trunks, as patterns of path.Match
	Source     string   `json:"source"`
	Date       string   `json:"date"`
	Signalling published
	Media      published
}

// published are networks with their ports, in the carrier's words.
type published struct {
	Networks []netip.Prefix `json:"networks"`
	Ports    string         `json:"ports"`
}

// carriers are those whose networks are known.
func carriers() (all []carrier, err error) {
	err = json.Unmarshal(carriersJSON, &all)
	return all, err
}

// has reports whether a gateway is a trunk to the carrier.
func (c *carrier) has(g *gateway) bool {
	host, _, _ := strings.Cut(g.Proxy, ";")
	host, _, _ = strings.Cut(strings.TrimPrefix(host, "sip:"), ":")
	return slices.ContainsFunc(c.Hosts, func(pattern string) bool {
		matches, err := path.Match(pattern, host)
		return err == nil && matches
	})
}

// patterns are the carriers' hosts, as patterns of LIKE for what may stand around them.
func patterns(all []carrier) (some []string) {
	for _, c := range all {
		for _, host := range c.Hosts {
			some = append(some, "%"+strings.ReplaceAll(host, "*", "%")+"%")
		}
	}
	return some
}

// carrierNetworks finds trunks whose profile lets other networks in than the carrier publishes.
func carrierNetworks(w *world) (found []Finding, err error) {
	known, err := carriers()
	if err != nil {
		return nil, err
	}
	gateways, err := w.gatewaysTo(patterns(known))
	if err != nil || len(gateways) == 0 {
		return nil, err
	}
	entries, err := w.entries()
	if err != nil {
		return nil, err
	}
	open, err := texts(w, `SELECT name FROM acl_list WHERE default_action = 'allow'`)
	if err != nil {
		return nil, err
	}
	for i := range gateways {
		g := &gateways[i]
		p := w.profile(g.Profile)
		if p == nil {
			continue
		}
		for c := range known {
			if !known[c].has(g) {
				continue
			}
			for _, n := range w.running(p, g.Node) {
				if what, remedy := known[c].differs(p, n, entries, open); what != "" {
					found = append(found, g.place().finding(what, remedy))
					break
				}
			}
		}
	}
	return found, nil
}

// differs says how the networks that a profile lets in differ from those that the carrier publishes. What the lists in open let
// in cannot be told from their entries.
func (c *carrier) differs(p *profile, n *node, entries []*entry, open []string) (what, remedy string) {
	var lists []string
	for _, s := range p.on(n, "apply-inbound-acl") {
		list, _, _ := strings.Cut(s.Value, ":")
		if !s.literal() || strings.Contains(s.Value, "/") || strings.HasSuffix(list, ".auto") || slices.Contains(open, list) {
			return "", "" // what it lets in is not in rows
		}
		lists = append(lists, list)
	}
	if len(lists) == 0 {
		return "", ""
	}
	var missing, wider []string
	for _, network := range c.Signalling.Networks {
		var decides *entry
		for _, e := range entries {
			if !slices.Contains(lists, e.List) || !n.is(e.Node) || e.network.Bits() > network.Bits() || !e.network.Contains(network.Addr()) {
				continue
			}
			if decides == nil || e.network.Bits() > decides.network.Bits() || e.network == decides.network && decides.Node == table.Common && e.Node != table.Common {
				decides = e
			}
		}
		switch {
		case decides == nil || decides.Action != "allow":
			missing = append(missing, network.String())
		case decides.network.Bits() < network.Bits():
			wider = append(wider, decides.Text)
		}
	}
	remedy = fmt.Sprintf("Its page of %s lists them: %s. Its media from %s, %s, belongs into the firewall.", c.Date, c.Source, c.Media.Networks[0], c.Media.Ports)
	switch {
	case len(missing) > 0:
		return fmt.Sprintf("%s calls from %s, which profile %s does not let in.", c.Name, list(missing), p.Name), "Allow them in list " + strings.Join(lists, " or ") + ". " + remedy
	case len(wider) > 0:
		slices.Sort(wider)
		return fmt.Sprintf("Profile %s lets in more than the networks of %s: %s.", p.Name, c.Name, list(slices.Compact(wider))), "Write the carrier's networks instead. " + remedy
	}
	return "", ""
}
