package compare

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"xmlcurld/internal/conftree"
)

// node is an element as FreeSWITCH has it in memory: with global variables filled in.
type node struct {
	conftree.Place // of the tree's; the server's have none
	name           string
	attrs          []conftree.Attr
	text           string
	children       []*node
}

// filled is e with global variables filled in, nil for nil.
func filled(t *conftree.Tree, e *conftree.Element) *node {
	if e == nil {
		return nil
	}
	expand := func(text string) string {
		value, _ := t.Expand(e, text)
		return value
	}
	n := &node{Place: e.Place, name: e.Name, text: expand(e.Text)}
	for _, a := range e.Attrs {
		n.attrs = append(n.attrs, conftree.Attr{Name: a.Name, Value: expand(a.Value)})
	}
	for _, child := range e.Children {
		n.children = append(n.children, filled(t, child))
	}
	return n
}

// attr returns an attribute's value, and whether it is there.
func (n *node) attr(name string) (string, bool) {
	for _, a := range n.attrs {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// soft returns an attribute's value, empty if it is not there.
func (n *node) soft(name string) string {
	value, _ := n.attr(name)
	return value
}

// all returns the children of a name, in order. A nil node has none.
func (n *node) all(name string) (found []*node) {
	if n == nil {
		return nil
	}
	for _, child := range n.children {
		if child.name == name {
			found = append(found, child)
		}
	}
	return found
}

// child returns the first child of a name, nil if there is none.
func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	for _, child := range n.children {
		if child.name == name {
			return child
		}
	}
	return nil
}

// place is where n stands, empty for the server's.
func (n *node) place() string {
	if n == nil || n.File == "" {
		return ""
	}
	return n.String()
}

// tag is n as XML, without what stands in it.
func (n *node) tag() string {
	var b strings.Builder
	b.WriteString("<" + n.name)
	for _, a := range n.attrs {
		b.WriteString(" " + a.Name + `="` + escaped(a.Value) + `"`)
	}
	if n.text != "" {
		b.WriteString(">" + escaped(n.text) + "</" + n.name + ">")
	} else {
		b.WriteString("/>")
	}
	return b.String()
}

// write appends n as XML.
func (n *node) write(b *bytes.Buffer) {
	b.WriteString("<" + n.name)
	for _, a := range n.attrs {
		b.WriteString(" " + a.Name + `="` + escaped(a.Value) + `"`)
	}
	b.WriteByte('>')
	b.WriteString(escaped(n.text))
	for _, child := range n.children {
		child.write(b)
	}
	b.WriteString("</" + n.name + ">")
}

var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\n", "&#10;", "\r", "&#13;", "\t", "&#9;")

func escaped(text string) string { return escapes.Replace(text) }

// read reads a document as the server answers it, with global variables filled in as FreeSWITCH's pre-processor does: before
// it is parsed. It returns the root.
func read(document []byte, globals map[string]string) (*node, error) {
	d := xml.NewDecoder(strings.NewReader(fillIn(string(document), globals)))
	open := []*node{{}}
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the server's answer: %w", err)
		}
		top := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			n := &node{name: rawName(t.Name)}
			for _, a := range t.Attr {
				n.attrs = append(n.attrs, conftree.Attr{Name: rawName(a.Name), Value: a.Value})
			}
			top.children = append(top.children, n)
			open = append(open, n)
		case xml.CharData:
			top.text += string(t)
		case xml.EndElement:
			if len(top.children) > 0 {
				top.text = strings.TrimSpace(top.text)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open[0].children) == 0 {
		return nil, fmt.Errorf("the server's answer: %w", io.ErrUnexpectedEOF)
	}
	return open[0].children[0], nil
}

func rawName(name xml.Name) string {
	if name.Space == "" {
		return name.Local
	}
	return name.Space + ":" + name.Local
}

// fillIn puts global variables into text for $${name}. What would end an attribute is escaped: FreeSWITCH's parser is
// forgiving there, and Go's is not.
func fillIn(text string, globals map[string]string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || strings.ContainsAny(name, "<>\"\n") {
			b.WriteString("$${")
			text = rest
			continue
		}
		b.WriteString(strings.NewReplacer("<", "&lt;", `"`, "&quot;").Replace(globals[name]))
		text = after
	}
}

// blanks are what FreeSWITCH takes for white space around a text.
const blanks = " \t\r\n"

// sameText reports whether two texts differ in white space around them only.
func sameText(a, b string) bool { return strings.Trim(a, blanks) == strings.Trim(b, blanks) }

// sameTag reports whether two elements have the same name, attributes in any order, and text.
func sameTag(a, b *node) bool {
	if a.name != b.name || len(a.attrs) != len(b.attrs) || !sameText(a.text, b.text) {
		return false
	}
	for _, x := range a.attrs {
		if value, ok := b.attr(x.Name); !ok || value != x.Value {
			return false
		}
	}
	return true
}

// equal reports whether two elements and all that stands in them are the same.
func equal(a, b *node) bool {
	return sameTag(a, b) && slices.EqualFunc(a.children, b.children, equal)
}

// number notes how many elements begin before each of n and of what stands in it, and returns how many begin before what follows.
func (n *node) number(order map[*node]int, count int) int {
	order[n] = count
	count++
	for _, child := range n.children {
		count = child.number(order, count)
	}
	return count
}

// size is how many elements n is, with those in it.
func (n *node) size() int {
	count := 1
	for _, child := range n.children {
		count += child.size()
	}
	return count
}
