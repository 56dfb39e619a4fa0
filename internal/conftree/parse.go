package conftree

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// chunk is how many bytes the parser waits for before it begins.
const chunk = 64 << 10

// maxEntity is the longest value of an entity in bytes.
const maxEntity = 1 << 20

// parser makes elements of what the preprocessor hands over, as switch_xml does: it is lenient where that is.
type parser struct {
	tree *Tree

	text   []byte    // what is not parsed yet
	marks  []mark    // where its lines come from
	values []valueAt // where the values of variables stand in it, in order
	used   int       // how many of values were passed
	failed error     // of an attempt to parse
	wait   int       // how long text is to be before parsing is tried

	open     []frame
	children []*Element // of all open elements
	made     bool       // the root is closed
	loose    bool       // the root is a section: the tree has none
	entities map[string]string
	names    map[string]string
	unset    map[string]Place // variables that were used when nobody had set them, and where first
}

// mark says where the text from an offset on comes from.
type mark struct {
	from int
	Place
	set int32 // the time of the variables
}

// frame is an open element.
type frame struct {
	*Element
	raw      []byte // its text as it stands in the file
	held     []byte // its text as FreeSWITCH holds it
	refs     int    // how many variables raw has
	children int    // where its children begin
}

// errMore says that the text ends within what was being parsed.
var errMore = errors.New("more text is needed")

func newParser(tree *Tree) *parser {
	return &parser{tree: tree, wait: chunk, names: map[string]string{}, unset: map[string]Place{}}
}

// add hands over a line.
func (p *parser) add(at Place, line expanded) error {
	if line.text == "" && len(line.values) == 0 {
		return nil
	}
	p.marks = append(p.marks, mark{len(p.text), at, p.tree.variables.times})
	for _, v := range line.values {
		p.values = append(p.values, valueAt{span{len(p.text) + v.start, len(p.text) + v.end}, v.name})
	}
	p.text = append(p.text, line.text...)
	if len(p.text) < p.wait {
		return nil
	}
	return p.parse(false)
}

// inComment tells whether what is added now stands in a comment.
func (p *parser) inComment() bool {
	if len(p.text) < chunk && p.failed == nil {
		p.failed = p.parse(false)
	}
	return bytes.HasPrefix(p.text, []byte("<!--")) && !bytes.Contains(p.text, []byte("-->"))
}

// finish says that there are no more lines.
func (p *parser) finish() error {
	if err := p.parse(true); err != nil {
		return err
	}
	switch {
	case len(p.open) > 0:
		return p.unclosed(p.open[len(p.open)-1].Place, p.open[len(p.open)-1].Name)
	case !p.made:
		return &Error{Place{Root, 1}, "there is no element in it"}
	}
	return nil
}

func (p *parser) unclosed(at Place, name string) error {
	return &Error{at, fmt.Sprintf("<%s> is never closed", name)}
}

// parse makes elements of the text. Unless it is the last, what is not complete stays until there is more.
func (p *parser) parse(last bool) error {
	if p.failed != nil {
		return p.failed
	}
	done := 0
	for done < len(p.text) {
		next, err := p.token(done)
		if errors.Is(err, errMore) {
			if !last {
				break
			}
			if err = p.incomplete(done); err == nil {
				next = len(p.text)
			}
		}
		if err != nil && !errors.Is(err, errMore) {
			return err
		}
		done = next
	}
	p.drop(done)
	p.wait = max(chunk, 2*len(p.text))
	return nil
}

// drop forgets the text before an offset.
func (p *parser) drop(done int) {
	p.text = append(p.text[:0], p.text[done:]...)
	kept := p.marks[:0]
	for i, m := range p.marks {
		if i+1 < len(p.marks) && p.marks[i+1].from <= done {
			continue
		}
		m.from = max(0, m.from-done)
		kept = append(kept, m)
	}
	p.marks = kept
	rest := p.values[:0]
	for _, v := range p.values[p.used:] {
		rest = append(rest, valueAt{span{v.start - done, v.end - done}, v.name})
	}
	p.values, p.used = rest, 0
}

