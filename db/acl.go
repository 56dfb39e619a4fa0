package db

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	"github.com/jackc/pgx/v5"
)

// ACLEntry is one entry of an access list.
type ACLEntry struct {
	List         string
	DefaultAllow bool // of the list: what becomes of an address that no entry holds
	Allow        bool
	CIDR         netip.Prefix // invalid: the entry is Domain
	Domain       string
	Networks     string // of Domain's users, with who has them: what FreeSWITCH makes of the entry
	PortMin      int32  // 0: any port
	PortMax      int32
	NodeKnown    bool

	common bool  // it is for all nodes
	id     int64 // they were inserted in this order
}

// aclQuery is for very many entries: it leaves the order to the program, since Postgres would carry the wide rows through
// its sort, and turns nothing into text.
const aclQuery = `
SELECT
	coalesce(l.name, ''),
	coalesce(l.default_action = 'allow', false),
	coalesce(e.action = 'allow', false),
	e.cidr,
	coalesce(e.domain, ''),
	coalesce(CASE WHEN e.domain IS NOT NULL THEN (
		SELECT string_agg(u.id || ' ' || u.cidr::text, ' ' ORDER BY u.id)
		FROM domain_user u
		WHERE u.domain = e.domain AND u.enabled AND cardinality(u.cidr) > 0
	) END, ''),
	coalesce(lower(e.port), 0),
	coalesce(upper(e.port) - 1, 0),
	` + nodeKnown + `,
	coalesce(e.node = '*', false),
	coalesce(e.id, 0)
FROM (SELECT) always
LEFT JOIN acl_list l ON true
LEFT JOIN acl_entry e ON e.list = l.name
	AND e.enabled
	AND e.node IN ('*', $1)
	AND (e.tenant IS NULL OR e.tenant NOT IN (SELECT name FROM tenant WHERE NOT enabled))
	AND (e.domain IS NULL OR e.domain IN (
		SELECT d.name
		FROM domain d
		JOIN tenant t ON t.name = d.tenant
		WHERE d.enabled AND t.enabled
	))`

// ACL returns the entries of all access lists for node, list by list, in the order in which FreeSWITCH should see
// them: of two entries with one prefix the first decides, so a node's own come before the common ones. An entry with
// neither CIDR nor Domain stands for a list that holds none; one without List, for no list at all.
func (s *Store) ACL(ctx context.Context, node string) ([]*ACLEntry, error) {
	entries, err := scan(ctx, s, aclEntries(), "acl", aclQuery, node)
	slices.SortFunc(entries, func(a, b *ACLEntry) int {
		return cmp.Or(cmp.Compare(a.List, b.List), compareBool(a.common, b.common), cmp.Compare(a.id, b.id))
	})
	return entries, err
}

// aclEntries scans all rows through one entry.
func aclEntries() pgx.RowToFunc[*ACLEntry] {
	var e ACLEntry
	columns := []any{&e.List, &e.DefaultAllow, &e.Allow, orNone{&e.CIDR}, &e.Domain, &e.Networks, &e.PortMin, &e.PortMax,
		&e.NodeKnown, &e.common, &e.id}
	return func(row pgx.CollectableRow) (*ACLEntry, error) {
		err := row.Scan(columns...)
		entry := e
		return &entry, err
	}
}

// orNone scans NULL as the invalid prefix.
type orNone struct{ *netip.Prefix }

// ScanNetipPrefix implements pgtype.NetipPrefixScanner.
func (p orNone) ScanNetipPrefix(v netip.Prefix) error {
	*p.Prefix = v
	return nil
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}
