// Package switchstate is what the database knows of the switches: what each fetched and runs, who takes care of it, and which
// users it has to forget.
package switchstate

import (
	"time"

	"xmlcurld/db"
	"xmlcurld/db/pg"
)

// Store is rows, with what is known of the switches. It is safe for concurrent use.
type Store struct {
	*db.Store
	pg *pg.DB

	nodeRows  pg.Batch[string, *Node]
	nodeSaves pg.Batch[nodeSave, *time.Time]
}

// New returns what is known in the database of rows. It is to be closed before that.
func New(rows *db.Store) *Store {
	s := &Store{Store: rows, pg: rows.DB()}
	s.nodeRows.Start(s.askNodes)
	s.nodeSaves.Start(s.saveNodeStates)
	return s
}

// Close waits until all questions are answered. The rows stay open.
func (s *Store) Close() {
	s.nodeRows.Stop()
	s.nodeSaves.Stop()
}