// at returns where the text at an offset comes from.
func (p *parser) at(offset int) mark {
	i := sort.Search(len(p.marks), func(i int) bool { return p.marks[i].from > offset })
	return p.marks[max(0, i-1)]
}

func (p *parser) fail(offset int, format string, args ...any) error {
	return &Error{p.at(offset).Place, fmt.Sprintf(format, args...)}
}

func (p *parser) note(offset int, what, reason string) {
	p.tree.Notes = append(p.tree.Notes, Note{p.at(offset).Place, strings.TrimSpace(what), reason})
}

// find is where something stands in the text from an offset on.
func (p *parser) find(from int, what string) (int, error) {
	if from <= len(p.text) {
		if i := bytes.Index(p.text[from:], []byte(what)); i >= 0 {
			return from + i, nil
		}
	}
	return 0, errMore
}

// skip is the first offset from which the text has none of some characters.
func (p *parser) skip(from int, characters string) int {
	for from < len(p.text) && strings.IndexByte(characters, p.text[from]) >= 0 {
		from++
	}
	return from
}

// until is the first offset from which the text has one of some characters, or its end.
func (p *parser) until(from int, characters string) int {
	for from < len(p.text) && strings.IndexByte(characters, p.text[from]) < 0 {
		from++
	}
	return from
}

const (
	blanks = "\t\r\n " // where FreeSWITCH ends a name
	white  = blanks + "\v\f"
)

// token reads what begins at an offset, and returns where the next begins.
func (p *parser) token(i int) (next int, err error) {
	if p.used < len(p.values) && p.values[p.used].span == (span{i, i}) {
		if err := p.characters(i, i, content); err != nil { // a variable that nobody set, between two tags
			return 0, err
		}
	}
	if p.text[i] != '<' {
		end := p.until(i, "<")
		if end == len(p.text) {
			return 0, errMore
		}
		return end, p.characters(i, end, content)
	}
	rest := p.text[i+1:]
	switch {
	case len(rest) < len("![CDATA["):
		if i+1 == len(p.text) || !slices.Contains(rest, '>') {
			return 0, errMore
		}
	case string(rest[:8]) == "![CDATA[":
		return p.cdata(i)
	case string(rest[:8]) == "!DOCTYPE":
		return p.doctype(i)
	}
	switch c := rest[0]; {
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':' || c >= utf8.RuneSelf:
		return p.tag(i)
	case c == '/':
		return p.closing(i)
	case bytes.HasPrefix(rest, []byte("!--")):
		return p.comment(i)
	case c == '?':
		end, err := p.find(i+2, "?>")
		return end + len("?>"), err
	}
	return 0, p.fail(i, "unexpected <: write &lt; if it is text")
}

// incomplete says what is not complete at the end of all text. Text that no < follows is.
func (p *parser) incomplete(i int) error {
	if p.text[i] != '<' {
		return nil
	}
	rest := string(p.text[i:min(len(p.text), i+40)])
	switch {
	case strings.HasPrefix(rest, "<!--"):
		return p.fail(i, "a comment is never closed: write --> behind it")
	case strings.HasPrefix(rest, "<!["):
		return p.fail(i, "<![CDATA[ is never closed: write ]]> behind it")
	case strings.HasPrefix(rest, "<!"):
		return p.fail(i, "<!DOCTYPE is never closed")
	case strings.HasPrefix(rest, "<?"):
		return p.fail(i, "<? is never closed")
	}
	if end := strings.IndexAny(rest, blanks); end > 0 {
		rest = rest[:end]
	}
	return p.fail(i, "%s has no end: a > or a quotation mark is missing", rest)
}

