package sections

import (
	"context"
	"strconv"

	"xmlcurld/db"
	"xmlcurld/db/fingerprint"
	"xmlcurld/xmlcurl"
)

type aclStore interface {
	ACL(ctx context.Context, node string) (db.Answer[db.ACL], error)
}

// acl answers acl.conf, the access lists. The core reads it at start, after the modules, and at reloadacl, and holds
// its global lock meanwhile: no call moves on until this is answered.
func acl(s aclStore, rec Recorder) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		answer, err := s.ACL(ctx, r.Hostname)
		if err != nil {
			return err
		}
		lists := known(d, answer)
		openConfiguration(d, "acl.conf")
		d.Open("network-lists")
		list := ""
		for rest := lists.Entries; len(rest) > 0; {
			e := &rest[0]
			if e.List != list {
				if list != "" {
					d.Close()
				}
				// Without a default FreeSWITCH allows everyone.
				d.Open("list", xmlcurl.A("name", e.List), xmlcurl.A("default", allowOrDeny(e.DefaultAllow)))
				list = e.List
			}
			rest = rest[aclNode(d, rest):]
		}
		if list != "" {
			d.Close()
		}
		// FreeSWITCH gives this list back by letting everyone in on it, so it can be asked whether it has these lists.
		d.Open("list", xmlcurl.A("name", lists.Revision), xmlcurl.A("default", "allow"))
		d.Close()
		d.Close()
		d.Close()
		if answer.NodeKnown {
			rec.Fetched(r.Hostname, "acl.conf", "", fingerprint.ACL(lists))
		}
		return nil
	})
}

// nodeNetworks is how many networks a node can have: FreeSWITCH takes no more apart. It looks through all elements before
// it to place the next one, so that ten thousand nodes would hold every call up for half a second, and a hundredth of it
// when they are this full.
const nodeNetworks = 32

// aclNode writes a node for the first of entries, and for those after it that share it. It returns how many those are.
func aclNode(d *xmlcurl.Document, entries []db.ACLEntry) (count int) {
	e := &entries[0]
	node := []xmlcurl.Attr{xmlcurl.A("type", allowOrDeny(e.Allow))}
	if e.Domain != "" {
		d.Empty("node", append(node, xmlcurl.A("domain", e.Domain))...)
		return 1
	}
	if !e.CIDR.IsValid() { // the list is empty
		return 1
	}
	networks := e.CIDR.AppendTo(make([]byte, 0, nodeNetworks*len("255.255.255.255/32,")))
	for count = 1; count < min(nodeNetworks, len(entries)) && shareNode(e, &entries[count]); count++ {
		networks = entries[count].CIDR.AppendTo(append(networks, ','))
	}
	node = append(node, xmlcurl.A("cidr", string(networks)))
	if e.PortMin != 0 {
		node = append(node, xmlcurl.A("port-min", strconv.FormatInt(e.PortMin, 10)), xmlcurl.A("port-max", strconv.FormatInt(e.PortMax, 10)))
	}
	d.Empty("node", node...)
	return count
}

// shareNode reports whether two entries differ in their network only.
func shareNode(a, b *db.ACLEntry) bool {
	return a.List == b.List && a.Allow == b.Allow && a.CIDR.IsValid() && b.CIDR.IsValid() && a.PortMin == b.PortMin && a.PortMax == b.PortMax
}

func allowOrDeny(allow bool) string {
	if allow {
		return "allow"
	}
	return "deny"
}
