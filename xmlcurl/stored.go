package xmlcurl

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Stored is an element of an operator's XML, or a piece of text in it.
type Stored struct {
	Name   string // of an element; empty for text
	Attrs  []Attr
	Text   string
	Inside []*Stored // elements and text, in order
}

// Stored writes source, an operator's XML of one or several elements, so that nothing in it reaches FreeSWITCH but
// elements, attributes and text, each encoded as any other value. Comments and processing instructions are left out.
// White space in an element without other text is left out too, because FreeSWITCH takes it for the data of an
// <action>; other text is kept as it is. With expand, $${name} is left for FreeSWITCH to expand.
//
// The faults are those of [ReadStored], and names that belong to FreeSWITCH's pre-processor.
func (d *Document) Stored(source string, expand bool) {
	top, err := ReadStored(source)
	if err != nil {
		d.Fail(err)
		return
	}
	d.StoredElements(top, expand)
}

// StoredElements writes what stands in top, as [Document.Stored] does.
func (d *Document) StoredElements(top *Stored, expand bool) {
	d.storedInside(top, expand)
	if len(d.out) > d.line {
		d.newline()
	}
}

// ReadStored reads an operator's XML, and returns its elements inside one that has no name. The attributes are as
// FreeSWITCH reads them from a file: a line's end or a tab is a blank there, unless it is written as a reference (&#10;).
//
// A DOCTYPE and tags that do not balance are errors.
func ReadStored(source string) (*Stored, error) {
	top, err := readStored(source)
	if err != nil {
		return nil, fmt.Errorf("stored XML: %w", err)
	}
	return top, nil
}

func readStored(source string) (*Stored, error) {
	r := storedReader{open: []*Stored{{}}}
	decoder := xml.NewDecoder(strings.NewReader(source))
	for {
		begins := decoder.InputOffset()
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if _, isTag := token.(xml.StartElement); isTag && err == nil {
			token, err = readTag(source[begins:decoder.InputOffset()])
		}
		if err == nil {
			err = r.add(token)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(r.open) > 1 {
		return nil, fmt.Errorf("element %q is never closed", r.innermost().Name)
	}
	r.flush()
	return r.open[0], nil
}

type storedReader struct {
	open []*Stored
	text strings.Builder // what was read since the last tag: a comment may cut a word of text in two
}

func (r *storedReader) innermost() *Stored { return r.open[len(r.open)-1] }

func (r *storedReader) add(token xml.Token) error {
	switch t := token.(type) {
	case xml.CharData:
		r.text.Write(t)
	case xml.StartElement:
		r.flush()
		start := &Stored{Name: rawName(t.Name), Attrs: make([]Attr, len(t.Attr))}
		for i, a := range t.Attr {
			start.Attrs[i] = A(rawName(a.Name), a.Value)
		}
		in := r.innermost()
		in.Inside = append(in.Inside, start)
		r.open = append(r.open, start)
	case xml.EndElement:
		r.flush()
		name := rawName(t.Name)
		if len(r.open) == 1 || r.innermost().Name != name {
			return fmt.Errorf("element %q is closed but not open", name)
		}
		r.open = r.open[:len(r.open)-1]
	case xml.Directive:
		return errors.New("a DOCTYPE or another declaration is not taken")
	}
	return nil
}

// flush puts the text that was read where it stands.
func (r *storedReader) flush() {
	if r.text.Len() == 0 {
		return
	}
	in := r.innermost()
	in.Inside = append(in.Inside, &Stored{Text: r.text.String()})
	r.text.Reset()
}

// rawName is name as it was written, prefix and all.
func rawName(name xml.Name) string {
	if name.Space == "" {
		return name.Local
	}
	return name.Space + ":" + name.Local
}

// storedInside writes what stands in e: one element a line where no text stands beside it, else as it stood.
func (d *Document) storedInside(e *Stored, expand bool) {
	mixed := e.hasText()
	for _, in := range e.Inside {
		switch {
		case in.Name != "":
			d.storedElement(in, expand)
			if !mixed {
				d.newline()
			}
		case mixed:
			if err := d.value(in.Text, expand); err != nil {
				d.Fail(fmt.Errorf("stored XML: text: %w", err))
			}
		}
	}
}

func (d *Document) storedElement(e *Stored, expand bool) {
	for i := range e.Attrs {
		e.Attrs[i].Expand = expand
	}
	d.start(e.Name, e.Attrs)
	if e.isEmpty() {
		d.out = append(d.out, "/>"...)
		return
	}
	d.out = append(d.out, '>')
	if !e.hasText() {
		d.newline()
	}
	d.storedInside(e, expand)
	d.end(e.Name)
}

// Elements returns the elements of that name that stand directly in e.
func (e *Stored) Elements(name string) []*Stored {
	var all []*Stored
	for _, in := range e.Inside {
		if in.Name == name {
			all = append(all, in)
		}
	}
	return all
}

// Attr returns the value of an attribute, "" when e does not have it.
func (e *Stored) Attr(name string) string {
	for i := range e.Attrs {
		if e.Attrs[i].Name == name {
			return e.Attrs[i].Value
		}
	}
	return ""
}

// hasText reports whether text that is not only white space stands directly in e.
func (e *Stored) hasText() bool {
	for _, in := range e.Inside {
		if in.Name == "" && strings.Trim(in.Text, " \t\r\n") != "" {
			return true
		}
	}
	return false
}

// isEmpty reports whether nothing stands in e but white space.
func (e *Stored) isEmpty() bool {
	for _, in := range e.Inside {
		if in.Name != "" {
			return false
		}
	}
	return !e.hasText()
}

// blanks are what XML 1.0, section 3.3.3, and FreeSWITCH's parser make of lines' ends and tabs in an attribute.
var blanks = strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ", "\t", " ")

// readTag reads an element's tag as FreeSWITCH does. Go's decoder leaves lines' ends and tabs in attributes, where nobody can
// tell them from &#10; then. Between attributes a blank is as good.
func readTag(tag string) (xml.Token, error) {
	return xml.NewDecoder(strings.NewReader(blanks.Replace(tag))).RawToken()
}
