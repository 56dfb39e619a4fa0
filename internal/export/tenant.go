package export

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"xmlcurld/internal/catalog"
	"xmlcurld/internal/mask"
	"xmlcurld/internal/rowset"
)

// Rows are rows as they would be inserted into another database.
type Rows struct {
	Changes []rowset.Change
	Needs   []string // rows of others that they refer to, each as its table and key
	Cut     int      // secrets that are left out
}

// Tenant reads a tenant's row and all that belongs to it, whatever tables there are. The error is pgx.ErrNoRows if there is no
// such tenant.
func Tenant(ctx context.Context, tx pgx.Tx, name string, withSecrets bool) (*Rows, error) {
	tables, err := catalog.Read(ctx, tx)
	if err != nil {
		return nil, err
	}
	r := &tenantReader{ctx: ctx, tx: tx, rows: new(Rows), seen: make(map[string]bool)}
	if r.masker, err = maskerUnless(withSecrets); err != nil {
		return nil, err
	}
	if err := r.read(tables["tenant"], []string{"name"}, [][]any{{name}}); err != nil {
		return nil, err
	}
	if len(r.rows.Changes) == 0 {
		return nil, fmt.Errorf("tenant %s: %w", name, pgx.ErrNoRows)
	}
	slices.SortStableFunc(r.rows.Changes, func(a, b rowset.Change) int {
		if byRank := tables[a.Table].Rank - tables[b.Table].Rank; byRank != 0 {
			return byRank
		}
		return strings.Compare(a.Table, b.Table)
	})
	return r.rows, r.needs()
}

// tenantReader reads rows with those that belong to them, each once.
type tenantReader struct {
	ctx    context.Context
	tx     pgx.Tx
	masker *mask.Masker // finds the secrets; nil: they stay
	rows   *Rows
	seen   map[string]bool // by table and key
	found  []foundRow
}

// foundRow is a row with the values of all its columns.
type foundRow struct {
	of     *catalog.Relation
	values map[string]any
}

// read adds the rows of a table whose columns have any of some values, table by table.
func (r *tenantReader) read(of *catalog.Relation, columns []string, values [][]any) error {
	text, err := json.Marshal(values)
	if err != nil {
		return err
	}
	var same []string
	for i, name := range columns {
		same = append(same, fmt.Sprintf("t.%s::text = v->>%d", quoted(name), i))
	}
	rows, err := r.tx.Query(r.ctx, fmt.Sprintf(`SELECT to_jsonb(t)::text FROM %s t WHERE EXISTS (SELECT FROM jsonb_array_elements($1::jsonb) v WHERE %s) ORDER BY %s`,
		quoted(of.Name), strings.Join(same, " AND "), orderOf(of)), string(text))
	if err != nil {
		return err
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	var own []map[string]any
	for _, text := range texts {
		one := make(map[string]any)
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&one); err != nil {
			return err
		}
		if key := keyOf(of.Name, of.Key, one); !r.seen[key] {
			r.seen[key] = true
			own = append(own, one)
			r.found = append(r.found, foundRow{of, one})
			r.rows.Changes = append(r.rows.Changes, rowset.Change{Row: r.row(of, one)})
		}
	}
	for _, part := range of.Parts {
		parents := make([][]any, len(own))
		for i, one := range own {
			for _, name := range part.Parents {
				parents[i] = append(parents[i], fmt.Sprint(one[name]))
			}
		}
		if len(parents) == 0 {
			continue
		}
		if err := r.read(part.Of, part.Columns, parents); err != nil {
			return err
		}
	}
	return nil
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

func orderOf(of *catalog.Relation) string {
	var all []string
	for _, name := range of.Key {
		all = append(all, "t."+quoted(name))
	}
	return strings.Join(all, ", ")
}

// keyOf names a row by some of its columns, in the words of a person.
func keyOf(table string, columns []string, values map[string]any) string {
	name := table
	for _, c := range columns {
		name += " " + fmt.Sprint(values[c])
	}
	return name
}

// refused stands in the place of a secret. No column for secrets takes it, so nobody's password becomes what everybody knows.
const refused = "${left out}"

// row is a row without what its table presets.
func (r *tenantReader) row(of *catalog.Relation, values map[string]any) *rowset.Row {
	row := &rowset.Row{Table: of.Name}
	name, _ := values["name"].(string)
	for _, c := range of.Columns {
		value := plain(values[c.Name])
		if value == nil && c.Default == "" || value != nil && isPreset(c.Default, value) {
			continue
		}
		if r.masker != nil && value != nil && r.holdsSecret(c.Name, name, fmt.Sprint(value)) {
			row.From = "a secret is left out"
			r.rows.Cut++
			if value = any(refused); !mask.IsSecret(c.Name) {
				value = nil // the columns that take any text want one
			}
		}
		row.Columns = append(row.Columns, rowset.C(c.Name, value))
	}
	return row
}

// holdsSecret reports whether what a row of a name has in a column is a secret, or has one in it.
func (r *tenantReader) holdsSecret(column, name, value string) bool {
	if column == "body" {
		return string(r.masker.Document([]byte(value))) != value
	}
	if column == "value" {
		column = name
	}
	return r.masker.Value("", column, value) != value
}

// plain is a value of JSON as a rowset takes it.
func plain(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		return v.String()
	case []any:
		list := make([]string, len(v))
		for i := range v {
			list[i] = fmt.Sprint(v[i])
		}
		return list
	}
	return value
}

