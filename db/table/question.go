package table

import (
	"fmt"
	"slices"
)

// AllGateways is what FreeSWITCH calls them all when it starts them.
const AllGateways = "_all_"

// EveryUsersGroup is the group that every user is in, as in a static directory.
const EveryUsersGroup = "default"

// Question is what rows are needed for.
type Question struct {
	kind *Kind
	args [3]string
}

// Kind is a kind of question, with the rows that Postgres is asked for where they are not at hand. Those are all that the
// Rulebook may look at, and may be more.
type Kind struct {
	operation string // as metrics have it
	query     string // for rows as table, key and value; its parameters are lists, with what each question says
	args      int    // how many parameters it has
	call      bool   // a caller waits: each row is found by index, and who asks at once shares a round trip
	tables    map[string]bool
}

// rowsOf is a query for the rows of some tables: what they are called, and the condition for their rows.
func rowsOf(parts ...[2]string) (query string) {
	for i, part := range parts {
		if i > 0 {
			query += "\nUNION ALL\n"
		}
		t := tableOf(part[0])
		query += fmt.Sprintf("SELECT '%s', %s\nFROM %s\nWHERE %s AND %s", t.Name, t.columns, t.from, t.held(), part[1])
	}
	return query
}

// document is a kind of question that nobody waits for who calls.
func document(operation string, args int, parts ...[2]string) *Kind {
	var tables []string
	for _, part := range parts {
		tables = append(tables, part[0])
	}
	return newKind(operation, args, rowsOf(parts...), tables)
}

// callKind is a kind of question for which callers wait.
func callKind(operation string, args int, query string, tables ...string) *Kind {
	k := newKind(operation, args, query, tables)
	k.call = true
	return k
}

func newKind(operation string, args int, query string, tables []string) *Kind {
	k := &Kind{operation: operation, args: args, query: query, tables: make(map[string]bool)}
	for _, table := range tables {
		for _, name := range tableOf(table).Names() {
			k.tables[name] = true
		}
	}
	return k
}

// nodes is a condition for the nodes that ask, $1, and for what is common to all.
const nodes = " IN (SELECT '*' UNION ALL SELECT unnest($1::text[]))"

// Conditions for rows.
var (
	itsNode    = [2]string{Node, "n.name" + nodes}
	tenantsOff = [2]string{Tenant, "NOT t.enabled"}
	allOf      = func(table string) [2]string { return [2]string{table, "true"} }
	itsOwn     = func(table string) [2]string { return [2]string{table, "s.node" + nodes} }
)

// The kinds of question about documents.
var (
	ForACL = document("acl", 1, itsNode, tenantsOff, allOf(ACLList), [2]string{ACLEntry, "e.node" + nodes},
		[2]string{Domain, "d.name IN (SELECT domain FROM acl_entry)"},
		[2]string{User, "u.domain IN (SELECT domain FROM acl_entry) AND cardinality(u.cidr) > 0"})
	// ForAddress is about the entries of a list, $2, that may hold an address, $3.
	ForAddress = document("acl_address", 3, itsNode, tenantsOff, [2]string{ACLList, "l.name = ANY ($2::text[])"},
		[2]string{ACLEntry, "e.list = ANY ($2::text[]) AND (e.cidr >>= ANY ($3::text[]::inet[]) OR e.domain IS NOT NULL) AND e.node" + nodes},
		[2]string{Domain, "d.name IN (SELECT domain FROM acl_entry WHERE list = ANY ($2::text[]))"},
		[2]string{User, "u.domain IN (SELECT domain FROM acl_entry WHERE list = ANY ($2::text[])) AND cardinality(u.cidr) > 0"})
	ForCredentials = document("credentials", 0, allOf(Credential))
	ForDocument    = document("document", 3, itsNode, [2]string{Document, "d.section = ANY ($2::text[]) AND d.name = ANY ($3::text[]) AND d.node" + nodes})
	ForDocuments   = document("document_revisions", 1, itsNode, [2]string{Document, "d.section = 'configuration' AND d.node" + nodes})
	ForEventSocket = document("event_socket", 1, itsNode, itsOwn(EventSocketParam))
	ForModules     = document("modules", 1, itsNode, [2]string{Module, "m.node" + nodes})
	ForSwitch      = document("switch", 1, itsNode, itsOwn(SwitchParam), itsOwn(SwitchVariable))

	profileDomains = [2]string{Domain, "d.name IN (SELECT name FROM sip_profile_domain)"}
	ForSofia       = document("sofia", 3, itsNode, tenantsOff, itsOwn(SofiaParam), allOf(Profile), profileDomains,
		[2]string{Gateway, `g.domain IS NULL AND g.node` + nodes + ` AND ('` + AllGateways + `' = ANY ($3::text[])
			OR lower(g.name) = ANY ($3::text[]) OR '' = ANY ($3::text[]) AND lower(g.profile) = ANY ($2::text[]))`})
	ForGateways = document("gateway_revisions", 1, itsNode, tenantsOff, allOf(Profile),
		[2]string{Domain, "d.name IN (SELECT domain FROM gateway)"},
		[2]string{User, "(u.domain, u.id) IN (SELECT domain, user_id FROM gateway)"},
		[2]string{Gateway, "g.node" + nodes})
)

