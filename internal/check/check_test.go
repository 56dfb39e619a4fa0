package check_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/db/pg"
	"xmlcurld/internal/check"
	"xmlcurld/testdata"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// found is one edit of the demo world and what is found after it, as "code table key"; a part of what each says may follow
// behind ": ".
type found struct {
	name string
	edit string
	want []string
}

// finds makes each edit in a transaction of its own, and compares all that is found.
func finds(t *testing.T, cases []found) {
	t.Helper()
	conn := connect(t, dbtest.DemoURL(t))
	before := run(t, conn, `SELECT`, check.Options{})
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			all := run(t, conn, tc.edit, check.Options{})
			looksAtEnough(t, conn, tc.edit, before, all)
			var got []string
			for i, f := range all {
				line := fmt.Sprintf("%s %s %s", f.Code, f.Table, f.Key)
				if i < len(tc.want) {
					if _, says, ok := strings.Cut(tc.want[i], ": "); ok && strings.Contains(f.What+" "+f.Remedy, says) {
						line += ": " + says
					}
				}
				got = append(got, line)
				if !strings.HasSuffix(f.What, ".") || !strings.HasSuffix(f.Remedy, ".") {
					t.Errorf("no sentences: %q, %q", f.What, f.Remedy)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s%+v", diff, all)
			}
		})
	}
}

var changes = regexp.MustCompile(`(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)`)

// looksAtEnough fails if the checks that look at the tables of an edit do not show all that it makes and ends.
func looksAtEnough(t *testing.T, conn *pgx.Conn, edit string, before, after []check.Finding) {
	t.Helper()
	narrow := check.Options{Changed: []string{}}
	for _, table := range changes.FindAllStringSubmatch(edit, -1) {
		narrow.Changed = append(narrow.Changed, table[1])
	}
	if slices.Equal(narrow.Changed, []string{"gateway"}) {
		narrow.Gateways = gatewaysOf(t, conn, edit)
	}
	if diff := cmp.Diff(made(before, after), made(run(t, conn, `SELECT`, narrow), run(t, conn, edit, narrow))); diff != "" {
		t.Errorf("of %v alone (-all +those):\n%s", narrow.Changed, diff)
	}
}

// gatewaysOf are those that an edit changes. It is taken back.
func gatewaysOf(t *testing.T, conn *pgx.Conn, edit string) []string {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), edit); err != nil {
		t.Fatal(err)
	}
	names, err := pg.Rows(t.Context(), tx, pgx.RowTo[string], `SELECT key FROM edit_in_progress WHERE relation = 'gateway'`)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// made is what is in after and not in before, and the other way round.
func made(before, after []check.Finding) (some []check.Finding) {
	for _, f := range after {
		if !slices.Contains(before, f) {
			some = append(some, f)
		}
	}
	for _, f := range before {
		if !slices.Contains(after, f) {
			some = append(some, f)
		}
	}
	return some
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// run is what is found after edit, which is taken back.
func run(t *testing.T, conn *pgx.Conn, edit string, options check.Options) []check.Finding {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), edit); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SET TRANSACTION READ ONLY`); err != nil {
		t.Fatal(err)
	}
	all, err := check.Run(t.Context(), tx, options)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestDemoIsClean(t *testing.T) {
	t.Parallel()
	finds(t, []found{{name: "as it is", edit: `SELECT`}})
}

// The world to measure with has nodes that are nowhere: their event sockets are all at one address.
func TestWorldIsClean(t *testing.T) {
	t.Parallel()
	conn := connect(t, dbtest.URL(t))
	for _, f := range run(t, conn, `SET LOCAL world.tenants = 20; SET LOCAL world.numbers = 200; SET LOCAL world.users = 100; SET LOCAL world.gateways = 20;
		SET LOCAL world.acl_entries = 20; SET LOCAL world.nodes = 3;`+testdata.World, check.Options{}) {
		if f.Code != "event-socket-shared" {
			t.Errorf("%+v", f)
		}
	}
}

// What tenants that are off have is in no answer.
func TestTenants(t *testing.T) {
	t.Parallel()
	conn := connect(t, dbtest.DemoURL(t))
	const edit = `
		INSERT INTO condition (extension, position, field, expression) VALUES ('reception', 1, 'caller_id_number', '(?<9>a)');
		INSERT INTO switch_param (name, value) VALUES ('max-db-handle', '50');`
	count := func(edit, tenant string) int { return len(run(t, conn, edit, check.Options{Tenant: tenant})) }
	for _, tc := range []struct {
		edit, tenant string
		want         int
	}{
		{edit, "", 2},
		{edit, "acme", 1},
		{edit, "vumi", 0},
		{edit + `UPDATE tenant SET enabled = false WHERE name = 'acme'`, "", 1},
	} {
		if got := count(tc.edit, tc.tenant); got != tc.want {
			t.Errorf("tenant %q: %d findings, want %d", tc.tenant, got, tc.want)
		}
	}
}

func TestWithout(t *testing.T) {
	t.Parallel()
	conn := connect(t, dbtest.DemoURL(t))
	const edit = `INSERT INTO switch_param (name, value) VALUES ('max-db-handle', '50')`
	if all := run(t, conn, edit, check.Options{Without: []string{"parameter-unknown"}}); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	_, err := check.Run(t.Context(), nil, check.Options{Without: []string{"nobody"}})
	if unknown := (check.UnknownCodeError{}); !errors.As(err, &unknown) || unknown.Code != "nobody" {
		t.Errorf("error %v", err)
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	conn := connect(t, dbtest.DemoURL(t))
	all := run(t, conn, `
		INSERT INTO acl_entry (list, action, cidr) VALUES ('domains', 'deny', '54.172.60.1');
		UPDATE action SET data = '127.0.0.1:0' WHERE application = 'socket';
		INSERT INTO switch_param (name, value) VALUES ('max-db-handle', '50');`, check.Options{})
	var got []check.Severity
	for _, f := range all {
		got = append(got, f.Severity)
	}
	if want := []check.Severity{check.Error, check.Warning, check.Notice}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Each check has a code of its own and is found by some test of this package.
func TestCodes(t *testing.T) {
	t.Parallel()
	tested := make(map[string]bool)
	for _, cases := range [][]found{expressionCases, dialplanCases, gatewayCases, networkCases, socketCases, limitCases, moduleCases, parameterCases} {
		for _, tc := range cases {
			for _, want := range tc.want {
				code, _, _ := strings.Cut(want, " ")
				tested[code] = true
			}
		}
	}
	seen := make(map[string]bool)
	for _, c := range check.All {
		if seen[c.Code] {
			t.Errorf("%s is there twice", c.Code)
		}
		seen[c.Code] = true
		if !tested[c.Code] && !strings.HasPrefix(c.Code, "answer-") { // see TestAnswers
			t.Errorf("no test finds %s", c.Code)
		}
	}
}
