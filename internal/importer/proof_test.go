package importer

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/netip"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"xmlcurld/db/dbtest"
	"xmlcurld/internal/conftree"
	"xmlcurld/internal/form"
	"xmlcurld/internal/hunt"
	"xmlcurld/internal/rowset"
	"xmlcurld/sections"
	"xmlcurld/xmlcurl"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// imported is a tree, and a server on a database with its rows.
type imported struct {
	*Result
	tree    *conftree.Tree
	options Options
	mux     xmlcurl.Handler
}

func importTree(t *testing.T, tree *conftree.Tree, options Options) *imported {
	t.Helper()
	result := Import(tree, options)
	url := dbtest.URL(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	if sql := bringIn(t, conn, result.Set); sql == "" {
		t.Error("nothing was brought in")
	}
	if sql := bringIn(t, conn, result.Set); sql != "" {
		t.Errorf("brought in again:\n%s", sql)
	}
	return &imported{result, tree, options, sections.New(dbtest.Rules(t, url), nil)}
}

// rows are the values of a column of a table.
func (im *imported) rows(table, column string) (all []string) {
	for _, r := range im.Set.Rows {
		if value, ok := r.Value(column); ok && r.Table == table {
			all = append(all, fmt.Sprint(value))
		}
	}
	return all
}

func (im *imported) expand(e *conftree.Element, text string) string {
	text, _ = im.tree.Expand(e, text)
	return text
}

func (im *imported) contextName(name string) string {
	if to := im.options.Contexts[name]; to != "" {
		return to
	}
	return name
}

func bringIn(t *testing.T, conn *pgx.Conn, set *rowset.Set) string {
	t.Helper()
	var sql strings.Builder
	err := pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
		changes, err := set.Changes(t.Context(), tx)
		if err != nil {
			return err
		}
		if err := rowset.WriteSQL(&sql, changes); err != nil {
			return err
		}
		_, err = tx.Exec(t.Context(), sql.String())
		return err
	})
	if err != nil {
		t.Fatalf("%v in\n%s", err, sql.String())
	}
	return sql.String()
}

func sprint(value any) string {
	if value == nil {
		return "NULL"
	}
	return fmt.Sprint(value)
}

// told is the section of the tree as FreeSWITCH has it.
func (im *imported) told(section string) []byte {
	var b strings.Builder
	var write func(e *conftree.Element)
	write = func(e *conftree.Element) {
		b.WriteString("<" + e.Name)
		for _, a := range e.Attrs {
			fmt.Fprintf(&b, ` %s="%s"`, a.Name, escape.Replace(im.expand(e, a.Value)))
		}
		b.WriteString(">" + escape.Replace(im.expand(e, e.Text)))
		for _, child := range e.Children {
			write(child)
		}
		b.WriteString("</" + e.Name + ">")
	}
	b.WriteString("<document>")
	if e := im.tree.Section(section); e != nil {
		write(e)
	}
	b.WriteString("</document>")
	return []byte(b.String())
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;", "\t", "&#9;", "\r", "&#13;")

// answer is the server's, after the switch has expanded it.
func (im *imported) answer(t *testing.T, request string) []byte {
	t.Helper()
	parsed, err := xmlcurl.ParseRequest([]byte(request))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := xmlcurl.Render(t.Context(), im.mux, parsed)
	if err != nil {
		t.Fatalf("%s: %v", request, err)
	}
	text, _ := im.tree.Expand(nil, string(answer))
	return []byte(text)
}

type outcome struct {
	Actions []string
	Found   bool
}

func outcomeOf(t *testing.T, document []byte, call hunt.Call) (o outcome) {
	t.Helper()
	plan, err := hunt.Parse(document)
	if err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	r := plan.Hunt(call)
	o.Found = r.Extension != ""
	for _, a := range r.Actions {
		o.Actions = append(o.Actions, fmt.Sprintf("%s(%s) inline=%t anti=%t", a.Application, a.Data, a.Inline, a.Anti))
	}
	return o
}

// sample is a text that an expression matches, empty if none is easily made.
func sample(expression string) string {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return ""
	}
	return sampleOf(re.Simplify())
}

func sampleOf(re *syntax.Regexp) (text string) {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		if len(re.Rune) == 0 {
			return ""
		}
		if re.Rune[0] <= '7' && re.Rune[1] >= '7' {
			return "7"
		}
		return string(max(re.Rune[0], '!'))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "7"
	case syntax.OpPlus, syntax.OpCapture, syntax.OpAlternate, syntax.OpQuest, syntax.OpStar:
		return sampleOf(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			text += sampleOf(sub)
		}
	}
	return text
}

// numbers are some that reach extensions of a context, and some that may not.
func numbers(im *imported, e *conftree.Element) (all []string) {
	all = []string{"", "0", "1000", "1001", "27123456789", "+27123456789", "9", "nobody", "s", "911"}
	var visit func(e *conftree.Element)
	visit = func(e *conftree.Element) {
		if text := im.expand(e, e.Attr("expression")); e.Attr("field") == "destination_number" {
			all = append(all, sample(text), sample(text)+"7", strings.TrimPrefix(sample(text), "+"), "+"+sample(text))
			for _, part := range strings.Split(text, "|") {
				all = append(all, sample("^"+strings.Trim(part, "^()$")+"$"))
			}
		}
		for _, child := range e.Children {
			visit(child)
		}
	}
	visit(e)
	slices.Sort(all)
	return slices.Compact(all)
}

