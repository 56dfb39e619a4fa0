package schema_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
)

// column is a column of the schema's tables.
type column struct {
	Table, Name, Type, Base, Comment string
	TableComment                     string
	Key                              bool // it names a row of another table, or is made by Postgres
	Checked                          bool // a constraint of its table looks at it
}

func columns(t *testing.T, conn *pgx.Conn) []column {
	t.Helper()
	const query = `
SELECT
	c.relname AS table,
	a.attname AS name,
	format_type(a.atttypid, a.atttypmod) AS type,
	format_type(coalesce(nullif(y.typbasetype, 0), y.oid), NULL) AS base,
	coalesce(col_description(c.oid, a.attnum), '') AS comment,
	coalesce(obj_description(c.oid, 'pg_class'), '') AS table_comment,
	a.attidentity <> '' OR EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)) AS key,
	EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)) AS checked
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type y ON y.oid = a.atttypid
WHERE c.relkind = 'r' AND NOT c.relispartition
	AND c.relnamespace = 'public'::regnamespace
	AND c.relname <> 'goose_db_version'
ORDER BY c.relname, a.attnum`
	rows, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[column])
	if err != nil || len(all) == 0 {
		t.Fatalf("%d columns, %v", len(all), err)
	}
	return all
}

func TestEverythingHasAComment(t *testing.T) {
	t.Parallel()
	for _, c := range columns(t, dbtest.Connect(t, dbtest.URL(t))) {
		if c.TableComment == "" {
			t.Errorf("table %s has no comment", c.Table)
		}
		if c.Comment == "" && !c.Key {
			t.Errorf("column %s.%s has no comment", c.Table, c.Name)
		}
	}
}

// Text reaches FreeSWITCH through a domain or past a CHECK, which both refuse what XML cannot carry; notes are for
// people, and what the servers write themselves is for them.
func TestTextIsChecked(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.URL(t))
	for _, c := range columns(t, conn) {
		if c.Base != "text" || c.Name == "note" || strings.HasPrefix(c.TableComment, "Written by ") {
			continue
		}
		if c.Type == "text" && !c.Checked {
			t.Errorf("%s.%s is text that nothing checks", c.Table, c.Name)
		}
		if c.Type == "text" {
			continue
		}
		takes := taker(t, conn)
		for _, value := range []string{"a\x01", "\x08a", "a\x0b", "a\x1fb", "a\ufffe", "\uffff"} {
			if takes(c.Type, value) {
				t.Errorf("%s.%s, a %s, takes %q", c.Table, c.Name, c.Type, value)
			}
		}
	}
}

// taker returns a function that tells whether Postgres takes value as a type.
func taker(t *testing.T, conn *pgx.Conn) func(typ, value string) bool {
	t.Helper()
	const function = `
CREATE OR REPLACE FUNCTION pg_temp.takes(type text, value text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT $1::%I', type) USING value;
	RETURN true;
EXCEPTION WHEN check_violation THEN
	RETURN false;
END $$`
	if _, err := conn.Exec(t.Context(), function); err != nil {
		t.Fatal(err)
	}
	return func(typ, value string) (ok bool) {
		if err := conn.QueryRow(context.WithoutCancel(t.Context()), `SELECT pg_temp.takes($1, $2)`, typ, value).Scan(&ok); err != nil {
			t.Fatalf("%s %q: %v", typ, value, err)
		}
		return ok
	}
}

// What a tenant may write is of these types, and no other.
func TestTenantColumnsAreOfSafeTypes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range columns(t, dbtest.Connect(t, dbtest.URL(t))) {
		if !isTenants(c) {
			continue
		}
		_, safe := tenantTypes[c.Type]
		if !safe && c.Type != "boolean" && c.Type != "smallint" {
			t.Errorf("%s.%s is a tenant's, and of type %s", c.Table, c.Name, c.Type)
		}
		seen[c.Type] = true
	}
	for typ := range tenantTypes {
		if !seen[typ] {
			t.Errorf("no tenant's column is a %s", typ)
		}
	}
}

// Text that is compared folds by the rules of ASCII in any database, since its collation is C.
func TestTextFoldsByASCII(t *testing.T) {
	t.Parallel()
	others := map[string]string{ // and why
		"tenant.note":    "for people; nothing compares it",
		"node.note":      "for people; nothing compares it",
		"extension.note": "for people; nothing compares it",
		"acl_entry.note": "for people; nothing compares it",
	}
	conn := dbtest.Connect(t, dbtest.URL(t))
	rows, err := conn.Query(t.Context(), `
		SELECT c.relname || '.' || a.attname
		FROM pg_class c
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm')
			AND c.relname <> 'goose_db_version'
			AND a.attcollation NOT IN (0, '"C"'::regcollation)
		UNION ALL
		SELECT 'type ' || typname
		FROM pg_type
		WHERE typnamespace = 'public'::regnamespace AND typtype = 'd'
			AND typcollation NOT IN (0, '"C"'::regcollation)`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(others)), got); diff != "" {
		t.Errorf("text without COLLATE \"C\" (-want +got):\n%s", diff)
	}
}
