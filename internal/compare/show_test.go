package compare

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var shown = &Result{
	Node:     "fs1",
	Compared: []Compared{{"sofia.conf", "gateways", 2, 1, 0}, {"context public", "calls", 30, 0, 1}},
	Differences: []Difference{
		{"sofia.conf", "gateway carrier, param ping", Different, "sofia.xml:10", "gateway carrier", "30", "", "the switch would not ping", "", 1},
		{"context public", "call to 5", Explained, "dialplan.xml:3", "", "", "log", "a line of the log", "nobody has the number", 4},
	},
}

// Programs read it: a field is added, and never renamed.
func TestJSON(t *testing.T) {
	t.Parallel()
	got, err := json.MarshalIndent(shown, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want := `{
 "node": "fs1",
 "compared": [
  {
   "document": "sofia.conf",
   "what": "gateways",
   "count": 2,
   "differences": 1,
   "explained": 0
  },
  {
   "document": "context public",
   "what": "calls",
   "count": 30,
   "differences": 0,
   "explained": 1
  }
 ],
 "differences": [
  {
   "document": "sofia.conf",
   "what": "gateway carrier, param ping",
   "kind": "difference",
   "place": "sofia.xml:10",
   "row": "gateway carrier",
   "tree": "30",
   "server": "",
   "meaning": "the switch would not ping",
   "count": 1
  },
  {
   "document": "context public",
   "what": "call to 5",
   "kind": "explained",
   "place": "dialplan.xml:3",
   "tree": "",
   "server": "log",
   "meaning": "a line of the log",
   "reason": "nobody has the number",
   "count": 4
  }
 ]
}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := shown.Show(&b); err != nil {
		t.Fatal(err)
	}
	want := `DOCUMENT        COMPARED  COUNT  DIFFERENT  EXPLAINED
sofia.conf      gateways  2      1          -
context public  calls     30     -          1

Differences

sofia.conf
  gateway carrier, param ping: the switch would not ping
    tree    30  (sofia.xml:10)
    server  (gateway carrier)

Explained: they are meant to be so, or change nothing

context public
  call to 5 (and 3 more like it): a line of the log
    tree    (dialplan.xml:3)
    server  log
    because nobody has the number

Node fs1 is not told what the tree says: 32 things compared, 1 differ, 1 explained.
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}
