// Package catalog reads from the database itself which tables people write, and how their rows hang together.
package catalog

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Relation is a table, with those whose rows are parts of its rows.
type Relation struct {
	Name    string
	About   string // the table's comment
	Columns []*Column
	Key     []string // what a row is known by: the primary key, or what people know of one that PostgreSQL numbers
	Parts   []Part
	Rank    int // a table refers to those with a lower one
}

// Column is a column that people write.
type Column struct {
	Name     string
	About    string // the column's comment
	Required bool   // it cannot be NULL
	Default  string // an expression; empty: it has none
}

// Part is a table whose rows belong to those of another.
type Part struct {
	Of      *Relation
	Columns []string // its columns that name the row it belongs to
	Parents []string // what they are there
}

// Column returns a column, nil if nobody writes one of that name.
func (of *Relation) Column(name string) *Column {
	i := slices.IndexFunc(of.Columns, func(c *Column) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return of.Columns[i]
}

const columnsQuery = `
SELECT
	c.relname::text, coalesce(obj_description(c.oid), ''), a.attname::text, coalesce(col_description(c.oid, a.attnum), ''),
	a.attnotnull, coalesce((SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = c.oid AND d.adnum = a.attnum), '')
FROM pg_trigger g
JOIN pg_class c ON c.oid = g.tgrelid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE g.tgname = 'record_insert' AND pg_table_is_visible(c.oid)
	AND a.attidentity = '' AND a.attgenerated = '' AND coalesce(col_description(c.oid, a.attnum), '') !~ $1
ORDER BY c.relname, a.attnum`

// madeByDatabase begins the comment of a column that nobody writes.
const madeByDatabase = `^(Made by PostgreSQL|Written by triggers|A new random number)`

// keysQuery reads primary keys, and for tables that PostgreSQL numbers the other unique key.
const keysQuery = `
SELECT DISTINCT ON (c.relname) c.relname::text, (
	SELECT array_agg(a.attname::text ORDER BY k.n)
	FROM unnest(i.indkey) WITH ORDINALITY k (num, n)
	JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num
)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
WHERE i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND pg_table_is_visible(c.oid)
	AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attidentity <> '' AND a.attnum = ANY (i.indkey))
ORDER BY c.relname, i.indisprimary DESC, i.indexrelid`

const referencesQuery = `
SELECT
	c.relname::text, p.relname::text, r.confdeltype = 'c',
	(SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(r.conkey) WITH ORDINALITY k (num, n)
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num),
	(SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(r.confkey) WITH ORDINALITY k (num, n)
		JOIN pg_attribute a ON a.attrelid = p.oid AND a.attnum = k.num)
FROM pg_constraint r
JOIN pg_class c ON c.oid = r.conrelid
JOIN pg_class p ON p.oid = r.confrelid
WHERE r.contype = 'f' AND c.oid <> p.oid AND pg_table_is_visible(c.oid)
ORDER BY c.relname, r.conname`

// Catalog are the tables that people write, by name.
type Catalog map[string]*Relation

// Read reads it from the system catalogs.
func Read(ctx context.Context, tx pgx.Tx) (Catalog, error) {
	all := make(Catalog)
	rows, err := tx.Query(ctx, columnsQuery, madeByDatabase)
	if err != nil {
		return nil, err
	}
	var table, about string
	var c Column
	_, err = pgx.ForEachRow(rows, []any{&table, &about, &c.Name, &c.About, &c.Required, &c.Default}, func() error {
		if all[table] == nil {
			all[table] = &Relation{Name: table, About: about}
		}
		own := c
		all[table].Columns = append(all[table].Columns, &own)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if rows, err = tx.Query(ctx, keysQuery); err != nil {
		return nil, err
	}
	var key []string
	_, err = pgx.ForEachRow(rows, []any{&table, &key}, func() error {
		if all[table] != nil {
			all[table].Key = key
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, all.readReferences(ctx, tx)
}

// readReferences finds what belongs to what. A row belongs to the one that its key begins with and with which it is deleted.
// A tenant's are besides those that name it.
func (all Catalog) readReferences(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, referencesQuery)
	if err != nil {
		return err
	}
	needs := make(map[string][]string)
	var name, parent string
	var cascades bool
	var columns, parents []string
	_, err = pgx.ForEachRow(rows, []any{&name, &parent, &cascades, &columns, &parents}, func() error {
		of, to := all[name], all[parent]
		if of == nil || to == nil {
			return nil
		}
		needs[name] = append(needs[name], parent)
		begins := len(columns) < len(of.Key) && slices.Equal(of.Key[:len(columns)], columns) || parent == "tenant"
		// An action belongs to a condition or to none: its extension tells enough.
		if cascades && begins && (name != "action" || parent == "extension") {
			to.Parts = append(to.Parts, Part{of, slices.Clone(columns), slices.Clone(parents)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for range all { // as often as there are tables, which is often enough
		for name, of := range all {
			for _, parent := range needs[name] {
				of.Rank = max(of.Rank, all[parent].Rank+1)
			}
		}
	}
	return nil
}
