// Package switchstate is what the database knows of the switches: what each fetched and runs, who takes care of it, and which
// users it has to forget.
package switchstate

import (
	"xmlcurld/db"
	"xmlcurld/db/pg"
	"xmlcurld/db/table"
)

// Store is what the rows say to each switch, with what is known of the switches. It is safe for concurrent use.
type Store struct {
	*db.Rulebook
	*table.Store
	pg *pg.DB
}

// New returns what is known in the database of rows, to which rules belong.
func New(rules *db.Rulebook, rows *table.Store) *Store {
	return &Store{Rulebook: rules, Store: rows, pg: rows.DB()}
}
