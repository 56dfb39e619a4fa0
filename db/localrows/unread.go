package localrows

import (
	"strings"

	"xmlcurld/db/localrows/disk"
	"xmlcurld/db/table"
)

// tablesOf are the tables whose rows are others when one of Postgres's changed. scoped are those, and their indexes, whose keys
// begin with a scope; indexes are all.
var tablesOf, scoped, indexes = func() (of map[string][]*table.Table, scoped, indexes map[string]bool) {
	of, scoped, indexes = make(map[string][]*table.Table), make(map[string]bool), make(map[string]bool)
	for _, t := range table.All {
		for _, relation := range t.Noted {
			of[relation] = append(of[relation], t)
		}
		for _, name := range t.Names() {
			scoped[name], indexes[name] = t.Scoped, name != t.Name
		}
	}
	return of, scoped, indexes
}()

// everything reports whether more changed than is read again for a change.
func (c change) everything() bool {
	for _, t := range tablesOf[c.Relation] {
		if t.Large && c.Key == "" {
			return true
		}
	}
	return false
}

// ofWhole reports whether any row of t may be another one.
func (c change) ofWhole(t *table.Table) bool { return c.Key == "" || t.Some == "" }

// unread are rows that changed and were not read yet. Nil: there are none.
type unread struct {
	whole  map[string]bool     // tables of which any row may be another one
	some   map[string]bool     // tables of which some row is
	rows   map[disk.Place]bool // these are
	scopes map[disk.Place]bool // tables of which some row is whose key begins so
}

// with adds a change to u.
func (u *unread) with(n change) *unread {
	if u == nil {
		u = &unread{make(map[string]bool), make(map[string]bool), make(map[disk.Place]bool), make(map[disk.Place]bool)}
	}
	for _, t := range tablesOf[n.Relation] {
		for _, name := range t.Names() {
			u.some[name] = true
			if n.ofWhole(t) {
				u.whole[name] = true
			}
			if t.Scoped {
				u.scopes[disk.At(name, n.Scope)] = true
			}
		}
		u.rows[disk.At(t.Name, t.Key(n.Scope, n.Key))] = true
	}
	return u
}

// row reports whether a row may be another one. Which rows of an index are is not known: those of a scope may all be.
func (u *unread) row(of, key string) bool {
	if u == nil {
		return false
	}
	scope, _, _ := strings.Cut(key, table.Separator)
	return u.whole[of] || u.rows[disk.At(of, key)] || indexes[of] && u.scopes[disk.At(of, scope)]
}

// rowsWith reports whether one of the rows whose keys begin with prefix may be another one, or be missing.
func (u *unread) rowsWith(of, prefix string) bool {
	if u == nil || !u.some[of] {
		return false
	}
	scope, _, within := strings.Cut(prefix, table.Separator)
	return u.whole[of] || !within || !scoped[of] || u.scopes[disk.At(of, scope)]
}

// anyOf reports whether a row of one of the tables may be another one.
func (u *unread) anyOf(tables []string) bool {
	if u == nil {
		return false
	}
	for _, table := range tables {
		if u.some[table] {
			return true
		}
	}
	return false
}
