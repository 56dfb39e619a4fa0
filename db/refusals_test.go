package db_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"xmlcurld/db"
	"xmlcurld/db/dbtest"
)

// refusal is a statement on the demo world that the schema refuses, and what it says then.
type refusal struct{ name, statement, message, hint string }

func refusals() []refusal {
	return slices.Concat(typesRefusals, switchRefusals, directoryRefusals, dialplanRefusals, keysRefusals)
}

// said is what Postgres says to a statement that fails; nil when it does not.
func said(t *testing.T, conn *pgx.Conn, statement string) *pgconn.PgError {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	_, err = tx.Exec(t.Context(), statement)
	var fault *pgconn.PgError
	if err != nil && !errors.As(err, &fault) {
		t.Fatalf("%s: %v", statement, err)
	}
	return fault
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

// What is nonsense is refused at the statement, with what is wrong and what to do.
func TestRefusals(t *testing.T) {
	t.Parallel()
	conn := connect(t, dbtest.DemoURL(t))
	for _, tc := range refusals() {
		t.Run(tc.name, func(t *testing.T) {
			fault := said(t, conn, tc.statement)
			if fault == nil {
				t.Fatalf("accepted: %s", tc.statement)
			}
			const checkViolation = "23514"
			if diff := cmp.Diff([]string{checkViolation, tc.message, tc.hint}, []string{fault.Code, fault.Message, fault.Hint}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.statement, diff)
			}
		})
	}
}

// Each call of refuse in the schema has its case above: as many cases say a message as calls do.
func TestRefusalsAreComplete(t *testing.T) {
	t.Parallel()
	var schema []byte
	for _, file := range []string{"0001_schema.sql", "0002_apply.sql", "0004_locks.sql"} {
		content, err := db.Migrations.ReadFile("migrations/" + file)
		if err != nil {
			t.Fatal(err)
		}
		schema = append(schema, content...)
	}
	calls := regexp.MustCompile(`(?:OR|PERFORM) refuse\(\s*(?:format\(\s*)?'((?:[^']|'')*)'`).FindAllStringSubmatch(string(schema), -1)
	if all := strings.Count(string(schema), "refuse(") - 2; len(calls) != all { // its definition, and its comment
		t.Fatalf("%d of %d calls of refuse are understood", len(calls), all)
	}
	wanted := map[string]int{}
	for _, call := range calls {
		wanted[strings.ReplaceAll(call[1], "''", "'")]++
	}
	for template, n := range wanted {
		said := regexp.MustCompile("^(?s:" + regexp.MustCompile(`%[sL]`).ReplaceAllString(regexp.QuoteMeta(template), ".*") + ")$")
		cases := 0
		for _, tc := range refusals() {
			if said.MatchString(tc.message) {
				cases++
			}
		}
		if cases < n {
			t.Errorf("%d calls of refuse say %q, %d cases do", n, template, cases)
		}
	}
}
