package compare

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"xmlcurld/internal/hunt"
)

// acl compares the access lists: what each says of addresses at the ends of its networks and beside them, which is all that
// it can say.
func (c *comparison) acl() error {
	c.progress("acl.conf")
	at := of{"acl.conf", "lists"}
	answer, err := c.server.configuration("acl.conf")
	if what, err := asFault(err); err != nil || what != "" {
		c.fault(at, what)
		return err
	}
	served := map[string]*node{}
	for _, list := range answer.child("network-lists").all("list") {
		if name := list.soft("name"); !strings.HasPrefix(name, "xmlcurld") {
			served[name] = list
		} else {
			c.explain(at, Difference{What: "list " + name, Server: name, Meaning: "the switch has one list more, which no param names"},
				"by it the server knows which version of the lists the switch has")
		}
	}
	told := map[string]*node{} // FreeSWITCH keeps the last list of a name
	var names []string
	for _, list := range c.configuration("acl.conf").child("network-lists").all("list") {
		name := list.soft("name")
		if name == "" {
			c.explain(at, Difference{What: "a list without a name", Place: list.place(), Meaning: "the server does not have it"}, "FreeSWITCH passes it over")
			continue
		}
		if strings.HasPrefix(name, "xmlcurld") {
			c.explain(at, Difference{What: "list " + name, Place: list.place(), Tree: name, Meaning: "the tree has one list more, which no param names"}, exportedMark)
			continue
		}
		if told[name] == nil {
			names = append(names, name)
		}
		told[name] = list
	}
	for _, name := range names {
		c.compared(at.document, at.counted, 1)
		if served[name] == nil {
			c.found(at, Difference{
				What: "list " + name, Place: told[name].place(), Row: "acl_list " + name, Tree: told[name].tag(),
				Meaning: "the switch would not have the list: what it guards is open to nobody",
			})
			continue
		}
		c.list(name, told[name], served[name])
		delete(served, name)
	}
	for _, list := range served {
		c.compared(at.document, at.counted, 1)
		c.found(at, Difference{
			What: "list " + list.soft("name"), Row: "acl_list " + list.soft("name"), Server: list.tag(), Meaning: "the switch would have a list that the tree does not have",
		})
	}
	return nil
}

// accessList is a list as FreeSWITCH keeps it.
type accessList struct {
	allow    bool // by default
	networks map[netip.Prefix][]network
	all      []network
	domains  []network // that are named
	strange  []string  // networks that FreeSWITCH cannot read
}

type network struct {
	netip.Prefix
	allow    bool
	ports    string // empty: all; else as port-min-port-max
	min, max int
	domain   string
	element  *node
}

func readList(list *node) *accessList {
	l := &accessList{allow: true, networks: map[netip.Prefix][]network{}}
	if value, ok := list.attr("default"); ok {
		l.allow = hunt.IsTrue(value)
	}
	for _, e := range list.all("node") {
		n := network{allow: l.allow, element: e}
		if value, ok := e.attr("type"); ok {
			n.allow = hunt.IsTrue(value)
		}
		n.min, _ = strconv.Atoi(e.soft("port-min"))
		n.max, _ = strconv.Atoi(e.soft("port-max"))
		if port, err := strconv.Atoi(e.soft("port")); err == nil {
			n.min, n.max = port, port
		}
		n.ports = e.soft("ports")
		l.add(n)
	}
	return l
}

// add adds what an entry names: a domain, or networks.
func (l *accessList) add(n network) {
	if domain, ok := n.element.attr("domain"); ok {
		n.domain = strings.ToLower(domain)
		l.domains = append(l.domains, n)
		return
	}
	cidr, ok := n.element.attr("cidr")
	if !ok && n.element.soft("host") != "" && n.element.soft("mask") != "" {
		cidr = masked(n.element.soft("host"), n.element.soft("mask"))
	}
	for _, text := range strings.Split(cidr, ",") {
		prefix, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			l.strange = append(l.strange, text)
			continue
		}
		n.Prefix = prefix.Masked()
		l.networks[n.Prefix] = append(l.networks[n.Prefix], n)
		l.all = append(l.all, n)
	}
}

// masked is a host and a mask such as 255.255.255.0 as a network, or what it is made of if it is none.
func masked(host, mask string) string {
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() {
		return host + " " + mask
	}
	bits := 0
	for _, b := range m.As4() {
		for ; b&0x80 != 0; b <<= 1 {
			bits++
		}
	}
	return fmt.Sprintf("%s/%d", host, bits)
}

// decide is FreeSWITCH's choice: the longest network that holds the address decides, of two the first; else the default.
func (l *accessList) decide(a netip.Addr, port int) (allow bool, by *network) {
	for bits := a.BitLen(); bits >= 0; bits-- {
		prefix, err := a.Prefix(bits)
		if err != nil {
			continue
		}
		for i := range l.networks[prefix] {
			if n := &l.networks[prefix][i]; n.takes(port) {
				return n.allow, n
			}
		}
	}
	return l.allow, nil
}

// takes reports whether a network is for a port. Port 0 stands for a call of which the port is not looked at.
func (n *network) takes(port int) bool {
	switch {
	case port == 0:
		return true
	case n.ports != "":
		return slices.Contains(strings.Split(n.ports, ","), strconv.Itoa(port))
	case n.min == 0 && n.max == 0:
		return true
	}
	return port >= n.min && (n.max == 0 || port <= n.max)
}

