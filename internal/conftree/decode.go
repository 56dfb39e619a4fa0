package conftree

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind says how FreeSWITCH decodes a value.
type kind int

const (
	content   kind = iota // text between tags: references are replaced
	attribute             // as content, and white space is blanks
	cdata                 // only the ends of lines are changed
)

// maxReference is the length in bytes beyond which nothing is taken for a reference.
const maxReference = 256

var predefined = map[string]string{"lt": "<", "gt": ">", "quot": `"`, "apos": "'", "amp": "&"}

// decode returns a value as FreeSWITCH has it: the ends of lines are \n, references that it knows are replaced, and others stay.
// entities are those a document type declares.
func decode(value string, k kind, entities map[string]string) string {
	if strings.Contains(value, "\r") {
		value = strings.ReplaceAll(strings.ReplaceAll(value, "\r\n", "\n"), "\r", "\n")
	}
	if k == cdata || k == content && !strings.Contains(value, "&") || k == attribute && !strings.ContainsAny(value, "&\t\n\v\f") {
		return value
	}
	out := make([]byte, 0, len(value))
	for i := 0; i < len(value); {
		switch c := value[i]; {
		case c == '&':
			text, used := entity(value[i:], entities)
			out = append(out, text...)
			i += used
		case k == attribute && space(c):
			out = append(out, ' ')
			i++
		default:
			out = append(out, c)
			i++
		}
	}
	return string(out)
}

// entity reads the reference that text begins with. It returns what stands for it, and how many bytes it is long. What is no
// reference is its &.
func entity(text string, entities map[string]string) (replacement string, used int) {
	end := strings.IndexByte(text[:min(len(text), maxReference)], ';')
	if end < 0 {
		return "&", 1
	}
	name := text[1:end]
	if number, ok := strings.CutPrefix(name, "#"); ok {
		if c, ok := character(number); ok {
			return c, end + 1
		}
		return "&", 1
	}
	if c, ok := predefined[name]; ok {
		return c, end + 1
	}
	if value, ok := entities[name]; ok {
		return value, end + 1
	}
	return "&", 1
}

// character returns the character with a number. FreeSWITCH writes also those that do not exist: these are no UTF-8.
func character(number string) (string, bool) {
	base := 10
	if hex, ok := strings.CutPrefix(number, "x"); ok {
		number, base = hex, 16
	}
	n, err := strconv.ParseUint(number, base, 31)
	if err != nil || n == 0 {
		return "", false
	}
	if r := rune(n); utf8.ValidRune(r) {
		return string(r), true
	}
	return "\xff", true
}

func space(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
