package localrows

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/localrows/disk"
	"xmlcurld/db/pg"
	"xmlcurld/db/table"
)

// position is a moment in the life of a database.
type position struct {
	Snapshot string
	At       time.Time // by the database's clock
	Database string    // which one it is, and which of its timelines
	Journal  string    // which table change is: another one after a restore
	Tables   string    // which files its tables are, and their triggers: others after a restore, or after triggers were off
	WAL      pg.WALPosition
	Last     lastChange
}

// lastChange is the last row of table change that a moment shows. A database that does not show it any more was restored.
type lastChange struct {
	ID  int64 // 0: there was none
	XID string
	At  time.Time
}

// positionQuery asks for the moment that a transaction sees, whether it lost nothing, and which of the tables $5 do not tell of
// all their changes. To turn a trigger off and on again makes another row of it, with another xmin.
const positionQuery = table.Moment + `
SELECT
	` + table.SnapshotSeen + `,
	statement_timestamp(),
	(SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
	` + pg.FlushedLSN + `,
	'change'::regclass::oid::text,
	t.marks,
	t.silent,
	` + nothingLost + `,
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
		AND c.relname = ANY ($5)
) t
LEFT JOIN (SELECT id, xid, at FROM change ORDER BY id DESC LIMIT 1) l ON true`

// nothingLost tells whether a database shows the change of id $1 that a snapshot $4 showed last, by transaction $2 at $3, and
// no later one of a transaction that the snapshot showed or knew to have failed. Otherwise it was restored, or lost its last
// transactions in a crash, and has given their numbers to others.
const nothingLost = `($1 = 0 OR EXISTS (SELECT FROM change WHERE id = $1 AND xid::text = $2 AND at = $3))
	AND NOT EXISTS (SELECT FROM change WHERE id > $1 AND pg_visible_in_snapshot(xid, nullif($4::text, '')::pg_snapshot))`

// reader reads rows for the local rows in one transaction.
type reader struct {
	tx     pgx.Tx
	file   *disk.File
	was    position // of the file
	moment *pg.Moment
	now    state
	edits  map[disk.Place][]byte

	nothingLost bool // of what the file shows
}

// atOneMoment calls read with a transaction that sees one moment.
func (l *Store) atOneMoment(ctx context.Context, read func(ctx context.Context, r *reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, allTime)
	defer cancel()
	limit := time.AfterFunc(positionTime, cancel)
	defer limit.Stop()
	return pg.Translate("local rows", l.pg.AtOneMoment(ctx, func(ctx context.Context, moment *pg.Moment) error {
		r := &reader{file: l.file, was: l.now.Position, tx: moment.Tx, moment: moment}
		if err := r.readPosition(ctx); err != nil {
			return err
		}
		limit.Stop()
		if moment.Outdated() || r.behind() {
			return pg.ErrOutdated
		}
		l.pg.NoteAnswer(time.Now())
		return read(ctx, r)
	}))
}

// errSilent says that a table does not note its changes.
var errSilent = errors.New("nobody is told what changes")

// readPosition finds out which moment the transaction sees.
func (r *reader) readPosition(ctx context.Context) error {
	now, database, silent := &r.now.Position, int64(0), ""
	now.WAL = r.moment.WAL
	// What a restore makes anew in the meantime would be empty to a snapshot that was taken before.
	if _, err := r.tx.Exec(ctx, `LOCK TABLE change IN ACCESS SHARE MODE`); err != nil {
		return err
	}
	was := &r.was
	err := r.tx.QueryRow(ctx, positionQuery, was.Last.ID, was.Last.XID, was.Last.At, was.Snapshot, table.Noted()).
		Scan(&now.Snapshot, &now.At, &database, &now.WAL.LSN, &now.Journal, &now.Tables, &silent, &r.nothingLost,
			&now.Last.ID, &now.Last.XID, &now.Last.At)
	now.Database = fmt.Sprintf("%d/%d/%d", now.WAL.System, database, now.WAL.Timeline)
	r.now.InStepAt = r.moment.InStep
	if err == nil && silent != "" {
		err = fmt.Errorf("%w in table %s: its triggers are off, or were not restored", errSilent, silent)
	}
	return err
}

// another reports whether the file is of another database, of a primary that lost commits which the file holds, or of the
// same one before it was restored.
func (r *reader) another() bool {
	return r.was.Database != r.now.Position.Database || !r.moment.WAL.Reaches(r.was.WAL) || r.restored()
}

// restored reports whether the tables are others than those which the file was read from, or do not hold what it saw last.
// Changes that are forgotten by now are no sign.
func (r *reader) restored() bool {
	last := r.was.Last
	gone := r.now.Position.At.Sub(last.At) < changesSeen && !r.nothingLost
	return r.was.Tables != r.now.Position.Tables || gone
}

// behind reports whether a standby has not everything yet that the file holds.
func (r *reader) behind() bool {
	return r.moment.Standby && r.was.Database == r.now.Position.Database && !r.moment.WAL.Reaches(r.was.WAL)
}
