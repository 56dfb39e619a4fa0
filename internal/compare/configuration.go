package compare

import (
	"fmt"
	"slices"
	"strings"
)

// configuration is a configuration document of the tree with global variables filled in, nil if the tree has none of the name.
func (c *comparison) configuration(name string) *node {
	if c.filled == nil {
		c.filled = map[string]*node{}
	}
	if n, ok := c.filled[name]; ok {
		return n
	}
	n := filled(c.tree, c.tree.Section("configuration").Named("configuration", name))
	c.filled[name] = n
	return n
}

// apart are the configuration documents that are not compared element by element.
var apart = []string{
	"modules.conf", "post_load_modules.conf", "switch.conf", "post_load_switch.conf", "acl.conf", "event_socket.conf", "sofia.conf",
}

// early are the documents that FreeSWITCH reads before it can ask for them, and what it reads them from then.
var early = []string{"pre_load_modules.conf", "msrp.conf", "speex.conf", "console.conf", "logfile.conf", "xml_curl.conf"}

// configurations compares all other configuration documents, element by element.
func (c *comparison) configurations() error {
	c.progress("configuration documents")
	section := c.tree.Section("configuration")
	var names []string
	for _, e := range section.All("configuration") {
		if name, ok := e.Lookup("name"); ok && !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			names = append(names, name)
		}
	}
	for _, e := range section.Repeated("configuration") {
		name := e.Attr("name")
		at := of{name, "elements"}
		c.explain(at, Difference{
			What: "a second " + name, Place: e.String(), Tree: c.maskedTag(name, &node{name: e.Name, attrs: e.Attrs}),
			Meaning: "the server does not have it",
		}, "FreeSWITCH never reads it: it takes the first of the name")
	}
	for _, name := range names {
		if !slices.Contains(apart, strings.ToLower(name)) {
			if err := c.document(name); err != nil {
				return err
			}
		}
	}
	return c.documentsOfServer(names)
}

// document compares one document.
func (c *comparison) document(name string) error {
	at, tree, row := of{name, "elements"}, c.configuration(name), "document configuration "+name
	c.compared(at.document, at.counted, tree.size())
	if slices.Contains(early, strings.ToLower(name)) {
		if own := bootstrapDocument(name); own == nil || !equal(tree, own) {
			c.explain(at, Difference{
				What: name, Place: tree.place(), Tree: c.maskedTag(name, tree), Server: c.maskedTag(name, own), Meaning: "the switch takes the bootstrap's, or none",
			}, "FreeSWITCH reads it before it can ask a server: what is to stay of it goes into the bootstrap's autoload_configs")
		}
		return nil
	}
	answer, err := c.server.configuration(name)
	if what, err := asFault(err); err != nil || what != "" {
		c.fault(at, what)
		return err
	}
	if answer == nil {
		c.found(at, Difference{
			What: name, Place: tree.place(), Row: row, Tree: c.maskedTag(name, tree), Meaning: "the switch would not get the document",
		})
		return nil
	}
	c.elements(at, tree, answer, row, "")
	if name == "timezones.conf" {
		c.explain(at, Difference{What: name, Place: tree.place(), Row: row, Meaning: "the switch asks for it at reloadxml, and not before"},
			"FreeSWITCH reads it before it can ask a server")
	}
	return nil
}

// documentsOfServer tells of the documents that only the server has.
func (c *comparison) documentsOfServer(names []string) error {
	stored, err := c.server.names(`SELECT DISTINCT name::text COLLATE "C" FROM document WHERE section = 'configuration' AND node IN ('*', $1) ORDER BY 1`, c.Node)
	if err != nil {
		return err
	}
	for _, name := range stored {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			at := of{name, "elements"}
			c.compared(at.document, at.counted, 1)
			c.found(at, Difference{
				What: name, Row: "document configuration " + name, Server: name, Meaning: "the switch would get a document that the tree does not have",
			})
		}
	}
	return nil
}

// elements compares two elements with all that stands in them. Comments, white space and the order of attributes are nothing.
func (c *comparison) elements(at of, tree, server *node, row, in string) {
	if !sameTag(tree, server) {
		c.found(at, Difference{
			What: joined(in, label(tree)), Place: tree.place(), Row: row, Tree: c.maskedTag(in, tree), Server: c.maskedTag(in, server),
			Meaning: "the switch would be told something else",
		})
	}
	if slices.EqualFunc(tree.children, server.children, equal) {
		return
	}
	inside := joined(in, label(tree))
	if in == "" && strings.EqualFold(tree.soft("name"), at.document) {
		inside = ""
	}
	pairs, lost, added, moved := matched(tree.children, server.children)
	for _, p := range pairs {
		c.elements(at, p[0], p[1], row, inside)
	}
	for _, n := range lost {
		c.found(at, Difference{
			What: joined(inside, label(n)), Place: n.place(), Row: row, Tree: c.maskedTag(in, n), Meaning: "the switch would not be told it",
		})
	}
	for _, n := range added {
		c.found(at, Difference{
			What: joined(inside, label(n)), Row: row, Server: c.maskedTag(in, n), Meaning: "the switch would be told something that the tree does not say",
		})
	}
	if moved != nil {
		c.found(at, Difference{
			What: joined(inside, label(moved)), Place: moved.place(), Row: row, Tree: c.maskedTag(in, moved), Meaning: "the switch would be told it in another order",
		})
	}
}

// label names an element among its like.
func label(n *node) string {
	for _, name := range []string{"name", "id", "field", "application", "function", "pattern", "module"} {
		if value, ok := n.attr(name); ok {
			return fmt.Sprintf("%s %s", n.name, value)
		}
	}
	return n.name
}

// matched pairs elements that have the same label, the first with the first. Moved is the first of the pairs that has another
// place among them.
func matched(tree, server []*node) (pairs [][2]*node, lost, added []*node, moved *node) {
	waiting := map[string][]int{}
	for i, n := range server {
		waiting[label(n)] = append(waiting[label(n)], i)
	}
	last := -1
	for _, n := range tree {
		rest := waiting[label(n)]
		if len(rest) == 0 {
			lost = append(lost, n)
			continue
		}
		waiting[label(n)] = rest[1:]
		pairs = append(pairs, [2]*node{n, server[rest[0]]})
		if rest[0] < last && moved == nil {
			moved = n
		}
		last = max(last, rest[0])
	}
	for _, rest := range waiting {
		for _, i := range rest {
			added = append(added, server[i])
		}
	}
	return pairs, lost, added, moved
}
