// Package export takes out of the database what is in it: as a static tree with which a FreeSWITCH runs alone, and a tenant's
// rows as SQL.
package export

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/internal/form"
	"xmlcurld/internal/mask"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

// Options say what is exported.
type Options struct {
	Node        string // whose tree it is, by its switchname
	WithSecrets bool
}

// Tree is a static tree of configuration files.
type Tree struct {
	Files map[string]string // by their path below the tree's folder
	Left  []Left            // what could not be carried over
	Cut   []Left            // what was left out because it is a secret
}

// Left is something that is not in the tree.
type Left struct {
	File string
	What string
}

// leave notes what is not in the tree.
func (t *Tree) leave(file, format string, args ...any) {
	t.Left = append(t.Left, Left{file, fmt.Sprintf(format, args...)})
}

// Static makes the tree of all that a node would be told from rows, which have to stay as they are meanwhile. Each document is
// rendered as the server answers it, so the rules are the server's own.
func Static(ctx context.Context, rows table.Source, secrets db.Secrets, o Options) (*Tree, error) {
	rules := db.NewRulebook(rows, secrets)
	w := &writer{
		Tree: &Tree{Files: make(map[string]string)}, ctx: ctx, node: o.Node,
		rows: rows, rules: rules, contents: sections.New(rules, nil),
	}
	var err error
	if w.masker, err = maskerUnless(o.WithSecrets); err != nil {
		return nil, err
	}
	for _, write := range []func() error{w.configuration, w.documents, w.dialplan, w.directory} {
		if err := write(); err != nil {
			return nil, err
		}
	}
	w.Files[root] = w.root()
	return w.Tree, nil
}

// writer is a Tree that is being made.
type writer struct {
	*Tree
	ctx      context.Context
	node     string
	rows     table.Source
	rules    *db.Rulebook
	contents *xmlcurl.Mux
	masker   *mask.Masker // finds the secrets; nil: they stay
}

// render is what stands in the section of the answer to a question: nothing if it is not found.
func (w *writer) render(f *form.Form) ([]*element, error) {
	request, err := xmlcurl.ParseRequest([]byte(f.String()))
	if err != nil {
		return nil, err
	}
	document, err := xmlcurl.Render(w.ctx, w.contents, request)
	if errors.Is(err, xmlcurl.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return inSection(document), nil
}

// keys are the keys of a table's rows, in order, each as its parts.
func (w *writer) keys(of string) (all [][]string, err error) {
	_, err = w.rows.Read(w.ctx, table.Question{}, func(rows table.Rows) error {
		all = nil
		return rows.Each(of, "", func(key string, _ []byte) error {
			all = append(all, strings.Split(key, table.Separator))
			return nil
		})
	})
	return all, err
}

// include writes a file of elements that freeswitch.xml takes in.
func (w *writer) include(path string, all []*element) {
	in := &element{tag: "<include>", inside: all, end: "</include>"}
	w.Files[path] = text([]*element{in})
	if w.masker != nil {
		w.Files[path] = w.withoutSecrets(path, w.Files[path])
	}
}

// root is the file that FreeSWITCH opens, and that takes in the others.
const root = "freeswitch.xml"

// mark begins each root that was written here.
const mark = `<?xml version="1.0"?>
<!-- Written by xmlcurld export. What is changed in here is lost when it is written again. -->
`

// folders are where the files of each section are.
var folders = []struct{ section, folder string }{
	{"configuration", "autoload_configs"},
	{"dialplan", "dialplan"},
	{"directory", "directory"},
	{"languages", "lang"},
	{"chatplan", "chatplan"},
	{"channels", "channels"},
}

func (w *writer) root() string {
	var out strings.Builder
	out.WriteString(mark)
	out.WriteString("<document type=\"freeswitch/xml\">\n  <X-PRE-PROCESS cmd=\"include\" data=\"" + varsFile + "\"/>\n")
	for _, f := range folders {
		isIn := func(path string) bool { return strings.HasPrefix(path, f.folder+"/") }
		if slices.ContainsFunc(slices.Collect(maps.Keys(w.Files)), isIn) {
			fmt.Fprintf(&out, "  <section name=%q>\n    <X-PRE-PROCESS cmd=\"include\" data=\"%s/*.xml\"/>\n  </section>\n", f.section, f.folder)
		}
	}
	out.WriteString("</document>\n")
	return out.String()
}
