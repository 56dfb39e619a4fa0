package plan

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"xmlcurld/db/table"
	"xmlcurld/internal/check"
	"xmlcurld/internal/reconcile"
)

// Show writes a plan for people.
func (p *Plan) Show(w io.Writer) error {
	out := &printer{w: w}
	out.line("%s, %s: nothing is changed yet.", count(len(p.Statements), "statement"), count(p.Rows.Total, "row"))
	for _, s := range p.Statements {
		if strings.HasSuffix(s.Tag, " 0") && s.Line > 0 {
			out.line("Line %d: %s: it found no row.", s.Line, s.Tag)
		}
	}
	for _, warning := range p.Warnings {
		out.line("Line %d: WARNING:  %s", warning.Line, warning.Message)
		if warning.Hint != "" {
			out.line("HINT:  %s", warning.Hint)
		}
	}
	if partly := p.Partly(); partly != "" {
		out.line("%s.", partly)
	}
	out.rows(&p.Rows)
	out.documents(p)
	out.switches(p.Switches)
	out.findings("Findings that begin", p.Findings.Begin)
	out.findings("Findings that end", p.Findings.End)
	return out.err
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(n) + " " + noun + "s"
}

// thousands is n with commas.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// printer writes lines until it fails.
type printer struct {
	w   io.Writer
	err error
}

func (o *printer) line(format string, args ...any) {
	if o.err == nil {
		_, o.err = fmt.Fprintf(o.w, format+"\n", args...)
	}
}

func (o *printer) rows(r *Rows) {
	if r.Total > 0 {
		o.line("\nRows")
	}
	for _, t := range r.Tables {
		var parts []string
		for _, n := range []struct {
			n    int
			word string
		}{{t.Inserted, "inserted"}, {t.Updated, "updated"}, {t.Deleted, "deleted"}} {
			if n.n > 0 {
				parts = append(parts, thousands(n.n)+" "+n.word)
			}
		}
		var tenants []string
		for _, tenant := range t.Tenants {
			tenants = append(tenants, tenant.Tenant+" "+thousands(tenant.Rows))
		}
		of := ""
		if len(tenants) > 0 {
			of = " (" + strings.Join(tenants, ", ") + ")"
		}
		o.line("  %s: %s%s", t.Table, strings.Join(parts, ", "), of)
		shown := 0
		for _, c := range r.Examples {
			if c.Table == t.Table {
				o.change(c)
				shown++
			}
		}
		if left := t.Inserted + t.Updated + t.Deleted - shown; left > 0 {
			o.line("    … and %s more", thousands(left))
		}
	}
}

func (o *printer) change(c Change) {
	sign, columns := map[string]string{"insert": "+", "update": "~", "delete": "-"}[c.Operation], maps.Clone(c.New)
	if c.Operation == "delete" {
		columns = c.Old
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		if c.Operation == "update" {
			parts = append(parts, fmt.Sprintf("%s %s -> %s", name, shown(c.Old[name]), shown(c.New[name])))
		} else {
			parts = append(parts, name+" "+shown(columns[name]))
		}
	}
	key := c.Key
	if len(c.Of) > 0 && c.Operation == "update" {
		var of []string
		for _, name := range knownBy[c.Table] {
			if value := c.Of[name]; value != nil {
				of = append(of, name+" "+shown(value))
			}
		}
		key = strings.Join(of, ", ")
	}
	o.line("    %s %s: %s", sign, key, strings.Join(parts, ", "))
}

// valueLength is how many characters of a value are shown.
const valueLength = 60

func shown(value any) string {
	if value == nil {
		return "NULL"
	}
	text, ok := value.(string)
	if !ok {
		return fmt.Sprint(value)
	}
	if runes := []rune(text); len(runes) > valueLength {
		text = string(runes[:valueLength]) + "…"
	}
	return "'" + strings.ReplaceAll(text, "\n", `\n`) + "'"
}

// nodesShown is how many nodes with the same change are named.
const nodesShown = 3

// who names nodes: fs1, fs2 and 48 more.
func who(nodes []string) string {
	if len(nodes) == 0 {
		return "every node"
	}
	var names []string
	for _, node := range nodes {
		if node == table.Common {
			node = "nodes without rows of their own"
		}
		names = append(names, node)
	}
	if len(names) > nodesShown {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:nodesShown-1], ", "), len(names)-nodesShown+1)
	}
	return strings.Join(names, ", ")
}

func (o *printer) documents(p *Plan) {
	if len(p.Documents)+len(p.Reached) > 0 {
		o.line("\nDocuments")
	}
	for _, d := range p.Documents {
		o.line("  %s, for %s", d.Document, who(d.Nodes))
		for line := range strings.Lines(d.Diff) {
			o.line("    %s", strings.TrimSuffix(line, "\n"))
		}
		if d.Left > 0 {
			o.line("    … and %s more lines", thousands(d.Left))
		}
	}
	for _, r := range p.Reached {
		more := ""
		if r.More {
			more = "more than "
		}
		if r.By == "" {
			o.line("  Changed: %s%s", more, count(r.Count, r.Kind))
		} else {
			o.line("  Reached by %s: %s%s", r.By, more, count(r.Count, r.Kind))
		}
	}
}

func (o *printer) switches(all []reconcile.Foreseen) {
	if len(all) > 0 {
		o.line("\nSwitches")
	}
	// Those that get the same stand together.
	var groups [][]reconcile.Foreseen
	same := func(a, b *reconcile.Foreseen) bool {
		return slices.Equal(a.Commands, b.Commands) && slices.Equal(a.Restart, b.Restart) && a.Unknown == b.Unknown && len(a.Calls)+len(b.Calls)+
			len(a.Registrations)+len(b.Registrations) == 0
	}
	for _, s := range all {
		if i := slices.IndexFunc(groups, func(g []reconcile.Foreseen) bool { return same(&g[0], &s) }); i >= 0 {
			groups[i] = append(groups[i], s)
		} else {
			groups = append(groups, []reconcile.Foreseen{s})
		}
	}
	for _, g := range groups {
		var names []string
		for _, s := range g {
			names = append(names, s.Node)
		}
		o.group(who(names), &g[0])
	}
}

func (o *printer) group(names string, s *reconcile.Foreseen) {
	if len(s.Commands)+len(s.Restart) == 0 && s.Unknown == "" {
		o.line("  %s: no command", names)
		return
	}
	o.line("  %s", names)
	for _, command := range s.Commands {
		o.line("    %s", command)
	}
	for _, what := range s.Restart {
		o.line("    needs a restart: %s", what)
	}
	for _, call := range s.Calls {
		o.line("    call up on %s: %s to %s", call.On, call.Caller, call.Called)
	}
	for _, phone := range s.Registrations {
		o.line("    registration ends: %s", phone)
	}
	if s.Unknown != "" {
		o.line("    unknown: %s", s.Unknown)
	}
}

func (o *printer) findings(title string, all []check.Finding) {
	if len(all) > 0 {
		o.line("\n%s", title)
	}
	for _, f := range all {
		o.line("  %s %s: %s %s: %s", f.Severity, f.Code, f.Table, f.Key, f.What)
		o.line("    %s", f.Remedy)
	}
}
