package db

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
	"xmlcurld/internal/pace"
)

// ACL is all access lists of a node.
type ACL struct {
	// Entries are list by list, in the order in which FreeSWITCH should see them: of two entries with one prefix the first
	// decides, so a node's own come before the common ones. One with neither CIDR nor Domain stands for a list that holds
	// none; one without List, for no list at all. They are only to be read: another question may have them for its answer.
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
	PortMin      int32  // 0: any port
	PortMax      int32
}

// ACLRun is entries of one list that have everything but the network in common. A list of 10,000 networks comes as one row:
// Postgres makes it in half the time that 10,000 take.
type ACLRun struct {
	ACLEntry
	Common bool // they are for all nodes
	CIDRs  []netip.Prefix
	IDs    []int64 // they were inserted in this order
}

// The rows that node $1 has: most are plain networks, and others have a domain or a port.
const (
	aclNodeEntries = `
	FROM acl_entry
	WHERE enabled
		AND (node = '*' OR node = $1)
		AND (tenant IS NULL OR tenant NOT IN (SELECT name FROM tenant WHERE NOT enabled))`

	aclPlainEntries = aclNodeEntries + `
		AND domain IS NULL
		AND port IS NULL`

	aclOtherEntries = aclNodeEntries + `
		AND (domain IS NOT NULL OR port IS NOT NULL)`
)

// aclPlainRuns are runs of networks. Nothing has to be turned into text for them.
const aclPlainRuns = `
	SELECT list, node, action, NULL AS domain, NULL::int4range AS port, array_agg(cidr) AS cidrs, array_agg(id) AS ids` +
	aclPlainEntries + `
	GROUP BY list, node, action`

// aclOtherRuns are one entry each.
const aclOtherRuns = `
	SELECT e.list, e.node, e.action, e.domain, e.port, CASE WHEN e.domain IS NULL THEN ARRAY[e.cidr] END AS cidrs, ARRAY[e.id] AS ids
	FROM (SELECT *` + aclOtherEntries + `) e
	LEFT JOIN domain d ON d.name = e.domain AND d.enabled
	LEFT JOIN tenant t ON t.name = d.tenant AND t.enabled
	WHERE e.domain IS NULL OR t.name IS NOT NULL`

// aclLists and aclOfLists stand around runs e. They leave the order to the program, since Postgres would carry the wide rows
// through its sort.
const (
	aclLists = `
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
LEFT JOIN (`
	aclOfLists = `
) e ON e.list = l.name`
)

const aclQuery = aclLists + aclPlainRuns + `
	UNION ALL` + aclOtherRuns + aclOfLists

// ACL implements Source. Lists that were just read for their revision, and have not changed since, are not read again:
// FreeSWITCH asks for them, and moves no call on until it has them, as soon as the revision was told from its own.
func (s *Store) ACL(ctx context.Context, node string) (Answer[ACL], error) {
	if acl, current, err := s.lastACL(ctx, node); current || err != nil {
		return acl, err
	}
	runs, err := s.ACLRuns(ctx, node)
	if err != nil {
		return Answer[ACL]{}, err
	}
	return Answer[ACL]{NewACL(runs.Value), runs.NodeKnown, runs.Freshness}, nil
}

// ACLRuns returns what NewACL makes the access lists of.
func (s *Store) ACLRuns(ctx context.Context, node string) (a Answer[[]ACLRun], err error) {
	a.Value, a.Freshness, err = pg.Scan(ctx, s.from, scanACLRun(&a.NodeKnown), "acl", aclQuery, node)
	return a, err
}

func scanACLRun(nodeKnown *bool) pgx.RowToFunc[ACLRun] {
	return func(row pgx.CollectableRow) (r ACLRun, err error) {
		err = row.Scan(&r.List, &r.DefaultAllow, &r.Allow, &r.Common, &r.Domain, &r.Networks, &r.PortMin, &r.PortMax,
			&r.CIDRs, &r.IDs, nodeKnown)
		return r, err
	}
}

// NewACL puts runs in order.
func NewACL(runs []ACLRun) ACL {
	entries := aclEntries(runs)
	return ACL{entries, aclRevision(entries)}
}

// aclPlace is where an entry stands in its run, and in the order.
type aclPlace struct {
	run   *ACLRun
	entry int
	id    int64
}

// aclEntries takes runs apart.
func aclEntries(runs []ACLRun) []ACLEntry {
	count, order := 0, make([]*ACLRun, len(runs))
	for i := range runs {
		order[i] = &runs[i]
		if len(runs[i].IDs) == 0 { // of a list that holds none
			runs[i].IDs = []int64{0}
		}
		count += len(runs[i].IDs)
	}
	// Most runs come one after the other, and are in order in themselves.
	slices.SortFunc(order, func(a, b *ACLRun) int { return cmp.Or(compareACLRuns(a, b), cmp.Compare(a.IDs[0], b.IDs[0])) })
	places := make([]aclPlace, 0, count)
	for _, run := range order {
		for entry, id := range run.IDs {
			places = append(places, aclPlace{run, entry, id})
		}
	}
	if !slices.IsSortedFunc(places, compareACLPlaces) {
		slices.SortFunc(places, compareACLPlaces)
	}
	var t pace.Turn
	entries := make([]ACLEntry, count)
	for i, p := range places {
		t.Rest()
		entries[i] = p.run.ACLEntry
		if len(p.run.CIDRs) > 0 {
			entries[i].CIDR = p.run.CIDRs[p.entry]
		}
	}
	return entries
}

func compareACLPlaces(a, b aclPlace) int {
	if a.run != b.run {
		if c := compareACLRuns(a.run, b.run); c != 0 {
			return c
		}
	}
	return cmp.Compare(a.id, b.id)
}

func compareACLRuns(a, b *ACLRun) int {
	own := func(r *ACLRun) int {
		if r.Common {
			return 1
		}
		return 0
	}
	return cmp.Or(strings.Compare(a.List, b.List), cmp.Compare(own(a), own(b)))
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
		line = append(strconv.AppendInt(line, int64(e.PortMin), 10), '-')
		line = append(strconv.AppendInt(line, int64(e.PortMax), 10), '\n')
		hash.Write(line)
	}
	return "xmlcurld." + hex.EncodeToString(hash.Sum(nil)[:8])
}
