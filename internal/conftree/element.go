// Package conftree reads a tree of FreeSWITCH's configuration files as FreeSWITCH does at its start, and keeps what FreeSWITCH
// forgets: where each thing stands, and which values come from global variables.
package conftree

import (
	"fmt"
	"strings"
)

// Place is where something stands in a tree.
type Place struct {
	File string // relative to the folder of the tree, with slashes; of what stands in no file: how people find it
	Line int    // from 1; 0 in what has no lines
}

func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Element is an element of the configuration, as switch_xml holds it. Its values are as they stand in the file: $${name} is not
// replaced. Comments are gone.
type Element struct {
	Place
	Name     string
	Attrs    []Attr
	Text     string // empty if it is blank; without what surrounds the element's children
	Children []*Element

	set      int32    // how many values the variables had been given when the element began
	literals []string // values in which $${ is text: it was written with character references
}

// Attr is an attribute.
type Attr struct{ Name, Value string }

// Attr returns an attribute's value, empty if it is not there.
func (e *Element) Attr(name string) string {
	value, _ := e.Lookup(name)
	return value
}

// Lookup returns an attribute's value, and whether it is there. Like the other lookups it finds nothing in a nil element.
func (e *Element) Lookup(name string) (string, bool) {
	if e == nil {
		return "", false
	}
	for _, a := range e.Attrs {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// All returns the children of a name, in order.
func (e *Element) All(name string) (found []*Element) {
	if e == nil {
		return nil
	}
	for _, child := range e.Children {
		if child.Name == name {
			found = append(found, child)
		}
	}
	return found
}

// Child returns the first child of a name, nil if there is none.
func (e *Element) Child(name string) *Element {
	if e == nil {
		return nil
	}
	for _, child := range e.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}

// Named returns the first child whose attribute name is value in any case, which is how FreeSWITCH finds a section, a
// configuration, a context or a domain. It returns nil if there is none.
func (e *Element) Named(child, value string) *Element {
	for _, c := range e.All(child) {
		if name, ok := c.Lookup("name"); ok && strings.EqualFold(name, value) {
			return c
		}
	}
	return nil
}

// Repeated returns the children of a name whose attribute name an earlier one has in any case. FreeSWITCH never reads such a
// section, configuration, context or domain.
func (e *Element) Repeated(child string) (repeated []*Element) {
	seen := map[string]bool{}
	for _, c := range e.All(child) {
		name, ok := c.Lookup("name")
		if !ok {
			continue
		}
		if name = strings.ToLower(name); seen[name] {
			repeated = append(repeated, c)
		}
		seen[name] = true
	}
	return repeated
}

// Variable is a global variable that a directive of a file sets.
type Variable struct {
	Place
	Name  string
	Value string // as it stands in the file; for what Command runs or asks: what it is told
	// Command is the directive's cmd: set, or env-set, stun-set or exec-set, whose value only the switch knows.
	Command string
	// Holds is the value FreeSWITCH gives the variable. It has %{ where Value has ${, and what exec-set printed if it was run.
	Holds string
}

// Tree is a configuration as FreeSWITCH holds it after its start.
type Tree struct {
	Dir       string
	Document  *Element // the root: its children are the sections
	Variables []Variable
	Notes     []Note

	variables variables
}

// Section returns the section of a name in any case, nil if there is none. FreeSWITCH does not merge sections: of two with the
// same name it reads the first.
func (t *Tree) Section(name string) *Element { return t.Document.Named("section", name) }

// Note tells of something in the files that FreeSWITCH passes over, or that was not done.
type Note struct {
	Place
	What   string // as the file has it
	Reason string
}

// Error is what keeps a tree from being read.
type Error struct {
	Place
	What string
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Place, e.What) }
