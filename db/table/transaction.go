package table

import (
	"context"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

// transaction is the Source of what one transaction sees: what it changed itself, too.
type transaction struct{ tx pgx.Tx }

// InTransaction returns a Source of what tx sees. Like tx, it is for one goroutine.
func InTransaction(tx pgx.Tx) Source { return transaction{tx} }

// Read implements Source, in one round trip.
func (t transaction) Read(ctx context.Context, q Question, answer func(Rows) error) (pg.Freshness, error) {
	rows, err := pg.Rows(ctx, t.tx, pgx.RowToStructByPos[row], q.kind.query, columns(q.kind, [][3]string{q.args})...)
	if err != nil {
		return pg.Freshness{}, pg.Translate(q.kind.operation, err)
	}
	return pg.Freshness{}, answer(newRowsRead(q.kind, rows, pg.Freshness{}))
}
