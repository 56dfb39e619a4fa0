package rowset

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// rowsMost is how many rows one INSERT has.
const rowsMost = 500

// strayMost is how many columns of an INSERT a row may leave to their table.
const strayMost = 2

// WriteSQL writes changes as a file of SQL, as a person would have written it: a line a row, and where it comes from.
func WriteSQL(w io.Writer, changes []Change) error {
	out := bufio.NewWriter(w)
	for len(changes) > 0 {
		n := 1
		if len(changes[0].Set) > 0 {
			writeUpdate(out, &changes[0])
		} else {
			n = writeInsert(out, changes)
		}
		changes = changes[n:]
		if len(changes) > 0 {
			_ = out.WriteByte('\n') // Flush tells
		}
	}
	return out.Flush()
}

func writeUpdate(w io.Writer, c *Change) {
	var set, where []string
	for _, column := range c.Columns {
		if slices.Contains(c.Set, column.Name) {
			set = append(set, identifier(column.Name)+" = "+literal(column.Value))
		}
	}
	for _, column := range c.Where {
		if column.Value == nil {
			where = append(where, identifier(column.Name)+" IS NULL")
		} else {
			where = append(where, identifier(column.Name)+" = "+literal(column.Value))
		}
	}
	fmt.Fprintf(w, "UPDATE %s SET %s\nWHERE %s;%s\n", c.Table, strings.Join(set, ", "), strings.Join(where, " AND "), remark(c.From))
}

// writeInsert writes the rows at the beginning of changes that fit into one statement, and returns how many.
func writeInsert(w io.Writer, changes []Change) int {
	columns := names(changes[0].Row)
	n := 1
	for n < len(changes) && n < rowsMost && changes[n].Table == changes[0].Table && len(changes[n].Set) == 0 {
		all := merged(columns, names(changes[n].Row))
		if slices.ContainsFunc(changes[:n+1], func(c Change) bool { return len(all)-len(c.Columns) > strayMost }) {
			break
		}
		columns = all
		n++
	}
	quotedNames := make([]string, len(columns))
	for i, name := range columns {
		quotedNames[i] = identifier(name)
	}
	fmt.Fprintf(w, "INSERT INTO %s (%s) VALUES\n", changes[0].Table, strings.Join(quotedNames, ", "))
	for i, c := range changes[:n] {
		values := make([]string, len(columns))
		for j, name := range columns {
			values[j] = "DEFAULT"
			if value, ok := c.Value(name); ok {
				values[j] = literal(value)
			}
		}
		end := ","
		if i == n-1 {
			end = ";"
		}
		fmt.Fprintf(w, "    (%s)%s%s\n", strings.Join(values, ", "), end, remark(c.From))
	}
	return n
}

func names(r *Row) []string {
	all := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		all[i] = c.Name
	}
	return all
}

// merged are the names of a, and those of b that a lacks.
func merged(a, b []string) []string {
	for _, name := range b {
		if !slices.Contains(a, name) {
			a = append(slices.Clip(a), name)
		}
	}
	return a
}

// remark ends a line of SQL. What a file is named cannot end the remark.
func remark(from string) string {
	if from == "" {
		return ""
	}
	return " -- " + strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, from)
}

// identifier quotes a column's name where SQL wants that.
func identifier(name string) string {
	if slices.Contains([]string{"break", "continue", "inline"}, name) {
		return quoted(name)
	}
	return name
}

// literal is a value in SQL.
func literal(value any) string {
	switch v := value.(type) {
	case nil:
		return "NULL"
	case bool, int, expression:
		return fmt.Sprint(v)
	case []string:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(item) + `"`
		}
		return literal("{" + strings.Join(items, ",") + "}")
	default:
		return "'" + strings.ReplaceAll(fmt.Sprint(v), "'", "''") + "'"
	}
}