func (p *parser) comment(i int) (next int, err error) {
	end, err := p.find(i+len("<!--"), "--")
	if err != nil {
		return 0, err
	}
	if end+2 == len(p.text) {
		return 0, errMore
	}
	if p.text[end+2] != '>' {
		return 0, p.fail(end, "-- stands within a comment, which FreeSWITCH does not bear: the comment began at line %d", p.at(i).Line)
	}
	p.pass(end)
	return end + len("-->"), nil
}

func (p *parser) cdata(i int) (next int, err error) {
	end, err := p.find(i, "]]>")
	if err != nil {
		return 0, err
	}
	return end + len("]]>"), p.characters(i+len("<![CDATA["), end, cdata)
}

// pass forgets the values of variables before an offset.
func (p *parser) pass(offset int) {
	for p.used < len(p.values) && p.values[p.used].end <= offset {
		p.used++
	}
}

// closing reads a closing tag.
func (p *parser) closing(i int) (next int, err error) {
	nameEnd := p.until(i+2, blanks+">")
	end := p.skip(nameEnd, blanks)
	if nameEnd == len(p.text) || end == len(p.text) {
		return 0, errMore
	}
	name := string(p.text[i+2 : nameEnd])
	if len(p.open) == 0 {
		return 0, p.fail(i, "</%s> closes nothing", name)
	}
	top := &p.open[len(p.open)-1]
	if top.Name != name {
		return 0, p.mismatch(i, name, top)
	}
	if p.text[end] != '>' {
		return 0, p.fail(i, "</%s has no >", name)
	}
	p.markup(i, nameEnd)
	p.pass(end)
	p.close(i)
	return end + 1, nil
}

// mismatch says what is wrong with a closing tag of another name than the open element.
func (p *parser) mismatch(i int, name string, top *frame) error {
	if slices.ContainsFunc(p.open, func(f frame) bool { return f.Name == name }) {
		return &Error{top.Place, fmt.Sprintf("<%s> is not closed before </%s> at %s: write </%s>, or /> at its end", top.Name, name, p.at(i).Place, top.Name)}
	}
	return p.fail(i, "</%s> closes nothing: the open element is <%s> at %s", name, top.Name, top.Place)
}

// close ends the open element.
func (p *parser) close(offset int) {
	top := p.open[len(p.open)-1]
	p.open = p.open[:len(p.open)-1]
	e := top.Element
	e.Children = slices.Clone(p.children[top.children:])
	p.children = p.children[:top.children]
	e.Text = top.textOf()
	if len(p.open) > 0 {
		p.children = append(p.children, e)
		return
	}
	p.root(offset, e)
}

// textOf returns the text of an element that is closed.
func (f *frame) textOf() string {
	text := f.raw
	if len(bytes.Trim(text, white)) == 0 {
		return ""
	}
	verbatim := f.refs == 0
	if len(references(string(text))) != f.refs {
		text, verbatim = f.held, true // $${ that is text, too
	}
	if len(f.Children) > 0 {
		text = bytes.Trim(text, white)
	}
	if verbatim {
		return f.verbatim(string(text))
	}
	return string(text)
}

// root takes the root, or a further section of a tree that has no root.
func (p *parser) root(offset int, e *Element) {
	if !p.made {
		p.made, p.loose = true, e.Name == "section"
		p.tree.Document = e
		return
	}
	document := p.tree.Document
	if document.Name == "section" {
		p.note(offset, "<section>", `FreeSWITCH refuses this tree: there is no element around its sections, since lines with <include> are dropped. `+
			`Write <document type="freeswitch/xml"> in the place of <include> in `+Root)
		document = &Element{Place: document.Place, Name: "document", Attrs: []Attr{{Name: "type", Value: "freeswitch/xml"}}, Children: []*Element{document}}
		p.tree.Document = document
	}
	document.Children = append(document.Children, e)
}

