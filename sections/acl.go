package sections

import (
	"context"
	"strconv"

	"xmlcurld/db"
	"xmlcurld/xmlcurl"
)

type aclStore interface {
	ACL(ctx context.Context, node string) ([]db.ACLEntry, error)
}

// acl answers acl.conf, the access lists. The core reads it at start, after the modules, and at reloadacl, and holds
// its global lock meanwhile: no call moves on until this is answered.
func acl(s aclStore, rec Recorder) xmlcurl.Handler {
	return handler(func(ctx context.Context, r *xmlcurl.Request, d *xmlcurl.Document) error {
		entries, err := s.ACL(ctx, r.Hostname)
		if err != nil {
			return err
		}
		knows(d, entries[0].NodeKnown)
		openConfiguration(d, "acl.conf")
		d.Open("network-lists")
		list := ""
		for i := range entries {
			e := &entries[i]
			if e.List == "" {
				break
			}
			if e.List != list {
				if list != "" {
					d.Close()
				}
				// Without a default FreeSWITCH allows everyone.
				d.Open("list", xmlcurl.A("name", e.List), xmlcurl.A("default", allowOrDeny(e.DefaultAllow)))
				list = e.List
			}
			aclNode(d, e)
		}
		if list != "" {
			d.Close()
		}
		// FreeSWITCH gives this list back by letting everyone in on it, so it can be asked whether it has these lists.
		parts := db.ACLParts(entries)
		d.Open("list", xmlcurl.A("name", parts[""]), xmlcurl.A("default", "allow"))
		d.Close()
		d.Close()
		d.Close()
		if entries[0].NodeKnown {
			rec.Fetched(r.Hostname, "acl.conf", "", parts)
		}
		return nil
	})
}

func aclNode(d *xmlcurl.Document, e *db.ACLEntry) {
	kind := xmlcurl.A("type", allowOrDeny(e.Allow))
	switch {
	case e.Domain != "":
		d.Empty("node", kind, xmlcurl.A("domain", e.Domain))
	case e.CIDR.IsValid() && e.PortMin != 0:
		d.Empty("node", kind, xmlcurl.A("cidr", e.CIDR.String()),
			xmlcurl.A("port-min", strconv.Itoa(int(e.PortMin))), xmlcurl.A("port-max", strconv.Itoa(int(e.PortMax))))
	case e.CIDR.IsValid():
		d.Empty("node", kind, xmlcurl.A("cidr", e.CIDR.String()))
	}
}

func allowOrDeny(allow bool) string {
	if allow {
		return "allow"
	}
	return "deny"
}