// sample is an address with a port.
type sample struct {
	address netip.Addr
	port    int
}

// samples are where what a list says can change.
func samples(lists ...*accessList) (all []sample) {
	ports := map[int]bool{0: true}
	addresses := map[netip.Addr]bool{netip.MustParseAddr("0.0.0.0"): true, netip.MustParseAddr("::"): true}
	for _, l := range lists {
		for _, n := range l.all {
			for _, p := range []int{n.min - 1, n.min, n.max, n.max + 1} {
				if n.min+n.max > 0 && p > 0 {
					ports[p] = true
				}
			}
			for _, text := range strings.Split(n.ports, ",") {
				if p, err := strconv.Atoi(text); err == nil {
					ports[p], ports[p+1] = true, true
				}
			}
			first, last := n.Addr(), lastOf(n.Prefix)
			for _, a := range []netip.Addr{first, last, first.Prev(), last.Next()} {
				if a.IsValid() {
					addresses[a] = true
				}
			}
		}
	}
	for a := range addresses {
		for p := range ports {
			all = append(all, sample{a, p})
		}
	}
	slices.SortFunc(all, func(a, b sample) int { return cmp.Or(a.address.Compare(b.address), a.port-b.port) })
	return all
}

// lastOf is the last address of a network.
func lastOf(p netip.Prefix) netip.Addr {
	bytes := p.Addr().AsSlice()
	for i := p.Bits(); i < len(bytes)*8; i++ {
		bytes[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(bytes)
	return a
}

// list compares two lists.
func (c *comparison) list(name string, tree, server *node) {
	a, b := readList(tree), readList(server)
	at := of{"acl.conf", "addresses looked up"}
	for _, text := range a.strange {
		c.explain(of{"acl.conf", "lists"}, Difference{What: fmt.Sprintf("list %s, network %q", name, text), Place: tree.place(), Meaning: "the server does not have it"},
			"FreeSWITCH cannot read it as a network, and passes it over")
	}
	if a.allow != b.allow {
		c.found(of{"acl.conf", "lists"}, Difference{
			What: "list " + name + ", default", Place: tree.place(), Row: "acl_list " + name, Tree: allowOrDeny(a.allow), Server: allowOrDeny(b.allow),
			Meaning: "addresses that no entry holds would be treated in another way",
		})
	}
	tried := samples(a, b)
	c.compared(at.document, at.counted, len(tried))
	seen := map[string]bool{}
	for _, s := range tried {
		told, by := a.decide(s.address, s.port)
		heard, other := b.decide(s.address, s.port)
		if told == heard || by == nil && other == nil {
			continue
		}
		d := Difference{
			What: fmt.Sprintf("list %s, address %s", name, s.address), Tree: decided(told, by), Server: decided(heard, other),
			Row: "acl_list " + name, Place: tree.place(), Meaning: "the address would be treated in another way",
		}
		if s.port > 0 {
			d.What += fmt.Sprintf(", port %d", s.port)
		}
		if other != nil {
			d.Row = fmt.Sprintf("acl_entry %s %s", name, other)
		}
		if by != nil {
			d.Place = by.element.place()
		}
		if key := d.Tree + "\n" + d.Server; !seen[key] { // the same networks say the same of many addresses
			seen[key] = true
			c.found(at, d)
		}
	}
	c.namedDomains(name, a, b)
}

func decided(allow bool, by *network) string {
	if by == nil {
		return allowOrDeny(allow) + ", by default"
	}
	return allowOrDeny(allow) + ", for " + by.String()
}

func allowOrDeny(allow bool) string {
	if allow {
		return "allow"
	}
	return "deny"
}

// hasDomain reports whether the tree's directory has a domain.
func (c *comparison) hasDomain(name string) bool {
	for _, e := range c.tree.Section("directory").All("domain") {
		if value, _ := c.tree.Expand(e, e.Attr("name")); strings.EqualFold(value, name) {
			return true
		}
	}
	return false
}

// namedDomains compares the domains whose users' networks are in a list.
func (c *comparison) namedDomains(list string, a, b *accessList) {
	at := of{"acl.conf", "domains named"}
	said := func(n network) string { return allowOrDeny(n.allow) + " " + n.domain }
	heard := map[string]bool{}
	for _, n := range b.domains {
		heard[said(n)] = true
	}
	for _, n := range a.domains {
		c.compared(at.document, at.counted, 1)
		d := Difference{
			What: "list " + list + ", domain " + n.domain, Place: n.element.place(), Row: "acl_entry " + list + " " + n.domain, Tree: n.element.tag(),
			Meaning: "the networks of the domain's users would not be in the list",
		}
		switch {
		case heard[said(n)]:
		case !c.hasDomain(n.domain):
			c.explain(at, d, "the tree has no such domain, and nobody in it")
		default:
			c.found(at, d)
		}
		delete(heard, said(n))
	}
	for _, what := range sorted(heard) {
		c.compared(at.document, at.counted, 1)
		c.found(at, Difference{
			What: "list " + list + ", " + what, Row: "acl_entry " + list, Server: what, Meaning: "the networks of a domain's users would be in the list, which the tree does not say",
		})
	}
}
