package conftree_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xmlcurld/internal/conftree"
)

// A tree of elements from elsewhere has its variables as one of files does, and $${ in what FreeSWITCH never preprocesses is text.
func TestMade(t *testing.T) {
	t.Parallel()
	at := conftree.Place{File: "table row"}
	elements, err := conftree.Fragment(at, "\n<a b=\"$${port}\"><!-- c --></a>\n<d/>")
	if err != nil {
		t.Fatal(err)
	}
	own := &conftree.Element{Place: at, Name: "own", Attrs: []conftree.Attr{{Name: "port", Value: "$${port}$${run}"}}}
	tree, err := conftree.Made(&conftree.Element{Name: "document", Children: append(elements, own)}, []conftree.Variable{
		{Place: at, Name: "base", Value: "50", Command: "set"},
		{Place: at, Name: "port", Value: "$${base}60", Command: "set"},
		{Place: at, Name: "run", Value: "rm -rf /", Command: "exec-set"},
	}, map[string]string{"run": "ning"})
	if err != nil {
		t.Fatal(err)
	}
	want := "<document>\n  <a b=\"&#36;&#36;{port}\"/>\n  <d/>\n  <own port=\"$${port}$${run}\"/>\n</document>\n"
	if diff := cmp.Diff(want, tree.Document.XML("")); diff != "" {
		t.Error(diff)
	}
	if got, unset := tree.Expand(own, own.Attr("port")); got != "5060ning" || unset != nil {
		t.Errorf("the port is %s, and nobody set %v", got, unset)
	}
	if elements[0].Refers(elements[0].Attr("b")) {
		t.Error("text refers to a variable")
	}
	for _, text := range []string{"<a>", "<a></b>", "</fragment>"} {
		if _, err := conftree.Fragment(at, text); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}
