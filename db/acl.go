package db

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// ACLEntry is one entry of an access list.
type ACLEntry struct {
	List          string
	DefaultAction string // of the list: allow or deny
	Action        string // allow or deny
	CIDR          string // with its /bits; empty: the entry is Domain
	Domain        string
	Networks      string // of Domain's users, with who has them: what FreeSWITCH makes of the entry
	PortMin       int32  // 0: any port
	PortMax       int32
	NodeKnown     bool

	common bool  // it is for all nodes
	id     int64 // they were inserted in this order
}

// aclQuery leaves the order to the program: Postgres would carry the wide rows through its sort.
const aclQuery = `
SELECT
	coalesce(l.name, ''),
	coalesce(l.default_action::text, ''),
	coalesce(e.action::text, ''),
	coalesce(e.cidr::text, ''),
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
LEFT JOIN (
	SELECT e.*
	FROM acl_entry e
	LEFT JOIN tenant t ON t.name = e.tenant
	LEFT JOIN domain d ON d.name = e.domain
	LEFT JOIN tenant dt ON dt.name = d.tenant
	WHERE e.enabled
		AND e.node IN ('*', $1)
		AND coalesce(t.enabled, true)
		AND coalesce(d.enabled AND dt.enabled, true)
) e ON e.list = l.name`

// ACL returns the entries of all access lists for node, list by list, in the order in which FreeSWITCH should see
// them: of two entries with one prefix the first decides, so a node's own come before the common ones. An entry with
// neither CIDR nor Domain stands for a list that holds none; one without List, for no list at all.
func (s *Store) ACL(ctx context.Context, node string) ([]ACLEntry, error) {
	entries, err := scan(ctx, s, aclEntry, "acl", aclQuery, node)
	slices.SortFunc(entries, func(a, b ACLEntry) int {
		return cmp.Or(cmp.Compare(a.List, b.List), compareBool(a.common, b.common), cmp.Compare(a.id, b.id))
	})
	return entries, err
}

func aclEntry(row pgx.CollectableRow) (e ACLEntry, err error) {
	err = row.Scan(&e.List, &e.DefaultAction, &e.Action, &e.CIDR, &e.Domain, &e.Networks, &e.PortMin, &e.PortMax, &e.NodeKnown, &e.common, &e.id)
	return e, err
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
