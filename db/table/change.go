package table

// ChangesKept is how long what changed is kept in table change.
const ChangesKept = `interval '25 hours'`

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
// index. One whose number the present snapshot cannot have seen is another cluster's, from which the database was restored, or that
// of the transaction that asks.
const ChangesUnseen = `
CROSS JOIN change
WHERE xid >= pg_snapshot_xmin(seen)
	AND NOT pg_visible_in_snapshot(xid, seen)
	AND (xid < pg_snapshot_xmax(pg_current_snapshot()) OR xid = pg_current_xact_id_if_assigned())`
