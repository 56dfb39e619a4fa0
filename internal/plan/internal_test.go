package plan

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/db/table"
)

// TestMade finds the columns that PostgreSQL makes by what their comments say.
func TestMade(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.URL(t))
	rows, err := conn.Query(t.Context(), `
		SELECT DISTINCT a.attname::text COLLATE "C"
		FROM pg_trigger g
		JOIN pg_attribute a ON a.attrelid = g.tgrelid
		WHERE g.tgname = 'record_insert'
			AND col_description(a.attrelid, a.attnum) ~ '^(Made by PostgreSQL|Written by triggers|A new random number)'
		ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	want, err := pgx.CollectRows(rows, pgx.RowTo[string])
	var made []string
	if err := conn.QueryRow(t.Context(), `SELECT made_columns()`).Scan(&made); err != nil {
		t.Fatal(err)
	}
	if err != nil || !slices.Equal(made, want) {
		t.Errorf("%v, %v, want %v", made, err, want)
	}
}

// TestOfColumns has documents name the columns of table node that they hold, and no others do.
func TestOfColumns(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `
		INSERT INTO node (name, local_ip, external_ip, rtp_port, max_sessions, sessions_per_second, loglevel, api_expansion,
			event_socket_ip, event_socket_port, event_socket_address, event_socket_password, event_socket_acl)
		VALUES ('own', '192.0.2.1', '192.0.2.2', '[20000,20100]', 77, 77, 'err', true, '192.0.2.3', 7777, 'a.example:7777', 'p', 'localnet.auto')`); err != nil {
		t.Fatal(err)
	}
	s, err := newSide(t.Context(), tx, nil)
	if err != nil {
		t.Fatal(err)
	}
	questions, err := questions(t.Context(), &changed{things: newThings(1)}, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range questions {
		common, err := s.render(t.Context(), a, table.Common)
		if err != nil {
			t.Fatal(err)
		}
		own, err := s.render(t.Context(), a, "own")
		if err != nil {
			t.Fatal(err)
		}
		if differs := string(common) != string(own); differs != a.columns {
			t.Errorf("%s differs: %v", a.name, differs)
		}
	}
}
