package compare

import (
	"slices"
	"strings"

	"xmlcurld/internal/form"
)

// stored are the sections whose documents are stored as XML: what each holds, and what FreeSWITCH asks with.
var stored = []struct{ section, element, field string }{
	{"languages", "language", "lang"},
	{"chatplan", "context", "context"},
}

// storedSections compares languages and chatplan, element by element.
func (c *comparison) storedSections() error {
	for _, s := range stored {
		c.progress(s.section)
		seen := map[string]bool{}
		for _, tree := range c.storedIn(s.section, s.element) {
			name := tree.soft("name")
			at, row := of{s.section + " " + name, "elements"}, "document "+s.section+" "+name
			if seen[strings.ToLower(name)] {
				c.explain(at, Difference{What: "a second " + label(tree), Place: tree.place(), Meaning: "the server does not have it"},
					"FreeSWITCH never reads it: it takes the first of the name")
				continue
			}
			seen[strings.ToLower(name)] = true
			c.compared(at.document, at.counted, tree.size())
			answer, err := c.server.section(form.Section(c.Node, s.section).With(s.field, c.servedIn(s.section, name)))
			if what, err := asFault(err); err != nil || what != "" {
				c.fault(at, what)
				return err
			}
			if server := answer.child(s.element); server != nil {
				c.elements(at, tree, server, row, "")
				continue
			}
			c.found(at, Difference{What: label(tree), Place: tree.place(), Row: row, Tree: c.maskedTag(name, tree), Meaning: "the switch would not get the document"})
		}
		names, err := c.server.names(`SELECT DISTINCT name::text COLLATE "C" FROM document WHERE section = $1 AND node IN ('*', $2) ORDER BY 1`, s.section, c.Node)
		if err != nil {
			return err
		}
		for _, name := range names {
			if !seen[strings.ToLower(name)] {
				at := of{s.section + " " + name, "elements"}
				c.compared(at.document, at.counted, 1)
				c.found(at, Difference{What: name, Row: "document " + s.section + " " + name, Server: name, Meaning: "the switch would get a document that the tree does not have"})
			}
		}
	}
	return nil
}

// storedIn are the documents of a section of the tree. Without a section languages FreeSWITCH takes them from the section phrases,
// where the macros stand directly in their language.
func (c *comparison) storedIn(section, element string) []*node {
	if section != "languages" || c.tree.Section(section) != nil {
		return filled(c.tree, c.tree.Section(section)).all(element)
	}
	all := filled(c.tree, c.tree.Section("phrases")).child("macros").all(element)
	for _, language := range all {
		macros := &node{Place: language.Place, name: "macros", children: language.children}
		language.children = []*node{{Place: language.Place, name: "phrases", children: []*node{macros}}}
	}
	return all
}

// servedIn is the name that something of a section has in the rows.
func (c *comparison) servedIn(section, name string) string {
	if section == "chatplan" {
		return c.served(name)
	}
	return name
}

// known are the sections that are compared.
var known = []string{"configuration", "dialplan", "directory", "languages", "chatplan"}

// sections tells of what stands in the tree and is not compared above.
func (c *comparison) sections() error {
	for _, section := range c.tree.Document.All("section") {
		name := strings.ToLower(section.Attr("name"))
		n := filled(c.tree, section)
		at := of{"section " + name, "elements"}
		d := Difference{What: "section " + name, Place: n.place(), Tree: n.tag(), Meaning: "the server does not have it"}
		switch {
		case c.tree.Section(name) != section:
			c.explain(at, d, "FreeSWITCH never reads it: it takes the first of the name")
		case slices.Contains(known, name) || len(n.children) == 0:
		case name == "phrases" && c.tree.Section("languages") == nil: // compared as languages
		case name == "phrases":
			c.compared(at.document, at.counted, n.size())
			c.explain(at, d, "FreeSWITCH reads it only where there is no section languages")
		case name == "channels":
			c.compared(at.document, at.counted, n.size())
			d.Meaning = "the switch would not find it"
			c.found(at, d)
		default:
			c.compared(at.document, at.counted, n.size())
			c.explain(at, d, "FreeSWITCH and its modules ask for no section of this name")
		}
	}
	return nil
}
