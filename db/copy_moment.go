package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// position is a moment in the life of a database.
type position struct {
	Snapshot string
	At       time.Time // by the database's clock
	Database string    // which one it is, and which of its timelines
}

// positionQuery tells also whether this moment is not before the one that is known already: a standby may be behind.
const positionQuery = `
SELECT
	pg_current_snapshot()::text,
	statement_timestamp(),
	(SELECT system_identifier FROM pg_control_system())
		|| '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
		|| '/' || (SELECT timeline_id FROM pg_control_checkpoint()),
	coalesce(pg_snapshot_xmax(nullif($1, '')::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot()), true)`

// atOneMoment calls read with a transaction that sees one moment.
func (c *Copy) atOneMoment(ctx context.Context, read func(ctx context.Context, r *copyReader) error) error {
	r := &copyReader{file: c.file, was: c.file.state().Position, now: copyState{InStepAt: time.Now()}, texts: make(map[question][]byte)}
	ctx, cancel := context.WithTimeout(ctx, copyAllTime)
	defer cancel()
	limit := time.AfterFunc(positionTime, cancel)
	defer limit.Stop()
	tx, err := c.store.hosts.best().pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return translate("copy", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = tx.Rollback(ctx)
	}()
	r.tx, r.rows = tx, c.store.within(tx)
	now := &r.now.Position
	if err := tx.QueryRow(ctx, positionQuery, r.was.Snapshot).Scan(&now.Snapshot, &now.At, &now.Database, &r.later); err != nil {
		return translate("copy", err)
	}
	limit.Stop()
	c.store.heard()
	return translate("copy", read(ctx, r))
}