// compareCalls compares what is done with calls of numbers in every context of the tree.
func (im *imported) compareCalls(t *testing.T) (n int) {
	t.Helper()
	tree := im.told("dialplan")
	globals := map[string]string{}
	known := im.rows("context", "name")
	for _, context := range im.tree.Section("dialplan").All("context") {
		name := context.Attr("name")
		if !slices.Contains(known, im.contextName(name)) {
			continue
		}
		for _, number := range numbers(im, context) {
			for _, variables := range []map[string]string{{}, {"sip_looped_call": "true", "unroll_loops": "true", "call_debug": "true"}} {
				call := hunt.Call{Number: number, Context: name, Fields: map[string]string{"caller_id_number": "1000"}, Variables: variables, Globals: globals,
					Complete: true, Time: time.Date(2026, 12, 1, 10, 30, 0, 0, time.UTC)}
				want := outcomeOf(t, tree, call)
				call.Context = im.contextName(name)
				got := outcomeOf(t, im.answer(t, form.Call("fs1", im.contextName(name), number).With("Event-Sequence", "7").String()), call)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s in %s:\n%s", number, name, diff)
				}
				n++
			}
		}
	}
	return n
}

// node is an element of an answer.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []*node    `xml:",any"`
}

func (n *node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// all are the elements below n that a path of names leads to.
func (n *node) all(path ...string) (found []*node) {
	if len(path) == 0 {
		return []*node{n}
	}
	for _, child := range n.Children {
		if child.XMLName.Local == path[0] {
			found = append(found, child.all(path[1:]...)...)
		}
	}
	return found
}

// who is a user as FreeSWITCH has it, with what its group and its domain say.
type who struct {
	ID, Alias, CIDR   string
	Params, Variables map[string]string
	Gateways          []string
	Other             []string
}

// userOf finds a user as switch_xml_locate_user_merged does.
func userOf(t *testing.T, document []byte, domain, id string) *who {
	t.Helper()
	var root node
	if err := xml.Unmarshal(document, &root); err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	for _, d := range root.all("section", "domain") {
		if !strings.EqualFold(d.attr("name"), domain) {
			continue
		}
		for _, g := range d.all("groups", "group") {
			for _, u := range g.all("users", "user") {
				if strings.EqualFold(u.attr("id"), id) && u.attr("type") != "pointer" {
					return merged(u, g, d)
				}
			}
		}
		for _, u := range append(d.all("users", "user"), d.all("user")...) {
			if strings.EqualFold(u.attr("id"), id) {
				return merged(u, &node{}, d)
			}
		}
	}
	return nil
}

func merged(u, group, domain *node) *who {
	w := &who{ID: strings.ToLower(u.attr("id")), Alias: u.attr("number-alias"), CIDR: networks(u.attr("cidr")), Params: map[string]string{}, Variables: map[string]string{}}
	for _, from := range []*node{domain, group, u} {
		for _, p := range from.all("params", "param") {
			w.Params[strings.ToLower(p.attr("name"))] = p.attr("value")
		}
		for _, v := range from.all("variables", "variable") {
			w.Variables[strings.ToLower(v.attr("name"))] = v.attr("value")
		}
	}
	delete(w.Params, "allow-empty-password")
	for _, g := range u.all("gateways", "gateway") {
		w.Gateways = append(w.Gateways, g.attr("name"))
	}
	for _, other := range u.Children {
		if slices.Contains(further, other.XMLName.Local) && len(other.Children) > 0 {
			w.Other = append(w.Other, other.text())
		}
	}
	return w
}

// networks are those of a list, without the bits beyond their lengths.
func networks(list string) string {
	var all []string
	for _, one := range strings.Split(list, ",") {
		if network, err := netip.ParsePrefix(one); err == nil {
			one = network.Masked().String()
		}
		all = append(all, strings.TrimSuffix(one, "/32"))
	}
	return strings.Join(all, ",")
}

func (n *node) text() string {
	text := "<" + n.XMLName.Local
	for _, a := range n.Attrs {
		text += " " + a.Name.Local + "=" + a.Value
	}
	text += ">" + strings.TrimSpace(n.Text)
	for _, child := range n.Children {
		text += child.text()
	}
	return text
}

// compareUsers compares what is told about each user of the tree.
func (im *imported) compareUsers(t *testing.T) (n int) {
	t.Helper()
	tree := im.told("directory")
	without := make(map[string]bool)
	for _, r := range im.Set.Rows {
		if login, ok := r.Value("login"); ok && login == false {
			id, _ := r.Value("id")
			without[id.(string)] = true
		}
	}
	for _, r := range im.Set.Rows {
		if r.Table != "domain_user" {
			continue
		}
		domain, _ := r.Value("domain")
		id, _ := r.Value("id")
		want := userOf(t, tree, domain.(string), id.(string))
		got := userOf(t, im.answer(t, form.Register("fs1", id.(string), domain.(string)).String()), domain.(string), id.(string))
		if want == nil || got == nil {
			t.Errorf("%s@%s: in the tree %v, from the server %v", id, domain, want, got)
			continue
		}
		want.Gateways = nil // told to profiles alone
		if without[id.(string)] {
			delete(got.Params, "password")
			delete(want.Params, "password")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s@%s:\n%s", id, domain, diff)
		}
		n++
	}
	return n
}
