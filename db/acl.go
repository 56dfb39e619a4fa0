package db

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"xmlcurld/db/table"
	"xmlcurld/internal/pace"
)

// ACL is all access lists of a node.
type ACL struct {
	// Entries are list by list, in the order in which FreeSWITCH should see them: of two entries with one prefix the first
	// decides, so a node's own come before the common ones. One with neither CIDR nor Domain stands for a list that holds
	// none. They are only to be read: another question may have them for its answer.
	Entries  []ACLEntry
	Revision string // the name of the list that stands in acl.conf for the revision of all the others
}

// ACLEntry is one entry of an access list.
type ACLEntry struct {
	List         string
	DefaultAllow bool // of the list: what becomes of an address that no entry holds
	Allow        bool
	CIDR         netip.Prefix // invalid: the entry is Domain
	Domain       string
	Networks     string // of Domain's users, with who has them: what FreeSWITCH makes of the entry
	PortMin      int64  // 0: any port
	PortMax      int64

	common bool  // it is for all nodes
	id     int64 // they were inserted in this order
}

// aclTables are those that access lists are made of.
var aclTables = []string{table.Tenant, table.ACLList, table.ACLEntry, table.Domain, table.NetworkIndex}

// listsRead are lists that were made of rows.
type listsRead struct {
	ACL
	own map[string]bool // nodes that have entries of their own
}

// ACL returns all access lists for node. FreeSWITCH asks for them, and moves no call on until it has them. So they are put in
// order once, for as long as they do not change, and for all nodes that have none of their own.
func (b *Rulebook) ACL(ctx context.Context, node string) (Answer[ACL], error) {
	var version uint64
	var known bool
	a, err := ask(ctx, b, table.ForACL.About(node), func(rows table.Rows) (lists listsRead, err error) {
		version = rows.Version(aclTables...)
		if lists, known = b.lists.recall(table.Common, version); known && !lists.own[node] {
			return lists, nil
		}
		if lists, known = b.lists.recall(node, version); known {
			return lists, nil
		}
		return b.readLists(rows, node)
	})
	if err == nil && !known { // nobody waits for the rows any more
		a.Value.ACL = newACL(a.Value.Entries)
		whose := table.Common
		if a.Value.own[node] {
			whose = node
		}
		b.lists.keep(whose, version, a.Value)
	}
	return Answer[ACL]{a.Value.ACL, a.NodeKnown, a.Freshness}, err
}

// ACLEntries returns the entries of one list that may hold address, in the order in which FreeSWITCH sees them: none if node has no
// such list, and at least one otherwise, as in ACL.
func (b *Rulebook) ACLEntries(ctx context.Context, node, list string, address netip.Addr) (Answer[[]ACLEntry], error) {
	address = address.Unmap().WithZone("")
	return ask(ctx, b, table.ForAddress.About(node, list, address.String()), func(rows table.Rows) ([]ACLEntry, error) {
		read, err := b.readLists(rows, node)
		entries := slices.DeleteFunc(read.Entries, func(e ACLEntry) bool { return e.List != list })
		slices.SortFunc(entries, compareACLEntries)
		return entries, err
	})
}

// ACLRevision returns the revision of node's access lists.
func (b *Rulebook) ACLRevision(ctx context.Context, node string) (string, error) {
	a, err := b.ACL(ctx, node)
	return a.Value.Revision, err
}

// readLists reads the lists of node, in no order, with one entry for each that holds none.
func (b *Rulebook) readLists(rows table.Rows, node string) (read listsRead, err error) {
	read.own = make(map[string]bool)
	empty, defaults := make(map[string]bool), make(map[string]bool)
	err = rows.Each(table.ACLList, "", func(list string, action []byte) error {
		empty[list], defaults[list] = true, string(action) == "allow"
		return nil
	})
	if err != nil {
		return read, err
	}
	err = rows.Each(table.ACLEntry, "", func(id string, row []byte) error {
		e, of, err := b.readEntry(rows, id, string(row), node)
		if err != nil {
			return err
		}
		if of != table.Common {
			read.own[of] = true
		}
		if e != nil {
			e.DefaultAllow, empty[e.List] = defaults[e.List], false
			read.Entries = append(read.Entries, *e)
		}
		return nil
	})
	for list, none := range empty {
		if none {
			read.Entries = append(read.Entries, ACLEntry{List: list, DefaultAllow: defaults[list]})
		}
	}
	return read, err
}

