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

// TestSeen reads rows once, for all nodes.
func TestSeen(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `INSERT INTO node (name) VALUES ('fs1'), ('fs2');
		INSERT INTO module (node, name) VALUES ('fs1', 'mod_a'), ('fs2', 'mod_b')`); err != nil {
		t.Fatal(err)
	}
	seen := table.SeenBy(tx, []string{"fs1", "fs2"})
	versions := make(map[uint64]bool)
	for node, module := range map[string]string{"fs1": "mod_a", "fs2": "mod_b"} {
		_, err = seen.Read(t.Context(), table.ForModules.About(node), func(rows table.Rows) error {
			value, err := rows.Row(table.Module, node+table.Separator+module)
			if value == nil {
				t.Errorf("%s has no %s", node, module)
			}
			versions[rows.Version(table.Module)] = true
			return err
		})
		if err != nil {
			t.Error(node, err)
		}
		_ = tx.Rollback(t.Context()) // what was read is kept
	}
	if len(versions) != 1 || versions[0] {
		t.Errorf("versions %v", versions)
	}
	if _, err = seen.Read(t.Context(), table.ForACL.About("fs1"), func(table.Rows) error { return nil }); !errors.Is(err, pgx.ErrTxClosed) {
		t.Errorf("another question: %v", err)
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	route, lists := table.ForRoute.About("fs1", "public", "1"), table.ForACL.About("fs1")
	if !route.Reads("number") || !route.Reads("context_extension") || route.Reads("domain_user") {
		t.Error("a call")
	}
	if !lists.Reads("domain_user") || lists.Reads("number") {
		t.Error("access lists")
	}
}

// TestAhead reads the rows for many questions at once, and those for a question that was not foreseen when it comes.
func TestAhead(t *testing.T) {
	t.Parallel()
	tx, err := dbtest.Connect(t, dbtest.DemoURL(t)).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	source := table.NewAhead(tx)
	question := func(number string) table.Question { return table.ForRoute.About("fs1", "public", number) }
	known := []table.Question{question("+27123456789"), question("+27999999999")}
	if err := errors.Join(source.Ask(t.Context(), known), source.Ask(t.Context(), known), tx.Rollback(t.Context())); err != nil {
		t.Fatal(err)
	}
	for number, want := range map[string]bool{"+27123456789": true, "+27999999999": false} {
		held := false
		_, err := source.Read(t.Context(), question(number), func(rows table.Rows) error {
			value, err := rows.Row(table.Number, "public"+table.Separator+number)
			held = value != nil
			return err
		})
		if err != nil || held != want {
			t.Errorf("%s: %v, %v", number, held, err)
		}
	}
	if _, err := source.Read(t.Context(), question("+27000000000"), func(table.Rows) error { return nil }); !errors.Is(err, pgx.ErrTxClosed) {
		t.Errorf("one that was not foreseen is answered by a transaction that has ended: %v", err)
	}
}
