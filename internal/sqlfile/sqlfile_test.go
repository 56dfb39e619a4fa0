package sqlfile_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/sqlfile"
)

// statements are each one to PostgreSQL.
var statements = []string{
	`SELECT 1`,
	`SELECT ';', ''';'`,
	`SELECT 'a\' AS ";"`,
	`SELECT E'a\';\\', E'\'', ';'`,
	"SELECT E'a'\n  -- it's; a comment\n  '\\';'",
	"SELECT 'a'\n'b;'",
	`SELECT U&'d\0061t;', n'a;', b'10', x'1f'`,
	`SELECT $$;'"--/*$$`,
	`SELECT $a$;$$;$b$;$a$`,
	`SELECT $é_1$;$é_1$`,
	`SELECT 1 AS a$b$c, 2 AS "$$;"`,
	"SELECT /* ; /* ; */ ' */ 1 -- ; '\n+ 1",
	`CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)`,
	`CREATE FUNCTION f() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END`,
	`CREATE OR REPLACE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC SELECT 1; END`,
	`CREATE FUNCTION g() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$`,
	`DO $do$ BEGIN PERFORM 1; END $do$`,
	`SELECT CASE WHEN true THEN 1 END`,
	`SAVEPOINT a`,
	`ROLLBACK TO a`,
	`SELECT e.x FROM (SELECT 1 AS x) e`,
	`SELECT 1 - -1, 5/*;*/*2`,
}

// between stands between statements, and is none.
var between = []string{";", "; ", ";\n", " ;\n\n", ";;", "; -- it's; a comment\n", "; /* ' ; /* ; */ */ ", "\n;\t"}

// TestSplit splits random files of the statements. PostgreSQL itself takes each piece for one statement.
func TestSplit(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.EmptyURL(t))
	if _, err := conn.Exec(t.Context(), `CREATE TABLE t (a integer)`); err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		var file strings.Builder
		var want []sqlfile.Statement
		line := 1
		for range 1 + random.IntN(8) {
			s, b := statements[random.IntN(len(statements))], between[random.IntN(len(between))]
			want = append(want, sqlfile.Statement{SQL: s, Line: line})
			fmt.Fprint(&file, s, b)
			line += strings.Count(s+b, "\n")
		}
		got, err := sqlfile.Parse(file.String())
		if err != nil {
			t.Fatalf("%s\n%v", file.String(), err)
		}
		for i := range got {
			got[i].SQL = strings.TrimSpace(got[i].SQL)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(sqlfile.Statement{})); diff != "" {
			t.Fatalf("%s\n%s", file.String(), diff)
		}
		for _, s := range got {
			if known[s.SQL] {
				continue
			}
			known[s.SQL] = true
			if _, err := conn.PgConn().Prepare(t.Context(), "", s.SQL, nil); err != nil {
				t.Errorf("%s\n%v", s.SQL, err)
			}
		}
	}
	if len(known) != len(statements) {
		t.Errorf("%d of %d statements were seen", len(known), len(statements))
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"BEGIN":                            "line 1: BEGIN begins or ends a transaction. Leave it out: the file is one transaction, which is committed as a whole or not at all.",
		"SELECT 1;\n\n/* a */ commit;":     "line 3: COMMIT begins or ends a transaction",
		"start transaction":                "line 1: START begins or ends a transaction",
		"END":                              "line 1: END begins or ends a transaction",
		"ROLLBACK":                         "line 1: ROLLBACK begins or ends a transaction",
		"rollback and chain":               "line 1: ROLLBACK begins or ends a transaction",
		"ABORT":                            "line 1: ABORT begins or ends a transaction",
		"PREPARE TRANSACTION 'a'":          "line 1: PREPARE begins or ends a transaction",
		"COMMIT PREPARED 'a'":              "line 1: COMMIT begins or ends a transaction",
		"SET TRANSACTION READ ONLY":        "line 1: SET TRANSACTION changes what the transaction sees",
		"COPY tenant FROM stdin;\nit's\n.": "line 1: COPY moves rows that do not stand in the file. Write INSERT",
		"SELECT 1;\n\\i other.sql":         "line 2: a backslash begins a command of psql",
		"SELECT 1 \\g":                     "line 1: a backslash begins a command of psql",
		"SELECT\n'a;":                      "line 2: a quote is not closed",
		"SELECT \"a;":                      "line 1: a quote is not closed",
		"SELECT E'a\\';":                   "line 1: a quote is not closed",
		"SELECT 1;\nSELECT $a$ $b$":        "line 2: a text between $ signs is not closed",
		"SELECT 1 /* /* */":                "line 1: a comment is not closed",
		"SELECT '\xff'":                    "line 1: the file is not text in UTF-8",
		"SELECT '\x00'":                    "line 1: the file is not text in UTF-8",
	} {
		if _, err := sqlfile.Parse(text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{"", ";;", "-- nothing\n", "\ufeff/* nothing */"} {
		if all, err := sqlfile.Parse(text); len(all) > 0 || err != nil {
			t.Errorf("%q: %v, %v", text, all, err)
		}
	}
}

// FuzzParse has statements made of what there is between their ends, and none that PostgreSQL would take for several.
func FuzzParse(f *testing.F) {
	conn := dbtest.Connect(f, dbtest.EmptyURL(f))
	for i := range statements {
		f.Add(strings.Join(statements[i:min(i+3, len(statements))], ";\n"))
	}
	f.Add("a'$\"\\/*--;(")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := sqlfile.Parse(text)
		if err != nil {
			return
		}
		rest := strings.TrimPrefix(text, "\ufeff")
		for _, s := range all {
			_, behind, found := strings.Cut(rest, s.SQL)
			if !found || s.Line > 1+strings.Count(text, "\n") {
				t.Fatalf("%q of %q, line %d", s.SQL, text, s.Line)
			}
			rest = behind
			if _, err := conn.PgConn().Prepare(t.Context(), "", s.SQL, nil); err != nil && strings.Contains(err.Error(), "multiple commands") {
				t.Fatalf("%q: %v", s.SQL, err)
			}
		}
	})
}
