package history

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

// table is a table whose changes are recorded.
type table struct {
	name    string
	key     []string // columns, in the order of edit_row.key
	columns []string // those that people write
	counted bool     // Postgres makes the key
}

// recorded returns the tables whose changes are recorded, each after those that its rows refer to.
func recorded(ctx context.Context, q pg.Querier) ([]table, error) {
	const query = `
WITH RECURSIVE recorded AS (
	SELECT c.oid, c.relname::text AS name, encode(g.tgargs, 'escape') AS key
	FROM pg_trigger g
	JOIN pg_class c ON c.oid = g.tgrelid
	WHERE g.tgname = 'record_insert' AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'edit_row'::regclass)
), deep AS (
	SELECT oid, 0 AS depth FROM recorded
	UNION
	SELECT f.conrelid, d.depth + 1
	FROM deep d
	JOIN pg_constraint f ON f.confrelid = d.oid AND f.contype = 'f' AND f.conrelid <> f.confrelid
	WHERE d.depth < 20
)
SELECT r.name, r.key, ARRAY(
	SELECT a.attname::text
	FROM pg_attribute a
	WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND NOT a.attname = ANY (made_columns())
	ORDER BY a.attnum
), EXISTS (
	SELECT FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attidentity <> ''
)
FROM recorded r
ORDER BY (SELECT max(depth) FROM deep d WHERE d.oid = r.oid), r.name`
	tables, err := pg.Rows(ctx, q, func(row pgx.CollectableRow) (t table, err error) {
		var key string
		err = row.Scan(&t.name, &key, &t.columns, &t.counted)
		t.key = strings.Split(strings.TrimSuffix(key, `\000`), `\000`)
		return t, err
	}, query)
	return tables, pg.Translate("recorded tables", err)
}

// list writes columns of the row that alias names, separated by commas.
func list(alias string, columns []string) string {
	var all []string
	for _, c := range columns {
		all = append(all, pgx.Identifier{alias, c}.Sanitize())
	}
	return strings.Join(all, ", ")
}

// names writes columns by themselves.
func names(columns []string) string {
	var all []string
	for _, c := range columns {
		all = append(all, pgx.Identifier{c}.Sanitize())
	}
	return strings.Join(all, ", ")
}

func (t table) sql() string { return pgx.Identifier{t.name}.Sanitize() }

// text is a literal of SQL.
func text(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
