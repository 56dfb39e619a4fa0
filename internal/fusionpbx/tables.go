package fusionpbx

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// row is a row of FusionPBX, its values as PostgreSQL writes them. What is NULL is empty. A column that its version does not have
// is not there.
type row map[string]string

// on reports whether a row is enabled. In a version without the column all are.
func (r row) on(column string) bool {
	value, there := r[column]
	return !there || value == "true"
}

// number is a value by which rows are in order.
func (r row) number(column string) float64 {
	n, _ := strconv.ParseFloat(r[column], 64)
	return n
}

// needed are the columns without which there is nothing to be read.
var needed = map[string][]string{
	"v_domains":    {"domain_uuid", "domain_name"},
	"v_extensions": {"domain_uuid", "extension", "password"},
	"v_dialplans":  {"dialplan_context", "dialplan_xml", "dialplan_order"},
}

// recognize finds out which tables and columns there are.
func (f *fusion) recognize() error {
	rows, _ := f.tx.Query(f.ctx, `
SELECT table_name, array_agg(column_name::text)
FROM information_schema.columns
WHERE table_schema = ANY (current_schemas(false)) AND table_name LIKE 'v\_%'
GROUP BY table_name`)
	f.columns = make(map[string][]string)
	var table string
	var columns []string
	if _, err := pgx.ForEachRow(rows, []any{&table, &columns}, func() error {
		f.columns[table] = slices.Clone(columns)
		return nil
	}); err != nil {
		return fmt.Errorf("read which tables there are: %w", err)
	}
	for _, table := range slices.Sorted(maps.Keys(needed)) {
		columns := needed[table]
		if f.columns[table] == nil {
			return errors.New("this is no database of FusionPBX, or the role may not read it: there is no table " + table)
		}
		for _, column := range columns {
			if !slices.Contains(f.columns[table], column) {
				return fmt.Errorf("this FusionPBX is too old to be read: table %s has no column %s; upgrade it first", table, column)
			}
		}
	}
	return nil
}

// read returns the rows of a table, none if this version has no such table.
func (f *fusion) read(table string) ([]row, error) {
	if f.columns[table] == nil {
		f.leave(place(table, "(all)"), "table "+table, "this version of FusionPBX does not have it", "Nothing: its switch was told nothing of it.")
		return nil, nil
	}
	rows, _ := f.tx.Query(f.ctx, `
SELECT (SELECT jsonb_object_agg(key, coalesce(value, '')) FROM jsonb_each_text(to_jsonb(t)))
FROM `+pgx.Identifier{table}.Sanitize()+` t`)
	all, err := pgx.CollectRows(rows, pgx.RowTo[row])
	if err != nil {
		return nil, fmt.Errorf("read table %s of FusionPBX: %w", table, err)
	}
	return all, nil
}

// sorted returns the rows of a table in the order of columns that are text.
func (f *fusion) sorted(table string, columns ...string) ([]row, error) {
	all, err := f.read(table)
	slices.SortStableFunc(all, func(a, b row) int {
		for _, c := range columns {
			if n := strings.Compare(a[c], b[c]); n != 0 {
				return n
			}
		}
		return 0
	})
	return all, err
}

// by returns rows by a column's value.
func by(rows []row, column string) map[string][]row {
	all := make(map[string][]row)
	for _, r := range rows {
		all[r[column]] = append(all[r[column]], r)
	}
	return all
}

// readSettings reads the settings of FusionPBX itself.
func (f *fusion) readSettings() error {
	for _, kind := range []string{"default", "domain"} {
		rows, err := f.read("v_" + kind + "_settings")
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.on(kind + "_setting_enabled") {
				path := [3]string{r["domain_uuid"], r[kind+"_setting_category"], r[kind+"_setting_subcategory"]}
				f.settings[path] = r[kind+"_setting_value"]
			}
		}
	}
	return nil
}

// setting is a setting of a domain, or else the default. Empty: there is none.
func (f *fusion) setting(domain, category, subcategory string) string {
	return cmp.Or(f.settings[[3]string{domain, category, subcategory}], f.settings[[3]string{"", category, subcategory}])
}
