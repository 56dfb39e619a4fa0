package xmlcurl

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// How a value gets to FreeSWITCH unchanged. Before an answer is parsed as XML it goes, line by line, through the
// pre-processor for configuration files, which knows nothing of XML: it drops any line with <include>, </include> or <?,
// runs <!--#…--> and X-PRE-PROCESS (a shell command, if that is what it says), and puts the value of a global variable
// where $${name} stands. Only then come the parser and its character references. So whatever the pre-processor could
// take for its own is written as a reference, and the parser turns it back.

// directive is the word, in any case, at which the pre-processor takes a line away.
const directive = "x-pre-process"

// What the encoder does about a byte.
const (
	asIs      = iota
	reference // always written as refs has it
	dollar    // depends on what follows
	dash      // depends on what is around it
	wide      // a character of several bytes, if it is one
	forbidden // XML 1.0 has no way to carry it
)

var (
	class [256]byte
	refs  = [256]string{
		'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&quot;", '\'': "&apos;",
		'\t': "&#9;", '\n': "&#10;", '\r': "&#13;", // else an attribute's are read as spaces
	}
)

func init() {
	for c := range class {
		switch {
		case refs[c] != "":
			class[c] = reference
		case c == '$':
			class[c] = dollar
		case c == '-':
			class[c] = dash
		case c < ' ':
			class[c] = forbidden
		case c >= utf8.RuneSelf:
			class[c] = wide
		}
	}
}

// value appends s, as the inside of an attribute or as text. The error says what XML cannot carry, and where.
func (d *Document) value(s string, expand bool) error {
	// A variable that is empty joins what stands around it, so beside a variable no dash may be left that could become
	// part of a directive.
	allDashes := expand && strings.Contains(s, "$${")
	done := 0 // s[:done] is written
	for i := 0; i < len(s); {
		size, ref := 1, ""
		switch class[s[i]] {
		case reference:
			ref = refs[s[i]]
		case dollar:
			if expand {
				size = max(1, variable(s[i:]))
			}
			if size == 1 && i+1 < len(s) && (s[i+1] == '$' || s[i+1] == '{') {
				ref = "&#36;"
			}
		case dash:
			if allDashes || inDirective(s, i) {
				ref = "&#45;"
			}
		case wide:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				return fmt.Errorf("byte %d: not UTF-8", i)
			}
			if r == 0xFFFE || r == 0xFFFF {
				return fmt.Errorf("byte %d: XML cannot carry the character %U", i, r)
			}
			size = n
		case forbidden:
			return fmt.Errorf("byte %d: XML cannot carry the character %U", i, s[i])
		}
		if ref != "" {
			d.out = append(append(d.out, s[done:i]...), ref...)
			done = i + size
		}
		i += size
	}
	d.out = append(d.out, s[done:]...)
	return nil
}

// inDirective reports whether the dash s[i] is the first one of the directive's word.
func inDirective(s string, i int) bool {
	end := i - 1 + len(directive)
	return i > 0 && end <= len(s) && strings.EqualFold(s[i-1:end], directive)
}

// variable returns the length of the $${name} that s starts with, 0 when it starts with none.
func variable(s string) int {
	const start = "$${"
	if !strings.HasPrefix(s, start) {
		return 0
	}
	for i := len(start); i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9', c == '_', c == '-', c == '.':
		case c == '}' && i > len(start):
			return i + 1
		default:
			return 0
		}
	}
	return 0
}
