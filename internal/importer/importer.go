// Package importer makes rows of a tree of FreeSWITCH's configuration files, and tells what cannot be rows. Nothing that FreeSWITCH
// reads is dropped in silence.
package importer

import (
	"cmp"
	"fmt"

	"xmlcurld/internal/conftree"
	"xmlcurld/internal/rowset"
)

// Options say where rows go.
type Options struct {
	Tenant string // whose the domains and numbers are; empty: there are none
	Node   string // whose the settings are; empty: everybody's
	// Tenants are whose a domain, a gateway or an extension of the dialplan is, unless all are of Tenant.
	Tenants  map[*conftree.Element]string
	Contexts map[string]string // names of contexts in the tree, in any case, and what the database calls them
}

// Left is something of a tree that rows do not say.
type Left struct {
	conftree.Place
	What   string
	Reason string
	Do     string // what a person can do about it
	Times  int    // how often the same is in the tree; Place is the first
}

func (l Left) String() string {
	times := ""
	if l.Times > 1 {
		times = fmt.Sprintf(" (%d times)", l.Times)
	}
	return fmt.Sprintf("%s: %s%s: %s. %s", l.Place, l.What, times, l.Reason, l.Do)
}

// Result is what became of a tree.
type Result struct {
	Set  *rowset.Set
	Left []*Left
}

// Import makes rows of a tree.
func Import(tree *conftree.Tree, options Options) *Result {
	in := &importer{
		tree: tree, options: options, Result: &Result{Set: new(rowset.Set)},
		extensions: make(map[string]bool), contexts: make(map[string]bool), gateways: make(map[string]bool),
		shared: make(map[*conftree.Element]string), repeated: make(map[string]*Left),
	}
	if in.options.Node == "" {
		in.options.Node = everyNode
	}
	in.sections()
	in.lists()
	in.node()
	in.globals()
	if options.Tenant != "" {
		in.Set.Add("tenant", conftree.Place{File: conftree.Root, Line: 1}.String(), rowset.C("name", options.Tenant))
	}
	in.sofia()
	if section := tree.Section("dialplan"); section != nil {
		in.dialplan(section)
	}
	if section := tree.Section("directory"); section != nil {
		in.directory(section)
	}
	in.entries()
	in.modules()
	in.documents()
	return in.Result
}

// everyNode is the node whose rows are for all.
const everyNode = "*"

// importer is a tree on its way to rows.
type importer struct {
	*Result
	tree       *conftree.Tree
	options    Options
	extensions map[string]bool              // names of rows
	contexts   map[string]bool              // names of rows
	gateways   map[string]bool              // names of rows, in lower case
	shared     map[*conftree.Element]string // names of extensions' rows; empty: it has none
	repeated   map[string]*Left
}

// tenant is whose a domain, a gateway or an extension is, empty if it is nobody's.
func (in *importer) tenant(e *conftree.Element) string {
	return cmp.Or(in.options.Tenant, in.options.Tenants[e])
}

// leave tells of something that rows do not say.
func (in *importer) leave(e *conftree.Element, what, reason, do string) {
	in.Left = append(in.Left, &Left{e.Place, what, reason, do, 1})
}

// leaveOnce is leave for what may be in the tree many times.
func (in *importer) leaveOnce(e *conftree.Element, what, reason, do string) {
	key := what + "\x00" + reason
	if l := in.repeated[key]; l != nil {
		l.Times++
		return
	}
	in.leave(e, what, reason, do)
	in.repeated[key] = in.Left[len(in.Left)-1]
}

// unread tells of something that no part of FreeSWITCH reads.
func (in *importer) unread(e *conftree.Element, what string) {
	in.leaveOnce(e, what, "FreeSWITCH does not read it", "Delete it.")
}

// expand is a value of e as FreeSWITCH has it.
func (in *importer) expand(e *conftree.Element, text string) string {
	text, _ = in.tree.Expand(e, text)
	return text
}

// value is a value of e for a row, and whether the switch has to expand it. One that held something else when the tree was read
// than a running switch has is expanded here.
func (in *importer) value(e *conftree.Element, text string) (value string, expand bool) {
	if !e.Refers(text) {
		return text, false
	}
	here := in.expand(e, text)
	if last, _ := in.tree.Expand(nil, text); last != here {
		return here, false
	}
	return text, true
}

// fixed is a value of e as FreeSWITCH has it, for a column without expand. It tells of one that was a variable.
func (in *importer) fixed(e *conftree.Element, what, text string) string {
	if !e.Refers(text) {
		return text
	}
	value := in.expand(e, text)
	in.leaveOnce(e, what+" from "+text, "the column holds no variables, so the row has the value that the tree gives it", "Nothing; a later change is one of rows.")
	return value
}
