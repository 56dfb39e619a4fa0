package history_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/db/history"
	"xmlcurld/db/pg"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// edit makes an edit and returns its number.
func edit(t *testing.T, conn *pgx.Conn, sql string) (number int64) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	if err := conn.QueryRow(t.Context(), `SELECT coalesce(max(id), 0) FROM edit`).Scan(&number); err != nil {
		t.Fatal(err)
	}
	return number
}

// now is the time by the database's clock.
func now(t *testing.T, conn *pgx.Conn) (at time.Time) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), `SELECT clock_timestamp()`).Scan(&at); err != nil {
		t.Fatal(err)
	}
	return at
}

// state is every row of every table that is recorded, without what triggers derive.
func state(t *testing.T, q pg.Querier) []string {
	t.Helper()
	rows, err := q.Query(t.Context(), `SELECT DISTINCT c.relname::text FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE g.tgname = 'record_insert' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 20 {
		t.Fatal(tables, err)
	}
	var all []string
	for _, table := range tables {
		rows, err := q.Query(t.Context(), `SELECT '`+table+` ' || written(to_jsonb(t))::text FROM `+table+` t ORDER BY 1`)
		if err != nil {
			t.Fatal(err)
		}
		some, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
	return all
}

// edits are of each kind that there is.
var edits = map[string]string{
	"a column":             `UPDATE number SET forward_number = '+27210000009' WHERE number = '+27123456789'`,
	"a new gateway":        `INSERT INTO gateway (name, profile, proxy, register) SELECT 'another', name, 'sip.example.com', false FROM sip_profile LIMIT 1; `,
	"a setting":            `INSERT INTO switch_param (name, value) VALUES ('max-db-handles', '50')`,
	"a user with settings": `DELETE FROM domain_user WHERE id = '1000'`,
	"a cascade":            `DELETE FROM domain WHERE name = 'acme.example'`,
	"a truncation":         `TRUNCATE number`,
	"truncations":          `TRUNCATE sip_profile CASCADE`,
	"an action":            `UPDATE action SET data = data || '0' WHERE id = (SELECT min(id) FROM action WHERE application = 'bridge')`,
	"an extension":         `DELETE FROM context_extension; DELETE FROM number; UPDATE context SET not_found_extension = NULL; DELETE FROM extension`,
	"a new name":           `UPDATE domain SET name = 'acme2.example' WHERE name = 'acme.example'`,
	"a tenant's new name":  `UPDATE tenant SET name = 'acme2' WHERE name = 'acme'`,
	"the name in capitals": `UPDATE gateway SET name = upper(name)`,
	"one row twice":        `BEGIN; UPDATE number SET forward_number = '+27210000008'; UPDATE number SET forward_number = '+27210000009', enabled = false; COMMIT`,
	"there and gone":       `BEGIN; INSERT INTO tenant (name) VALUES ('passing'); DELETE FROM tenant WHERE name = 'passing'; COMMIT`,
	"many rows":            `INSERT INTO number (number, tenant, extension) SELECT '+2712' || n, tenant, extension FROM number, generate_series(1000000, 1002000) n WHERE number = '+27123456789'`,
	"a node":               `INSERT INTO node (name, event_socket_password) VALUES ('fs9', 'a secret'); INSERT INTO switch_param (node, name, value) VALUES ('fs9', 'max-db-handles', '50')`,
}

func TestUndo(t *testing.T) {
	t.Parallel()
	for name, sql := range edits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dbtest.Connect(t, dbtest.DemoURL(t))
			before := state(t, conn)
			moment := now(t, conn)
			number := edit(t, conn, sql)
			after := state(t, conn)
			if name != "there and gone" && cmp.Equal(before, after) {
				t.Fatal("the edit does nothing")
			}
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := history.Past(t.Context(), tx, moment); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, state(t, tx)); diff != "" {
				t.Errorf("as it was (-want +got):\n%s", diff)
			}
			if err := tx.Rollback(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, want := range [][]string{before, after} { // to undo what undid it brings it back
				statements := undo(t, conn, number)
				number = edit(t, conn, "BEGIN; "+strings.Join(statements, ";\n")+"; COMMIT")
				if diff := cmp.Diff(want, state(t, conn)); diff != "" {
					t.Fatalf("after undo (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func undo(t *testing.T, conn *pgx.Conn, number int64) []string {
	t.Helper()
	statements, err := tryUndo(t, conn, number)
	if err != nil {
		t.Fatal(err)
	}
	return statements
}

func tryUndo(t *testing.T, conn *pgx.Conn, number int64) ([]string, error) {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	statements, undoing := history.Undo(t.Context(), tx, number)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	return statements, undoing
}

// What later edits stand on stays.
func TestUndoConflicts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ first, second string }{
		"the same row":      {`UPDATE number SET forward_number = '+27210000009' WHERE number = '+27123456789'`, `UPDATE number SET enabled = false WHERE number = '+27123456789'`},
		"it is gone":        {`INSERT INTO tenant (name) VALUES ('new')`, `DELETE FROM tenant WHERE name = 'new'`},
		"a part of it":      {`INSERT INTO domain (name, tenant) VALUES ('new.example', 'acme')`, `INSERT INTO domain_user (domain, id, password) VALUES ('new.example', '1', 'a secret')`},
		"what refers to it": {`INSERT INTO tenant (name) VALUES ('new')`, `UPDATE acl_entry SET tenant = 'new' WHERE id = (SELECT max(id) FROM acl_entry)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dbtest.Connect(t, dbtest.DemoURL(t))
			first := edit(t, conn, test.first)
			before := state(t, conn)
			second := edit(t, conn, test.second)
			_, err := tryUndo(t, conn, first)
			stands := (*history.ConflictError)(nil)
			if !errors.As(err, &stands) || !cmp.Equal(stands.Later, []int64{second}) {
				t.Fatalf("undo: %v, %+v", err, stands)
			}
			edit(t, conn, "BEGIN; "+strings.Join(undo(t, conn, second), ";\n")+"; COMMIT")
			if diff := cmp.Diff(before, state(t, conn)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			undo(t, conn, first)
		})
	}
	if _, err := tryUndo(t, dbtest.Connect(t, dbtest.DemoURL(t)), 1<<40); !errors.Is(err, history.ErrNoEdit) {
		t.Errorf("no such edit: %v", err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
	began := now(t, conn)
	edit(t, conn, `BEGIN; SET LOCAL xmlcurld.reason = 'moved'; SET LOCAL application_name = 'billing';
		UPDATE number SET forward_number = '+27210000009' WHERE number = '+27123456789'; COMMIT`)
	edit(t, conn, `UPDATE domain_user SET password = 'another' WHERE id = '1000'`)
	edit(t, conn, `INSERT INTO node (name, event_socket_password) VALUES ('fs9', 'not for all')`)
	edit(t, conn, `INSERT INTO domain_user_param (domain, user_id, name, value) VALUES ('acme.example', '1000', 'reverse-auth-pass', 'not for all')`)
	for name, test := range map[string]struct {
		filter history.Filter
		want   []string
	}{
		"all":        {history.Filter{}, []string{"domain_user_param acme.example 1000 reverse-auth-pass insert", "node fs9 insert", "domain_user acme.example 1000 update", "number +27123456789 public update"}},
		"the newest": {history.Filter{Limit: 1}, []string{"domain_user_param acme.example 1000 reverse-auth-pass insert"}},
		"a number":   {history.Filter{Table: "number", Key: "+27123456789"}, []string{"number +27123456789 public update"}},
		"no number":  {history.Filter{Table: "number", Key: "+2712345678"}, []string{}},
		"a tenant":   {history.Filter{Tenant: "acme"}, []string{"domain_user_param acme.example 1000 reverse-auth-pass insert", "domain_user acme.example 1000 update"}},
		"a node":     {history.Filter{Node: "fs9"}, []string{"node fs9 insert"}},
		"a program":  {history.Filter{Who: "billing"}, []string{"number +27123456789 public update"}},
		"the future": {history.Filter{Since: time.Now().Add(time.Hour)}, []string{}},
	} {
		if test.filter.Limit == 0 {
			test.filter.Limit = 100
		}
		if test.filter.Since.IsZero() {
			test.filter.Since = began
		}
		changes, err := history.List(t.Context(), conn, test.filter)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := []string{}
		for _, c := range changes {
			got = append(got, c.Table+" "+c.Key+" "+c.Operation)
			for _, row := range []string{string(c.Old), string(c.New)} {
				for _, secret := range []string{"another", "not for all"} {
					if strings.Contains(row, secret) {
						t.Errorf("%s: %s shows a secret", name, row)
					}
				}
			}
			if c.Table == "number" && (c.Reason == nil || *c.Reason != "moved" || c.Application != "billing") {
				t.Errorf("%+v", c)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A row that moves between nodes is in the history of both.
func TestListOfNode(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
	began := now(t, conn)
	edit(t, conn, `INSERT INTO node (name) VALUES ('fs8'), ('fs9')`)
	edit(t, conn, `INSERT INTO switch_variable (node, name, value) VALUES ('fs8', 'a', 'b')`)
	edit(t, conn, `UPDATE switch_variable SET node = 'fs9' WHERE name = 'a'`)
	edit(t, conn, `UPDATE switch_variable SET node = '*' WHERE name = 'a'`)
	for node, want := range map[string][]string{
		"fs8": {"switch_variable fs8 a", "switch_variable fs8 a", "node fs8"},
		"fs9": {"switch_variable fs9 a", "switch_variable fs9 a", "node fs9"},
		"*":   {"switch_variable * a"},
	} {
		changes, err := history.List(t.Context(), conn, history.Filter{Node: node, Since: began, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range changes {
			got = append(got, c.Table+" "+c.Key)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", node, diff)
		}
	}
}

// Who may read the view sees no secret, and gets no mark of a guess made.
func TestAuditor(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	conn := dbtest.Connect(t, url)
	edit(t, conn, `UPDATE domain_user SET password = 'the same' WHERE id IN ('1000', '1001')`)
	edit(t, conn, `UPDATE domain_user SET password = 'another', caller_id_name = 'Anna' WHERE id = '1000'`)
	edit(t, conn, `UPDATE domain_user SET caller_id_name = 'Otto' WHERE id = '1000'`)
	role := "auditor_" + strings.ReplaceAll(dbtest.One[string](t, url, `SELECT gen_random_uuid()::text`), "-", "")
	edit(t, conn, `CREATE ROLE `+role+`; GRANT SELECT ON history TO `+role)
	if _, err := conn.Exec(t.Context(), `SET ROLE `+role); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), `SELECT concat_ws(' ', tenant, old ->> 'password' = new ->> 'password', new ->> 'password') FROM history WHERE relation = 'domain_user' AND operation = 'update' ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	marks, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(marks) != 4 {
		t.Fatal(marks, err)
	}
	for i, same := range []string{"f", "f", "f", "t"} {
		if !strings.HasPrefix(marks[i], "acme "+same+" secret:") {
			t.Errorf("mark %d: %s", i, marks[i])
		}
	}
	if marks[0] == marks[1] {
		t.Errorf("one password of two users has one mark: %s", marks[0])
	}
	for _, forbidden := range []string{`SELECT FROM edit_row`, `SELECT FROM mask_key`, `SELECT make_history_months(now(), now() + interval '1 year')`} {
		if _, err := conn.Exec(t.Context(), forbidden); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s: %v", forbidden, err)
		}
	}
	edit(t, conn, `RESET ROLE; DROP OWNED BY `+role+`; DROP ROLE `+role)
}
