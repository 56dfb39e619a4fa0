package history_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"xmlcurld/db/dbtest"
	"xmlcurld/db/history"
)

const day = 24 * time.Hour

func TestKeep(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	conn := dbtest.Connect(t, url)
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	edit(t, conn, `SELECT make_history_months(now() - interval '7 months', now());
		INSERT INTO edit (at, committed_at, role) VALUES (now() - interval '6 months', now() - interval '6 months', 'old');
		INSERT INTO node_state_history (node, at, server, reachable, pending, restart_required, last_error)
		VALUES ('fs1', now() - interval '6 months', '', true, '{}', '{}', '')`)
	partitions := func() int {
		return dbtest.One[int](t, url, `SELECT count(*)::int FROM pg_inherits WHERE inhparent IN ('edit'::regclass, 'edit_row'::regclass)`)
	}
	old := func() int {
		return dbtest.One[int](t, url, `SELECT ((SELECT count(*) FROM edit WHERE role = 'old') + (SELECT count(*) FROM node_state_history))::int`)
	}
	all, kept := partitions(), dbtest.One[int](t, url, `SELECT count(*)::int FROM edit_row`)
	for range 2 {
		if err := history.Keep(t.Context(), pool, 0); err != nil || partitions() < all || old() != 2 {
			t.Fatalf("for ever: %v, %d partitions, %d old", err, partitions(), old())
		}
	}
	for range 2 {
		if err := history.Keep(t.Context(), pool, 90*day); err != nil || old() != 0 {
			t.Fatalf("90 days: %v, %d old", err, old())
		}
	}
	if now := dbtest.One[int](t, url, `SELECT count(*)::int FROM edit_row`); now != kept || partitions() < 2*5 || partitions() >= all {
		t.Errorf("%d rows of %d, %d partitions of %d", now, kept, partitions(), all)
	}
}

// An edit that no partition is there for makes one.
func TestEditWithoutPartition(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	conn := dbtest.Connect(t, url)
	edit(t, conn, `DO $$ DECLARE p text; BEGIN FOR p IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent IN ('edit'::regclass, 'edit_row'::regclass) LOOP EXECUTE 'DROP TABLE ' || p; END LOOP; END $$`)
	number := edit(t, conn, `UPDATE number SET forward_number = '+27210000009' WHERE number = '+27123456789'`)
	changes, err := history.List(t.Context(), conn, history.Filter{Edit: number, Limit: 10})
	if err != nil || len(changes) != 1 {
		t.Errorf("%+v, %v", changes, err)
	}
}
