package history

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"xmlcurld/db/pg"
)

// Keep makes partitions for the months to come, and drops those with nothing younger than retention; zero: none. Nobody who
// writes or reads waits for it. Of several servers one does it at a time, and the others have nothing to do.
func Keep(ctx context.Context, pool *pgxpool.Pool, retention time.Duration) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return pg.Translate("keep history", err)
	}
	defer conn.Release()
	var mine bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtextextended('xmlcurld: retention', 0))`).Scan(&mine); err != nil || !mine {
		return pg.Translate("keep history", err)
	}
	defer func() { _, _ = conn.Exec(ctx, `SELECT pg_advisory_unlock(hashtextextended('xmlcurld: retention', 0))`) }() // it ends with the connection, too
	if _, err := conn.Exec(ctx, `SELECT make_history_months(now(), now() + interval '2 months')`); err != nil {
		return pg.Translate("keep history", err)
	}
	if retention == 0 {
		return nil
	}
	if err := dropOlder(ctx, conn.Conn(), retention); err != nil {
		return pg.Translate("drop old history", err)
	}
	_, err = conn.Exec(ctx, `DELETE FROM node_state_history WHERE at < now() - make_interval(secs => $1)`, retention.Seconds())
	return pg.Translate("drop old history", err)
}

// partition is a month of edit or edit_row.
type partition struct {
	Parent, Name string
	Detaching    bool // somebody who detached it did not come to the end
}

func dropOlder(ctx context.Context, conn *pgx.Conn, retention time.Duration) error {
	const query = `
SELECT i.inhparent::regclass::text AS parent, i.inhrelid::regclass::text AS name, i.inhdetachpending AS detaching
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent IN ('edit'::regclass, 'edit_row'::regclass)
	AND substring(pg_get_expr(c.relpartbound, c.oid) FROM $$TO \('(.*)'\)$$)::timestamptz <= now() - make_interval(secs => $1)
ORDER BY name`
	rows, err := conn.Query(ctx, query, retention.Seconds())
	if err != nil {
		return err
	}
	old, err := pgx.CollectRows(rows, pgx.RowToStructByName[partition])
	if err != nil {
		return err
	}
	for _, p := range old {
		how := "CONCURRENTLY" // no statement waits for it
		if p.Detaching {
			how = "FINALIZE"
		}
		if _, err := conn.Exec(ctx, fmt.Sprintf(`ALTER TABLE %s DETACH PARTITION %s %s`, p.Parent, p.Name, how)); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, `DROP TABLE `+p.Name); err != nil {
			return err
		}
	}
	return nil
}
