package localrows

import (
	"strings"

	"xmlcurld/db"
	"xmlcurld/db/localrows/disk"
)

// tablesOf are the tables whose rows are others when one of Postgres's changed.
var tablesOf = func() map[string][]*db.Table {
	of := make(map[string][]*db.Table)
	for _, t := range db.Tables {
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
func (c change) ofWhole(t *db.Table) bool { return c.Key == "" || t.Some == "" }

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
func (u *unread) row(table, key string) bool {
	if u == nil {
		return false
	}
	scope, _, _ := strings.Cut(key, db.Separator)
	isIndex := table == db.AliasIndex || table == db.NetworkIndex
	return u.whole[table] || u.rows[disk.At(table, key)] || isIndex && u.scopes[disk.At(table, scope)]
}

// rowsWith reports whether one of the rows whose keys begin with prefix may be another one, or be missing.
func (u *unread) rowsWith(table, prefix string) bool {
	if u == nil || !u.some[table] {
		return false
	}
	scope, _, scoped := strings.Cut(prefix, db.Separator)
	return u.whole[table] || !scoped || u.scopes[disk.At(table, scope)] || !isScoped(table)
}

func isScoped(table string) bool {
	return table == db.NumberTable || table == db.UserTable || table == db.AliasIndex || table == db.NetworkIndex
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
