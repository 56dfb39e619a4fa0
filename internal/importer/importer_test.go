package importer

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/internal/conftree"
)

var update = flag.Bool("update", false, "write the expected rows of testdata anew")

// The tree of testdata says whatever a dialplan and a directory can say: calls and users are told the same by the server, and what
// it leaves is listed.
func TestImport(t *testing.T) {
	t.Parallel()
	tree, err := conftree.Read("testdata/tree", conftree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	im := importTree(t, tree, Options{Tenant: "acme"})
	if n := im.compareCalls(t); n < 100 {
		t.Errorf("%d calls were compared", n)
	}
	if n := im.compareUsers(t); n != 5 {
		t.Errorf("%d users were compared", n)
	}
	golden(t, "testdata/rows.txt", im.show())
}

// A context may have another name in the database. Users call in it under that name, and actions that name the former are listed.
func TestContexts(t *testing.T) {
	t.Parallel()
	tree, err := conftree.Read("testdata/tree", conftree.Options{})
	if err != nil {
		t.Fatal(err)
	}
	im := importTree(t, tree, Options{Tenant: "acme", Contexts: map[string]string{"inside": "acme.inside"}})
	im.compareCalls(t)
	if got, want := im.rows("domain", "context"), "acme.inside"; len(got) != 1 || got[0] != want {
		t.Errorf("the domain's context is %v, want %s", got, want)
	}
	var named []string
	for _, l := range im.Left {
		if strings.Contains(l.Reason, "acme.inside") {
			named = append(named, l.What)
		}
	}
	want := []string{`transfer to "$1 XML inside"`, `transfer to "1000 XML inside"`, `transfer to "1001 XML inside"`}
	if diff := cmp.Diff(want, named); diff != "" {
		t.Error(diff)
	}
}

// show is the rows, a line each, and what is left.
func (im *imported) show() string {
	var b strings.Builder
	for _, r := range im.Set.Rows {
		b.WriteString(r.Table)
		for _, c := range r.Columns {
			b.WriteString(" " + c.Name + "=" + strings.ReplaceAll(sprint(c.Value), "\n", "\\n"))
		}
		b.WriteString("  -- " + r.From + "\n")
	}
	b.WriteString("\n")
	for _, l := range im.Left {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestNumbersOf(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		`^27123456789$`:              "27123456789",
		`^(27123456789)$`:            "27123456789",
		`^\+27123456789$`:            "+27123456789",
		`^\+?(27123456789)$`:         "+27123456789 27123456789",
		`^(\+?27123456789)$`:         "+27123456789 27123456789",
		`^(1001|\*98)$`:              "1001 *98",
		`^\*98#$`:                    "*98#",
		`^1001`:                      "",
		`1001$`:                      "",
		`^1001|1002$`:                "",
		`^(10)01$`:                   "",
		`^10(0)(1)$`:                 "",
		`^100\d$`:                    "",
		`^10*1$`:                     "",
		`^+1001$`:                    "",
		`^\+1001$`:                   "",
		`^nobody$`:                   "",
		`^$`:                         "",
		`^123456789012345678901$`:    "",
		`^${number}$`:                "",
		`^(\+27123456789|1\d)$`:      "",
		`_1001`:                      "",
		`/^1001$/`:                   "",
		`^1001\$`:                    "",
		`^(1001)|(1002)$`:            "",
		`^(27123456789|1001(2))$`:    "",
		`^(\+?27123456789|\+?27)$`:   "",
		`^0027123456789$`:            "0027123456789",
		`^\+027123456789$`:           "",
		`^(?:27123456789)$`:          "",
		`^(?=27123456789)$`:          "",
		`^27123456789$|^1001$`:       "",
		`^(27123456789)?$`:           "",
		`^27123456789{1}$`:           "",
		`^[2]7123456789$`:            "",
		`^2\7123456789$`:             "",
		`^(27123456789$)$`:           "",
		`^27123456789\n$`:            "",
		" ^27123456789$":             "",
		`^27123456789 $`:             "",
		`^\+\+27123456789$`:          "",
		`^\+(27123456789|27111111)$`: "",
	} {
		tree := &conftree.Element{Name: "extension", Children: []*conftree.Element{{
			Name: "condition", Attrs: []conftree.Attr{{Name: "field", Value: "destination_number"}, {Name: "expression", Value: expression}},
			Children: []*conftree.Element{{Name: "action", Attrs: []conftree.Attr{{Name: "application", Value: "answer"}}}},
		}}}
		var got []string
		for _, n := range numbersOf(tree) {
			got = append(got, n.dialled()...)
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: %s", expression, diff)
		}
	}
}
