package xmlcurl

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// preprocess does to a document what FreeSWITCH's pre-processor does to it, line by line, before it is parsed. trouble
// tells of every line that vanished, was run or was damaged; that of the XML declaration is expected and left out.
func preprocess(document string, globals func(string) string) (parsed string, trouble []string) {
	var out strings.Builder
	for number, line := range lines(document) {
		expanded, ok := expandVars(line, globals)
		switch {
		case number == 0 && strings.TrimSpace(line) == `<?xml version="1.0" encoding="UTF-8" standalone="no"?>`:
		case len(line) > 1<<20-2:
			trouble = append(trouble, "line cut: "+line[:40])
		case strings.Contains(line, "<include>"), strings.Contains(line, "</include>"), strings.Contains(line, "<?"):
			trouble = append(trouble, "line dropped: "+line)
		case strings.Contains(lowerASCII(expanded), "x-pre-process"), strings.Contains(expanded, "<!--#"):
			trouble = append(trouble, "directive: "+line)
		case !ok:
			trouble = append(trouble, "variable not terminated: "+line)
		default:
			out.WriteString(expanded)
		}
	}
	return out.String(), trouble
}

// lines cuts behind each newline and each carriage return.
func lines(document string) []string {
	var all []string
	for document != "" {
		end := strings.IndexAny(document, "\r\n") + 1
		if end == 0 {
			end = len(document)
		}
		all = append(all, document[:end])
		document = document[end:]
	}
	return all
}

// expandVars replaces each $${…}, where braces inside nest.
func expandVars(line string, globals func(string) string) (string, bool) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(line, "$${")
		out.WriteString(before)
		if !found {
			return out.String(), true
		}
		depth, end := 1, 0
		for ; end < len(after) && depth > 0; end++ {
			switch after[end] {
			case '{':
				depth++
			case '}':
				depth--
			}
		}
		if depth > 0 {
			return "", false
		}
		out.WriteString(globals(after[:end-1]))
		line = after[end:]
	}
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// element is an element as FreeSWITCH's parser sees it, with the white space of pure containers left out.
type element struct {
	Name    string
	Attrs   []Attr
	Inside  []any // string or *element
	blank   bool  // nothing but white space stands in it
	hasText bool
}

// parse reads one or several elements, and returns them inside an element without a name.
func parse(document string) (*element, error) {
	open := []*element{{}}
	decoder := xml.NewDecoder(strings.NewReader(document))
	for {
		in := open[len(open)-1]
		token, err := decoder.RawToken()
		switch t := token.(type) {
		case nil:
			if !errors.Is(err, io.EOF) {
				return nil, err
			}
			if len(open) > 1 {
				return nil, fmt.Errorf("<%s> is not closed", in.Name)
			}
			in.settle()
			return in, nil
		case xml.CharData:
			in.addText(string(t))
		case xml.StartElement:
			e := &element{Name: rawName(t.Name)}
			for _, a := range t.Attr {
				e.Attrs = append(e.Attrs, A(rawName(a.Name), a.Value))
			}
			in.Inside = append(in.Inside, e)
			open = append(open, e)
		case xml.EndElement:
			if in.Name != rawName(t.Name) || len(open) == 1 {
				return nil, fmt.Errorf("</%s> closes <%s>", rawName(t.Name), in.Name)
			}
			in.settle()
			open = open[:len(open)-1]
		case xml.Directive:
			return nil, errors.New("declaration")
		}
	}
}

func (e *element) addText(s string) {
	e.hasText = e.hasText || strings.Trim(s, " \t\r\n") != ""
	if last := len(e.Inside) - 1; last >= 0 {
		if before, ok := e.Inside[last].(string); ok {
			e.Inside[last] = before + s
			return
		}
	}
	if s != "" {
		e.Inside = append(e.Inside, s)
	}
}

// settle drops the white space of an element without other text.
func (e *element) settle() {
	if e.hasText {
		return
	}
	var inside []any
	for _, i := range e.Inside {
		if _, ok := i.(string); !ok {
			inside = append(inside, i)
		}
	}
	e.blank = len(e.Inside) > 0 && len(inside) == 0
	e.Inside = inside
}

// each calls f with e and every element within.
func (e *element) each(f func(*element)) {
	f(e)
	for _, i := range e.Inside {
		if child, ok := i.(*element); ok {
			child.each(f)
		}
	}
}

// expand replaces $${name} in e's values and text the way an operator expects it.
func (e *element) expand(globals func(string) string) {
	e.each(func(e *element) {
		for i := range e.Attrs {
			e.Attrs[i].Value = expectExpanded(e.Attrs[i].Value, globals)
		}
		for i := range e.Inside {
			if s, ok := e.Inside[i].(string); ok {
				e.Inside[i] = expectExpanded(s, globals)
			}
		}
	})
}

func expectExpanded(s string, globals func(string) string) string {
	return variablePattern.ReplaceAllStringFunc(s, func(v string) string { return globals(v[3 : len(v)-1]) })
}

// sectionOf writes a whole answer with write, and returns what of it arrives in FreeSWITCH's section element.
func sectionOf(t testing.TB, globals func(string) string, write func(d *Document)) (*element, error) {
	t.Helper()
	out, err := Render(t.Context(), writes(write), &Request{Section: "dialplan"})
	if err != nil {
		return nil, err
	}
	parsed, trouble := preprocess(string(out), globals)
	if len(trouble) > 0 {
		t.Fatalf("the pre-processor did something: %q", trouble)
	}
	top, err := parse(parsed)
	if err != nil {
		t.Fatalf("parse: %v\n%s", err, parsed)
	}
	if len(top.Inside) != 1 {
		t.Fatalf("%d elements at the top", len(top.Inside))
	}
	document := top.Inside[0].(*element)
	section := document.Inside[0].(*element)
	if document.Name != "document" || len(document.Inside) != 1 || section.Name != "section" {
		t.Fatalf("not one section in one document: %s", parsed)
	}
	return section, nil
}
