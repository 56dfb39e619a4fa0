package schema_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
	"xmlcurld/db/switchstate"
	"xmlcurld/db/table"
)

// notices returns the kinds of notices that statement causes, each once.
func notices(t *testing.T, conn, listener *pgx.Conn, statement string) []string {
	t.Helper()
	for _, sql := range []string{statement, `NOTIFY xmlcurld, 'the end'`} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	var kinds []string
	for {
		notice, err := listener.WaitForNotification(context.WithoutCancel(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		if notice.Payload == "the end" {
			slices.Sort(kinds)
			return slices.Compact(kinds)
		}
		kinds = append(kinds, notice.Payload)
	}
}

func listen(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	listener := dbtest.Connect(t, url)
	if _, err := listener.Exec(t.Context(), "LISTEN xmlcurld"); err != nil {
		t.Fatal(err)
	}
	return listener
}

// Every table that reaches FreeSWITCH tells of each kind of change; those that the servers write tell of none.
func TestEveryTableTells(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	conn, listener := dbtest.Connect(t, url), listen(t, url)
	tables := map[string]bool{}
	for _, c := range columns(t, conn) {
		tables[c.Table] = strings.HasPrefix(c.TableComment, "Written by")
	}
	for table, own := range tables {
		rows, _ := conn.Query(t.Context(), `
SELECT e.name
FROM pg_trigger t
CROSS JOIN LATERAL (VALUES ('insert', 4), ('delete', 8), ('update', 16), ('truncate', 32)) e (name, bit)
WHERE t.tgrelid = $1::regclass AND t.tgname = 'tell_servers' AND t.tgtype & e.bit > 0 AND t.tgtype & 1 = 0 AND t.tgenabled = 'A'
ORDER BY 1`, table)
		events, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"delete", "insert", "truncate", "update"}
		if own {
			want = []string{}
		}
		if diff := cmp.Diff(want, events); diff != "" {
			t.Errorf("%s (-want +got):\n%s", table, diff)
		}
	}
	for _, tc := range []struct {
		statement string
		want      []string
	}{
		{`UPDATE number SET enabled = false`, []string{"dialplan"}},
		{`TRUNCATE acl_entry`, []string{"acl"}},
		{`INSERT INTO acl_entry (list, cidr) SELECT 'domains', ('10.0.' || n || '.0/24')::cidr FROM generate_series(0, 200) n`, []string{"acl"}},
		{`COPY gateway_param FROM PROGRAM 'true'`, []string{"gateway"}},
		{`INSERT INTO node (name) VALUES ('fs1'); INSERT INTO module (node, name) VALUES ('fs1', 'mod_opus')`, []string{"module", "node"}},
		{`INSERT INTO node_credential (username, node, password_hash) VALUES ('fs1', 'fs1', '$2a$10$' || repeat('x', 53))`, []string{db.CredentialNotice}},
		{`DELETE FROM node WHERE name = 'fs1'`, nil}, // with its cascades
		{`UPDATE sip_profile SET name = 'outside' WHERE name = 'external'`, nil},
		{`INSERT INTO node_fetch (node, document, revision) VALUES ('*', 'a', 'b'); INSERT INTO change (relation) VALUES ('number')`, []string{}},
	} {
		got := notices(t, conn, listener, tc.statement)
		switch {
		case tc.want == nil && len(got) < 2:
			t.Errorf("%s: only %q", tc.statement, got)
		case tc.want != nil && !slices.Equal(tc.want, got):
			t.Errorf("%s: %q, want %q", tc.statement, got, tc.want)
		}
	}
}

// The tables that note their changes are those that whoever follows them asks for.
func TestNotedTables(t *testing.T) {
	t.Parallel()
	rows, _ := dbtest.Connect(t, dbtest.DemoURL(t)).Query(t.Context(), `
SELECT c.relname::text
FROM pg_class c
JOIN pg_trigger g ON g.tgrelid = c.oid
WHERE g.tgname ^@ 'note_'
GROUP BY c.relname
ORDER BY c.relname COLLATE "C"`)
	noted, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(table.Noted())), noted); diff != "" {
		t.Errorf("table.All (-) and the tables with triggers (+):\n%s", diff)
	}
}