// isPreset reports whether an expression that a table presets is a value.
func isPreset(preset string, value any) bool {
	text := fmt.Sprint(value)
	return preset == text || strings.HasPrefix(preset, "'"+text+"'::")
}

// references are the foreign keys of a table, with what their columns refer to.
const references = `
SELECT
	c.relname::text, p.relname::text,
	(SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(r.conkey) WITH ORDINALITY k (num, n)
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num),
	(SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(r.confkey) WITH ORDINALITY k (num, n)
		JOIN pg_attribute a ON a.attrelid = p.oid AND a.attnum = k.num)
FROM pg_constraint r
JOIN pg_class c ON c.oid = r.conrelid
JOIN pg_class p ON p.oid = r.confrelid
WHERE r.contype = 'f' AND pg_table_is_visible(c.oid)`

// needs finds the rows of others that the found ones refer to. A node * and what a NULL refers to is none.
func (r *tenantReader) needs() error {
	rows, err := r.tx.Query(r.ctx, references)
	if err != nil {
		return err
	}
	needed := make(map[string]bool)
	var table, parent string
	var columns, parents []string
	_, err = pgx.ForEachRow(rows, []any{&table, &parent, &columns, &parents}, func() error {
		for _, f := range r.found {
			if f.of.Name != table || slices.ContainsFunc(columns, func(c string) bool { return f.values[c] == nil || f.values[c] == "*" }) {
				continue
			}
			if key := keyOf(parent, columns, f.values); !r.seen[key] {
				needed[key] = true
			}
		}
		return nil
	})
	r.rows.Needs = slices.Sorted(maps.Keys(needed))
	return err
}

// WriteSQL writes the rows as a file of SQL, with what it takes for granted.
func (r *Rows) WriteSQL(w io.Writer) error {
	var head strings.Builder
	if len(r.Needs) > 0 {
		head.WriteString("-- These rows are others', and have to be there:\n")
		for _, n := range r.Needs {
			head.WriteString("--   " + n + "\n")
		}
	}
	if r.Cut > 0 {
		fmt.Fprintf(&head, "-- Secrets left out: %d. PostgreSQL refuses the rows until you put them in.\n", r.Cut)
	}
	if head.Len() > 0 {
		head.WriteString("\n")
	}
	if _, err := io.WriteString(w, head.String()); err != nil {
		return err
	}
	return rowset.WriteSQL(w, r.Changes)
}
