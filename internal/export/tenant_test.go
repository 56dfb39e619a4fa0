package export_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/export"
	"xmlcurld/internal/form"
)

// tenantSQL is a tenant's rows as SQL.
func (w *world) tenantSQL(t *testing.T, name string, withSecrets bool) string {
	t.Helper()
	var sql strings.Builder
	err := pgx.BeginTxFunc(t.Context(), w.conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		rows, err := export.Tenant(t.Context(), tx, name, withSecrets)
		if err != nil {
			return err
		}
		return rows.WriteSQL(&sql)
	})
	if err != nil {
		t.Fatal(err)
	}
	return sql.String()
}

// operators are the rows of the demo that its tenants need.
var operators = []string{
	`INSERT INTO sip_profile (name) VALUES ('internal'), ('external')`,
	`INSERT INTO context (name, number_forms) VALUES ('public', '{plus,bare,00}')`,
	`INSERT INTO acl_list (name, default_action) VALUES ('phones', 'deny')`,
	`INSERT INTO extension (name) VALUES ('forward'), ('transfer')`,
	`INSERT INTO action (extension, position, application, data) VALUES
		('forward', 1, 'set', 'effective_caller_id_name=%{display_name}'),
		('forward', 2, 'bridge', 'sofia/gateway/twilio/%{forward_number}'),
		('transfer', 1, 'transfer', '%{forward_number}')`,
}

// elsewhere is another database with nothing but the operator's rows in it.
func elsewhere(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	for _, statement := range operators {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return conn
}

// A tenant that was moved to another database is answered as before.
func TestTenant(t *testing.T) {
	t.Parallel()
	before := demo(t,
		`INSERT INTO gateway (name, profile, tenant, domain, user_id, username, password, proxy, register) VALUES
			('own', 'internal', 'acme', 'acme.example', '1001', 'it''s', 'p', 'sip.example', true)`,
		`INSERT INTO gateway_variable (gateway, name, value) VALUES ('own', 'a', 'b')`,
		`UPDATE number SET display_name = 'Acme Door' WHERE number = '7001'`,
		`INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1000', 'x', E'a\\b\nc')`)
	sql := before.tenantSQL(t, "acme", true)
	for _, want := range []string{"--   context public\n", "--   sip_profile internal\n", "--   acl_list phones\n", "--   extension transfer\n"} {
		if !strings.Contains(sql, want) {
			t.Errorf("it does not say that it needs %q:\n%s", want, sql)
		}
	}
	if strings.Contains(sql, "vumi") {
		t.Errorf("it has another tenant's rows:\n%s", sql)
	}
	conn := elsewhere(t)
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%v in\n%s", err, sql)
	}
	after := exported(t, conn, true)
	for _, f := range []*form.Form{
		form.Call(node, "acme", "7000"), form.Call(node, "acme", "7001"), form.Call(node, "acme", "1001").With("Event-Sequence", "1"),
		form.Call(node, "public", "+27210000000"),
		form.Register(node, "1000", "acme.example"), form.Register(node, "1001", "acme.example"), form.Register(node, "1002", "acme.example"),
		form.Domain(node, "acme.example"),
	} {
		if diff := cmp.Diff(string(before.answer(t, f)), string(after.answer(t, f))); diff != "" {
			t.Errorf("%s: (-before +after)\n%s", f, diff)
		}
	}
	if again := after.tenantSQL(t, "acme", true); again != sql {
		t.Errorf("exported again it is something else:\n%s", cmp.Diff(sql, again))
	}
}

// Without secrets nothing can be taken for one: PostgreSQL refuses the rows.
func TestTenantWithoutSecrets(t *testing.T) {
	t.Parallel()
	w := demo(t, `INSERT INTO domain_user_param (domain, user_id, name, value) VALUES ('acme.example', '1000', 'reverse-auth-pass', 'hidden')`,
		`INSERT INTO action (extension, position, application, data) VALUES ('reception', 9, 'bridge', '{sip_auth_password=veiled}sofia/external/a')`)
	sql := w.tenantSQL(t, "acme", false)
	for _, secret := range []string{"demo-1000", "demo-1001", "hidden", "veiled"} {
		if strings.Contains(sql, secret) {
			t.Errorf("%s is in\n%s", secret, sql)
		}
	}
	if !strings.Contains(sql, "-- a secret is left out\n") {
		t.Errorf("it does not say which:\n%s", sql)
	}
	conn := elsewhere(t)
	for _, want := range []string{"needs a value for data", "This secret cannot be used"} {
		if _, err := conn.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the rows are not refused with %q: %v", want, err)
		}
		sql = strings.Replace(sql, "'bridge', NULL", "'bridge', 'sofia/external/a'", 1)
	}
}

func TestTenantThatIsNone(t *testing.T) {
	t.Parallel()
	w := demo(t)
	err := pgx.BeginFunc(t.Context(), w.conn, func(tx pgx.Tx) error {
		_, err := export.Tenant(t.Context(), tx, "nobody", true)
		return err
	})
	if !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("the error is %v", err)
	}
}
