package plan

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/table"
	"xmlcurld/internal/mask"
)

// Rows are the rows that an edit changes.
type Rows struct {
	Total    int      `json:"total"`
	Tables   []Table  `json:"tables"`
	Examples []Change `json:"examples"` // the first of each table
}

// Table is how much an edit changes in a table.
type Table struct {
	Table    string   `json:"table"`
	Inserted int      `json:"inserted"`
	Updated  int      `json:"updated"`
	Deleted  int      `json:"deleted"`
	Tenants  []Tenant `json:"tenants"` // those with the most of them
}

// Tenant is how many rows of a table are a tenant's.
type Tenant struct {
	Tenant string `json:"tenant"`
	Rows   int    `json:"rows"`
}

// tenantsShown is how many tenants of a table are named.
const tenantsShown = 5

// Change is what becomes of one row. Secrets in it are masked.
type Change struct {
	Table     string         `json:"table"`
	Key       string         `json:"key"`       // as the history has it
	Of        map[string]any `json:"of"`        // of a row whose key is a number that PostgreSQL gave, what people know it by
	Operation string         `json:"operation"` // insert, update or delete
	Old       map[string]any `json:"old"`       // of an update, the columns that differ; otherwise those that are not NULL
	New       map[string]any `json:"new"`
}

// knownBy are the columns by which people know the rows whose keys PostgreSQL gives.
var knownBy = map[string][]string{
	"acl_entry": {"list", "node", "cidr", "domain"},
	"action":    {"extension", "condition", "position"},
}

// digest is what an edit came to. A row's hash is keyed, so that nothing in it can be guessed by those who do not have the key.
type digest struct {
	sum  string
	rows map[string]string // by table and key, at most digestRows
}

// digestRows is up to how many rows a digest tells apart.
const digestRows = 1000

// editQuery finds this transaction's edit. PostgreSQL is told its number, and so knows that it has few rows beside a bulk load's.
const editQuery = `SELECT coalesce(max(id), 0) FROM edit WHERE xid = pg_current_xact_id_if_assigned() AND at = now()`

// changedQuery reads what edit $1 has changed, each row once, without what PostgreSQL makes: that differs whenever an edit is made
// again. A row that was inserted is known by another identity each time.
const changedQuery = `
WITH folded AS (
	SELECT relation, key, written((array_agg(old ORDER BY id))[1]) AS old, written((array_agg(new ORDER BY id DESC))[1]) AS new
	FROM edit_row
	WHERE edit = $1 AND at = now()
	GROUP BY relation, key
), given AS MATERIALIZED (
	SELECT relname AS relation, array_agg(attname::text) AS columns
	FROM pg_class c
	JOIN pg_attribute a ON a.attrelid = c.oid AND a.attidentity <> ''
	WHERE pg_table_is_visible(c.oid)
	GROUP BY relname
)
SELECT
	relation, key, old::text, new::text,
	coalesce(new ->> 'tenant', old ->> 'tenant', ''),
	CASE WHEN old IS NULL THEN (new - coalesce(columns, '{}'))::text ELSE new::text END,
	old IS NULL AND columns IS NOT NULL
FROM folded
LEFT JOIN given USING (relation)
ORDER BY relation, key`

// changed is what an edit has changed.
type changed struct {
	Rows
	digest
	touched map[string]bool // tables with a change, be it only of what PostgreSQL makes
	things                  // what the rows are about
}

// row is one of changedQuery.
type row struct {
	table, key, tenant string
	old, new           *string
	counted            *string // as new, for the digest
	given              bool    // PostgreSQL gives the row its key
}

