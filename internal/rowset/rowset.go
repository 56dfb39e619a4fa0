// Package rowset holds rows that somebody wants in the database, and makes the SQL that brings them in.
package rowset

import "slices"

// Column is a column of a row. A Value is nil (NULL), a string, a bool, an int or a list of strings; whatever else
// PostgreSQL knows is written as it reads it from a string.
type Column struct {
	Name  string
	Value any
}

// C returns a column.
func C(name string, value any) Column { return Column{name, value} }

// Row is a row of a table. Columns that it does not have are as their table presets them.
type Row struct {
	Table   string
	Columns []Column
	From    string // where it comes from, as file:line
}

// Value returns the value of a column, and whether the row has it.
func (r *Row) Value(column string) (any, bool) {
	i := slices.IndexFunc(r.Columns, func(c Column) bool { return c.Name == column })
	if i < 0 {
		return nil, false
	}
	return r.Columns[i].Value, true
}

// Set is rows of any tables, in any order.
type Set struct{ Rows []*Row }

// Add adds a row. Columns whose value is "" are left out, since an empty value is how a file says nothing: use nil for NULL, and
// Empty for a value that is empty.
func (s *Set) Add(table, from string, columns ...Column) *Row {
	r := &Row{Table: table, From: from}
	for _, c := range columns {
		switch c.Value {
		case "":
		case Empty:
			r.Columns = append(r.Columns, Column{c.Name, ""})
		default:
			r.Columns = append(r.Columns, c)
		}
	}
	s.Rows = append(s.Rows, r)
	return r
}

// Empty is the value of a column that is an empty string.
const Empty = empty("")

type empty string
