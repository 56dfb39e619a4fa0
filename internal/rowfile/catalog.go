// Package rowfile shows rows as a file to be edited, and makes statements of what was changed in it.
package rowfile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/internal/mask"
)

// relation is a table, with those whose rows are parts of its rows.
type relation struct {
	name    string
	about   string
	columns []*column
	key     []string // what a row is known by: the primary key, or what people know of one that PostgreSQL numbers
	parts   []part
	rank    int // a table refers to those with a lower one
}

// column is a column that people write.
type column struct {
	name     string
	about    string
	required bool // it cannot be NULL
	preset   bool // it has a default
}

// part is a table whose rows belong to those of another.
type part struct {
	of      *relation
	columns []string // its columns that name the row it belongs to
	parents []string // what they are there
}

func (of *relation) column(name string) *column {
	i := slices.IndexFunc(of.columns, func(c *column) bool { return c.name == name })
	if i < 0 {
		return nil
	}
	return of.columns[i]
}

// secret reports whether the value that a row has in a column is a secret.
func secret(column, name string) bool {
	return mask.IsSecret(column) || column == "value" && mask.IsSecret(name)
}

const columnsQuery = `
SELECT
	c.relname::text, coalesce(obj_description(c.oid), ''), a.attname::text, coalesce(col_description(c.oid, a.attnum), ''),
	a.attnotnull, a.atthasdef
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

// catalog are the tables that people write, by name.
type catalog map[string]*relation

func readCatalog(ctx context.Context, tx pgx.Tx) (catalog, error) {
	all := make(catalog)
	rows, err := tx.Query(ctx, columnsQuery, madeByDatabase)
	if err != nil {
		return nil, err
	}
	var table, about string
	var c column
	_, err = pgx.ForEachRow(rows, []any{&table, &about, &c.name, &c.about, &c.required, &c.preset}, func() error {
		if all[table] == nil {
			all[table] = &relation{name: table, about: about}
		}
		own := c
		all[table].columns = append(all[table].columns, &own)
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
			all[table].key = key
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
func (all catalog) readReferences(ctx context.Context, tx pgx.Tx) error {
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
		begins := len(columns) < len(of.key) && slices.Equal(of.key[:len(columns)], columns) || parent == "tenant"
		// An action belongs to a condition or to none: its extension tells enough.
		if cascades && begins && (name != "action" || parent == "extension") {
			to.parts = append(to.parts, part{of, slices.Clone(columns), slices.Clone(parents)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for range all { // as often as there are tables, which is often enough
		for name, of := range all {
			for _, parent := range needs[name] {
				of.rank = max(of.rank, all[parent].rank+1)
			}
		}
	}
	return nil
}

// object says which row is meant: the values of its key, those that have no preset first. Those that have one may be left out.
func (all catalog) object(table string, values []string) (*relation, map[string]any, error) {
	of := all[table]
	if of == nil {
		return nil, nil, fmt.Errorf("there is no table %s to edit", table)
	}
	wanted := slices.Clone(of.key)
	slices.SortStableFunc(wanted, func(a, b string) int {
		return rankOf(of.column(a).preset) - rankOf(of.column(b).preset)
	})
	least := slices.IndexFunc(wanted, func(name string) bool { return of.column(name).preset })
	if least <= 0 {
		least = len(wanted)
	}
	if len(values) < least || len(values) > len(wanted) {
		return nil, nil, fmt.Errorf("a row of %s is known by: %s", table, strings.Join(wanted, ", "))
	}
	key := make(map[string]any)
	for i, value := range values {
		key[wanted[i]] = value
	}
	return of, key, nil
}

func rankOf(preset bool) int {
	if preset {
		return 1
	}
	return 0
}
