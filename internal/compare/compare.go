// Package compare proves that the server tells a switch what a tree of FreeSWITCH's files tells it. It compares both as
// FreeSWITCH sees them: parsed, with global variables filled in, users merged with their groups, calls hunted.
package compare

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"xmlcurld/db"
	"xmlcurld/internal/conftree"
	"xmlcurld/internal/mask"
)

// Options say what is compared with what.
type Options struct {
	Node      string            // the switchname of the switch that is told
	Tenant    string            // whose rows the tree became; empty: all rows are compared
	Contexts  map[string]string // names of the tree's contexts in the rows, where they differ
	Variables map[string]string // what only the switch knows, as local_ip_v4; the tree was read with the same
	Time      time.Time         // of the calls that are tried, in the switch's time zone
	Masker    *mask.Masker
	Progress  func(what string) // is told what is compared next; may be nil
}

// The kinds of Difference.
const (
	Different = "difference" // the switch would behave in another way, or it is not known that it would not
	Explained = "explained"  // there is a reason that is no fault
)

// Difference is something that the tree and the server say differently.
type Difference struct {
	Document string `json:"document"`         // as sofia.conf, user 1000@example.com, context public
	What     string `json:"what"`             // in the document, as profile external, param sip-port
	Kind     string `json:"kind"`             // difference or explained
	Place    string `json:"place,omitempty"`  // file:line of the tree
	Row      string `json:"row,omitempty"`    // table and key, if one row says it
	Tree     string `json:"tree"`             // what the tree says, with marks for secrets; empty: nothing
	Server   string `json:"server"`           // what the server says
	Meaning  string `json:"meaning"`          // what it means to the switch
	Reason   string `json:"reason,omitempty"` // why it is explained
	Count    int    `json:"count"`            // of those that are alike; this is the first
}

// Compared is how much of one kind was looked at in a document.
type Compared struct {
	Document    string `json:"document"`
	What        string `json:"what"` // as gateways, or calls
	Count       int    `json:"count"`
	Differences int    `json:"differences"`
	Explained   int    `json:"explained"`
}

// Result is what was compared, and what differs.
type Result struct {
	Node        string       `json:"node"`
	Compared    []Compared   `json:"compared"`
	Differences []Difference `json:"differences"`
}

// Equal reports whether all that differs is explained.
func (r *Result) Equal() bool {
	return !slices.ContainsFunc(r.Differences, func(d Difference) bool { return d.Kind == Different })
}

// Run compares a tree with what the server would answer from what tx sees. Secrets resolves what rows refer to; it may be nil.
func Run(ctx context.Context, tree *conftree.Tree, tx pgx.Tx, secrets db.Secrets, o Options) (*Result, error) {
	c := &comparison{Options: o, ctx: ctx, tree: tree, result: &Result{Node: o.Node, Compared: []Compared{}, Differences: []Difference{}}}
	c.server = newServer(ctx, tx, secrets, o.Node)
	for _, part := range []func() error{
		c.variables, c.modules, c.switchSettings, c.acl, c.eventSocket, c.sofia, c.configurations, c.directory, c.dialplan, c.storedSections, c.sections,
	} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return c.result, nil
}

// comparison is one run.
type comparison struct {
	Options
	ctx     context.Context
	tree    *conftree.Tree
	server  *server
	globals map[string]string // of the switch on the tree
	result  *Result
	filled  map[string]*node   // configuration documents of the tree
	alike   map[Difference]int // where explained differences are, by what they have in common
}

func (c *comparison) progress(what string) {
	if c.Progress != nil {
		c.Progress(what)
	}
}

// compared adds n to what was looked at.
func (c *comparison) compared(document, what string, n int) {
	c.entry(document, what).Count += n
}

func (c *comparison) entry(document, what string) *Compared {
	all := &c.result.Compared
	for i := len(*all) - 1; i >= 0; i-- {
		if e := &(*all)[i]; e.Document == document && e.What == what {
			return e
		}
	}
	*all = append(*all, Compared{Document: document, What: what})
	return &(*all)[len(*all)-1]
}

// of says where a difference was found: which document, and which of its counts it belongs to.
type of struct {
	document, counted string
}

// exportedMark explains what the server itself added to a tree that was exported.
const exportedMark = "the tree was exported from a server, and this tells which version of the rows it has"

// found adds a difference. Explained ones that say the same of a document are one.
func (c *comparison) found(at of, d Difference) {
	d.Document, d.Count = at.document, 1
	d.Kind = cmp.Or(d.Kind, Different)
	e := c.entry(at.document, at.counted)
	if d.Kind == Different {
		e.Differences++
		c.result.Differences = append(c.result.Differences, d)
		return
	}
	e.Explained++
	key := Difference{Document: d.Document, Meaning: d.Meaning, Reason: d.Reason}
	if c.alike == nil {
		c.alike = map[Difference]int{}
	}
	if i, ok := c.alike[key]; ok {
		c.result.Differences[i].Count++
		return
	}
	c.alike[key] = len(c.result.Differences)
	c.result.Differences = append(c.result.Differences, d)
}

// explain is found for what has a reason.
func (c *comparison) explain(at of, d Difference, reason string) {
	d.Kind, d.Reason = Explained, reason
	c.found(at, d)
}

// masked takes the secrets out of the value of a setting. Equal values of one place stay equal.
func (c *comparison) masked(place, name, value string) string {
	return c.Masker.Value(place, name, value)
}

// maskedTag is an element of a place as XML without secrets.
func (c *comparison) maskedTag(place string, n *node) string {
	if n == nil {
		return ""
	}
	const before, after = "<at name=\"", "</at>"
	document := string(c.Masker.Document([]byte(before + escaped(place) + `">` + n.tag() + after)))
	_, rest, _ := strings.Cut(document, `">`)
	return strings.TrimSuffix(rest, after)
}
