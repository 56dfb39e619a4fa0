package conftree

import (
	"slices"
	"strings"
)

// XML writes an element as a person would: each element on a line of its own, two blanks further in than the one around it. indent
// stands before the first. $${name} stays as it is. What is written reads back as the same element.
func (e *Element) XML(indent string) string {
	var b strings.Builder
	e.write(&b, indent)
	return b.String()
}

func (e *Element) write(b *strings.Builder, indent string) {
	b.WriteString(indent + "<" + e.Name)
	for _, a := range e.Attrs {
		b.WriteString(" " + a.Name + `="` + e.escape(a.Value, inAttribute) + `"`)
	}
	switch {
	case len(e.Children) == 0 && e.Text == "":
		b.WriteString("/>\n")
		return
	case len(e.Children) == 0:
		b.WriteString(">" + e.escape(e.Text, inText) + "</" + e.Name + ">\n")
		return
	}
	b.WriteString(">\n")
	if e.Text != "" {
		b.WriteString(indent + "  " + e.escape(e.Text, inText) + "\n")
	}
	for _, child := range e.Children {
		child.write(b, indent+"  ")
	}
	b.WriteString(indent + "</" + e.Name + ">\n")
}

var (
	inText      = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")
	inAttribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\t", "&#9;", "\n", "&#10;", "\r", "&#13;")
)

// escape writes a value. What the preprocessor would take for a variable or a directive, and is text, is written with character
// references.
func (e *Element) escape(value string, with *strings.Replacer) string {
	var b strings.Builder
	done := 0
	if !slices.Contains(e.literals, value) {
		for _, r := range references(value) {
			b.WriteString(plain(value[done:r.start], with) + value[r.start:r.end])
			done = r.end
		}
	}
	return b.String() + plain(value[done:], with)
}

func plain(text string, with *strings.Replacer) string {
	text = strings.ReplaceAll(with.Replace(text), "$${", "&#36;&#36;{")
	for i := directiveIn(text); i >= 0; i = directiveIn(text) {
		text = text[:i+1] + "&#45;" + text[i+2:]
	}
	return text
}
