package xmlcurl

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"
)

var (
	// ErrNotForm is what ParseRequest says to bytes that are no form at all.
	ErrNotForm = errors.New("not a form")
	// ErrNoSection is what ParseRequest says to a form that does not name the section it asks for.
	ErrNoSection = errors.New("no section")
)

// Request is one lookup of mod_xml_curl. The five named fields lead every request; FreeSWITCH sends them as they are,
// without percent-encoding. Field reads the others, up to 180 of them, from the form itself, so a Request is good until
// the ServeXML it was handed to returns; the strings it gave out are good for ever.
//
// Every string of a Request is something Postgres can take: bytes that are no UTF-8 and NULs, which a phone can put in a
// SIP header, read as U+FFFD, which no name, number or domain is equal to.
type Request struct {
	Hostname string // the switchname of the FreeSWITCH that asks
	Section  string // configuration, directory, dialplan, languages, phrases, chatplan or channels
	TagName  string // element to be found in the section, "" for all of it
	KeyName  string // attribute of that element
	KeyValue string // value wanted: a document's file name or a domain, with whatever a phone put in its realm

	form []byte // the form as it came, not copied
}

// ParseRequest reads form, the body of a POST or the query string of a GET, and keeps it: it must not change while the
// Request is in use. Of the five base fields the first occurrence counts, because what follows them can come from a
// caller's SIP headers. The errors are ErrNotForm and ErrNoSection.
func ParseRequest(form []byte) (*Request, error) {
	if bytes.IndexByte(form, '=') < 0 {
		return nil, ErrNotForm
	}
	r := &Request{form: form}
	seen, rest := base(0), form
	for len(rest) > 0 && seen != allBase {
		var pair []byte
		pair, rest = cutPair(rest)
		name, value, _ := bytes.Cut(pair, equals)
		if field := baseField(name); field != 0 && seen&field == 0 {
			seen |= field
			*r.base(field) = baseString(value)
		}
	}
	if r.Section == "" {
		return nil, ErrNoSection
	}
	return r, nil
}

// Field returns the field name, "" when it is absent. The last occurrence counts, because FreeSWITCH repeats a field
// when it tries again with another value. Names are compared as they are; values are percent-decoded, where a plus is a
// plus and a % that starts no escape is a %. The five base fields come back as they stand in the Request.
func (r *Request) Field(name string) string {
	if field := baseField([]byte(name)); field != 0 {
		return *r.base(field)
	}
	if name == "" || strings.Contains(name, "=") {
		return "" // no field has such a name
	}
	return decoded(lastValue(r.form, name))
}

// lastValue finds the last pair of that name. A form has up to 180 pairs, so it looks for the name and not at each pair.
func lastValue(form []byte, name string) []byte {
	var last []byte
	for begins := true; ; { // a pair, where form does
		i := bytes.Index(form, []byte(name))
		if i < 0 {
			return last
		}
		begins = begins && i == 0 || i > 0 && form[i-1] == '&'
		form = form[i+len(name):]
		if value, ok := valueAt(form); ok && begins {
			last = value
		}
		begins = false
	}
}

// valueAt returns the value of the pair whose name ends where rest begins, if it does end there.
func valueAt(rest []byte) (value []byte, ok bool) {
	pair, _ := cutPair(rest)
	switch {
	case len(pair) == 0:
		return pair, true
	case pair[0] == '=':
		return pair[1:], true
	}
	return nil, false
}

var equals = []byte("=")

// cutPair splits the first name=value off form.
func cutPair(form []byte) (pair, rest []byte) {
	if end := bytes.IndexByte(form, '&'); end >= 0 {
		return form[:end], form[end+1:]
	}
	return form, nil
}

// base is a set of the five fields that lead every request.
type base uint8

const (
	hostname base = 1 << iota
	section
	tagName
	keyName
	keyValue
	allBase = hostname | section | tagName | keyName | keyValue
)

// baseField returns which of the five name is, 0 for any other.
func baseField(name []byte) base {
	switch string(name) {
	case "hostname":
		return hostname
	case "section":
		return section
	case "tag_name":
		return tagName
	case "key_name":
		return keyName
	case "key_value":
		return keyValue
	}
	return 0
}

func (r *Request) base(field base) *string {
	switch field {
	case hostname:
		return &r.Hostname
	case section:
		return &r.Section
	case tagName:
		return &r.TagName
	case keyName:
		return &r.KeyName
	default:
		return &r.KeyValue
	}
}

// baseString is text for the five fields; the words that nearly every request holds cost no allocation.
func baseString(value []byte) string {
	switch string(value) {
	case "configuration":
		return "configuration"
	case "directory":
		return "directory"
	case "dialplan":
		return "dialplan"
	case "domain":
		return "domain"
	case "name":
		return "name"
	}
	return text(value)
}

// decoded undoes percent-encoding, leniently.
func decoded(value []byte) string {
	escape := bytes.IndexByte(value, '%')
	if escape < 0 {
		return text(value)
	}
	var room [256]byte
	out := append(room[:0], value[:escape]...)
	for i := escape; i < len(value); i++ {
		c := value[i]
		if c == '%' && i+2 < len(value) {
			if high, low := hexDigit(value[i+1]), hexDigit(value[i+2]); high >= 0 && low >= 0 {
				c = byte(high<<4 | low)
				i += 2
			}
		}
		out = append(out, c)
	}
	return text(out)
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

// text is value as a string that Postgres takes: whatever is no UTF-8, and NUL, becomes U+FFFD.
func text(value []byte) string {
	if utf8.Valid(value) && bytes.IndexByte(value, 0) < 0 {
		return string(value)
	}
	return strings.ReplaceAll(strings.ToValidUTF8(string(value), "\uFFFD"), "\x00", "\uFFFD")
}
