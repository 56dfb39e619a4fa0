// Package conftree reads a tree of FreeSWITCH's configuration files as FreeSWITCH does at its start, and keeps what FreeSWITCH
// forgets: where each thing stands, and which values come from global variables.
package conftree

import (
	"fmt"
	"strings"
)

// Place is where something stands in a tree.
type Place struct {
	File string // relative to the folder of the tree, with slashes
	Line int    // from 1
}

func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Element is an element of the configuration, as switch_xml holds it. Its values are as they stand in the file: $${name} is not
// replaced. Comments are gone.
type Element struct {
	Place
	Name     string
	Attrs    []Attr
	Text     string // without what surrounds its elements
	Children []*Element
}

// Attr is an attribute.
type Attr struct{ Name, Value string }

// Attr returns an attribute's value, empty if it is not there.
func (e *Element) Attr(name string) string {
	value, _ := e.Lookup(name)
	return value
}

// Lookup returns an attribute's value, and whether it is there.
func (e *Element) Lookup(name string) (string, bool) {
	for _, a := range e.Attrs {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// All returns the children of a name, in order.
func (e *Element) All(name string) (found []*Element) {
	for _, child := range e.Children {
		if child.Name == name {
			found = append(found, child)
		}
	}
	return found
}

// Child returns the first child of a name, nil if there is none.
func (e *Element) Child(name string) *Element {
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

// Variable is a global variable that a directive of a file sets.
type Variable struct {
	Place
	Name  string
	Value string // as it stands in the file; for what Command runs or asks: what it is told
	// Command is the directive's cmd: set, or env-set, stun-set or exec-set, whose value only the switch knows.
	Command string
}

// Tree is a configuration as FreeSWITCH holds it after its start.
type Tree struct {
	Dir       string
	Document  *Element // the root: its children are the sections
	Variables []Variable
	Notes     []Note
}

// Note tells of something in the files that FreeSWITCH passes over, or that was not done.
type Note struct {
	Place
	What   string // as the file has it
	Reason string
}
