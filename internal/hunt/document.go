package hunt

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// element is an element of the document as switch_xml holds it.
type element struct {
	name     string
	attrs    []xml.Attr
	text     string
	children []*element
	at       int // how many elements begin before it
}

// attr returns an attribute's value, and whether it is there.
func (e *element) attr(name string) (string, bool) {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value, true
		}
	}
	return "", false
}

// soft returns an attribute's value, empty if it is not there.
func (e *element) soft(name string) string {
	value, _ := e.attr(name)
	return value
}

// all returns the children of a name, in order.
func (e *element) all(name string) (found []*element) {
	for _, child := range e.children {
		if child.name == name {
			found = append(found, child)
		}
	}
	return found
}

// child returns the first child of a name, nil if there is none.
func (e *element) child(name string) *element {
	for _, child := range e.children {
		if child.name == name {
			return child
		}
	}
	return nil
}

// named returns the first child whose attribute name is value in any case, nil if there is none.
func (e *element) named(child, value string) *element {
	for _, c := range e.all(child) {
		if name, ok := c.attr("name"); ok && strings.EqualFold(name, value) {
			return c
		}
	}
	return nil
}

// textOr returns the element's text, or else its attribute.
func (e *element) textOr(attribute string) string {
	if e.text != "" {
		return e.text
	}
	return e.soft(attribute)
}

// errNoDialplan says that a document is no answer about the dialplan.
var errNoDialplan = errors.New("the document has no section named dialplan")

// parse returns the section dialplan of a document.
func parse(document []byte) (*element, error) {
	root, err := tree(document)
	if err != nil {
		return nil, fmt.Errorf("dialplan document: %w", err)
	}
	section := root.named("section", "dialplan")
	if section == nil {
		return nil, errNoDialplan
	}
	return section, nil
}

func tree(document []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(blanksInTags(document)))
	open, count := []*element{{}}, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: t.Name.Local, attrs: t.Attr, at: count}
			count++
			top.children = append(top.children, e)
			open = append(open, e)
		case xml.CharData:
			top.text += string(t)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
	if len(open[0].children) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return open[0].children[0], nil
}

// blanksInTags makes blanks of line ends and tabs inside tags, as every parser of XML but Go's does to attributes. Those
// that are written as &#10; stay.
func blanksInTags(document []byte) []byte {
	out := bytes.Clone(document)
	for i := 0; i < len(out); i++ {
		if out[i] != '<' {
			continue
		}
		end := ">"
		switch rest := out[i:]; {
		case bytes.HasPrefix(rest, []byte("<!--")):
			end = "-->"
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			end = "]]>"
		}
		quote := byte(0)
		for ; i < len(out); i++ {
			switch c := out[i]; {
			case end != ">":
			case quote != 0 && c == quote:
				quote = 0
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
			case quote != 0 && (c == '\n' || c == '\t' || c == '\r'):
				out[i] = ' '
			}
			if quote == 0 && bytes.HasPrefix(out[i:], []byte(end)) {
				break
			}
		}
	}
	return out
}
