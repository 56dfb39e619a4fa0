package mask

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"
)

// Document is an XML document without its secrets, and else byte for byte what it was. The place of a secret is its element, with
// those around it and their names. Comments, which no answer of this server has, are masked whole. From the place where it
// cannot be read as XML, all of it is one mark.
func (m *Masker) Document(document []byte) []byte {
	s := scanner{masker: m, rest: document, out: make([]byte, 0, len(document))}
	for len(s.rest) > 0 {
		if err := s.next(); err != nil {
			return append(s.out, m.whole(s.place(), string(s.rest))...)
		}
	}
	return s.out
}

// scanner copies a document, piece by piece.
type scanner struct {
	masker *Masker
	rest   []byte // what is not copied
	out    []byte
	open   []element // outermost first
}

type element struct {
	name   string
	place  string // its path, with the names that elements have
	secret bool   // all that stands in it is a secret, for its own name or for that of one around it
	text   bool   // the text that stands directly in it is one
}

var (
	errNotXML   = errors.New("not XML")
	declaration = regexp.MustCompile(`^<\?xml(\s+(version="1\.0"|encoding="(?i:utf-8)"|standalone="(yes|no)"))*\s*\?>`)
	byteOrder   = []byte("\ufeff")
)

// next copies the text before the next tag, or that tag.
func (s *scanner) next() error {
	if len(s.out) == 0 {
		if bytes.HasPrefix(s.rest, byteOrder) {
			s.copy(len(byteOrder))
		}
		s.copy(len(declaration.Find(s.rest)))
	}
	if len(s.rest) == 0 {
		return nil
	}
	text, err := readText(s.rest)
	if err != nil {
		return err
	}
	if len(text.raw) > 0 {
		return s.copyText(text)
	}
	return s.tag()
}

// place is where the scanner is.
func (s *scanner) place() string {
	if len(s.open) == 0 {
		return ""
	}
	return s.open[len(s.open)-1].place
}

func (s *scanner) copy(n int) {
	s.out = append(s.out, s.rest[:n]...)
	s.rest = s.rest[n:]
}

func (s *scanner) copyText(text value) error {
	if len(s.open) == 0 {
		if strings.TrimSpace(text.decoded) != "" {
			return errNotXML
		}
	} else if in := s.open[len(s.open)-1]; in.secret || in.text {
		text.secret = true
	}
	s.out = s.masker.appendValue(s.out, s.place(), text)
	s.rest = s.rest[len(text.raw):]
	return nil
}

// attribute is where an attribute's value stands in a tag.
type attribute struct {
	name     string // in lower case, without prefix
	fullName string
	value    value
	from     int
}

// Where a param, a variable or a condition says its name, and where its value.
var (
	saysName  = []string{"name", "key", "id", "field", "variable", "var"}
	saysValue = []string{"value", "val", "data", "expression", "default", "param", "content", "text"}
)

// tag copies the tag that the rest begins with.
func (s *scanner) tag() error {
	if bytes.HasPrefix(s.rest, []byte("</")) {
		return s.endTag()
	}
	name, attributes, n, err := readTag(s.rest)
	if err != nil {
		return err
	}
	in := element{name: name, place: s.place() + "/" + name, secret: s.masker.isSecret(name)}
	if len(s.open) > 0 {
		in.secret = in.secret || s.open[len(s.open)-1].secret
	}
	in.text = slices.ContainsFunc(attributes, func(a attribute) bool {
		return slices.Contains(saysName, a.name) && s.masker.isSecret(a.value.decoded)
	})
	conference := slices.ContainsFunc(attributes, func(a attribute) bool {
		return a.name == "application" && takesPIN(a.value.decoded)
	})
	for _, a := range attributes {
		if slices.Contains(saysName, a.name) || a.name == "application" {
			in.place += " " + a.value.decoded
		}
	}
	done := 0
	for _, a := range attributes {
		s.out = append(s.out, s.rest[done:a.from]...)
		done = a.from + len(a.value.raw)
		named := in.text && slices.Contains(saysValue, a.name)
		a.value.secret = named || s.masker.isSecret(a.fullName) || in.secret && !slices.Contains(saysName, a.name)
		if conference && a.name == "data" {
			a.value.more = pinOf(a.value.decoded)
		}
		s.out = s.masker.appendValue(s.out, in.place+" @"+a.fullName, a.value)
	}
	s.out = append(s.out, s.rest[done:n]...)
	if s.rest[n-2] != '/' {
		s.open = append(s.open, in)
	}
	s.rest = s.rest[n:]
	return nil
}

func (s *scanner) endTag() error {
	end := bytes.IndexByte(s.rest, '>')
	last := len(s.open) - 1
	if end < 0 || last < 0 || strings.TrimRight(string(s.rest[2:end]), blanks) != s.open[last].name {
		return errNotXML
	}
	s.open = s.open[:last]
	s.copy(end + 1)
	return nil
}

// aVariable is a value that is nothing but a global variable of the switch. A secret that looks like one has a reference for
// its first $.
var aVariable = regexp.MustCompile(`^\$\$\{[A-Za-z0-9_.-]+\}$`)

// appendValue appends v, which stands at place, without its secrets.
func (m *Masker) appendValue(out []byte, place string, v value) []byte {
	if v.secret {
		return m.appendSecret(out, place, v)
	}
	spans := joined(append(secretsIn(v.decoded), v.more...))
	if v.split {
		if len(spans) > 0 {
			return m.appendSecret(out, place, v)
		}
		return m.appendSplit(out, place, v)
	}
	done := 0
	for _, s := range spans {
		from, to := v.place(s.from), v.place(s.to)
		out = append(append(out, v.raw[done:from]...), m.mark(place, v.decoded[s.from:s.to])...)
		done = to
	}
	return append(out, v.raw[done:]...)
}

// appendSecret appends a mark for v, but for the blanks around a text.
func (m *Masker) appendSecret(out []byte, place string, v value) []byte {
	switch {
	case v.decoded == "" && !v.split, aVariable.Match(v.raw):
		return append(out, v.raw...)
	case v.isText:
		secret := bytes.TrimSpace(v.raw)
		if len(secret) == 0 {
			return append(out, v.raw...)
		}
		before, after, _ := bytes.Cut(v.raw, secret)
		return append(append(append(out, before...), m.mark(place, strings.TrimSpace(v.decoded))...), after...)
	}
	return append(out, m.mark(place, v.decoded)...)
}

// appendSplit appends v, which holds no secret but in comments and instructions.
func (m *Masker) appendSplit(out []byte, place string, v value) []byte {
	done := 0
	for _, s := range v.unread {
		out = append(append(out, v.raw[done:s.from]...), m.whole(place, string(v.raw[s.from:s.to]))...)
		done = s.to
	}
	return append(out, v.raw[done:]...)
}
