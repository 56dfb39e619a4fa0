package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"xmlcurld/internal/conftree"
)

// unread are changes of the tree that change nothing for the switch, or that are meant to be explained.
var unread = map[string]string{
	"/document/@type":                 "FreeSWITCH does not read it",
	"load mod_console taken out":      "the bootstrap loads it",
	"load mod_event_socket taken out": "the bootstrap loads it",
	"param name=register":             "true is what FreeSWITCH takes without it",
	"directory.xml:13 taken out":      withoutPassword,
	"directory.xml:22 taken out":      withoutPassword,
	"directory.xml:23 taken out":      withoutPassword,
	"param register taken out":        "true is what FreeSWITCH takes without it",
	"extension name=prepare":          "only logs and call records have it",
	"extension name=reception":        "only logs and call records have it",
	"extension name=hours":            "only logs and call records have it",
	"extension name=known":            "only logs and call records have it",
	"extension name=command":          "only logs and call records have it",
	"condition ^4000$ break=on-false": "it is the last one, and there is nothing to break off",
	"user 1000 type=pointer":          "the user is found in its own group, which comes first",
	"user 1001 type=pointer":          "the user is found in its own group, which comes first",
}

const withoutPassword = "FreeSWITCH lets anybody in as a user without a password, and the server never does"

// changed is a value that means something else.
func changed(value string) string {
	other := map[string]string{"true": "false", "false": "true", "allow": "deny", "deny": "allow", "never": "always", "on-false": "on-true", "any": "all"}[value]
	return cmp.Or(other, "x"+value)
}

// TestMutations changes each attribute of the tree in turn, and takes out each element: nothing may go unnoticed.
func TestMutations(t *testing.T) {
	t.Parallel()
	tree, tx := readTree(t, "testdata/tree"), begin(t, filledURL(t))
	o := options(t)
	count, used := 0, map[string]bool{}
	notice := func(n *conftree.Element, names ...string) {
		t.Helper()
		count++
		equal := run(t, tree, tx, o).Equal()
		for _, name := range names {
			if reason, ok := unread[name]; ok {
				if used[name] = true; !equal {
					t.Errorf("%s: %s is compared, but %s", n.Place, name, reason)
				}
				return
			}
		}
		if equal {
			t.Errorf("%s: %s is not compared", n.Place, names[0])
		}
	}
	var walk func(in string, e *conftree.Element)
	walk = func(in string, e *conftree.Element) {
		at := in + "/" + e.Name
		for i := range e.Attrs {
			a := e.Attrs[i]
			e.Attrs[i].Value = changed(a.Value)
			notice(e, at+"/@"+a.Name, fmt.Sprintf("%s %s=%s", strings.TrimSpace(e.Name+" "+cmp.Or(e.Attr("id"), e.Attr("expression"))), a.Name, a.Value))
			e.Attrs[i].Value = a.Value
		}
		if e.Text != "" {
			before := e.Text
			e.Text = changed(before)
			notice(e, at+"/text")
			e.Text = before
		}
		for i, child := range e.Children {
			before := e.Children
			e.Children = slices.Delete(slices.Clone(before), i, i+1)
			notice(child, fmt.Sprintf("%s %s taken out", child.Name, cmp.Or(child.Attr("name"), child.Attr("module"))), child.String()+" taken out")
			e.Children = before
			walk(at, child)
		}
	}
	walk("", tree.Document)
	for name := range unread {
		if !used[name] {
			t.Errorf("there is no %s", name)
		}
	}
	for i := range tree.Variables {
		before := tree.Variables[i].Holds
		tree.Variables[i].Holds += "x"
		if run(t, tree, tx, o).Equal() {
			t.Errorf("variable %s is not compared", tree.Variables[i].Name)
		}
		tree.Variables[i].Holds = before
	}
	if count < 250 {
		t.Errorf("only %d changes were made", count)
	}
}
