package check

import (
	"strings"
)

// The kinds of a part of an expression, besides the signs ( ) | ^ $ . themselves.
const (
	literal = 'a'  // a character that stands for itself
	escape  = '\\' // a \ and what belongs to it
	class   = '['  // […]
	repeat  = '*'  // * + ? {2,3}, with a ? or + behind
	option  = '?'  // what opens a group that is none of (…) and (?:…), or a verb
)

// part is a part of an expression.
type part struct {
	kind rune
	text string
}

// script is an expression, taken apart as far as its looks go.
type script struct{ parts []part }

// read takes an expression apart.
func read(text string) *script {
	s := new(script)
	for text != "" {
		p := first(text)
		s.parts = append(s.parts, p)
		text = text[len(p.text):]
	}
	return s
}

// first is the part that text begins with.
func first(text string) part {
	switch c := text[0]; c {
	case '\\':
		return part{escape, text[:escapeEnd(text)]}
	case '[':
		return part{class, text[:classEnd(text)]}
	case '(':
		if strings.HasPrefix(text, "(?:") {
			return part{'(', text[:3]}
		}
		if strings.HasPrefix(text, "(?") || strings.HasPrefix(text, "(*") {
			return part{option, text[:2]}
		}
		return part{'(', text[:1]}
	case ')', '|', '^', '$', '.':
		return part{rune(c), text[:1]}
	case '*', '+', '?':
		return part{repeat, text[:lazyEnd(text, 1)]}
	case '{':
		if end := strings.IndexByte(text, '}'); end > 1 && strings.Trim(text[1:end], "0123456789,") == "" && isDigit(text[1]) {
			return part{repeat, text[:lazyEnd(text, end+1)]}
		}
	}
	return part{literal, text[:1]}
}

func escapeEnd(text string) int {
	if strings.HasPrefix(text, `\Q`) {
		if end := strings.Index(text, `\E`); end >= 0 {
			return end + 2
		}
		return len(text)
	}
	return min(2, len(text))
}

func classEnd(text string) int {
	i := 1
	if strings.HasPrefix(text[i:], "^") {
		i++
	}
	if strings.HasPrefix(text[i:], "]") {
		i++
	}
	for i < len(text) && text[i] != ']' {
		if text[i] == '\\' {
			i++
		} else if strings.HasPrefix(text[i:], "[:") && strings.Contains(text[i:], ":]") {
			i += strings.Index(text[i:], ":]") + 1
		}
		i++
	}
	return min(i+1, len(text))
}

func lazyEnd(text string, end int) int {
	if end < len(text) && (text[end] == '?' || text[end] == '+') {
		return end + 1
	}
	return end
}

// text is what the parts from one to another look like.
func (s *script) text(from, to int) string {
	var b strings.Builder
	for _, p := range s.parts[from:to] {
		b.WriteString(p.text)
	}
	return b.String()
}

// repeated reports whether part i is followed by a repetition.
func (s *script) repeated(i int) bool { return i+1 < len(s.parts) && s.parts[i+1].kind == repeat }

// consumes reports whether part i is a character that has to be there.
func (s *script) consumes(i int) bool {
	if s.repeated(i) {
		return false
	}
	switch p := s.parts[i]; p.kind {
	case literal, class, '.':
		return true
	case escape:
		return len(p.text) == 2 && strings.ContainsAny(p.text[1:], `dDwWsS.+*?()[]{}|/\-`)
	}
	return false
}

// alternative is one of several that no group holds.
type alternative struct{ begins, ends bool } // with ^, with $

func (s *script) alternatives() (all []alternative) {
	depth, start := 0, 0
	add := func(end int) {
		parts := s.parts[start:end]
		all = append(all, alternative{len(parts) > 0 && parts[0].kind == '^', len(parts) > 0 && parts[len(parts)-1].kind == '$'})
		start = end + 1
	}
	for i, p := range s.parts {
		switch {
		case p.kind == '(' || p.kind == option:
			depth++
		case p.kind == ')':
			depth--
		case p.kind == '|' && depth == 0:
			add(i)
		}
	}
	add(len(s.parts))
	return all
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