// tag reads an opening tag.
func (p *parser) tag(i int) (next int, err error) {
	at := p.at(i)
	j := p.until(i+1, blanks+"/>")
	nameEnd := j
	for j < len(p.text) && space(p.text[j]) {
		j++
	}
	name := string(p.text[i+1 : nameEnd])
	e := &Element{Place: at.Place, set: at.set}
	var attrs []pair
	for j < len(p.text) && p.text[j] != '/' && p.text[j] != '>' {
		var a pair
		if a, j, err = p.attr(i, j); err != nil {
			return 0, err
		}
		attrs = append(attrs, a)
	}
	if j == len(p.text) {
		return 0, errMore
	}
	alone := p.text[j] == '/'
	if alone {
		if j++; j == len(p.text) {
			return 0, errMore
		}
		if p.text[j] != '>' {
			return 0, p.fail(i, "<%s has a / that no > follows: a value must stand in quotation marks", name)
		}
	}
	if err := p.start(i, j, e, name, attrs); err != nil {
		return 0, err
	}
	if alone {
		p.close(i)
	}
	return j + 1, nil
}

// pair is where an attribute's name and value stand in the text.
type pair struct {
	name, value span
	bare        bool // it has no value
}

// attr reads an attribute of the tag at i.
func (p *parser) attr(i, j int) (a pair, next int, err error) {
	a.name.start = j
	j = p.until(j, blanks+"=/>")
	a.name.end, a.value = j, span{j, j}
	if j < len(p.text) && (p.text[j] == '=' || space(p.text[j])) {
		equals := p.skip(j, blanks+"=")
		if equals == len(p.text) {
			return a, 0, errMore
		}
		if q := p.text[equals]; q == '"' || q == '\'' {
			end := p.until(equals+1, string(q))
			if end == len(p.text) {
				return a, 0, errMore
			}
			a.value = span{equals + 1, end}
			j = end + 1
		} else {
			a.bare = true
			if bytes.IndexByte(p.text[j:equals], '=') >= 0 {
				return a, 0, p.fail(a.name.start, "the value of %s in <%s does not stand in quotation marks", p.text[a.name.start:a.name.end], p.text[i+1:p.until(i+1, blanks+"/>")])
			}
			j = equals
		}
	} else {
		a.bare = true
	}
	for j < len(p.text) && space(p.text[j]) {
		j++
	}
	return a, j, nil
}

// start opens the element of a tag from i up to end.
func (p *parser) start(i, end int, e *Element, name string, attrs []pair) error {
	if err := p.name(i, name); err != nil {
		return err
	}
	if len(p.open) == 0 && p.made && (!p.loose || name != "section") {
		return p.fail(i, "<%s> stands behind the root element <%s>, which is closed", name, p.tree.Document.Name)
	}
	e.Name = p.intern(name)
	before := i
	for _, a := range attrs {
		p.markup(before, a.value.start-1)
		before = a.value.end
		attr := string(p.text[a.name.start:a.name.end])
		if err := p.name(a.name.start, attr); err != nil {
			return err
		}
		raw, _, refs, err := p.value(e, a.value, attribute)
		if err != nil {
			return err
		}
		if refs == 0 {
			raw = e.verbatim(raw)
		}
		if _, twice := e.Lookup(attr); twice {
			p.note(a.name.start, attr+`="`+raw+`"`, "FreeSWITCH reads the first attribute of a name")
			continue
		}
		if a.bare {
			p.note(a.name.start, attr, "an attribute without a value is empty")
		}
		if e.Attrs == nil {
			e.Attrs = make([]Attr, 0, len(attrs))
		}
		e.Attrs = append(e.Attrs, Attr{Name: p.intern(attr), Value: raw})
	}
	p.markup(before, end)
	p.push(e)
	return nil
}

// name tells whether a name is one that XML can have. FreeSWITCH takes others, which nobody means.
func (p *parser) name(offset int, name string) error {
	for i, c := range name {
		switch {
		case c == utf8.RuneError:
			return p.notUTF8(offset)
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':' || c >= utf8.RuneSelf:
		case i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '.'):
		default:
			return p.fail(offset, "%q is no name: a quotation mark or a blank is missing before it or in it", name)
		}
	}
	if name == "" {
		return p.fail(offset, "an attribute has no name")
	}
	return nil
}

