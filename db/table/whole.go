package table

import (
	"context"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/pg"
)

// Whole is the Source of all rows that a transaction saw at one moment. They are read once, and then any number of questions is
// answered without Postgres.
type Whole struct{ rows *rowsRead }

// ReadWhole reads all rows that tx sees.
func ReadWhole(ctx context.Context, tx pgx.Tx) (*Whole, error) {
	kind := newKind("whole", 0, "", nil)
	var all []row
	for _, t := range All {
		for _, name := range t.Names() {
			kind.tables[name] = true
		}
		rows, err := pg.Rows(ctx, tx, pgx.RowToStructByPos[row], "SELECT '"+t.Name+"', * FROM ("+t.All()+") t")
		if err != nil {
			return nil, pg.Translate("read table "+t.Name, err)
		}
		all = append(all, rows...)
	}
	w := &Whole{newRowsRead(kind, all, pg.Freshness{})}
	w.rows.version = 1
	return w, nil
}

// Read implements Source. The question may be the zero one.
func (w *Whole) Read(_ context.Context, _ Question, answer func(Rows) error) (pg.Freshness, error) {
	return pg.Freshness{}, answer(w.rows)
}
