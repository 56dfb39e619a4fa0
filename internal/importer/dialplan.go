package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"xmlcurld/internal/conftree"
	"xmlcurld/internal/rowset"
)

// dialplan adds the contexts of the section dialplan, with all that stands in them.
func (in *importer) dialplan(section *conftree.Element) {
	first := make(map[string]conftree.Place)
	for _, c := range section.Children {
		if c.Name != "context" {
			in.leave(c, "<"+c.Name+">", "FreeSWITCH reads nothing but contexts here", "Delete it.")
			continue
		}
		name := in.expand(c, c.Attr("name"))
		what := fmt.Sprintf("context %q", name)
		before, again := first[strings.ToLower(name)]
		switch {
		case again:
			in.leave(c, what, "FreeSWITCH reads only the first context of a name, in "+before.String(), "Delete it, or move its extensions there.")
			continue
		case strings.EqualFold(name, "global"):
			in.leave(c, what, "FreeSWITCH takes it for every context that it does not find, and the server answers for those itself",
				"Name the contexts that it is for, and give each its extensions.")
		case !isLabel(in.contextName(name)):
			in.leave(c, what, "no context of the server can have this name", "Say --context "+name+"=NAME.")
		default:
			in.context(c, in.contextName(name))
		}
		first[strings.ToLower(name)] = c.Place
	}
}

// contextName is what a context of the tree is called in the database.
func (in *importer) contextName(name string) string {
	for from, to := range in.options.Contexts {
		if strings.EqualFold(from, name) {
			return to
		}
	}
	return name
}

