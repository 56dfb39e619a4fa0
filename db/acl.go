package db

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"

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
}

// aclRun is entries of one list that have everything but the network in common. A list of 10,000 networks comes as one row:
// Postgres makes it in half the time that 10,000 take.
type aclRun struct {
	ACLEntry
	Common bool // they are for all nodes
	CIDRs  []netip.Prefix
	IDs    []int64 // they were inserted in this order
}

// aclQuery leaves the order to the program, since Postgres would carry the wide rows through its sort, and turns nothing
// into text.
const aclQuery = `
WITH entry AS NOT MATERIALIZED (
	SELECT *
	FROM acl_entry
	WHERE enabled
		AND node IN ('*', $1)
		AND (tenant IS NULL OR tenant NOT IN (SELECT name FROM tenant WHERE NOT enabled))
)
SELECT
	coalesce(l.name, ''),
	coalesce(l.default_action = 'allow', false),
	coalesce(e.action = 'allow', false),
	coalesce(e.node = '*', false),
	coalesce(e.domain, ''),
	coalesce(CASE WHEN e.domain IS NOT NULL THEN (
		SELECT string_agg(u.id || ' ' || u.cidr::text, ' ' ORDER BY u.id)
		FROM domain_user u
		WHERE u.domain = e.domain AND u.enabled AND cardinality(u.cidr) > 0
	) END, ''),
	coalesce(lower(e.port), 0),
	coalesce(upper(e.port) - 1, 0),
	e.cidrs,
	e.ids,
	` + nodeKnown + `
FROM (SELECT) always
LEFT JOIN acl_list l ON true
LEFT JOIN (
	SELECT list, node, action, NULL AS domain, NULL::int4range AS port, array_agg(cidr) AS cidrs, array_agg(id) AS ids
	FROM entry
	WHERE domain IS NULL AND port IS NULL
	GROUP BY list, node, action
	UNION ALL
	SELECT list, node, action, NULL, port, ARRAY[cidr], ARRAY[id]
	FROM entry
	WHERE port IS NOT NULL
	UNION ALL
	SELECT e.list, e.node, e.action, e.domain, NULL, NULL, ARRAY[e.id]
	FROM entry e
	JOIN domain d ON d.name = e.domain AND d.enabled
	JOIN tenant t ON t.name = d.tenant AND t.enabled
	WHERE e.domain IS NOT NULL
) e ON e.list = l.name`

// ACL returns the entries of all access lists for node, list by list, in the order in which FreeSWITCH should see
// them: of two entries with one prefix the first decides, so a node's own come before the common ones. An entry with
// neither CIDR nor Domain stands for a list that holds none; one without List, for no list at all.
func (s *Store) ACL(ctx context.Context, node string) ([]ACLEntry, error) {
	s.asked("acl", node)
	runs, err := s.aclRuns(ctx, node)
	return aclEntries(runs), err
}

func (s *Store) aclRuns(ctx context.Context, node string) ([]aclRun, error) {
	return scan(ctx, s, scanACLRun, "acl", aclQuery, node)
}

const ownListsQuery = `
SELECT DISTINCT node
FROM acl_entry
WHERE node = ANY($1)`

// ACLRevision returns the name of the list that stands in node's acl.conf for the revision of all the others. Questions
// for many nodes read what they have in common once.
func (s *Store) ACLRevision(ctx context.Context, node string) (string, error) {
	return s.lists.answer(ctx, node)
}

func (s *Store) askACLRevisions(ctx context.Context, nodes []string) ([]string, error) {
	rows, err := s.pool.Query(ctx, ownListsQuery, nodes)
	if err != nil {
		return nil, translate("own access lists", err)
	}
	own, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, translate("own access lists", err)
	}
	known := make(map[string]string)
	revisions := make([]string, len(nodes))
	for i, node := range nodes {
		if !slices.Contains(own, node) {
			node = Common
		}
		if known[node] == "" {
			entries, err := s.ACL(ctx, node)
			if err != nil {
				return nil, err
			}
			known[node] = aclRevision(entries)
		}
		revisions[i] = known[node]
	}
	return revisions, nil
}

func scanACLRun(row pgx.CollectableRow) (r aclRun, err error) {
	err = row.Scan(&r.List, &r.DefaultAllow, &r.Allow, &r.Common, &r.Domain, &r.Networks, &r.PortMin, &r.PortMax,
		&r.CIDRs, &r.IDs, &r.NodeKnown)
	return r, err
}

// aclPlace is where an entry stands in its run, and in the order.
type aclPlace struct {
	run   *aclRun
	entry int
	id    int64
}

// aclEntries takes runs apart.
func aclEntries(runs []aclRun) []ACLEntry {
	var places []aclPlace
	for i := range runs {
		run := &runs[i]
		if len(run.IDs) == 0 { // of a list that holds none
			run.IDs = []int64{0}
		}
		places = slices.Grow(places, len(run.IDs))
		for entry, id := range run.IDs {
			places = append(places, aclPlace{run, entry, id})
		}
	}
	slices.SortFunc(places, func(a, b aclPlace) int {
		if a.run != b.run {
			if c := cmp.Or(strings.Compare(a.run.List, b.run.List), compareBool(a.run.Common, b.run.Common)); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.id, b.id)
	})
	entries := make([]ACLEntry, len(places))
	for i, p := range places {
		entries[i] = p.run.ACLEntry
		if len(p.run.CIDRs) > 0 {
			entries[i].CIDR = p.run.CIDRs[p.entry]
		}
	}
	return entries
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
