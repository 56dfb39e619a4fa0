package mask

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// value is an attribute's value, or the text between two tags.
type value struct {
	raw     []byte
	decoded string
	at      []int // where each byte of decoded stands in raw, and where raw ends; nil: decoded is raw
	secret  bool
	more    []span // secrets of decoded that are known by its place
	isText  bool
	split   bool   // CDATA, comments or instructions stand in it: at cannot be used
	unread  []span // the insides of comments and instructions, in raw
}

// place is where decoded[i:] stands in raw.
func (v *value) place(i int) int {
	if v.at == nil {
		return i
	}
	return v.at[i]
}

func (v *value) decode() {
	if bytes.IndexByte(v.raw, '&') < 0 {
		v.decoded = string(v.raw)
		return
	}
	var d decoder
	d.references(v.raw, 0)
	v.decoded, v.at = d.done(len(v.raw))
}

const blanks = " \t\r\n"

// readTag reads the start tag that text begins with: its name, its attributes, its length.
func readTag(text []byte) (name string, attributes []attribute, n int, err error) {
	at := 1
	end := at + bytes.IndexAny(text[at:], blanks+"/>")
	if end < at || !isName(text[at:end]) {
		return "", nil, 0, errNotXML
	}
	name, at = string(text[at:end]), end
	for {
		before := at
		at += len(text[at:]) - len(bytes.TrimLeft(text[at:], blanks))
		switch rest := text[at:]; {
		case bytes.HasPrefix(rest, []byte(">")):
			return name, attributes, at + 1, nil
		case bytes.HasPrefix(rest, []byte("/>")):
			return name, attributes, at + 2, nil
		case at == before:
			return "", nil, 0, errNotXML
		}
		a, length, err := readAttribute(text[at:])
		if err != nil {
			return "", nil, 0, err
		}
		a.from += at
		attributes = append(attributes, a)
		at += length
	}
}

// isName reports whether an element or an attribute may have the name.
func isName(name []byte) bool {
	return len(name) > 0 && !bytes.ContainsFunc(name, func(c rune) bool {
		return c < utf8.RuneSelf && !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:.-", c)
	})
}

// readAttribute reads the attribute that text begins with, and returns its length.
func readAttribute(text []byte) (a attribute, n int, err error) {
	equals := bytes.IndexByte(text, '=')
	if equals < 0 {
		return a, 0, errNotXML
	}
	name := bytes.TrimRight(text[:equals], blanks)
	if !isName(name) {
		return a, 0, errNotXML
	}
	a.fullName = string(name)
	a.name = strings.ToLower(a.fullName[strings.LastIndexByte(a.fullName, ':')+1:])
	quoted := bytes.TrimLeft(text[equals+1:], blanks)
	if len(quoted) == 0 || quoted[0] != '"' && quoted[0] != '\'' {
		return a, 0, errNotXML
	}
	length := bytes.IndexByte(quoted[1:], quoted[0])
	if length < 0 {
		return a, 0, errNotXML
	}
	a.from = len(text) - len(quoted) + 1
	a.value.raw = quoted[1 : 1+length]
	if bytes.IndexByte(a.value.raw, '<') >= 0 { // a quote is missing
		return a, 0, errNotXML
	}
	a.value.decode()
	return a, a.from + length + 1, nil
}

// notText are the parts of a text that begin like a tag.
var notText = []struct {
	begin, end string
	read       bool // it is text nevertheless
}{{"<![CDATA[", "]]>", true}, {"<!--", "-->", false}, {"<?", "?>", false}}

// readText reads up to the next tag. A comment may cut a word in two.
func readText(text []byte) (v value, err error) {
	var d decoder
	at := 0
parts:
	for at < len(text) {
		for _, part := range notText {
			if !bytes.HasPrefix(text[at:], []byte(part.begin)) {
				continue
			}
			from := at + len(part.begin)
			if part.begin == "<?" && bytes.HasPrefix(text[from:], []byte("xml")) { // of another encoding
				return v, errNotXML
			}
			length := bytes.Index(text[from:], []byte(part.end))
			if length < 0 {
				return v, errNotXML
			}
			v.split = true
			if part.read {
				d.verbatim(text[from:from+length], from)
			} else {
				v.unread = append(v.unread, span{from, from + length})
			}
			at = from + length + len(part.end)
			continue parts
		}
		if bytes.HasPrefix(text[at:], []byte("<!")) { // a document type, which may define anything
			return v, errNotXML
		}
		if text[at] == '<' {
			break
		}
		length := bytes.IndexByte(text[at:], '<')
		if length < 0 {
			length = len(text) - at
		}
		d.references(text[at:at+length], at)
		at += length
	}
	v.raw, v.isText = text[:at], true
	v.decoded, v.at = d.done(at)
	return v, nil
}

// decoder gathers characters with the places where they stand.
type decoder struct {
	out []byte
	at  []int
}

func (d *decoder) done(end int) (string, []int) { return string(d.out), append(d.at, end) }

// verbatim adds text, which stands at from.
func (d *decoder) verbatim(text []byte, from int) {
	d.out = append(d.out, text...)
	for i := range text {
		d.at = append(d.at, from+i)
	}
}

// references adds text, which stands at from, with what its references stand for.
func (d *decoder) references(text []byte, from int) {
	for i := 0; i < len(text); {
		char, n := reference(text[i:])
		if n == 0 {
			d.verbatim(text[i:i+1], from+i)
			i++
			continue
		}
		d.out = append(d.out, char...)
		for range len(char) {
			d.at = append(d.at, from+i)
		}
		i += n
	}
}

var named = map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'"}

// reference returns the character that the reference at the beginning of text stands for, and its length; 0: there is none.
func reference(text []byte) (char string, n int) {
	const most = 100 // bytes of a reference
	if text[0] != '&' {
		return "", 0
	}
	end := bytes.IndexByte(text[:min(len(text), most)], ';')
	if end < 0 {
		return "", 0
	}
	name := string(text[1:end])
	if char := named[name]; char != "" {
		return char, end + 1
	}
	digits, isNumber := strings.CutPrefix(name, "#")
	base := 10
	if hex, isHex := strings.CutPrefix(strings.ToLower(digits), "x"); isHex {
		digits, base = hex, 16
	}
	code, err := strconv.ParseInt(digits, base, 32)
	if !isNumber || err != nil {
		return "", 0
	}
	return string(rune(code)), end + 1
}
