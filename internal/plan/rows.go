package plan

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/table"
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

// Change is what becomes of one row, with marks in place of secrets.
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

// digest is what an edit came to. A row's fingerprint is keyed, so that nothing in it can be guessed by those who do not have the
// key, which stays in the database.
type digest struct {
	sum  string
	rows map[string]string // by table and key, at most digestRows
}

// digestRows is up to how many rows a digest tells apart.
const digestRows = 1000

// editQuery finds this transaction's edit, and sets the salt $1 of its fingerprints. PostgreSQL is told the number, and so knows
// that the edit has few rows beside a bulk load's.
const editQuery = `SELECT this_edit_number() FROM set_config('xmlcurld.plan', $1, true)`

// changedQuery reads what edit $1 has changed. Of a table $2 rows are told, and $3 are known without their keys: to mask a row takes
// longer than all else.
const changedQuery = `
SELECT
	relation, key, operation, tenant, CASE WHEN row_number() OVER w <= $2 THEN old::text END, CASE WHEN row_number() OVER w <= $2 THEN new::text END,
	CASE WHEN row_number() OVER w <= $3 THEN inserted::text END, fingerprint
FROM edit_in_progress
WHERE edit = $1
WINDOW w AS (PARTITION BY relation ORDER BY key)
ORDER BY relation, key`

// changed is what an edit has changed.
type changed struct {
	Rows
	digest
	touched map[string]bool // tables with a change, be it only of what PostgreSQL makes
	things                  // what the rows are about
}

// row is one of changedQuery, with marks in place of secrets.
type row struct {
	table, key, operation, tenant string
	old, new                      *string
	inserted                      *string // the row, without its key, if PostgreSQL gives it one
	fingerprint                   []byte
}

// changes reads what the transaction has changed, with examples of each table, and its digest by salt.
func changes(ctx context.Context, tx pgx.Tx, examples int, salt []byte) (*changed, error) {
	c := &changed{Rows: Rows{Tables: []Table{}, Examples: []Change{}}, touched: make(map[string]bool), things: newThings(examples), digest: digest{rows: make(map[string]string)}}
	var number int64
	if err := tx.QueryRow(ctx, editQuery, hex.EncodeToString(salt)).Scan(&number); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, changedQuery, pgx.QueryExecModeExec, number, examples, digestRows)
	if err != nil {
		return nil, err
	}
	var fingerprints [][]byte
	tables := make(map[string]*counts)
	var r row
	_, err = pgx.ForEachRow(rows, []any{&r.table, &r.key, &r.operation, &r.tenant, &r.old, &r.new, &r.inserted, &r.fingerprint}, func() error {
		c.touched[r.table] = true
		count := tables[r.table]
		if count == nil {
			count = &counts{Table: Table{Table: r.table, Tenants: []Tenant{}}, tenants: make(map[string]int)}
			tables[r.table] = count
		}
		c.about(&r)
		if r.operation == "none" { // but what PostgreSQL makes
			return nil
		}
		c.Total++
		fingerprints = append(fingerprints, slices.Clone(r.fingerprint))
		if c.Total <= digestRows {
			c.rows[r.name()] = hex.EncodeToString(r.fingerprint[:16])
		}
		if count.add(&r) <= examples {
			change, err := r.shown()
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
	c.sum = total(fingerprints)
	return c, nil
}

// name tells the row from others, and from one edit to the next.
func (r *row) name() string {
	if r.inserted != nil {
		return r.table + table.Separator + *r.inserted
	}
	return r.table + table.Separator + r.key
}

// total is a hash of fingerprints, in whatever order.
func total(fingerprints [][]byte) string {
	slices.SortFunc(fingerprints, bytes.Compare)
	h := sha256.New()
	for _, one := range fingerprints {
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
	switch r.operation {
	case "insert":
		c.Inserted++
	case "delete":
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
func (r *row) shown() (c Change, err error) {
	c = Change{Table: r.table, Key: r.key, Of: make(map[string]any), Operation: r.operation}
	for text, columns := range map[*string]*map[string]any{r.old: &c.Old, r.new: &c.New} {
		if text == nil {
			continue
		}
		if err := json.Unmarshal([]byte(*text), columns); err != nil {
			return c, err
		}
	}
	for _, name := range knownBy[r.table] {
		if value := c.Old[name]; value != nil {
			c.Of[name] = value
		}
	}
	if r.operation == "update" {
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