// The kinds of question about domains of the directory: $2, or all domains where that is empty.
var (
	ForDomain       = directoryKind("domain", 2, "")
	ForNetworks     = directoryKind("networks", 2, "cardinality(u.cidr) > 0")
	ForUsers        = directoryKind("users", 2, "true", [2]string{Group, ofDomains("d.name")})
	ForGroup        = directoryKind("group", 3, inGroup, [2]string{Group, ofDomains("d.name")})
	ForUserGateways = directoryKind("user_gateways", 3, "(u.domain, u.id) IN (SELECT domain, user_id FROM gateway WHERE profile = ANY ($3::text[]))",
		[2]string{Gateway, ofDomains("g.domain") + " AND g.profile = ANY ($3::text[]) AND g.node" + nodes})
)

const inGroup = `('` + EveryUsersGroup + `' = ANY ($3::text[]) OR EXISTS (
	SELECT
	FROM domain_group_user m
	WHERE m.domain = u.domain AND m.user_id = u.id AND lower(m.group_name) = ANY ($3::text[])
))`

func ofDomains(column string) string {
	return "('' = ANY ($2::text[]) OR " + column + " = ANY ($2::text[]))"
}

func directoryKind(operation string, args int, users string, others ...[2]string) *Kind {
	parts := append([][2]string{itsNode, tenantsOff, allOf(Context), {Domain, ofDomains("d.name")}}, others...)
	if users != "" {
		parts = append(parts, [2]string{User, ofDomains("u.domain") + " AND " + users})
	}
	return document(operation, args, parts...)
}

// rowBy reads a row of a table by its name, which is that of the columns' alias too, for each name q.name.
func rowBy(table, condition, names string) string {
	t := tableOf(table)
	return fmt.Sprintf(`
SELECT '%s', r.key, r.value
FROM %s q
CROSS JOIN LATERAL (SELECT %s FROM %s WHERE %s AND %s OFFSET 0) r (key, value)`, table, names, t.columns, t.from, t.held(), condition)
}

// knownNodes tells which of the nodes $1 have a row. What is in it is of no use to a call.
const knownNodes = `
SELECT '` + Node + `', r.name, ''::bytea
FROM (SELECT DISTINCT unnest($1::text[]) AS name OFFSET 0) q
CROSS JOIN LATERAL (SELECT name FROM node WHERE name = q.name OFFSET 0) r
UNION ALL`

