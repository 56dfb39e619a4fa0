package schema_test

import (
	"errors"
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

// Each call of refuse in the schema has its case above: as many cases say a message as calls do. What the migrations
// generate for each table calls with one message many times, and that counts once.
func TestRefusalsAreComplete(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.URL(t))
	rows, err := conn.Query(t.Context(), `
		SELECT pg_get_constraintdef(oid), false
		FROM pg_constraint
		WHERE connamespace = 'public'::regnamespace AND contype = 'c'
		UNION ALL
		SELECT prosrc, proname LIKE 'explain\_%' AND prorettype = 'trigger'::regtype
		FROM pg_proc
		WHERE pronamespace = 'public'::regnamespace AND proname NOT IN ('refuse', 'explain_constraints')`)
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]int{}
	var source string
	var generated bool
	_, err = pgx.ForEachRow(rows, []any{&source, &generated}, func() error {
		calls := regexp.MustCompile(`refuse\(\s*(?:format\(\s*)?'((?:[^']|'')*)'`).FindAllStringSubmatch(source, -1)
		if all := strings.Count(source, "refuse("); len(calls) != all {
			t.Errorf("%d of %d calls of refuse are understood in %s", len(calls), all, source)
		}
		for _, call := range calls {
			template := strings.ReplaceAll(call[1], "''", "'")
			if generated {
				wanted[template] = 1
			} else {
				wanted[template]++
			}
		}
		return nil
	})
	if err != nil || len(wanted) < 50 {
		t.Fatalf("%d messages, %v", len(wanted), err)
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
