// Package sqlfile reads a file of SQL as the statements of one edit, and refuses what cannot be a part of one.
package sqlfile

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Statement is one statement of a file.
type Statement struct {
	SQL  string `json:"sql"`  // without the semicolon
	Line int    `json:"line"` // of its first word, from 1

	words []string // the first ones, in lower case
}

// Fault is why a file is no edit.
type Fault struct {
	Line    int
	What    string
	Instead string // what to do
}

func (f *Fault) Error() string { return fmt.Sprintf("line %d: %s. %s", f.Line, f.What, f.Instead) }

// Parse splits text into its statements as psql does. The error is a *Fault: the first thing that cannot be a part of an edit.
func Parse(text string) ([]Statement, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	l := lexer{text: text, line: 1}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, &Fault{1, "the file is not text in UTF-8", "Convert it."}
	}
	var all []Statement
	for {
		s, fault := l.statement()
		if s != nil {
			if refused := s.refused(); refused != nil {
				return nil, refused
			}
			all = append(all, *s)
		}
		if fault != nil {
			return nil, fault
		}
		if l.at >= len(text) {
			return all, nil
		}
	}
}

// refused says why a statement cannot be a part of an edit, nil if it can.
func (s *Statement) refused() *Fault {
	word := func(n int) string {
		if n < len(s.words) {
			return s.words[n]
		}
		return ""
	}
	is := func(words ...string) bool {
		for n, w := range words {
			if word(n) != w {
				return false
			}
		}
		return true
	}
	fault := func(what, instead string) *Fault { return &Fault{s.Line, what, instead} }
	const whole = "Leave it out: the file is one transaction, which is committed as a whole or not at all."
	switch {
	case is("copy"):
		return fault("COPY moves rows that do not stand in the file", "Write INSERT … VALUES, or load the rows with psql.")
	case is("rollback", "to"), is("rollback", "work", "to"), is("rollback", "transaction", "to"):
		return nil
	case is("begin"), is("start", "transaction"), is("commit"), is("end"), is("rollback"), is("abort"), is("prepare", "transaction"):
		return fault(strings.ToUpper(word(0))+" begins or ends a transaction", whole)
	case is("set", "transaction"), is("set", "session", "characteristics"), is("set", "local", "transaction"), is("set", "session", "transaction"):
		return fault("SET TRANSACTION changes what the transaction sees", whole)
	case is("reset", "all"), is("discard"):
		return fault(strings.ToUpper(word(0))+" forgets what the transaction was begun with", "Leave it out.")
	}
	return nil
}

// lexer reads a text as PostgreSQL's scanner does, as far as it has to in order to know where statements end.
type lexer struct {
	text     string
	at, line int
}

// statement reads on behind the next semicolon. It is nil if there are only blanks and comments before that.
func (l *lexer) statement() (*Statement, *Fault) {
	first, line := -1, 0
	var words []string
	parens, begins := 0, 0
	for l.at < len(l.text) {
		before, beforeLine := l.at, l.line
		if l.blank() {
			if l.at < 0 {
				return nil, &Fault{beforeLine, "a comment is not closed", "Write */ behind it."}
			}
			continue
		}
		c := l.text[l.at]
		if c == ';' && parens == 0 && begins == 0 {
			end := l.at
			l.at++
			if first < 0 {
				return nil, nil
			}
			return &Statement{l.text[first:end], line, words}, nil
		}
		if first < 0 {
			first, line = before, beforeLine
		}
		switch {
		case c == '\\':
			return nil, &Fault{beforeLine, "a backslash begins a command of psql", "Write SQL: only psql knows its commands."}
		case c == '(':
			parens++
			l.at++
		case c == ')':
			parens = max(0, parens-1)
			l.at++
		case c == '\'' || c == '"':
			l.at++
			if !l.quoted(c, false) {
				return nil, &Fault{beforeLine, "a quote is not closed", "Write the other quote."}
			}
		case c == '$':
			if !l.dollar() {
				return nil, &Fault{beforeLine, "a text between $ signs is not closed", "Write its tag again behind it."}
			}
		case opensWord(c):
			w := l.word()
			if w == "e" && l.at < len(l.text) && l.text[l.at] == '\'' {
				l.at++
				if !l.quoted('\'', true) {
					return nil, &Fault{beforeLine, "a quote is not closed", "Write the other quote."}
				}
				continue
			}
			if len(words) < 4 {
				words = append(words, w)
			}
			begins = depth(words, w, begins, parens)
		default:
			l.at++
		}
	}
	if first < 0 {
		return nil, nil
	}
	return &Statement{strings.TrimRight(l.text[first:], " \t\r\n\f\v"), line, words}, nil
}

