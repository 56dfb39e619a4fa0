package xmlcurl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"xmlcurld/internal/pace"
)

// Attr is one attribute of an element.
type Attr struct {
	Name  string
	Value string // arrives in FreeSWITCH exactly as it stands here
	// Expand leaves each $${name} in Value for FreeSWITCH to replace by its global variable of that name (letters,
	// digits, underscore, dash and dot; an unknown one is replaced by nothing). The replacement is not escaped by
	// anyone, and the line it grows must stay below twice its length or 2 KiB, whichever is more.
	Expand bool
}

// A is the attribute name="value", nothing in it to be expanded.
func A(name, value string) Attr { return Attr{Name: name, Value: value} }

// Document is the inside of the one section of an answer. Elements stand one a line, since FreeSWITCH's pre-processor
// works by lines and loses bytes of one that is longer than 1 MiB.
//
// The first fault sticks and becomes the answer's error: a name or a value that XML cannot carry, a line too long,
// elements that do not close. A handler need not look.
type Document struct {
	out  []byte
	line int      // where in out the current line starts
	open []string // elements that are open, outermost first
	err  error

	turn pace.Turn // of a long document

	kind        string
	nodeUnknown bool
	stale       bool
	age         time.Duration // of a stale answer
	cause       error         // why it is stale
	withheld    []error
}

const (
	prologue = `<?xml version="1.0" encoding="UTF-8" standalone="no"?>` + "\n" + `<document type="freeswitch/xml">` + "\n"
	epilogue = "</section>\n</document>\n"

	// notFound makes mod_xml_curl go on to the next binding without a word in its log; it has to come with status 200.
	notFound = prologue + `<section name="result">` + "\n" + `<result status="not found"/>` + "\n" + epilogue

	// maxLine is what a line, its newline included, may hold, in bytes: FreeSWITCH reads at most 1 MiB less two.
	maxLine = 1<<20 - 2

	other = "other" // a kind that no handler named
)

// Open starts an element that others stand in; Close ends it.
func (d *Document) Open(element string, attrs ...Attr) {
	d.start(element, attrs)
	d.out = append(d.out, '>')
	d.newline()
	d.open = append(d.open, element)
}

// Empty writes an element without anything in it, such as <param name="…" value="…"/>.
func (d *Document) Empty(element string, attrs ...Attr) {
	d.start(element, attrs)
	d.out = append(d.out, "/>"...)
	d.newline()
}

// Close ends the element that was opened last.
func (d *Document) Close() {
	if len(d.open) == 0 {
		d.Fail(errors.New("close: no element is open"))
		return
	}
	last := len(d.open) - 1
	d.end(d.open[last])
	d.newline()
	d.open = d.open[:last]
}

// SetKind names what was asked for, finer than the section, for metrics and the log: "sip_auth", "acl.conf". Only words
// that stand in the code may be given, never a caller's or a row's.
func (d *Document) SetKind(kind string) { d.kind = kind }

// NodeUnknown says that the node that asks has no row of its own and gets the common answer. It is counted, and its name
// logged once.
func (d *Document) NodeUnknown() { d.nodeUnknown = true }

// Fail makes err the answer's error, unless it has one.
func (d *Document) Fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// Withhold says that something is left out of the answer because of what its row says. It is counted, and err logged once;
// it names the row, and no value that may be a secret.
func (d *Document) Withhold(err error) { d.withheld = append(d.withheld, err) }

// Stale says that the answer is what was right so long ago, because what is right now cannot be had, and why. It is told
// to whoever asks in a header, counted and logged.
func (d *Document) Stale(age time.Duration, cause error) { d.stale, d.age, d.cause = true, age, cause }

// fill has h write the answer to r from the first byte to the last.
func (d *Document) fill(ctx context.Context, h Handler, r *Request) error {
	d.reset()
	d.out = append(d.out, prologue...)
	d.line = len(d.out)
	d.start("section", []Attr{A("name", r.Section)})
	d.out = append(d.out, '>')
	d.newline()
	if err := h.ServeXML(ctx, r, d); err != nil {
		return err
	}
	if len(d.open) > 0 {
		d.Fail(fmt.Errorf("element %q was never closed", d.open[len(d.open)-1]))
	}
	if d.err != nil {
		return fmt.Errorf("encode: %w", d.err)
	}
	d.out = append(d.out, epilogue...)
	return nil
}

// reset empties d but keeps its memory.
func (d *Document) reset() {
	*d = Document{out: d.out[:0], open: d.open[:0], kind: other}
}

// start writes an element's tag up to its last attribute.
func (d *Document) start(element string, attrs []Attr) {
	d.name(element)
	d.out = append(append(d.out, '<'), element...)
	for i := range attrs {
		d.attr(&attrs[i])
	}
}

func (d *Document) attr(a *Attr) {
	d.name(a.Name)
	d.out = append(append(append(d.out, ' '), a.Name...), `="`...)
	if err := d.value(a.Value, a.Expand); err != nil {
		d.Fail(fmt.Errorf("attribute %q: %w", a.Name, err))
	}
	d.out = append(d.out, '"')
}

func (d *Document) end(element string) {
	d.out = append(append(append(d.out, "</"...), element...), '>')
}

func (d *Document) newline() {
	d.out = append(d.out, '\n')
	if len(d.out)-d.line > maxLine {
		d.Fail(fmt.Errorf("a line of %d bytes, FreeSWITCH reads at most %d", len(d.out)-d.line, maxLine))
	}
	d.line = len(d.out)
	d.turn.Rest()
	if d.line > keptDocument && cap(d.out)-d.line < d.line/8 {
		d.out = slices.Grow(d.out, d.line) // append would add a quarter to a long one, and copy it three times as often
	}
}

// name refuses what is no name of XML, and the two names that FreeSWITCH's pre-processor drops or runs a line for.
func (d *Document) name(name string) {
	switch {
	case !validName(name):
		d.Fail(fmt.Errorf("%q is not a name", name))
	case name == "include" || strings.Contains(strings.ToLower(name), directive):
		d.Fail(fmt.Errorf("the name %q is FreeSWITCH's pre-processor's", name))
	}
}

// validName takes ASCII names with at most one prefix; FreeSWITCH reads no other.
func validName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z', c == '_':
		case i > 0 && ('0' <= c && c <= '9' || c == '-' || c == '.' || c == ':'):
		default:
			return false
		}
	}
	return name != "" && strings.Count(name, ":") <= 1
}
