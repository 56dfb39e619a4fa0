package explain

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// countAndName counts what a query finds, and names the first.
const countAndName = `
WITH q AS MATERIALIZED (
	SELECT name
	FROM (%s) q (name)
	LIMIT $2
)
SELECT count(*), array(SELECT name::text FROM q LIMIT $3)
FROM q`

// shownOfAKind is how many of a kind are named.
const shownOfAKind = 10

// reaches are, for each table, what a row of it reaches: a kind, and a query of names by the row's key, $1. Each query finds
// its rows by an index, or looks through a table that is small.
var reaches = map[string][][2]string{
	"acl_list": {
		{"entries", `SELECT coalesce(cidr::text, domain) FROM acl_entry WHERE list = $1 ORDER BY id`},
		{"profiles", `SELECT DISTINCT profile FROM sip_profile_param WHERE name LIKE '%acl%' AND split_part(value, ':', 1) = $1`},
		{"documents", `SELECT 'acl.conf' WHERE $1 <> ''`},
	},
	"context": {
		{"numbers", `SELECT number FROM number WHERE context = $1`},
		{"extensions", `SELECT extension FROM context_extension WHERE context = $1 ORDER BY position`},
		{"domains", `SELECT name FROM domain WHERE context = $1`},
		{"profiles", `SELECT DISTINCT profile FROM sip_profile_param WHERE name = 'context' AND lower(value) = lower($1)`},
	},
	"domain": {
		{"users", `SELECT id || '@' || domain FROM domain_user WHERE domain = $1`},
		{"gateways", `SELECT name FROM gateway WHERE domain = $1`},
		{"access lists", `SELECT DISTINCT list FROM acl_entry WHERE domain = $1`},
		{"contexts", `SELECT context FROM domain WHERE name = $1 AND context IS NOT NULL`},
	},
	"extension": {
		{"numbers", `SELECT context || ' ' || number FROM number WHERE extension = $1`},
		{"contexts", `SELECT context FROM context_extension WHERE extension = $1`},
		{"contexts that end in it", `SELECT name FROM context WHERE not_found_extension = $1`},
	},
	"gateway": {
		{"extensions", `SELECT DISTINCT extension FROM action WHERE data LIKE '%sofia/gateway/' || $1 || '/%'`},
		{"profiles", `SELECT profile FROM gateway WHERE name = $1`},
		{"nodes", `SELECT n.name FROM gateway g JOIN node n ON n.name <> '*' AND (g.node = '*' OR g.node = n.name) WHERE g.name = $1`},
		{"documents", `SELECT 'sofia.conf' WHERE $1 <> ''`},
	},
	"node": {
		{"gateways", `SELECT name FROM gateway WHERE node = $1`},
		{"profiles", `SELECT name FROM sip_profile WHERE node = $1`},
		{"documents", `SELECT section || ' ' || name FROM document WHERE node = $1`},
		{"settings", `SELECT 'switch_param ' || name FROM switch_param WHERE node = $1 UNION ALL
			SELECT 'switch_variable ' || name FROM switch_variable WHERE node = $1`},
	},
	"sip_profile": {
		{"gateways", `SELECT name FROM gateway WHERE profile = $1`},
		{"domains", `SELECT name FROM sip_profile_domain WHERE profile = $1`},
		{"nodes", `SELECT n.name FROM sip_profile p JOIN node n ON n.name <> '*' AND (p.node = '*' OR p.node = n.name) WHERE p.name = $1`},
		{"documents", `SELECT 'sofia.conf' WHERE $1 <> ''`},
	},
	"tenant": {
		{"numbers", `SELECT context || ' ' || number FROM number WHERE tenant = $1`},
		{"contexts", `SELECT name FROM context WHERE tenant = $1`},
		{"extensions", `SELECT name FROM extension WHERE tenant = $1`},
		{"domains", `SELECT name FROM domain WHERE tenant = $1`},
		{"gateways", `SELECT name FROM gateway WHERE tenant = $1`},
		{"access lists", `SELECT DISTINCT list FROM acl_entry WHERE tenant = $1`},
	},
}

// count is how many there are, in words.
func (r Reach) count() string {
	if r.Count > CountedUpTo {
		return fmt.Sprintf("more than %d", CountedUpTo)
	}
	return fmt.Sprint(r.Count)
}

// Tables are those whose rows Reached knows.
func Tables() []string { return slices.Sorted(maps.Keys(reaches)) }

// Reached tells what a row, which key names, matters to.
func (e *Explainer) Reached(ctx context.Context, name, key string) (*Explanation, error) {
	kinds, ok := reaches[name]
	if !ok {
		return nil, fmt.Errorf("explain row: table is %s; known: %s", name, strings.Join(Tables(), ", "))
	}
	x := &Explanation{Question: fmt.Sprintf("row %s of table %s", key, name), Answer: "there is no such row"}
	_, found, err := value[int](ctx, e, fmt.Sprintf(`SELECT 1 FROM %s WHERE name = $1`, name), key)
	if err != nil || !found {
		return e.finish(x), err
	}
	x.Found = true
	e.rows.note(name, key)
	var parts []string
	for _, kind := range kinds {
		r := Reach{Kind: kind[0]}
		if err := e.tx.QueryRow(ctx, fmt.Sprintf(countAndName, kind[1]), key, CountedUpTo+1, shownOfAKind).Scan(&r.Count, &r.Names); err != nil {
			return nil, fmt.Errorf("explain row: %w", err)
		}
		if r.Count == 0 {
			continue
		}
		x.Reaches = append(x.Reaches, r)
		parts = append(parts, r.Kind+" ("+r.count()+")")
	}
	x.Answer = "it reaches " + strings.Join(parts, ", ")
	if len(parts) == 0 {
		x.Answer = "it reaches nothing"
	}
	return e.finish(x), nil
}
