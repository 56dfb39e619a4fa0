package table

import (
	"context"

	"xmlcurld/db/pg"
)

// Source is where rows come from: Postgres, or the local rows that follow it.
type Source interface {
	// Read calls answer with the rows that q needs, all as they were at one moment: at the earliest when Read was called, unless
	// the freshness says otherwise. It may do so again, with other rows, if answer fails. The error is answer's, or
	// ErrUnavailable when the rows cannot be had.
	Read(ctx context.Context, q Question, answer func(Rows) error) (pg.Freshness, error)
}

// Rows are rows of one moment, each as a value under a key. Values are only to be read, and only until the answer is made.
type Rows interface {
	// Row returns a row of a table by its key, nil if there is none. An error says that it is not to be had.
	Row(table, key string) ([]byte, error)
	// Each calls f with every row of a table whose key begins with prefix, in the order of the keys, until f fails.
	Each(table, prefix string, f func(key string, value []byte) error) error
	// Version returns a number that is another one for other rows in any of the tables. 0: such a number is not known.
	Version(tables ...string) uint64
}