// A change names its row, unless there are many or the whole table counts as one.
func TestChangesNameTheirRows(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
	if _, err := conn.Exec(t.Context(), `SELECT setval(pg_get_serial_sequence('acl_entry', 'id'), 41)`); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		statement string
		want      []string
	}{
		{`UPDATE number SET number = '7999' WHERE number = '7000' AND context = 'acme'`, []string{"number acme 7000", "number acme 7999 new"}},
		{`UPDATE number SET enabled = false WHERE false`, nil},
		{`UPDATE domain_user SET number_alias = '9' WHERE id = '1001'`, []string{"domain_user acme.example 1001", "domain_user acme.example 71001", "domain_user acme.example 9 new"}},
		{`INSERT INTO domain_user (domain, id, password) VALUES ('acme.example', '1009', 'a-password')`, []string{"domain_user acme.example 1009 new"}},
		{`UPDATE domain_user SET id = '1010' WHERE id = '1009'`, []string{"domain_user acme.example 1009", "domain_user acme.example 1010 new"}},
		{`DELETE FROM domain_user WHERE id = '1010'`, []string{"domain_user acme.example 1010"}},
		{`INSERT INTO acl_entry (list, cidr) VALUES ('domains', '192.0.2.7')`, []string{"acl_entry  42 new"}},
		{`UPDATE acl_entry SET note = 'x' WHERE cidr = '192.0.2.7'`, []string{"acl_entry  42"}},
		{`DELETE FROM acl_entry WHERE cidr = '192.0.2.7'`, []string{"acl_entry  42"}},
		{`UPDATE domain_group_user SET position = 1`, []string{"domain_group_user  acme.example"}},
		{`UPDATE module SET enabled = false`, []string{"module  all"}},
		{`TRUNCATE acl_entry`, []string{"acl_entry  all"}},
		{`INSERT INTO number (context, number, tenant, extension) SELECT context, '9' || n, tenant, extension FROM number, generate_series(100000, 120000) n WHERE number = '7001'`, []string{"number  all new"}},
		{`UPDATE number SET display_name = 'X' WHERE number LIKE '9%'`, []string{"number  all"}},
	} {
		var seen int64
		if err := conn.QueryRow(t.Context(), `SELECT coalesce(max(id), 0) FROM change`).Scan(&seen); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), tc.statement); err != nil {
			t.Fatalf("%s: %v", tc.statement, err)
		}
		rows, _ := conn.Query(t.Context(), `SELECT concat_ws(' ', relation, scope, coalesce(key, 'all'), CASE WHEN NOT existed THEN 'new' END) FROM change WHERE id > $1 ORDER BY 1`, seen)
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, %v, want %q", tc.statement, got, err, tc.want)
		}
	}
}

