package reconcile_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"xmlcurld/internal/reconcile"
)

// foresee makes an edit, takes it back, and returns what was foreseen of it for fs1 meanwhile.
func (r *rig) foresee(t *testing.T, statement string) reconcile.Foreseen {
	t.Helper()
	for _, one := range r.foreseeAll(t, statement) {
		if one.Node == "fs1" {
			return one
		}
	}
	return reconcile.Foreseen{}
}

func (r *rig) foreseeAll(t *testing.T, statement string) []reconcile.Foreseen {
	t.Helper()
	tx, err := r.connect(t).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := reconcile.NewForesight(&r.secrets, patience)
	defer f.Close()
	err = pgx.BeginFunc(t.Context(), tx, func(edit pgx.Tx) error {
		if _, err := edit.Exec(t.Context(), statement); err != nil {
			return err
		}
		if err := f.After(t.Context(), edit); err != nil {
			return err
		}
		return errUndone
	})
	if !errors.Is(err, errUndone) {
		t.Fatalf("%s: %v", statement, err)
	}
	if err := errors.Join(f.Before(t.Context(), tx), tx.Rollback(t.Context())); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return f.Foreseen(t.Context())
}

var errUndone = errors.New("undone")
