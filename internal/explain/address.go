package explain

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"xmlcurld/db"
	"xmlcurld/db/table"
)

// Address explains what an access list says of an address, and of a port if it is not 0.
func (e *Explainer) Address(ctx context.Context, address netip.Addr, port int, list string) (*Explanation, error) {
	x := &Explanation{Question: fmt.Sprintf("address %s in list %s", address, list)}
	allowed, by, err := e.decide(ctx, list, address, port)
	if err != nil {
		return nil, err
	}
	x.Found, x.Answer = allowed, "denied: "+by
	if allowed {
		x.Answer = "allowed: " + by
	}
	return e.finish(x), nil
}

// decide is FreeSWITCH's choice among the entries of a list: the longest network decides, and of two the first.
func (e *Explainer) decide(ctx context.Context, list string, address netip.Addr, port int) (allowed bool, by string, err error) {
	answer, err := e.rules.ACLEntries(ctx, e.node, list, address)
	if err != nil {
		return false, "", err
	}
	address = address.Unmap()
	var best *candidate
	known, byDefault := false, false
	for i := range answer.Value {
		entry := &answer.Value[i]
		known, byDefault = true, entry.DefaultAllow
		for _, c := range candidates(entry) {
			if c.network.Contains(address) && c.fits(port) && (best == nil || c.network.Bits() > best.network.Bits()) {
				best = &c
			}
		}
	}
	switch {
	case !known && strings.HasSuffix(list, ".auto"):
		return false, "only the switch knows the list " + list + ", which is FreeSWITCH's own", nil
	case !known:
		return false, "there is no list " + list, nil
	}
	e.rows.note(table.ACLList, list)
	if best == nil {
		return byDefault, fmt.Sprintf("no entry holds the address, and the list's default is %s", word(byDefault)), nil
	}
	e.rows.note(table.ACLEntry, best.key)
	return best.allow, fmt.Sprintf("entry %s (%s) is the longest network that holds the address", best.key, word(best.allow)), nil
}

func word(allow bool) string {
	if allow {
		return "allow"
	}
	return "deny"
}

// candidate is a network of an entry.
type candidate struct {
	network     netip.Prefix
	allow       bool
	first, last int64 // ports; 0: any
	key         string
}

func (c candidate) fits(port int) bool {
	return c.first == 0 || int64(port) >= c.first && int64(port) <= c.last
}

// candidates are the networks of an entry: its own, or those of a domain's users.
func candidates(entry *db.ACLEntry) (all []candidate) {
	if entry.CIDR.IsValid() {
		return []candidate{{entry.CIDR, entry.Allow, entry.PortMin, entry.PortMax, entry.List + " " + entry.CIDR.String()}}
	}
	for rest := entry.Networks; rest != ""; {
		user, after, _ := strings.Cut(rest, " {")
		networks, more, _ := strings.Cut(after, "}")
		rest = strings.TrimPrefix(more, " ")
		for _, text := range strings.Split(networks, ",") {
			if network, err := netip.ParsePrefix(strings.TrimSpace(text)); err == nil {
				key := fmt.Sprintf("%s domain %s, user %s, %s", entry.List, entry.Domain, user, network)
				all = append(all, candidate{network: network, allow: entry.Allow, key: key})
			}
		}
	}
	return all
}
