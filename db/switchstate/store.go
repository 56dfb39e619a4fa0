// Package switchstate is what the database knows of the switches: what each fetched and runs, who takes care of it, and which
// users it has to forget.
package switchstate

import (
	"context"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/pg"
	"xmlcurld/db/table"
)

// Rows are what the rows say to each switch, with what is known of the switches. It is safe for concurrent use.
type Rows struct {
	*db.Rulebook
	pg   *pg.DB
	edit *transaction // whose rows they are; nil: what is committed
}

// Store is what is committed, with what the servers keep and hear.
type Store struct {
	*Rows
	*table.Store
}

// New returns what is known in the database of rows, to which rules belong.
func New(rules *db.Rulebook, rows *table.Store) *Store {
	return &Store{Rows: &Rows{Rulebook: rules, pg: rows.DB()}, Store: rows}
}

// InTransaction returns what tx sees at present, what it changed itself included. They keep nothing. Nobody else may use tx
// meanwhile, and nothing may be changed by it.
func InTransaction(tx pgx.Tx, secrets db.Secrets) *Rows {
	edit := &transaction{tx: tx}
	return &Rows{Rulebook: db.NewRulebook(edit, secrets), edit: edit}
}

// collect runs one query and returns its rows.
func collect[T any](ctx context.Context, r *Rows, operation, query string, args ...any) (all []T, err error) {
	if r.edit == nil {
		all, _, err = pg.Collect[T](ctx, r.pg, operation, query, args...)
		return all, err
	}
	err = r.edit.use(ctx, func(ctx context.Context, tx pgx.Tx) error {
		all, err = pg.Rows(ctx, tx, pgx.RowToStructByName[T], query, args...)
		return err
	})
	return all, pg.Translate(operation, err)
}

// atOneMoment calls f with a transaction, all of whose questions see the same.
func (r *Rows) atOneMoment(ctx context.Context, operation string, f func(context.Context, pgx.Tx) error) error {
	if r.edit != nil {
		return pg.Translate(operation, r.edit.use(ctx, f))
	}
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, r.pg.Primary(), options, func(tx pgx.Tx) error { return f(ctx, tx) })
	return pg.Translate(operation, err)
}