// ForRoute reads the rows that many calls may need, by their keys: for each of the contexts $2 and the numbers $3 in them.
// Each row is found by index, however few there are: OFFSET 0 keeps Postgres from comparing the rows of a subquery with others
// instead. A number is found by the index number_called, which does not tell one with a plus from one without.
var ForRoute = callKind("route", 3, `
WITH q AS (
	SELECT q.context, f.number
	FROM unnest($2::text[], $3::text[]) q (context, number)
	CROSS JOIN LATERAL (VALUES (ltrim(q.number, '+')), (CASE WHEN q.number LIKE '00%' THEN ltrim(substr(q.number, 3), '+') END)) f (number)
), c AS MATERIALIZED (
	SELECT c.*
	FROM (SELECT DISTINCT context AS name FROM q) q
	CROSS JOIN LATERAL (SELECT * FROM context WHERE lower(name) = q.name OFFSET 0) c
), n AS MATERIALIZED (
	SELECT n.*
	FROM q
	JOIN c ON lower(c.name) = q.context
	CROSS JOIN LATERAL (
		SELECT *
		FROM number
		WHERE context || ' ' || ltrim(number, '+') = c.name || ' ' || q.number
		OFFSET 0
	) n
	WHERE n.context = c.name
), x AS (
	SELECT extension AS name FROM n
	UNION
	SELECT not_found_extension FROM c
	UNION
	SELECT x.extension
	FROM c
	CROSS JOIN LATERAL (SELECT extension FROM context_extension WHERE context = c.name AND enabled OFFSET 0) x
), t AS (
	SELECT tenant AS name FROM n
	UNION
	SELECT tenant FROM c
)`+knownNodes+`
SELECT '`+Context+`', `+tableOf(Context).columns+` FROM c
UNION ALL
SELECT '`+Number+`', `+tableOf(Number).columns+` FROM n WHERE n.enabled
UNION ALL`+rowBy(Tenant, "t.name = q.name", "t")+`
UNION ALL`+rowBy(Extension, "x.name = q.name", "x"),
	Node, Context, Number, Tenant, Extension)

// ForUser reads the rows that lookups of one user each may need: of the domains $2, the users whose id or alias is $3.
var ForUser = callKind("user", 3, `
WITH q AS (
	SELECT *
	FROM unnest($2::text[], $3::text[]) q (domain, name)
), d AS MATERIALIZED (
	SELECT d.*
	FROM (SELECT DISTINCT domain AS name FROM q) q
	CROSS JOIN LATERAL (SELECT * FROM domain WHERE name = q.name OFFSET 0) d
), u AS MATERIALIZED (
	SELECT DISTINCT u.domain, u.id, u.number_alias, u.password, u.a1_hash, u.vm_password, u.caller_id_name, u.caller_id_number, u.cidr,
		u.login, u.body::text AS body, u.expand
	FROM q
	CROSS JOIN LATERAL (
		SELECT * FROM domain_user WHERE domain = q.domain AND id = q.name AND enabled
		UNION ALL
		SELECT * FROM domain_user WHERE domain = q.domain AND number_alias = q.name AND enabled
		OFFSET 0
	) u
), t AS (
	SELECT DISTINCT tenant AS name FROM d
), c AS (
	SELECT lower(context) AS name FROM d
	UNION
	SELECT lower(s.value)
	FROM u
	CROSS JOIN LATERAL (SELECT value FROM domain_user_variable WHERE domain = u.domain AND user_id = u.id AND lower(name) = 'user_context' OFFSET 0) s
)`+knownNodes+`
SELECT '`+Domain+`', `+tableOf(Domain).columns+` FROM d
UNION ALL
SELECT '`+User+`', `+tableOf(User).columns+` FROM u
UNION ALL`+rowBy(Tenant, "t.name = q.name", "t")+`
UNION ALL`+rowBy(Context, "lower(c.name) = q.name", "c"),
	Node, Domain, User, Tenant, Context)

// About returns a question of the kind: about args, of which the node that asks comes first.
func (k *Kind) About(args ...string) Question {
	q := Question{kind: k}
	copy(q.args[:], args)
	return q
}

// Node is who asks.
func (q *Question) Node() string { return q.args[0] }

// Reads reports whether a change of relation, a table of Postgres, is one of rows that an answer to q may be made of.
func (q *Question) Reads(relation string) bool {
	return slices.ContainsFunc(All, func(t *Table) bool { return q.kind.tables[t.Name] && slices.Contains(t.Noted, relation) })
}

// columns are the parameters of a query for questions of its kind.
func columns(k *Kind, questions [][3]string) (args []any) {
	for n := range k.args {
		column := make([]string, len(questions))
		for i := range questions {
			column[i] = questions[i][n]
		}
		args = append(args, column)
	}
	return args
}
