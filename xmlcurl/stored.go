package xmlcurl

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Stored writes source, an operator's XML of one or several elements, token by token, so that nothing in it reaches
// FreeSWITCH but elements, attributes and text, each encoded as any other value. Comments and processing instructions
// are left out. White space in an element without other text is left out too, because FreeSWITCH takes it for the data
// of an <action>; other text is kept as it is. With expand, $${name} is left for FreeSWITCH to expand.
//
// A DOCTYPE, tags that do not balance and names that belong to FreeSWITCH's pre-processor are faults.
func (d *Document) Stored(source string, expand bool) {
	tokens, err := parseStored(source)
	if err != nil {
		d.Fail(fmt.Errorf("stored XML: %w", err))
		return
	}
	w := storedWriter{d: d, expand: expand, inline: []bool{tokens[0].mixed}}
	for _, t := range tokens[1:] {
		w.write(t)
	}
	if len(d.out) > d.line {
		d.newline()
	}
}

// stored is one token of an operator's XML.
type stored struct {
	kind  byte // '<' starts an element, '>' ends it, 't' is text
	name  string
	attrs []xml.Attr
	text  string
	mixed bool // of a start: text that is not only white space stands directly in the element
	empty bool // of a start: nothing stands in the element
}

// parseStored returns source's tokens behind one that stands for the place where they will be put.
func parseStored(source string) ([]*stored, error) {
	top := &stored{kind: '<'}
	p := storedParser{tokens: []*stored{top}, open: []*stored{top}}
	decoder := xml.NewDecoder(strings.NewReader(source))
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = p.add(token)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(p.open) > 1 {
		return nil, fmt.Errorf("element %q is never closed", p.innermost().name)
	}
	p.flush()
	return p.tokens, nil
}

type storedParser struct {
	tokens []*stored
	open   []*stored
	text   strings.Builder // what was read since the last tag: a comment may cut a word of text in two
}

func (p *storedParser) innermost() *stored { return p.open[len(p.open)-1] }

func (p *storedParser) add(token xml.Token) error {
	switch t := token.(type) {
	case xml.CharData:
		p.text.Write(t)
	case xml.StartElement:
		p.flush()
		start := &stored{kind: '<', name: rawName(t.Name), attrs: t.Copy().Attr, empty: true}
		p.innermost().empty = false
		p.open = append(p.open, start)
		p.tokens = append(p.tokens, start)
	case xml.EndElement:
		p.flush()
		name := rawName(t.Name)
		if len(p.open) == 1 || p.innermost().name != name {
			return fmt.Errorf("element %q is closed but not open", name)
		}
		p.open = p.open[:len(p.open)-1]
		p.tokens = append(p.tokens, &stored{kind: '>', name: name})
	case xml.Directive:
		return errors.New("a DOCTYPE or another declaration is not taken")
	}
	return nil
}

// flush makes the text that was read a token.
func (p *storedParser) flush() {
	if p.text.Len() == 0 {
		return
	}
	text, in := p.text.String(), p.innermost()
	p.text.Reset()
	if strings.Trim(text, " \t\r\n") != "" {
		in.mixed, in.empty = true, false
	}
	p.tokens = append(p.tokens, &stored{kind: 't', text: text})
}

// rawName is name as it was written, prefix and all.
func rawName(name xml.Name) string {
	if name.Space == "" {
		return name.Local
	}
	return name.Space + ":" + name.Local
}

// storedWriter puts tokens into a document: one element a line where no text stands beside it, else as it stood.
type storedWriter struct {
	d      *Document
	expand bool
	inline []bool // for each open element: text stands in it
	hollow bool   // the element just started is written already, its end is skipped
}

func (w *storedWriter) write(t *stored) {
	switch t.kind {
	case '<':
		w.start(t)
	case '>':
		w.end(t)
	case 't':
		if w.inline[len(w.inline)-1] {
			if err := w.d.value(t.text, w.expand); err != nil {
				w.d.Fail(fmt.Errorf("stored XML: text: %w", err))
			}
		}
	}
}

func (w *storedWriter) start(t *stored) {
	attrs := make([]Attr, len(t.attrs))
	for i, a := range t.attrs {
		attrs[i] = Attr{Name: rawName(a.Name), Value: a.Value, Expand: w.expand}
	}
	w.d.start(t.name, attrs)
	w.hollow = t.empty
	if t.empty {
		w.d.out = append(w.d.out, '/')
	}
	w.d.out = append(w.d.out, '>')
	w.inline = append(w.inline, t.mixed)
	if !t.empty {
		w.newline()
	}
}

func (w *storedWriter) end(t *stored) {
	w.inline = w.inline[:len(w.inline)-1]
	if !w.hollow {
		w.d.end(t.name)
	}
	w.hollow = false
	w.newline()
}

// newline ends the line unless it would add to an element's text.
func (w *storedWriter) newline() {
	if !w.inline[len(w.inline)-1] {
		w.d.newline()
	}
}
