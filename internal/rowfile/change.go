package rowfile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"xmlcurld/internal/catalog"
	"xmlcurld/internal/plan"
)

// Changes are the statements that make the rows what the file says. None: nothing was changed.
func (o *Object) Changes(content []byte) ([]plan.Statement, error) {
	edited, err := o.parse(content)
	if err != nil {
		return nil, err
	}
	var d differ
	if err := d.row(o.root, edited, nil, nil); err != nil {
		return nil, err
	}
	return d.statements(), nil
}

// differ collects statements.
type differ struct{ written, deleted []ranked }

type ranked struct {
	rank int
	plan.Statement
}

// statements are all of them in an order that references allow: what others refer to is written first, and deleted last.
func (d *differ) statements() (all []plan.Statement) {
	slices.SortStableFunc(d.written, func(a, b ranked) int { return cmp.Compare(a.rank, b.rank) })
	slices.SortStableFunc(d.deleted, func(a, b ranked) int { return cmp.Compare(b.rank, a.rank) })
	for _, s := range append(d.written, d.deleted...) {
		all = append(all, s.Statement)
	}
	return all
}

// row compares one row, and what belongs to it. Belongs are the columns by which it belongs to another, before and after.
func (d *differ) row(old, edited *row, belonged, belongs map[string]any) error {
	if err := edited.keep(old); err != nil {
		return err
	}
	was, will := with(old.values, belonged), with(edited.values, belongs)
	set := make(map[string]any)
	for _, c := range old.of.Columns {
		if _, moved := belongs[c.Name]; !moved && !equal(old.values[c.Name], edited.values[c.Name]) {
			if edited.values[c.Name] == nil && c.Required {
				return fmt.Errorf("line %d: %s of %s cannot be left out", edited.line, c.Name, old.of.Name)
			}
			set[c.Name] = edited.values[c.Name]
		}
	}
	if len(set) > 0 {
		// What it belongs to is renamed first, and its columns with that.
		if err := d.update(old.of, with(old.key(was), belongs), set, edited.line); err != nil {
			return err
		}
	}
	for _, p := range old.of.Parts {
		if err := d.parts(p, old.parts[p.Of.Name], edited.parts[p.Of.Name], named(p, was), named(p, will)); err != nil {
			return err
		}
	}
	return nil
}

// parts compares rows that belong to one.
func (d *differ) parts(p catalog.Part, old, edited []*row, belonged, belongs map[string]any) error {
	known := make(map[string]*row)
	for _, one := range old {
		known[one.id()] = one
	}
	seen := make(map[string]bool)
	for _, one := range edited {
		id := one.id()
		if seen[id] {
			return fmt.Errorf("line %d: this row of %s stands twice", one.line, p.Of.Name)
		}
		seen[id] = true
		if before := known[id]; before != nil {
			if err := d.row(before, one, belonged, belongs); err != nil {
				return err
			}
		} else if err := d.insert(one, belongs); err != nil {
			return err
		}
	}
	for _, one := range old {
		if !seen[one.id()] {
			if err := d.delete(one, belongs); err != nil {
				return err
			}
		}
	}
	return nil
}

func with(values, more map[string]any) map[string]any {
	all := maps.Clone(values)
	if all == nil {
		all = make(map[string]any)
	}
	maps.Copy(all, more)
	return all
}

// named are the columns of a part that name the row it belongs to.
func named(p catalog.Part, values map[string]any) map[string]any {
	all := make(map[string]any)
	for i, name := range p.Columns {
		all[name] = values[p.Parents[i]]
	}
	return all
}

// key is the key among the values of a row.
func (r *row) key(values map[string]any) map[string]any {
	key := make(map[string]any)
	for _, name := range r.of.Key {
		key[name] = values[name]
	}
	return key
}

// id tells a row from others that belong to the same one.
func (r *row) id() string {
	id, _ := json.Marshal(r.key(r.values)) // strings: no error
	return string(id)
}

func (d *differ) insert(r *row, belongs map[string]any) error {
	if err := r.keep(nil); err != nil {
		return err
	}
	values := with(r.values, belongs)
	names := slices.Sorted(maps.Keys(values))
	record, err := json.Marshal(values)
	if err != nil {
		return err
	}
	d.written = append(d.written, ranked{r.of.Rank, plan.Statement{
		SQL: fmt.Sprintf(`INSERT INTO %s (%s) SELECT %[2]s FROM jsonb_populate_record(NULL::%[1]s, $1::jsonb)`,
			quoted(r.of.Name), strings.Join(prefixed("", names), ", ")),
		Args: []any{string(record)}, Line: r.line,
	}})
	for _, p := range r.of.Parts {
		for _, one := range r.parts[p.Of.Name] {
			if err := d.insert(one, named(p, values)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *differ) update(of *catalog.Relation, key, set map[string]any, line int) error {
	where, err := json.Marshal(key)
	if err != nil {
		return err
	}
	becomes, err := json.Marshal(set)
	if err != nil {
		return err
	}
	var sets []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		sets = append(sets, fmt.Sprintf("%[1]s = n.%[1]s", quoted(name)))
	}
	d.written = append(d.written, ranked{of.Rank, plan.Statement{
		SQL: fmt.Sprintf(`UPDATE %s t SET %s FROM jsonb_populate_record(NULL::%[1]s, $1::jsonb) k, jsonb_populate_record(NULL::%[1]s, $2::jsonb) n WHERE %[3]s`,
			quoted(of.Name), strings.Join(sets, ", "), is(of, key)),
		Args: []any{string(where), string(becomes)}, Line: line,
	}})
	return nil
}

func (d *differ) delete(r *row, belongs map[string]any) error {
	key := with(r.key(r.values), belongs)
	where, err := json.Marshal(key)
	if err != nil {
		return err
	}
	d.deleted = append(d.deleted, ranked{r.of.Rank, plan.Statement{
		SQL:  fmt.Sprintf(`DELETE FROM %s t USING jsonb_populate_record(NULL::%[1]s, $1::jsonb) k WHERE %s`, quoted(r.of.Name), is(r.of, key)),
		Args: []any{string(where)},
	}})
	return nil
}

// is is the condition for the row t whose key is that of k. By = it is found by index.
func is(of *catalog.Relation, key map[string]any) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(key)) {
		if !slices.Contains(of.Key, name) {
			continue
		}
		if key[name] == nil {
			parts = append(parts, "t."+quoted(name)+" IS NULL")
		} else {
			parts = append(parts, fmt.Sprintf("t.%[1]s = k.%[1]s", quoted(name)))
		}
	}
	return strings.Join(parts, " AND ")
}