var label = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}$`)

func isLabel(name string) bool { return label.MatchString(name) }

// nothing is the extension for a number that nobody has: without conditions, so that FreeSWITCH itself ends the call as it does on
// a tree.
const nothing = "nothing"

// context adds a context. Its extensions that are for one number become that number's; the others are asked in order.
func (in *importer) context(c *conftree.Element, name string) {
	p := in.planOf(c)
	if _, there := in.extensions[nothing]; !there {
		in.extensions[nothing] = true
		in.Set.Add("extension", c.String(), rowset.C("name", nothing), rowset.C("note", "For numbers that nobody has: FreeSWITCH ends the call itself, with 404."))
	}
	columns := []rowset.Column{rowset.C("name", name), rowset.C("not_found_extension", nothing)}
	if p.bare {
		columns = append(columns, rowset.C("number_forms", []string{"plus", "bare"}))
	}
	in.Set.Add("context", c.String(), columns...)
	in.contexts[name] = true
	step := max(1, min(10, positionMost/max(1, len(p.extensions))))
	for i, x := range p.extensions {
		extension := in.shared[x.element]
		if _, again := in.shared[x.element]; !again || x.owns {
			extension = in.extension(x, name)
		}
		if !x.owns {
			in.shared[x.element] = extension
		}
		switch {
		case extension == "":
		case x.owns:
			for _, number := range p.rows(x) {
				in.Set.Add("number", x.element.String(), rowset.C("context", name), rowset.C("number", number),
					rowset.C("tenant", in.tenant(x.element)), rowset.C("extension", extension))
			}
		default:
			columns := []rowset.Column{rowset.C("context", name), rowset.C("extension", extension), rowset.C("position", (i+1)*step)}
			in.Set.Add("context_extension", x.element.String(), withTrue(withTrue(columns, "before_number", x.before), "after_number", x.after)...)
		}
	}
}

// positionMost is the highest position that a row of context_extension can have.
const positionMost = 32767

// withTrue adds a column that is true, if it is.
func withTrue(columns []rowset.Column, name string, on bool) []rowset.Column {
	if on {
		return append(columns, rowset.C(name, true))
	}
	return columns
}

// extension adds an extension with its conditions and actions, and returns the name of its row, empty for one that cannot be
// carried, or that does nothing.
func (in *importer) extension(x *planned, context string) string {
	e := x.element
	in.readsAll(e, []string{"name", "continue"}, []string{"condition"})
	name, note := in.extensionName(e, context)
	columns := withTrue([]rowset.Column{rowset.C("name", name)}, "continue", x.goesOn)
	rules := &rules{importer: in, extension: name}
	switch {
	case x.owns:
		rules.actions(e.Child("condition"), nil)
	default:
		rules.of(e)
	}
	if rules.fault == "" {
		in.Set.Add("extension", e.String(), append(columns, rowset.C("note", note))...)
		in.Set.Rows = append(in.Set.Rows, rules.rows.Rows...)
		return name
	}
	body, why := bodyOf(e)
	if why == "" && directive.MatchString(body) {
		why = "it holds what FreeSWITCH's pre-processor would act on"
	}
	if why == "" && strings.Contains(body, "%{") {
		why = "%{ stands in it, by which the server fills in the values of a number"
	}
	if why != "" {
		in.leave(e, fmt.Sprintf("extension %q", e.Attr("name")), why, "Write it otherwise in the tree, and import again.")
		return ""
	}
	columns = withTrue(append(columns, rowset.C("body", body)), "expand", refers(e))
	in.Set.Add("extension", e.String(), append(columns, rowset.C("note", strings.TrimSpace(note+" As XML, since in rows "+rules.fault+".")))...)
	return name
}

// refers reports whether global variables stand anywhere in e.
func refers(e *conftree.Element) bool {
	return e.Refers(e.Text) || slices.ContainsFunc(e.Attrs, func(a conftree.Attr) bool { return e.Refers(a.Value) }) || slices.ContainsFunc(e.Children, refers)
}

// bodyOf is the conditions of an extension as XML.
func bodyOf(e *conftree.Element) (body, why string) {
	for _, c := range e.All("condition") {
		body += c.XML("")
	}
	body = strings.TrimSuffix(body, "\n")
	if notInXML.MatchString(body) {
		return "", "it holds a control character, which XML cannot carry"
	}
	return body, ""
}

var notInXML = regexp.MustCompile(`[\x00-\x08\x0b\x0c\x0e-\x1f\x{fffe}\x{ffff}]`)

var directive = regexp.MustCompile(`(?i)x-pre-process|<!DOCTYPE|<include[\s/>]`)

var notInLabel = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// extensionName chooses a name that no other extension has. The note tells what it was in the tree, if that was another.
func (in *importer) extensionName(e *conftree.Element, context string) (name, note string) {
	written := in.expand(e, e.Attr("name"))
	plain := strings.Trim(notInLabel.ReplaceAllString(written, "-"), ".-")
	if plain == "" {
		plain = "extension"
	}
	plain = plain[:min(len(plain), 50)]
	name = plain
	for n := 1; in.extensions[name]; n++ {
		name = context[:min(len(context), 63-len(plain)-5)] + "." + plain
		if n > 1 {
			name = fmt.Sprintf("%s-%d", name[:min(len(name), 57)], n)
		}
	}
	in.extensions[name] = true
	switch {
	case written == "":
		note = "In the tree it has no name."
	case name != written:
		note = fmt.Sprintf("In the tree its name is %q.", written)
	}
	return name, note
}

// namesContext tells of an action that names a context which has another name in the database.
func (in *importer) namesContext(a *conftree.Element, data string) {
	for from, to := range in.options.Contexts {
		if from != to && regexp.MustCompile(`(?i) XML `+regexp.QuoteMeta(from)+`\b`).MatchString(data) {
			in.leave(a, fmt.Sprintf("%s to %q", a.Attr("application"), data), "context "+from+" is "+to+" now, and the action still names the former",
				"Write "+to+" into its data.")
		}
	}
}

// readsAll leaves attributes and elements of e that FreeSWITCH does not read.
func (in *importer) readsAll(e *conftree.Element, attrs, children []string) {
	for _, a := range e.Attrs {
		if !slices.Contains(attrs, a.Name) {
			in.unread(e, fmt.Sprintf("attribute %s of <%s>", a.Name, e.Name))
		}
	}
	for _, child := range e.Children {
		if !slices.Contains(children, child.Name) {
			in.unread(child, fmt.Sprintf("<%s> in <%s>", child.Name, e.Name))
		}
	}
}
