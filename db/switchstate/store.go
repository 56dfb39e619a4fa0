// Package switchstate is what the database knows of the switches: what each fetched and runs, who takes care of it, and which
// users it has to forget.
package switchstate

import (
	"time"

	"xmlcurld/db"
	"xmlcurld/db/pg"
	"xmlcurld/db/table"
)

// Store is what the rows say to each switch, with what is known of the switches. It is safe for concurrent use.
type Store struct {
	*db.Rulebook
	*table.Store
	pg *pg.DB

	nodeRows  pg.Batch[string, *Node]
	nodeSaves pg.Batch[nodeSave, *time.Time]
}

// New returns what is known in the database of rows, to which rules belong. It is to be closed before that.
func New(rules *db.Rulebook, rows *table.Store) *Store {
	s := &Store{Rulebook: rules, Store: rows, pg: rows.DB()}
	s.nodeRows.Start(s.askNodes)
	s.nodeSaves.Start(s.saveNodeStates)
	return s
}

// Close waits until all questions are answered. The database stays open.
func (s *Store) Close() {
	s.nodeRows.Stop()
	s.nodeSaves.Stop()
}
