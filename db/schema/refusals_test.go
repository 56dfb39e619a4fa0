package schema_test

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

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

// What is nonsense is refused at the statement, with what is wrong and what to do.
func TestRefusals(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
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

var (
	refuseCalls    = regexp.MustCompile(`\brefuse\s*\(`)
	refuseMessages = regexp.MustCompile(`\brefuse\s*\(\s*(?:format\(\s*)?'((?:[^']|'')*)'`)
	placeholder    = regexp.MustCompile(`%[sL]`)
)

// messages are the templates of what the database's constraints, domains and functions refuse with, and how many
// calls give each. What the migrations generate for each table calls with one message many times: that counts once.
func messages(t *testing.T, conn *pgx.Conn) map[string]int {
	t.Helper()
	rows, err := conn.Query(t.Context(), `
		SELECT pg_get_constraintdef(oid), false
		FROM pg_constraint
		WHERE connamespace = 'public'::regnamespace AND contype = 'c'
		UNION ALL
		SELECT coalesce(pg_get_function_sqlbody(oid), prosrc), proname LIKE 'explain\_%' AND prorettype = 'trigger'::regtype
		FROM pg_proc
		WHERE pronamespace = 'public'::regnamespace AND proname NOT IN ('refuse', 'explain_constraints')`)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	var source string
	var generated bool
	_, err = pgx.ForEachRow(rows, []any{&source, &generated}, func() error {
		understood := refuseMessages.FindAllStringSubmatch(source, -1)
		if calls := len(refuseCalls.FindAllString(source, -1)); len(understood) != calls {
			t.Errorf("%d of %d calls of refuse are understood in %s", len(understood), calls, source)
		}
		for _, call := range understood {
			message := strings.ReplaceAll(call[1], "''", "'")
			if all[message]++; generated {
				all[message] = 1
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Each call of refuse in the schema has its case above: as many cases have a message as calls give it.
func TestRefusalsAreComplete(t *testing.T) {
	t.Parallel()
	calls := messages(t, dbtest.Connect(t, dbtest.URL(t)))
	if len(calls) < 50 {
		t.Fatalf("only %d messages", len(calls))
	}
	// A case belongs to the one template that says most of its message.
	literal := func(template string) int { return len(placeholder.ReplaceAllString(template, "")) }
	templates := slices.SortedFunc(maps.Keys(calls), func(a, b string) int { return literal(b) - literal(a) })
	cases := map[string]int{}
	for _, tc := range refusals() {
		for _, template := range templates {
			pattern := placeholder.ReplaceAllString(regexp.QuoteMeta(template), ".*")
			if regexp.MustCompile("^(?s:" + pattern + ")$").MatchString(tc.message) {
				cases[template]++
				break
			}
		}
	}
	for _, template := range templates {
		if cases[template] < calls[template] {
			t.Errorf("%d calls of refuse say %q, %d cases do", calls[template], template, cases[template])
		}
	}
}
