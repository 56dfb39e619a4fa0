package history

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

// Past has tx see the tables as they were at a time: from now on their names mean views of its own. tx can write, and is to be
// rolled back. What was changed in the meantime is read once, so it takes as long as that is much.
func Past(ctx context.Context, tx pgx.Tx, at time.Time) error {
	if !at.Before(time.Now()) {
		return nil
	}
	if err := reaches(ctx, tx, at); err != nil {
		return err
	}
	tables, err := recorded(ctx, tx)
	if err != nil {
		return err
	}
	changed, err := pg.Rows(ctx, tx, pgx.RowTo[string], `
SELECT DISTINCT r.relation
FROM edit e
JOIN edit_row r ON r.edit = e.id AND r.at = e.at
WHERE e.committed_at > $1`, at)
	if err != nil {
		return pg.Translate("past", err)
	}
	for _, t := range tables {
		if !slices.Contains(changed, t.name) {
			continue
		}
		if err := shadow(ctx, tx, t, at); err != nil {
			return err
		}
	}
	return nil
}

// reaches fails if history does not reach as far back as a time.
func reaches(ctx context.Context, tx pgx.Tx, at time.Time) error {
	var first *time.Time
	if err := tx.QueryRow(ctx, `SELECT min(committed_at) FROM edit`).Scan(&first); err != nil {
		return pg.Translate("past", err)
	}
	if first == nil || at.Before(*first) {
		since := "nothing was recorded yet"
		if first != nil {
			since = "the first edit that is kept is of " + first.Format(time.RFC3339)
		}
		return fmt.Errorf("what there was at %s is not known: %s", at.Format(time.RFC3339), since)
	}
	return nil
}

// shadow makes a view of a table as it was: the rows that did not change since, and what those that did were before the first
// change. The view's name goes before the table's.
func shadow(ctx context.Context, tx pgx.Tx, t table, at time.Time) error {
	former, changed := pgx.Identifier{"former_" + t.name}.Sanitize(), pgx.Identifier{"changed_" + t.name}.Sanitize()
	for _, sql := range []string{
		`CREATE TEMP TABLE ` + changed + ` ON COMMIT DROP AS
SELECT DISTINCT ON (r.key) r.key, r.old
FROM edit e
JOIN edit_row r ON r.edit = e.id AND r.at = e.at
WHERE e.committed_at > ` + text(at.Format(time.RFC3339Nano)) + ` AND r.relation = ` + text(t.name) + `
ORDER BY r.key, r.id`,
		`CREATE UNIQUE INDEX ON ` + changed + ` (key)`,
		`CREATE TEMP TABLE ` + former + ` ON COMMIT DROP AS
SELECT r.*
FROM ` + changed + ` c
CROSS JOIN LATERAL jsonb_populate_record(NULL::` + t.sql() + `, c.old) r
WHERE c.old IS NOT NULL`,
		`ANALYZE ` + changed,
		`ANALYZE ` + former,
		`CREATE TEMP VIEW ` + t.sql() + ` AS
SELECT t.*
FROM ` + t.sql() + ` t
WHERE NOT EXISTS (SELECT FROM ` + changed + ` c WHERE c.key = concat_ws(' ', ` + list("t", t.key) + `))
UNION ALL
SELECT * FROM ` + former,
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return pg.Translate("past", err)
		}
	}
	return nil
}