// depth is how many BEGIN ATOMIC and CASE are open in the body of a function behind one more word.
func depth(words []string, w string, begins, parens int) int {
	what := words[1:]
	if len(what) > 1 && what[0] == "or" && what[1] == "replace" {
		what = what[2:]
	}
	if words[0] != "create" || len(what) == 0 || what[0] != "function" && what[0] != "procedure" {
		return 0
	}
	switch {
	case w == "begin" && parens == 0, w == "case" && begins > 0:
		return begins + 1
	case w == "end" && begins > 0:
		return begins - 1
	}
	return begins
}

// blank passes a blank or a comment. at is negative behind a comment that is not closed.
func (l *lexer) blank() bool {
	rest := l.text[l.at:]
	switch {
	case strings.ContainsRune(" \t\r\n\f\v", rune(rest[0])):
		l.skip(1)
	case strings.HasPrefix(rest, "--"):
		l.at += len(rest)
		if end := strings.IndexAny(rest, "\r\n"); end >= 0 {
			l.at += end - len(rest)
		}
	case strings.HasPrefix(rest, "/*"):
		l.comment()
	default:
		return false
	}
	return true
}

// comment passes a comment, with those in it.
func (l *lexer) comment() {
	open := 0
	for l.at < len(l.text) {
		switch rest := l.text[l.at:]; {
		case strings.HasPrefix(rest, "/*"):
			open++
			l.at += 2
		case strings.HasPrefix(rest, "*/"):
			open--
			l.at += 2
		default:
			l.skip(1)
		}
		if open == 0 {
			return
		}
	}
	l.at = -1
}

// skip passes n bytes, and counts lines.
func (l *lexer) skip(n int) {
	l.line += strings.Count(l.text[l.at:l.at+n], "\n")
	l.at += n
}

// quoted passes what stands between quotes, from behind the first. A doubled quote is part of it; so is one behind a backslash
// where these escape.
func (l *lexer) quoted(quote byte, escapes bool) bool {
	for l.at < len(l.text) {
		c := l.text[l.at]
		switch {
		case c == '\\' && escapes && l.at+1 < len(l.text):
			l.skip(2)
			continue
		case c == quote && l.at+1 < len(l.text) && l.text[l.at+1] == quote:
			l.at += 2
			continue
		}
		l.skip(1)
		if c == quote && (!escapes || !l.continued()) {
			return true
		}
	}
	return false
}

// continued passes a line's end, with blanks and comments, and the quote by which a text goes on behind it.
func (l *lexer) continued() bool {
	ahead, lines := *l, l.line
	for ahead.at < len(ahead.text) && !strings.HasPrefix(ahead.text[ahead.at:], "/*") && ahead.blank() {
	}
	if ahead.line == lines || ahead.at >= len(ahead.text) || ahead.text[ahead.at] != '\'' {
		return false
	}
	ahead.at++
	*l = ahead
	return true
}

// dollar passes a text between two tags such as $$ or $body$, or else one $ sign.
func (l *lexer) dollar() bool {
	end := l.at + 1
	for end < len(l.text) && (opensWord(l.text[end]) || end > l.at+1 && digit(l.text[end])) {
		end++
	}
	if end == len(l.text) || l.text[end] != '$' {
		l.at++
		return true
	}
	tag := l.text[l.at : end+1]
	length := strings.Index(l.text[end+1:], tag)
	if length < 0 {
		return false
	}
	l.skip(2*len(tag) + length)
	return true
}

// word passes a word and returns it in lower case.
func (l *lexer) word() string {
	from := l.at
	for l.at < len(l.text) && (opensWord(l.text[l.at]) || digit(l.text[l.at]) || l.text[l.at] == '$') {
		l.at++
	}
	return strings.ToLower(l.text[from:l.at])
}

// opensWord reports whether a word may begin with c.
func opensWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= utf8.RuneSelf
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
