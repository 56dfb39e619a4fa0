package export

import (
	"regexp"
	"strings"
)

// element is an element of a rendered document. The encoder writes each tag on a line of its own, or an element on one line
// where text stands in it.
type element struct {
	tag    string // up to its >, or all of the element
	end    string // empty: all of it is in tag
	inside []*element
}

// inSection are the elements that stand in a document's one section.
func inSection(document []byte) []*element {
	_, rest, _ := strings.Cut(string(document), "<section ")
	_, rest, _ = strings.Cut(rest, "\n")
	rest, _, _ = strings.Cut(rest, "</section>\n</document>")
	open := []*element{{}}
	for line := range strings.Lines(rest) {
		line = strings.TrimSuffix(line, "\n")
		top := open[len(open)-1]
		if strings.HasPrefix(line, "</") {
			top.end = line
			open = open[:len(open)-1]
			continue
		}
		e := &element{tag: line}
		top.inside = append(top.inside, e)
		if !strings.HasSuffix(line, "/>") && !strings.Contains(line, "</") { // a value holds neither
			open = append(open, e)
		}
	}
	return open[0].inside
}

// is reports whether e has a name.
func (e *element) is(name string) bool {
	rest, ok := strings.CutPrefix(e.tag, "<"+name)
	return ok && strings.ContainsAny(rest[:1], " />")
}

// all are the elements of a name that stand at the end of a path.
func (e *element) all(path ...string) (found []*element) {
	if len(path) == 0 {
		return []*element{e}
	}
	for _, in := range e.inside {
		if in.is(path[0]) {
			found = append(found, in.all(path[1:]...)...)
		}
	}
	return found
}

// first is the first element at the end of a path, nil if there is none.
func (e *element) first(path ...string) *element {
	if found := e.all(path...); len(found) > 0 {
		return found[0]
	}
	return nil
}

var attribute = regexp.MustCompile(` ([\w:.-]+)="([^"]*)"`)

// attr is an attribute as it is written, references and all; empty if there is none.
func (e *element) attr(name string) string {
	for _, m := range attribute.FindAllStringSubmatch(e.tag, -1) {
		if m[1] == name {
			return m[2]
		}
	}
	return ""
}

// write writes e and what stands in it, a line a tag.
func (e *element) write(out *strings.Builder, indent string) {
	out.WriteString(indent + e.tag + "\n")
	for _, in := range e.inside {
		in.write(out, indent+"  ")
	}
	if e.end != "" {
		out.WriteString(indent + e.end + "\n")
	}
}

// text is elements as lines.
func text(all []*element) string {
	var out strings.Builder
	for _, e := range all {
		e.write(&out, "")
	}
	return out.String()
}