// readEntry reads an entry and whose it is. It is nil if node does not have it: it is another node's, or a tenant's or a
// domain's that is switched off.
func (b *Rulebook) readEntry(rows table.Rows, id, row, node string) (e *ACLEntry, of string, err error) {
	fields := strings.Split(row, table.Separator)
	if len(fields) != 8 {
		return nil, "", fmt.Errorf("entry %s of an access list: %d fields", id, len(fields))
	}
	of = fields[1]
	if !isOf(of, node) {
		return nil, of, nil
	}
	if tenant := fields[3]; tenant != "" {
		if off, err := tenantOff(rows, tenant); err != nil || off {
			return nil, of, err
		}
	}
	e = &ACLEntry{List: fields[0], Allow: fields[2] == "allow", Domain: fields[5], common: of == table.Common}
	if e.Domain == "" {
		e.CIDR, err = netip.ParsePrefix(fields[4])
	} else {
		var on bool
		if e.Networks, on, err = b.networks(rows, e.Domain); !on {
			return nil, of, err
		}
	}
	for _, n := range []struct {
		text string
		to   *int64
	}{{id, &e.id}, {fields[6], &e.PortMin}, {fields[7], &e.PortMax}} {
		if err == nil {
			*n.to, err = strconv.ParseInt(n.text, 10, 64)
		}
	}
	return e, of, err
}

// networks are those of a domain's users, with who has them, and whether the domain is on.
func (b *Rulebook) networks(rows table.Rows, name string) (text string, on bool, err error) {
	domain, err := b.domain(rows, name)
	if err != nil || domain == nil || !domain.on {
		return "", false, err
	}
	var all []string
	err = rows.Each(table.NetworkIndex, name+table.Separator, func(key string, networks []byte) error {
		all = append(all, strings.TrimPrefix(key, name+table.Separator)+" {"+string(networks)+"}")
		return nil
	})
	return strings.Join(all, " "), true, err
}

// newACL puts entries in order.
func newACL(entries []ACLEntry) ACL {
	slices.SortFunc(entries, compareACLEntries)
	return ACL{entries, aclRevision(entries)}
}

func compareACLEntries(a, b ACLEntry) int {
	own := func(e *ACLEntry) int {
		if e.common {
			return 1
		}
		return 0
	}
	return cmp.Or(strings.Compare(a.List, b.List), cmp.Compare(own(&a), own(&b)), cmp.Compare(a.id, b.id))
}

// aclRevision is the name of a list that stands in acl.conf for the revision of all the others.
func aclRevision(entries []ACLEntry) string {
	hash, line := sha256.New(), make([]byte, 0, 256)
	var t pace.Turn
	for i := range entries {
		t.Rest()
		e := &entries[i]
		line = append(append(line[:0], e.List...), ' ')
		line = append(strconv.AppendBool(line, e.DefaultAllow), ' ')
		line = append(strconv.AppendBool(line, e.Allow), ' ')
		line = append(e.CIDR.AppendTo(line), ' ')
		line = append(append(append(append(line, e.Domain...), ' '), e.Networks...), ' ')
		line = append(strconv.AppendInt(line, e.PortMin, 10), '-')
		line = append(strconv.AppendInt(line, e.PortMax, 10), '\n')
		hash.Write(line)
	}
	return "xmlcurld." + hex.EncodeToString(hash.Sum(nil)[:8])
}
