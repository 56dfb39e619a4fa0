package table_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/db/table"
)

// TestTransaction reads what a transaction changed, and what it fails at.
func TestTransaction(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	source := table.InTransaction(tx)
	called := func(number string) (held bool, err error) {
		_, err = source.Read(t.Context(), table.ForRoute.About("fs1", "public", number), func(rows table.Rows) error {
			value, err := rows.Row(table.Number, "public"+table.Separator+number)
			held = value != nil
			return err
		})
		return held, err
	}
	if held, err := called("+27821234567"); held || err != nil {
		t.Errorf("before: %v, %v", held, err)
	}
	if _, err := tx.Exec(t.Context(), `INSERT INTO number (number, tenant, extension) SELECT '+27821234567', tenant, extension FROM number LIMIT 1`); err != nil {
		t.Fatal(err)
	}
	if held, err := called("+27821234567"); !held || err != nil {
		t.Errorf("after: %v, %v", held, err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := called("+27821234567"); !errors.Is(err, pgx.ErrTxClosed) {
		t.Errorf("when it has ended: %v", err)
	}
}
