package localrows

import (
	"strings"

	"xmlcurld/db/localrows/disk"
	"xmlcurld/db/table"
)

// tablesOf are the tables whose rows are others when one of Postgres's changed.
var tablesOf = func() map[string][]*table.Table {
	of := make(map[string][]*table.Table)
	for _, t := range table.All {
		for _, relation := range t.Noted {
			of[relation] = append(of[relation], t)
		}
	}
	return of
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
		for _, name := range append(t.Indexes, t.Name) {
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
	isIndex := of == table.AliasIndex || of == table.NetworkIndex
	return u.whole[of] || u.rows[disk.At(of, key)] || isIndex && u.scopes[disk.At(of, scope)]
}

// rowsWith reports whether one of the rows whose keys begin with prefix may be another one, or be missing.
func (u *unread) rowsWith(of, prefix string) bool {
	if u == nil || !u.some[of] {
		return false
	}
	scope, _, scoped := strings.Cut(prefix, table.Separator)
	return u.whole[of] || !scoped || u.scopes[disk.At(of, scope)] || !isScoped(of)
}

func isScoped(name string) bool {
	return name == table.Number || name == table.User || name == table.AliasIndex || name == table.NetworkIndex
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