// userChanges returns the names of the users that changed since a snapshot, and that snapshot's successor. One who loses the
// registration has a bar.
func userChanges(t *testing.T, state *switchstate.Store, since string, noted bool) (names []string, seen string) {
	t.Helper()
	changes, seen, err := state.UserChanges(t.Context(), since, noted)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		name := c.Name
		if c.Name == "" {
			name = "any"
		}
		if c.Unregister {
			name += " |"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, seen
}

func TestUserChanges(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	conn, store := dbtest.Connect(t, url), dbtest.Open(t, url)
	state := dbtest.State(store)
	for _, tc := range []struct {
		name, statement string
		want            []string
	}{
		{"name", `UPDATE domain_user SET caller_id_name = 'Desk' WHERE id = '1001'`, []string{"1001", "71001"}},
		{"nothing", `UPDATE domain_user SET caller_id_name = caller_id_name, password = password WHERE id = '1001'`, []string{"1001", "71001"}},
		{"password", `UPDATE domain_user SET password = 'b' WHERE id = '1001'`, []string{"1001 |", "71001 |"}},
		{"to an a1_hash", `UPDATE domain_user SET password = NULL, a1_hash = md5('') WHERE id = '1001'`, []string{"1001 |", "71001 |"}},
		{"off", `UPDATE domain_user SET enabled = false WHERE id = '1001'`, []string{"1001", "71001"}},
		{"alias", `UPDATE domain_user SET enabled = true, number_alias = '9' WHERE id = '1001'`, []string{"1001", "71001", "9"}},
		{"renamed", `UPDATE domain_user SET id = '1005' WHERE id = '1001'`, []string{"1001", "9"}},
		{"new", `INSERT INTO domain_user (domain, id, password) VALUES ('acme.example', '1001', 'x')`, nil},
		{"new with a variable", `
			INSERT INTO domain_user (domain, id, password) VALUES ('acme.example', '1006', 'x');
			INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1006', 'a', 'b')`, []string{"1006"}},
		{"a variable", `INSERT INTO domain_user_variable (domain, user_id, name, value) VALUES ('acme.example', '1005', 'a', 'b')`, []string{"1005", "9"}},
		{"a variable of the domain", `DELETE FROM domain_variable`, []string{"any"}},
		{"made anew", `
			DELETE FROM domain_user WHERE id = '1001';
			INSERT INTO domain_user (domain, id, password) VALUES ('acme.example', '1001', 'y')`, []string{"1001 |"}},
		{"deleted", `DELETE FROM domain_user WHERE id = '1001'`, []string{"1001"}},
		{"many new", `INSERT INTO domain_user (domain, id, password) SELECT 'acme.example', 'a' || n, 'x' FROM generate_series(1, 20001) n`, nil},
		{"many", `UPDATE domain_user SET caller_id_name = 'X', password = CASE id WHEN 'a7' THEN 'y' ELSE password END WHERE id LIKE 'a%'`, []string{"a7 |", "any"}},
		{"many deleted", `DELETE FROM domain_user WHERE id LIKE 'a%'`, []string{"any"}},
		{"domain's dial string", `UPDATE domain SET dial_string = 'x'`, []string{"any"}},
		{"tenant off", `UPDATE tenant SET enabled = false WHERE name = 'acme'`, []string{"any"}},
		{"another tenant", `UPDATE tenant SET note = 'x' WHERE name = 'vumi'`, nil},
		{"truncate", `TRUNCATE domain_user_param`, []string{"any"}},
		{"truncate users", `TRUNCATE domain_user CASCADE`, []string{"any"}},
		{"tenant deleted", `DELETE FROM tenant WHERE name = 'acme'`, []string{"any"}},
	} {
		_, before := userChanges(t, state, "", true)
		if _, err := conn.Exec(t.Context(), tc.statement); err != nil {
			t.Fatalf("%s: %v", tc.statement, err)
		}
		if got, _ := userChanges(t, state, before, true); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// A transaction that is held open while others commit, and while a reader takes those, comes with the next snapshot.
func TestUserChangesOfATransactionHeldOpen(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	conn, held, store := dbtest.Connect(t, url), dbtest.Connect(t, url), dbtest.Open(t, url)
	state := dbtest.State(store)
	_, seen := userChanges(t, state, "", true)
	tx, err := held.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `UPDATE domain_user SET password = 'b' WHERE id = '1000'`); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"1001", "1002"} {
		if _, err := conn.Exec(t.Context(), `UPDATE domain_user SET caller_id_name = 'X' WHERE id = $1`, id); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want ...string) {
		t.Helper()
		var got []string
		if got, seen = userChanges(t, state, seen, true); !slices.Equal(want, got) {
			t.Errorf("changed: %q, want %q", got, want)
		}
	}
	check("1001", "1002", "71001")
	check()
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("1000 |", "71000 |")
	check()
	seen = "9000000000:9000000000:" // of a database that was restored from a dump
	check("any")
}

// Of changes that are not noted any more those remain known that end a registration.
func TestUserChangesOfLongAgo(t *testing.T) {
	t.Parallel()
	url := dbtest.DemoURL(t)
	store := dbtest.Open(t, url)
	state := dbtest.State(store)
	_, seen := userChanges(t, state, "", false)
	for _, edit := range []string{
		`UPDATE domain_user SET password = 'another' WHERE id = '1000'`,
		`UPDATE domain_user SET caller_id_name = 'Another', password = password`,
		`UPDATE domain_user SET id = 'renamed' WHERE id = '1002'`,
		`INSERT INTO domain_user (domain, id, password) VALUES ('acme.example', '1002', 'a-password')`,
		`DELETE FROM change`,
	} {
		dbtest.Execute(t, url, edit)
	}
	got, _ := userChanges(t, state, seen, false)
	if want := []string{"1000 |", "1002 |", "71000 |", "any", "renamed |"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A gateway's revision is another one with whatever the switch has of it, and with nothing else. None comes twice, so that a
// backup brings back no revision of another gateway.
func TestGatewayRevision(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
	revision := func() (n int) {
		if err := conn.QueryRow(t.Context(), `SELECT revision FROM gateway WHERE lower(name) = 'twilio'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	seen := map[int]bool{}
	for _, tc := range []struct {
		statement string
		another   bool
	}{
		{`UPDATE gateway SET password = 'b'`, true},
		{`UPDATE gateway SET password = 'b'`, false},
		{`UPDATE gateway SET enabled = false`, false},
		{`UPDATE gateway SET profile = 'internal'`, true},
		{`INSERT INTO gateway_param VALUES ('twilio', 'ping', '30')`, true},
		{`UPDATE gateway_param SET value = '31'`, true},
		{`INSERT INTO gateway_variable VALUES ('twilio', 'a', 'b')`, true},
		{`DELETE FROM gateway_variable`, true},
		{`TRUNCATE gateway_param`, true},
		{`UPDATE sip_profile SET name = 'inside' WHERE name = 'internal'`, true},
		{`UPDATE gateway SET name = 'Twilio'`, true},
		{`UPDATE gateway SET tenant = NULL, password = NULL`, true},
		{`UPDATE gateway SET password_from = 'env:TWILIO'`, true},
	} {
		before := revision()
		seen[before] = true
		if _, err := conn.Exec(t.Context(), tc.statement); err != nil {
			t.Fatalf("%s: %v", tc.statement, err)
		}
		now := revision()
		if another := now != before; another != tc.another || another && seen[now] {
			t.Errorf("%s: another revision %t, want %t; seen before %t", tc.statement, another, tc.another, seen[now])
		}
	}
}
