package db

import "context"

// ACLEntry is one entry of an access list.
type ACLEntry struct {
	List          string
	DefaultAction string // of the list: allow or deny
	Action        string // allow or deny
	CIDR          string `db:"cidr"` // with its /bits; empty: the entry is Domain
	Domain        string
	PortMin       int // 0: any port
	PortMax       int
	NodeKnown     bool
}

const aclQuery = `
SELECT
	coalesce(l.name, '') AS list,
	coalesce(l.default_action::text, '') AS default_action,
	coalesce(e.action::text, '') AS action,
	coalesce(e.cidr::text, '') AS cidr,
	coalesce(e.domain, '') AS domain,
	coalesce(lower(e.port), 0) AS port_min,
	coalesce(upper(e.port) - 1, 0) AS port_max,
	` + nodeKnown + `
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
) e ON e.list = l.name
ORDER BY
	l.name,
	e.node = '*', -- of two entries with one prefix the first decides: the node's own
	e.id`

// ACL returns the entries of all access lists for node, list by list, in the order in which FreeSWITCH should see
// them. An entry with neither CIDR nor Domain stands for a list that holds none; one without List, for no list at all.
func (s *Store) ACL(ctx context.Context, node string) ([]ACLEntry, error) {
	return collect[ACLEntry](ctx, s, "acl", aclQuery, node)
}
