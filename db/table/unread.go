package table

import (
	"context"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

// Unread are columns of a table that the role of a transaction may not read.
type Unread struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

// unreadQuery finds them, with a view of the table that holds the word withheld in their place: without any password there would be
// no answer about a user.
const unreadQuery = `
SELECT
	c.relname::text,
	array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE NOT may_read),
	format('CREATE TEMP VIEW %1$I AS SELECT %3$s FROM %2$I.%1$I WHERE %4$L', c.relname, n.nspname,
		string_agg(CASE WHEN may_read THEN format('%I', a.attname) ELSE format('%s::%s AS %I', nothing, base, a.attname) END, ', ' ORDER BY a.attnum),
		bool_or(may_read))
FROM pg_trigger g
JOIN pg_class c ON c.oid = g.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
CROSS JOIN LATERAL (SELECT
	has_column_privilege(c.oid, a.attnum, 'SELECT'),
	CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END::regtype
) x (may_read, base)
CROSS JOIN LATERAL (SELECT
	CASE WHEN base = 'text'::regtype THEN '''withheld''' WHEN a.attnotnull AND base = 'uuid'::regtype THEN quote_literal(repeat('0', 32)) ELSE 'NULL' END
) y (nothing)
WHERE g.tgname = 'record_insert' AND pg_table_is_visible(c.oid) AND NOT has_table_privilege(c.oid, 'SELECT')
GROUP BY c.relname, n.nspname
HAVING NOT bool_and(may_read)
ORDER BY 1`

// Withhold has tx see tables without the columns that may not be read: from now on their names mean views of its own. tx is to be
// rolled back.
func Withhold(ctx context.Context, tx pgx.Tx) ([]Unread, error) {
	type withheld struct {
		Unread
		view string
	}
	all, err := pg.Rows(ctx, tx, func(r pgx.CollectableRow) (w withheld, err error) {
		err = r.Scan(&w.Table, &w.Columns, &w.view)
		return w, err
	}, unreadQuery)
	if err != nil {
		return nil, pg.Translate("what may be read", err)
	}
	unread := []Unread{}
	for _, w := range all {
		if _, err := tx.Exec(ctx, w.view); err != nil {
			return nil, pg.Translate("leave out what may not be read", err)
		}
		unread = append(unread, w.Unread)
	}
	return unread, nil
}
