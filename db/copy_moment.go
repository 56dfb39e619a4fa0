package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// position is a moment in the life of a database.
type position struct {
	Snapshot string
	At       time.Time // by the database's clock
	Database string    // which one it is, and which of its timelines
	Tables   string    // which files its tables are, and their triggers: others after a restore, or after triggers were off
	WAL      walPosition
	Last     lastChange
}

// lastChange is the last row of table change that a moment shows. A database that does not show it any more was restored.
type lastChange struct {
	ID  int64 // 0: there was none
	XID string
	At  time.Time
}

// moment is what a transaction sees, and snapshotSeen the snapshot of it. A standby's does not list the transactions that were
// under way, so of what came after the first of them nothing counts as seen.
const (
	moment = `
WITH r AS MATERIALIZED (
	SELECT pg_is_in_recovery() AS standby, pg_current_snapshot() AS s
)`
	snapshotSeen = `CASE WHEN standby THEN format('%1$s:%1$s:', pg_snapshot_xmin(s)) ELSE s::text END`
)

// changesUnseen are the changes that a snapshot, m.seen, does not show: those after its first open transaction are found by
// index. One whose number the present snapshot cannot have seen is another cluster's, from which the database was restored.
const changesUnseen = `
CROSS JOIN change
WHERE xid >= pg_snapshot_xmin(seen)
	AND NOT pg_visible_in_snapshot(xid, seen)
	AND xid < pg_snapshot_xmax(pg_current_snapshot())`

// notedTables are those whose changes are noted in table change.
const notedTables = `
	'node', 'node_credential', 'module', 'switch_param', 'switch_variable', 'event_socket_param', 'acl_list', 'acl_entry',
	'sofia_param', 'sip_profile', 'sip_profile_param', 'sip_profile_domain', 'sip_profile_alias',
	'gateway', 'gateway_param', 'gateway_variable', 'tenant', 'context', 'context_extension', 'extension', 'number',
	'domain', 'domain_param', 'domain_variable', 'domain_user', 'domain_user_param', 'domain_user_variable',
	'domain_group', 'domain_group_user', 'document'`

// positionQuery asks for the moment that a transaction sees, whether it shows the change $1, and for tables that do not tell
// of all their changes. To turn a trigger off and on again makes another row of it, with another xmin.
const positionQuery = moment + `
SELECT
	` + snapshotSeen + `,
	statement_timestamp(),
	(SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
	` + walLSN + `,
	t.marks,
	t.silent,
	coalesce((SELECT xid::text FROM change WHERE id = $1), ''),
	coalesce(l.id, 0),
	coalesce(l.xid::text, ''),
	coalesce(l.at, now())
FROM r
CROSS JOIN (
	SELECT
		md5(string_agg(concat_ws(' ', c.oid, c.relfilenode, g.marks), ',' ORDER BY c.oid)) AS marks,
		coalesce(string_agg(c.relname, ', ' ORDER BY c.relname) FILTER (WHERE g.off OR g.marks IS NULL), '') AS silent
	FROM pg_class c
	CROSS JOIN LATERAL (
		SELECT string_agg(oid || ' ' || xmin, ',' ORDER BY oid) AS marks, coalesce(bool_or(tgenabled = 'D'), false) AS off
		FROM pg_trigger
		WHERE tgrelid = c.oid AND tgname >= 'note_' AND tgname < 'note~' -- by the index of both
	) g
	WHERE c.relnamespace = current_schema::regnamespace
		AND c.relkind = 'r'
		AND c.relname IN (` + notedTables + `)
) t
LEFT JOIN (SELECT id, xid, at FROM change ORDER BY id DESC LIMIT 1) l ON true`

// copyReader reads rows for the copy in one transaction.
type copyReader struct {
	rows  *Store
	tx    pgx.Tx
	file  *copyFile
	was   position // of the file
	host  *role    // of the host that is read
	now   copyState
	edits map[place][]byte

	texts       map[question][]byte // the answers that were read, by one of the questions that have them
	ownLists    map[string]bool     // whether a node has access lists of its own; nil: not known yet
	commonLists map[bool]question   // which of those without asks for them all: where the node is there, and where it is not
	stillThere  string              // the transaction of the last change that the file shows
}

// atOneMoment calls read with a transaction that sees one moment.
func (c *Copy) atOneMoment(ctx context.Context, read func(ctx context.Context, r *copyReader) error) error {
	r := &copyReader{file: c.file, was: c.file.state().Position, texts: make(map[question][]byte)}
	ctx, cancel := context.WithTimeout(ctx, copyAllTime)
	defer cancel()
	limit := time.AfterFunc(positionTime, cancel)
	defer limit.Stop()
	h := c.store.hosts.best()
	conn, err := h.copying.Acquire(ctx)
	if err != nil {
		return translate("copy", err)
	}
	defer conn.Release()
	host, err := look(ctx, conn) // before the moment, which therefore shows all of it
	if err != nil {
		return translate("copy", err)
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return translate("copy", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = tx.Rollback(ctx)
	}()
	r.tx, r.rows, r.host = tx, c.store.within(tx), host.after(h.role.Load())
	if err := r.readPosition(ctx); err != nil {
		return translate("copy", err)
	}
	limit.Stop()
	if c.store.hosts.outdated(h) || r.behind() {
		return translate("copy", errOutdated)
	}
	c.store.heard()
	return translate("copy", read(ctx, r))
}

// readPosition finds out which moment the transaction sees.
func (r *copyReader) readPosition(ctx context.Context) error {
	now, database, silent := &r.now.Position, int64(0), ""
	now.WAL = r.host.wal
	err := r.tx.QueryRow(ctx, positionQuery, r.was.Last.ID).Scan(&now.Snapshot, &now.At, &database, &now.WAL.LSN,
		&now.Tables, &silent, &r.stillThere, &now.Last.ID, &now.Last.XID, &now.Last.At)
	now.Database = fmt.Sprintf("%d/%d/%d", now.WAL.System, database, now.WAL.Timeline)
	r.now.InStepAt = r.host.inStepAt
	if err == nil && silent != "" {
		err = fmt.Errorf("nobody is told what changes in table %s: its triggers are off, or were not restored", silent)
	}
	return err
}

// another reports whether the file is of another database, of a primary that lost commits which the file holds, or of the
// same one before it was restored.
func (r *copyReader) another() bool {
	return r.was.Database != r.now.Position.Database || !r.host.wal.reaches(r.was.WAL) || r.restored()
}

// restored reports whether the tables are others than those which the file was read from, or do not hold what it saw last.
// Changes that are forgotten by now are no sign.
func (r *copyReader) restored() bool {
	last := r.was.Last
	gone := last.ID != 0 && r.now.Position.At.Sub(last.At) < changesSeen && r.stillThere != last.XID
	return r.was.Tables != r.now.Position.Tables || gone
}

// behind reports whether a standby has not everything yet that the file holds.
func (r *copyReader) behind() bool {
	return r.host.standby && r.was.Database == r.now.Position.Database && !r.host.wal.reaches(r.was.WAL)
}