func (p *parser) notUTF8(offset int) error {
	return p.fail(offset, "not UTF-8: convert the file, if it is Latin-1 with iconv -f latin1 -t utf-8")
}

// intern returns one copy of equal names.
func (p *parser) intern(name string) string {
	if known, ok := p.names[name]; ok {
		return known
	}
	p.names[name] = name
	return name
}

// markup tells of variables that stand in the text from start up to end, which is no value.
func (p *parser) markup(start, end int) {
	for ; p.used < len(p.values) && p.values[p.used].end <= end; p.used++ {
		if v := p.values[p.used]; v.start >= start && v.end > v.start {
			p.note(v.start, "$${"+v.name+"}", "the variable's value is markup: it is taken as it is at the start, "+string(p.text[v.start:v.end]))
		}
	}
}

// push makes e the open element.
func (p *parser) push(e *Element) {
	f := frame{Element: e, children: len(p.children)}
	if n := len(p.open); n < cap(p.open) {
		closed := p.open[:n+1][n] // its buffers are used again
		f.raw, f.held = closed.raw[:0], closed.held[:0]
	}
	p.open = append(p.open, f)
}

// characters takes text of the open element.
func (p *parser) characters(start, end int, k kind) error {
	if len(p.open) == 0 {
		p.pass(end)
		return nil
	}
	top := &p.open[len(p.open)-1]
	if text := p.text[start:end]; len(bytes.Trim(text, white)) == 0 && p.used == len(p.values) && bytes.IndexByte(text, '\r') < 0 {
		top.raw, top.held = append(top.raw, text...), append(top.held, text...) // indentation, most of the text
		return nil
	}
	raw, held, refs, err := p.value(top.Element, span{start, end}, k)
	top.raw, top.held = append(top.raw, raw...), append(top.held, held...)
	top.refs += refs
	return err
}

// value returns a value of an element as it stands in the file and as FreeSWITCH holds it, and how many variables it has.
func (p *parser) value(e *Element, at span, k kind) (raw, held string, refs int, err error) {
	held = decode(string(p.text[at.start:at.end]), k, p.entities)
	if !utf8.ValidString(held) {
		return "", "", 0, p.notUTF8(at.start)
	}
	raw, refs, split := p.raw(at, k)
	if refs == 0 && !split {
		return held, held, 0, nil
	}
	again, unset := p.tree.variables.expand(e.set, raw)
	if again != held || split {
		p.note(at.start, raw, "a variable's value is markup, or another one where the element begins: the value is taken as it is at the start, "+held)
		return held, held, 0, nil
	}
	for _, name := range unset {
		p.use(name, p.at(at.start).Place)
	}
	return raw, held, refs, nil
}

// verbatim returns a value without variables, and remembers that $${ in it is text.
func (e *Element) verbatim(value string) string {
	if references(value) != nil {
		e.literals = append(e.literals, value)
	}
	return value
}

// raw returns a value with $${name} for the values of variables, and how many it has. It is split if a variable's value goes
// beyond it.
func (p *parser) raw(at span, k kind) (raw string, refs int, split bool) {
	var b strings.Builder
	done := at.start
	for ; p.used < len(p.values); p.used++ {
		v := p.values[p.used]
		if v.start > at.end || v.start == at.end && v.end > at.end {
			break
		}
		if v.end < at.start {
			continue
		}
		if split = split || v.start < at.start || v.end > at.end; split {
			break
		}
		b.WriteString(decode(string(p.text[done:v.start]), k, p.entities) + "$${" + v.name + "}")
		done = v.end
		refs++
	}
	b.WriteString(decode(string(p.text[done:at.end]), k, p.entities))
	return b.String(), refs, split
}

// use remembers where a variable was first used when nobody had set it.
func (p *parser) use(name string, at Place) {
	if _, known := p.unset[name]; !known {
		p.unset[name] = at
	}
}
