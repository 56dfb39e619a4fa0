package rowfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// rowsMost is how many rows a file may hold.
const rowsMost = 5000

// ErrTooMany says that a file would hold too many rows.
var ErrTooMany = fmt.Errorf("these are more than %d rows: edit a part of them, or write SQL", rowsMost)

// row is a row with those that belong to it. Of its columns it holds those that people write, without those that name the
// row that it belongs to, and without NULLs.
type row struct {
	of     *relation
	values map[string]any // a string, or a list of them
	plain  map[string]bool
	parts  map[string][]*row
	line   int // in the file; 0: it was read from the database
}

// Object is a row with all that belongs to it, as it was read.
type Object struct {
	Table string
	Key   []string

	catalog catalog
	root    *row
}

// Read reads the row of table that has key. The error is pgx.ErrNoRows if there is none.
func Read(ctx context.Context, tx pgx.Tx, table string, key []string) (*Object, error) {
	all, err := readCatalog(ctx, tx)
	if err != nil {
		return nil, err
	}
	of, is, err := all.object(table, key)
	if err != nil {
		return nil, err
	}
	// Of the columns that were left out the presets are meant.
	for _, name := range of.key {
		if _, given := is[name]; given {
			continue
		}
		var preset string
		err := tx.QueryRow(ctx, `
			SELECT split_part(pg_get_expr(d.adbin, d.adrelid), '''', 2)
			FROM pg_attrdef d
			JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
			WHERE d.adrelid = $1::regclass AND a.attname = $2`, table, name).Scan(&preset)
		if err != nil {
			return nil, err
		}
		is[name] = preset
	}
	r := reader{tx: tx}
	found, err := r.rows(ctx, of, is, nil)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s %s: %w", table, strings.Join(key, " "), pgx.ErrNoRows)
	}
	return &Object{table, key, all, found[0]}, nil
}

// reader reads rows with those that belong to them.
type reader struct {
	tx    pgx.Tx
	count int
}

// rows are those whose columns are as in where, in the order of their keys, without the columns hidden.
func (r *reader) rows(ctx context.Context, of *relation, where map[string]any, hidden []string) (all []*row, err error) {
	names := slices.Sorted(maps.Keys(where))
	var conditions []string
	for _, name := range names {
		conditions = append(conditions, fmt.Sprintf("t.%[1]s = k.%[1]s", quoted(name)))
	}
	key, err := json.Marshal(where)
	if err != nil {
		return nil, err
	}
	query := fmt.Sprintf(`SELECT to_jsonb(t)::text FROM %s t, jsonb_populate_record(NULL::%[1]s, $1::jsonb) k WHERE %s ORDER BY %s LIMIT %d`,
		quoted(of.name), strings.Join(conditions, " AND "), strings.Join(prefixed("t.", of.key), ", "), rowsMost+1)
	found, err := r.tx.Query(ctx, query, string(key))
	if err != nil {
		return nil, err
	}
	texts, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		return nil, err
	}
	if r.count += len(texts); r.count > rowsMost {
		return nil, ErrTooMany
	}
	for _, text := range texts {
		one, err := r.row(ctx, of, text, hidden)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (r *reader) row(ctx context.Context, of *relation, text string, hidden []string) (*row, error) {
	var values map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		return nil, err
	}
	one := &row{of: of, values: make(map[string]any), plain: make(map[string]bool), parts: make(map[string][]*row)}
	for _, c := range of.columns {
		if value := values[c.name]; value != nil && !slices.Contains(hidden, c.name) {
			one.values[c.name], one.plain[c.name] = textOf(value)
		}
	}
	for _, p := range of.parts {
		where := make(map[string]any)
		for i, name := range p.columns {
			where[name] = values[p.parents[i]]
		}
		parts, err := r.rows(ctx, p.of, where, p.columns)
		if err != nil {
			return nil, err
		}
		if len(parts) > 0 {
			one.parts[p.of.name] = parts
		}
	}
	return one, nil
}

// textOf is a value as PostgreSQL reads it: a string, or a list of them, and whether it was no string before.
func textOf(value any) (text any, plain bool) {
	switch v := value.(type) {
	case string:
		return v, false
	case []any:
		list := []any{}
		for _, one := range v {
			text, _ := textOf(one)
			list = append(list, text)
		}
		return list, true
	}
	return fmt.Sprint(value), true
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

func prefixed(prefix string, names []string) (all []string) {
	for _, name := range names {
		all = append(all, prefix+quoted(name))
	}
	return all
}

// ErrChanged says that somebody has changed the rows meanwhile.
var ErrChanged = errors.New("the rows have changed meanwhile")

// Same fails with ErrChanged if the object is not what it was when it was read.
func (o *Object) Same(ctx context.Context, tx pgx.Tx) error {
	now, err := Read(ctx, tx, o.Table, o.Key)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrChanged
	}
	if err == nil && !equalRows(o.root, now.root) {
		err = ErrChanged
	}
	return err
}

func equalRows(a, b *row) bool {
	if !maps.EqualFunc(a.values, b.values, equal) {
		return false
	}
	return maps.EqualFunc(a.parts, b.parts, func(a, b []*row) bool { return slices.EqualFunc(a, b, equalRows) })
}

func equal(a, b any) bool {
	x, ok := a.([]any)
	y, also := b.([]any)
	if ok && also {
		return slices.EqualFunc(x, y, equal)
	}
	return !ok && !also && a == b
}
