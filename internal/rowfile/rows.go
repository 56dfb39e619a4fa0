// Package rowfile shows rows as a file to be edited, and makes statements of what was changed in it.
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

	"xmlcurld/internal/catalog"
	"xmlcurld/internal/mask"
)

// rowsMost is how many rows a file may hold.
const rowsMost = 5000

// ErrTooMany says that a file would hold too many rows.
var ErrTooMany = fmt.Errorf("these are more than %d rows: edit a part of them, or write SQL", rowsMost)

// row is a row with those that belong to it. Of its columns it holds those that people write, without those that name the
// row that it belongs to, and without NULLs.
type row struct {
	of     *catalog.Relation
	values map[string]any // a string, or a list of them
	plain  map[string]bool
	parts  map[string][]*row
	line   int // in the file; 0: it was read from the database
}

// Object is a row with all that belongs to it, as it was read.
type Object struct {
	Table string
	Key   []string

	root *row
}

// Read reads the row of table that has key. The error is pgx.ErrNoRows if there is none.
func Read(ctx context.Context, tx pgx.Tx, table string, key []string) (*Object, error) {
	all, err := catalog.Read(ctx, tx)
	if err != nil {
		return nil, err
	}
	of, is, err := object(all, table, key)
	if err != nil {
		return nil, err
	}
	// Of the columns that were left out the presets are meant.
	for _, name := range of.Key {
		if _, given := is[name]; given {
			continue
		}
		is[name] = strings.Split(of.Column(name).Default, "'")[1]
	}
	r := reader{tx: tx}
	found, err := r.rows(ctx, of, is, nil)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s %s: %w", table, strings.Join(key, " "), pgx.ErrNoRows)
	}
	return &Object{table, key, found[0]}, nil
}

// reader reads rows with those that belong to them.
type reader struct {
	tx    pgx.Tx
	count int
}

// rows are those whose columns are as in where, in the order of their keys, without the columns hidden.
func (r *reader) rows(ctx context.Context, of *catalog.Relation, where map[string]any, hidden []string) (all []*row, err error) {
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
		quoted(of.Name), strings.Join(conditions, " AND "), strings.Join(prefixed("t.", of.Key), ", "), rowsMost+1)
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

func (r *reader) row(ctx context.Context, of *catalog.Relation, text string, hidden []string) (*row, error) {
	var values map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		return nil, err
	}
	one := &row{of: of, values: make(map[string]any), plain: make(map[string]bool), parts: make(map[string][]*row)}
	for _, c := range of.Columns {
		if value := values[c.Name]; value != nil && !slices.Contains(hidden, c.Name) {
			one.values[c.Name], one.plain[c.Name] = textOf(value)
		}
	}
	for _, p := range of.Parts {
		where := make(map[string]any)
		for i, name := range p.Columns {
			where[name] = values[p.Parents[i]]
		}
		parts, err := r.rows(ctx, p.Of, where, p.Columns)
		if err != nil {
			return nil, err
		}
		if len(parts) > 0 {
			one.parts[p.Of.Name] = parts
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

// secret reports whether the value that a row has in a column is a secret.
func secret(column, name string) bool {
	return mask.IsSecret(column) || column == "value" && mask.IsSecret(name)
}

// object says which row is meant: the values of its key, those that have no preset first. Those that have one may be left out.
func object(all catalog.Catalog, table string, values []string) (*catalog.Relation, map[string]any, error) {
	of := all[table]
	if of == nil {
		return nil, nil, fmt.Errorf("there is no table %s to edit", table)
	}
	wanted := slices.Clone(of.Key)
	slices.SortStableFunc(wanted, func(a, b string) int {
		return rankOf(of.Column(a).Default != "") - rankOf(of.Column(b).Default != "")
	})
	least := slices.IndexFunc(wanted, func(name string) bool { return of.Column(name).Default != "" })
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
