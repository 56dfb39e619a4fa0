package rowset

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/sqlfile"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// wanted are rows of many shapes: with keys that PostgreSQL numbers or presets, lists, NULLs, XML, and words of SQL.
func wanted(proxy, body string) *Set {
	s := new(Set)
	s.Add("tenant", "here", C("name", "acme"))
	s.Add("sip_profile", "external.xml:1", C("name", "external"))
	s.Add("gateway", "trunk.xml:1", C("name", "trunk"), C("profile", "external"), C("proxy", proxy), C("note", ""))
	s.Add("extension", "plan.xml:1", C("name", "hello"), C("continue", true))
	s.Add("extension", "plan.xml:9", C("name", "bye"))
	s.Add("condition", "plan.xml:2", C("extension", "hello"), C("position", 1), C("field", "${x}"), C("expression", `^\d'$`))
	s.Add("condition", "plan.xml:3", C("extension", "hello"), C("position", 2), C("parent", 1), C("break", "never"))
	s.Add("action", "plan.xml:4", C("extension", "hello"), C("condition", 1), C("position", 1), C("application", "answer"), C("data", Empty))
	s.Add("action", "plan.xml:5", C("extension", "hello"), C("condition", nil), C("position", 1), C("application", "log"), C("data", "INFO a"))
	s.Add("context", "plan.xml", C("name", "public"), C("number_forms", []string{"plus", "bare"}))
	s.Add("module", "modules.xml:3", C("name", "mod_flite"))
	s.Add("acl_list", "acl.xml:1", C("name", "lan"), C("default_action", "deny"))
	s.Add("acl_entry", "acl.xml:2\n; DROP TABLE tenant", C("list", "lan"), C("cidr", "192.0.2.0/24"), C("port", "[5060,5090]"))
	s.Add("document", "a.xml:1", C("section", "configuration"), C("name", "a.conf"), C("body", body))
	return s
}

// changes compares within a transaction, and then makes what has to be done.
func changes(t *testing.T, conn *pgx.Conn, s *Set) string {
	t.Helper()
	var sql strings.Builder
	err := pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
		all, err := s.Changes(t.Context(), tx)
		if err != nil {
			return err
		}
		if err := WriteSQL(&sql, all); err != nil {
			return err
		}
		statements, err := sqlfile.Parse(sql.String())
		if err != nil {
			return err
		}
		for _, one := range statements {
			if _, err := tx.Exec(t.Context(), one.SQL); err != nil {
				t.Errorf("%s\nin\n%s", err, one.SQL)
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sql.String()
}

// What was brought in is not brought in again, and of what has changed nothing but that is written.
func TestChanges(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	const body = "<configuration name=\"a.conf\">\n  <settings/>\n</configuration>"
	first := changes(t, conn, wanted("sip.example", body))
	for _, want := range []string{
		"INSERT INTO extension (name, \"continue\") VALUES\n    ('hello', true), -- plan.xml:1\n    ('bye', DEFAULT); -- plan.xml:9\n",
		"-- acl.xml:2 ; DROP TABLE tenant\n",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("there is no\n%s\nin\n%s", want, first)
		}
	}
	if again := changes(t, conn, wanted("sip.example", body)); again != "" {
		t.Errorf("brought in again:\n%s", again)
	}
	got := changes(t, conn, wanted("other.example", body+"\n"))
	want := "UPDATE gateway SET proxy = 'other.example'\nWHERE name = 'trunk'; -- trunk.xml:1\n\n" +
		"UPDATE document SET body = '" + body + "\n'\nWHERE section = 'configuration' AND name = 'a.conf' AND node = '*'::text; -- a.xml:1\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Many rows are written table by table, however they are mixed: what others refer to comes first.
func TestManyChanges(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	s := new(Set)
	s.Add("context", "a", C("name", "public"))
	for i := range naturalMost {
		name := "e" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26))
		s.Add("extension", "a", C("name", name))
		s.Add("action", "a", C("extension", name), C("position", 1), C("application", "answer"))
		s.Add("context_extension", "a", C("context", "public"), C("extension", name))
	}
	sql := changes(t, conn, s)
	if got, want := strings.Count(sql, "INSERT INTO"), 3*naturalMost/rowsMost+1; got != want {
		t.Errorf("%d statements, want %d", got, want)
	}
	if again := changes(t, conn, s); again != "" {
		t.Errorf("brought in again:\n%s", again)
	}
}

// A row that cannot be is an error that says where the row comes from.
func TestChangesOfNothing(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	fine := &Row{Table: "tenant", From: "a.xml:0", Columns: []Column{C("name", "acme")}}
	for name, row := range map[string]*Row{
		"a.xml:1: there is no table nothing":    {Table: "nothing", From: "a.xml:1"},
		"a.xml:2: there is no column size":      {Table: "tenant", From: "a.xml:2", Columns: []Column{C("size", 1)}},
		"a.xml:3: this row of tenant cannot be": {Table: "tenant", From: "a.xml:3", Columns: []Column{C("name", "it's")}},
	} {
		err := pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			_, err := (&Set{Rows: []*Row{fine, fine, row}}).Changes(t.Context(), tx)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the error is %v, want %q in it", err, name)
		}
	}
}
