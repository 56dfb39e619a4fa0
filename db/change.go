package db

// ChangesKept is how long what changed is kept in table change.
const ChangesKept = `interval '25 hours'`

// NotedTables are those whose changes are noted in table change: all that an answer is made of.
var NotedTables = []string{
	"acl_entry", "acl_list", "context", "context_extension", "document", "domain", "domain_group", "domain_group_user",
	"domain_param", "domain_user", "domain_user_param", "domain_user_variable", "domain_variable", "event_socket_param",
	"extension", "gateway", "gateway_param", "gateway_variable", "module", "node", "node_credential", "number",
	"sip_profile", "sip_profile_alias", "sip_profile_domain", "sip_profile_param", "sofia_param", "switch_param",
	"switch_variable", "tenant",
}

// Moment is what a transaction sees, as row r, and SnapshotSeen the snapshot of it. A standby's does not list the transactions
// that were under way, so of what came after the first of them nothing counts as seen.
const (
	Moment = `
WITH r AS MATERIALIZED (
	SELECT pg_is_in_recovery() AS standby, pg_current_snapshot() AS s
)`
	SnapshotSeen = `CASE WHEN standby THEN format('%1$s:%1$s:', pg_snapshot_xmin(s)) ELSE s::text END`
)

// ChangesUnseen are the changes that a snapshot, m.seen, does not show: those after its first open transaction are found by
// index. One whose number the present snapshot cannot have seen is another cluster's, from which the database was restored.
const ChangesUnseen = `
CROSS JOIN change
WHERE xid >= pg_snapshot_xmin(seen)
	AND NOT pg_visible_in_snapshot(xid, seen)
	AND xid < pg_snapshot_xmax(pg_current_snapshot())`
