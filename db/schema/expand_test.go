package schema_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
)

// newRole makes a role that may write everything, and returns its name. It belongs to the test's database alone.
func newRole(t *testing.T, conn *pgx.Conn, what string) (name string) {
	t.Helper()
	name = fmt.Sprintf("%s_%d", what, conn.PgConn().PID())
	exec(t, conn, `CREATE ROLE `+name)
	t.Cleanup(func() { exec(t, conn, `RESET ROLE; DROP OWNED BY `+name+`; DROP ROLE `+name) })
	exec(t, conn, `GRANT ALL ON SCHEMA public TO `+name)
	exec(t, conn, `GRANT ALL ON ALL TABLES IN SCHEMA public TO `+name)
	exec(t, conn, `GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO `+name)
	return name
}

func exec(t *testing.T, conn *pgx.Conn, statements string) {
	t.Helper()
	if _, err := conn.Exec(context.WithoutCancel(t.Context()), statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// Whoever may write rows may not for that have FreeSWITCH's pre-processor act on them.
func TestExpandIsTheOperators(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
	writer, operator := newRole(t, conn, "writer"), newRole(t, conn, "operator")
	exec(t, conn, `DO $$ BEGIN
		CREATE ROLE xmlcurld_operator;
	EXCEPTION WHEN duplicate_object THEN -- another run
	END $$`)
	exec(t, conn, `GRANT xmlcurld_operator TO `+operator)
	exec(t, conn, `INSERT INTO document (name, body, expand) VALUES ('old.conf', '<configuration name="old.conf"/>', true)`)
	exec(t, conn, `INSERT INTO extension (name, body, expand) VALUES ('old', '<condition/>', true)`)
	for _, tc := range []struct{ name, table, statement string }{
		{"a new document", "document", `INSERT INTO document (name, body, expand) VALUES ('a.conf', '<configuration name="a.conf" a="$${b}"/>', true)`},
		{"a document is expanded", "document", `INSERT INTO document (name, body) VALUES ('a.conf', '<configuration name="a.conf"/>'); UPDATE document SET expand = true WHERE name = 'a.conf'`},
		{"an expanded document's body", "document", `UPDATE document SET body = '<configuration name="old.conf" a="$${b}"/>' WHERE name = 'old.conf'`},
		{"an expanded extension's body", "extension", `UPDATE extension SET body = '<condition field="$${b}"/>' WHERE name = 'old'`},
		{"an action", "action", `INSERT INTO action (extension, position, application, data, expand) VALUES ('reception', 90, 'log', '$${b}', true)`},
		{"a user's variable", "domain_user_variable", `INSERT INTO domain_user_variable (domain, user_id, name, value, expand) VALUES ('acme.example', '1001', 'a', '$${b}', true)`},
		{"with functions of its own", "document", `CREATE SCHEMA own; CREATE FUNCTION own.pg_has_role(oid, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
			SET search_path = own, pg_catalog, public; INSERT INTO document (name, body, expand) VALUES ('a.conf', '<configuration name="a.conf"/>', true)`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if fault := said(t, conn, tc.statement); fault != nil {
				t.Errorf("the owner: %v", fault)
			}
			exec(t, conn, `GRANT CREATE ON DATABASE `+conn.Config().Database+` TO `+writer+`, `+operator)
			if fault := said(t, conn, `SET ROLE `+operator+`; `+tc.statement); fault != nil {
				t.Errorf("an operator: %v", fault)
			}
			fault := said(t, conn, `SET ROLE `+writer+`; `+tc.statement)
			want := writer + " may not write a row of " + tc.table + " that has expand set"
			const insufficientPrivilege = "42501"
			if fault == nil || fault.Code != insufficientPrivilege || fault.Message != want || fault.Hint == "" {
				t.Errorf("somebody else: %v, want %s", fault, want)
			}
		})
	}
	const plain = `UPDATE document SET expand = false WHERE name = 'old.conf'; UPDATE document SET body = '<configuration name="old.conf" a="$${b}"/>' WHERE name = 'old.conf'`
	if fault := said(t, conn, `SET ROLE `+writer+`; `+plain); fault != nil {
		t.Errorf("without expand: %v", fault)
	}
}

// Each table that has the column is guarded.
func TestExpandIsGuardedEverywhere(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.URL(t))
	rows, err := conn.Query(t.Context(), `
		SELECT table_name::text
		FROM information_schema.columns
		WHERE column_name = 'expand' AND table_schema = 'public'
		EXCEPT
		SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'operator_expands'`)
	if err != nil {
		t.Fatal(err)
	}
	open, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(open) > 0 {
		t.Errorf("not guarded: %v, %v", open, err)
	}
}