// changes reads what the transaction has changed, with examples of each table, and its digest by key.
func changes(ctx context.Context, tx pgx.Tx, examples int, masker *mask.Masker, key []byte) (*changed, error) {
	c := &changed{Rows: Rows{Tables: []Table{}, Examples: []Change{}}, touched: make(map[string]bool), things: newThings(examples), digest: digest{rows: make(map[string]string)}}
	var number int64
	if err := tx.QueryRow(ctx, editQuery).Scan(&number); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, changedQuery, pgx.QueryExecModeExec, number)
	if err != nil {
		return nil, err
	}
	var hashes [][]byte
	tables := make(map[string]*counts)
	var r row
	_, err = pgx.ForEachRow(rows, []any{&r.table, &r.key, &r.old, &r.new, &r.tenant, &r.counted, &r.given}, func() error {
		c.touched[r.table] = true
		count := tables[r.table]
		if count == nil {
			count = &counts{Table: Table{Table: r.table, Tenants: []Tenant{}}, tenants: make(map[string]int)}
			tables[r.table] = count
		}
		if err := c.about(&r); err != nil {
			return err
		}
		if r.same() {
			return nil
		}
		c.Total++
		hash := r.hash(key)
		hashes = append(hashes, hash)
		if c.Total <= digestRows {
			c.rows[r.name()] = hex.EncodeToString(hash[:16])
		}
		if count.add(&r) <= examples {
			change, err := r.shown(masker)
			c.Examples = append(c.Examples, change)
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		if t := tables[name]; t.total() > 0 {
			c.Tables = append(c.Tables, t.done())
		}
	}
	c.sum = total(hashes, key)
	return c, nil
}

// same reports whether nothing is changed but what PostgreSQL makes.
func (r *row) same() bool { return r.old == r.new || r.old != nil && r.new != nil && *r.old == *r.new }

// name tells the row from others, and from one edit to the next.
func (r *row) name() string {
	if r.given {
		return r.table + table.Separator + *r.counted
	}
	return r.table + table.Separator + r.key
}

// hash is a row's, before and after.
func (r *row) hash(key []byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range []*string{&r.table, r.old, r.counted} {
		if part != nil {
			h.Write([]byte(*part))
		}
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

// total is a hash of hashes, in whatever order.
func total(hashes [][]byte, key []byte) string {
	slices.SortFunc(hashes, bytes.Compare)
	h := hmac.New(sha256.New, key)
	for _, one := range hashes {
		h.Write(one)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// counts is a Table that is being counted.
type counts struct {
	Table
	tenants map[string]int
}

func (c *counts) total() int { return c.Inserted + c.Updated + c.Deleted }

// add counts a row, and returns how many there are.
func (c *counts) add(r *row) int {
	switch {
	case r.old == nil:
		c.Inserted++
	case r.new == nil:
		c.Deleted++
	default:
		c.Updated++
	}
	if r.tenant != "" {
		c.tenants[r.tenant]++
	}
	return c.total()
}

func (c *counts) done() Table {
	names := slices.SortedFunc(maps.Keys(c.tenants), func(a, b string) int {
		return cmp.Or(cmp.Compare(c.tenants[b], c.tenants[a]), cmp.Compare(a, b))
	})
	for _, name := range names[:min(len(names), tenantsShown)] {
		c.Tenants = append(c.Tenants, Tenant{name, c.tenants[name]})
	}
	return c.Table
}

// shown is the row as people see it.
func (r *row) shown(masker *mask.Masker) (c Change, err error) {
	c = Change{Table: r.table, Key: r.key, Of: make(map[string]any), Operation: "update"}
	if c.Old, err = columnsOf(r.old, masker); err != nil {
		return c, err
	}
	if c.New, err = columnsOf(r.new, masker); err != nil {
		return c, err
	}
	for _, name := range knownBy[r.table] {
		if value := c.Old[name]; value != nil {
			c.Of[name] = value
		}
	}
	switch {
	case r.old == nil:
		c.Operation = "insert"
	case r.new == nil:
		c.Operation = "delete"
	default:
		for name := range c.Old {
			if equal(c.Old[name], c.New[name]) {
				delete(c.Old, name)
				delete(c.New, name)
			}
		}
		return c, nil
	}
	for _, side := range []map[string]any{c.Old, c.New} {
		maps.DeleteFunc(side, func(_ string, value any) bool { return value == nil })
	}
	return c, nil
}

func equal(a, b any) bool {
	x, _ := json.Marshal(a) // both were read from JSON: no error
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

// columnsOf are the columns of a row, with marks for secrets.
func columnsOf(text *string, masker *mask.Masker) (all map[string]any, err error) {
	if text == nil {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(*text), &all); err != nil {
		return nil, err
	}
	named, _ := all["name"].(string)
	for column, value := range all {
		s, ok := value.(string)
		switch {
		case !ok:
		case column == "body":
			all[column] = string(masker.Document([]byte(s)))
		case column == "value" && named != "":
			all[column] = masker.Value(named, s)
		default:
			all[column] = masker.Value(column, s)
		}
	}
	return all, nil
}
