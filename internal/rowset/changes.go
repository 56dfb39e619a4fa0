package rowset

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"xmlcurld/internal/catalog"
)

// Change is what has to be done so that one row is there.
type Change struct {
	*Row
	Set   []string // the columns in which the row that is there has another value; none: it is not there
	Where []Column // what tells the row from others
}

// expression is a value that PostgreSQL works out.
type expression string

// Changes compares rows with those that the transaction sees. What is there and nobody wants stays. The error names a row of
// a table or a column that does not exist.
func (s *Set) Changes(ctx context.Context, tx pgx.Tx) ([]Change, error) {
	tables, err := catalog.Read(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("read which tables there are: %w", err)
	}
	changes := make([]*Change, len(s.Rows))
	for _, b := range s.batches() {
		of := tables[s.Rows[b[0]].Table]
		if of == nil {
			return nil, fmt.Errorf("%s: there is no table %s to be written", s.Rows[b[0]].From, s.Rows[b[0]].Table)
		}
		if err := s.locate(ctx, tx, of, b, changes); err != nil {
			return nil, err
		}
	}
	var all []Change
	for _, c := range changes {
		if c != nil {
			all = append(all, *c)
		}
	}
	if len(all) > naturalMost {
		slices.SortStableFunc(all, func(a, b Change) int {
			return cmp.Or(tables[a.Table].Rank-tables[b.Table].Rank, strings.Compare(a.Table, b.Table))
		})
	}
	return all, nil
}

// naturalMost is how many changes are written in the order of the rows. More of them are written table by table, since
// PostgreSQL takes many rows of one statement much sooner than many statements.
const naturalMost = 4000

// batchMost is how many rows are compared by one question.
const batchMost = 5000

// batches are the places of rows that have the same table and columns.
func (s *Set) batches() (all [][]int) {
	last := make(map[string]int)
	for i, r := range s.Rows {
		shape := r.Table
		for _, c := range r.Columns {
			shape += " " + c.Name
		}
		n, ok := last[shape]
		if !ok || len(all[n]) == batchMost {
			n = len(all)
			last[shape] = n
			all = append(all, nil)
		}
		all[n] = append(all[n], i)
	}
	return all
}

// locate compares, and if PostgreSQL does not read the rows it looks for the first that it refuses, and names its place.
func (s *Set) locate(ctx context.Context, tx pgx.Tx, of *catalog.Relation, places []int, changes []*Change) error {
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return s.compare(ctx, tx, of, places, changes) })
	if refused := new(pgconn.PgError); err == nil || !errors.As(err, &refused) {
		return err
	}
	if len(places) == 1 {
		return fmt.Errorf("%s: this row of %s cannot be: %w", s.Rows[places[0]].From, of.Name, err)
	}
	for _, half := range [][]int{places[:len(places)/2], places[len(places)/2:]} {
		if err := s.locate(ctx, tx, of, half, changes); err != nil {
			return err
		}
	}
	return err
}

// compare asks for those of the rows at places that are not there, or otherwise.
func (s *Set) compare(ctx context.Context, tx pgx.Tx, of *catalog.Relation, places []int, changes []*Change) error {
	first := s.Rows[places[0]]
	for _, c := range first.Columns {
		if of.Column(c.Name) == nil {
			return fmt.Errorf("%s: there is no column %s", first.From, c.Name)
		}
	}
	wanted := make([]map[string]any, len(places))
	for n, place := range places {
		wanted[n] = make(map[string]any)
		for _, c := range s.Rows[place].Columns {
			wanted[n][c.Name] = c.Value
		}
	}
	text, err := json.Marshal(wanted)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, comparison(of, first), string(text))
	if err != nil {
		return err
	}
	var n int
	var there bool
	var set []string
	_, err = pgx.ForEachRow(rows, []any{&n, &there, &set}, func() error {
		if !there || len(set) > 0 {
			r := s.Rows[places[n-1]]
			changes[places[n-1]] = &Change{r, slices.Clone(set), r.key(of)}
		}
		return nil
	})
	return err
}

// key is what tells the row from others. A column that it leaves to its table has what the table presets.
func (r *Row) key(of *catalog.Relation) []Column {
	key := make([]Column, len(of.Key))
	for i, name := range of.Key {
		value, given := r.Value(name)
		if preset := of.Column(name).Default; !given && preset != "" {
			value = expression(preset)
		}
		key[i] = Column{name, value}
	}
	return key
}

// comparison is the question about rows as first. PostgreSQL reads the values, so two ways to write one are the same.
func comparison(of *catalog.Relation, first *Row) string {
	var same, different []string
	for _, c := range first.key(of) {
		wanted, equal := "n."+quoted(c.Name), "="
		if preset, ok := c.Value.(expression); ok {
			wanted = string(preset)
		}
		if !of.Column(c.Name).Required {
			equal = "IS NOT DISTINCT FROM"
		}
		same = append(same, fmt.Sprintf("t.%s %s %s", quoted(c.Name), equal, wanted))
	}
	for _, c := range first.Columns {
		if !slices.Contains(of.Key, c.Name) {
			different = append(different, fmt.Sprintf("CASE WHEN t.%[1]s::text IS DISTINCT FROM n.%[1]s::text THEN '%[2]s' END", quoted(c.Name), c.Name))
		}
	}
	return fmt.Sprintf(`
SELECT v.n::integer, t.tableoid IS NOT NULL, CASE WHEN t.tableoid IS NULL THEN '{}' ELSE array_remove(ARRAY[%s]::text[], NULL) END
FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY v (doc, n)
CROSS JOIN LATERAL jsonb_populate_record(NULL::%s, v.doc) n
LEFT JOIN %[2]s t ON %[3]s`, strings.Join(different, ", "), quoted(of.Name), strings.Join(same, " AND "))
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }
