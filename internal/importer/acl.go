package importer

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"xmlcurld/internal/conftree"
	"xmlcurld/internal/hunt"
	"xmlcurld/internal/rowset"
)

// acls are the access lists of the tree by name. Of two with the same name FreeSWITCH has the last.
func (in *importer) acls() (all []*conftree.Element) {
	for _, e := range in.configuration("acl.conf").Child("network-lists").All("list") {
		name := in.expand(e, e.Attr("name"))
		all = slices.DeleteFunc(all, func(other *conftree.Element) bool { return in.expand(other, other.Attr("name")) == name })
		if isLabel(name) && !strings.HasSuffix(name, ".auto") && !strings.HasPrefix(strings.ToLower(name), "xmlcurld") {
			all = append(all, e)
		}
	}
	return all
}

// lists adds the access lists, and tells of those that are none. Their entries come when there are domains.
func (in *importer) lists() {
	all := in.acls()
	for _, e := range in.configuration("acl.conf").Child("network-lists").All("list") {
		name := in.expand(e, e.Attr("name"))
		what := "access list " + name
		switch {
		case slices.Contains(all, e):
			action := "allow" // FreeSWITCH's own preset
			if text, ok := e.Lookup("default"); ok {
				action = allowed(in.expand(e, text))
			}
			in.Set.Add("acl_list", e.String(), rowset.C("name", name), rowset.C("default_action", action))
		case name == "":
			in.unread(e, "<list> without a name")
		case !isLabel(name) || strings.HasSuffix(name, ".auto") || strings.HasPrefix(strings.ToLower(name), "xmlcurld"):
			in.leave(e, what, "no access list of the server can have this name", "Give it another name, without .auto at its end, and write that where it is used.")
		default:
			in.leave(e, what, "FreeSWITCH has the last list of a name", "Delete it, or move its entries there.")
		}
	}
}

func allowed(text string) string {
	if hunt.IsTrue(text) {
		return "allow"
	}
	return "deny"
}

// entries adds what the access lists hold.
func (in *importer) entries() {
	domains := map[string]bool{}
	for _, r := range in.Set.Rows {
		if name, ok := r.Value("name"); ok && r.Table == "domain" {
			domains[name.(string)] = true
		}
	}
	for _, list := range in.acls() {
		in.readsAll(list, []string{"name", "default"}, []string{"node"})
		action := "allow"
		if text, ok := list.Lookup("default"); ok {
			action = allowed(in.expand(list, text))
		}
		added := map[string]string{}
		for _, e := range list.All("node") {
			l := entry{importer: in, Element: e, list: in.expand(list, list.Attr("name")), action: action, added: added}
			if text, ok := e.Lookup("type"); ok {
				l.action = allowed(in.expand(e, text))
			}
			l.add(domains)
		}
	}
}

// entry is a node of an access list.
type entry struct {
	*importer
	*conftree.Element
	list, action string
	added        map[string]string // the actions of the list's rows by what they are for
}

func (l *entry) add(domains map[string]bool) {
	l.readsAll(l.Element, []string{"type", "cidr", "host", "mask", "domain", "port", "ports", "port-min", "port-max"}, nil)
	read := func(name string) string { return l.expand(l.Element, l.Attr(name)) }
	if written, ok := l.Lookup("domain"); ok {
		name, unset := l.tree.Expand(l.Element, written)
		name = strings.ToLower(name)
		what := fmt.Sprintf("domain %q in access list %s", written, l.list)
		switch {
		case len(unset) > 0:
			l.leave(l.Element, what, "only the switch knows what it is called", "Say --variable "+strings.Join(unset, "=VALUE --variable ")+"=VALUE.")
		case !domains[name]:
			l.leave(l.Element, what, "the server has no such domain", "Import the domain, or delete the entry.")
		default:
			l.row("domain", name, nil)
		}
		return
	}
	if cidr := read("cidr"); cidr != "" {
		l.networks(strings.Split(cidr, ","))
	} else if host, mask := read("host"), read("mask"); host != "" && mask != "" {
		l.networks([]string{masked(host, mask)})
	} else {
		l.unread(l.Element, "<node> without a network")
	}
}

// networksMost is how many networks FreeSWITCH takes apart in one attribute.
const networksMost = 32

func (l *entry) networks(all []string) {
	ports, ok := l.ports()
	if !ok {
		return
	}
	for n, one := range all {
		network, err := netip.ParsePrefix(strings.TrimSpace(one))
		what := fmt.Sprintf("%q in access list %s", one, l.list)
		switch {
		case n >= networksMost:
			l.leave(l.Element, what, "FreeSWITCH reads 32 networks of an entry", "Write it into an entry of its own.")
		case err != nil:
			l.leave(l.Element, what, "FreeSWITCH takes it for no network, so the entry does nothing", "Write it as 192.0.2.64/29.")
		case len(ports) == 0:
			l.row("cidr", network.Masked().String(), nil)
		default:
			for _, port := range ports {
				l.row("cidr", network.Masked().String(), port)
			}
		}
	}
}

// row adds a row. Of two for the same, FreeSWITCH has the first decide.
func (l *entry) row(column, value string, port any) {
	key := fmt.Sprint(column, value, port)
	if before, ok := l.added[key]; ok {
		if before != l.action {
			l.leave(l.Element, fmt.Sprintf("%s of %s in access list %s", l.action, value, l.list), "an earlier entry for the same decides", "Delete it.")
		}
		return
	}
	l.added[key] = l.action
	columns := append([]rowset.Column{rowset.C("list", l.list)}, l.ofNode()...)
	columns = append(columns, rowset.C("action", l.action), rowset.C(column, value))
	if port != nil {
		columns = append(columns, rowset.C("port", port))
	}
	l.Set.Add("acl_entry", l.String(), columns...)
}

// ports are the ranges of source ports as PostgreSQL has them; none: any.
func (l *entry) ports() (all []any, ok bool) {
	read := func(name string) string { return l.expand(l.Element, l.Attr(name)) }
	span := func(low, high string) {
		a, err := strconv.Atoi(low)
		b, err2 := strconv.Atoi(high)
		if err != nil || err2 != nil || a < 1 || b < a || b > 65535 {
			ok = false
			return
		}
		all = append(all, fmt.Sprintf("[%d,%d]", a, b))
	}
	ok = true
	low, high := read("port-min"), read("port-max")
	given := 0
	if port := read("port"); port != "" {
		given++
		span(port, port)
	}
	if ports := read("ports"); ports != "" {
		given++
		for _, port := range strings.Split(ports, ",") {
			span(strings.TrimSpace(port), strings.TrimSpace(port))
		}
	}
	if low != "" || high != "" {
		given++
		if low == "" {
			low = "1"
		}
		span(low, high)
	}
	if !ok || given > 1 {
		l.leave(l.Element, "ports of an entry in access list "+l.list, "a row has one range of ports, from 1 to 65535", "Write port-min and port-max.")
		return nil, false
	}
	return all, true
}

// masked is a network with the length of a mask, or what it was if the mask has gaps.
func masked(host, mask string) string {
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() {
		return host + "/" + mask
	}
	bits := 0
	for text := m.As4(); bits < 32 && text[bits/8]&(0x80>>(bits%8)) != 0; bits++ {
		continue
	}
	network, err := netip.ParsePrefix(host + "/" + strconv.Itoa(bits))
	if err != nil || netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), bits).Masked().Addr() != m {
		return host + "/" + mask
	}
	return network.String()
}
