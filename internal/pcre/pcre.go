// Package pcre compiles and matches regular expressions as FreeSWITCH's switch_regex_perform does, with a translation of PCRE2
// 10.40 to Go. It is for verbs that explain and check; nothing that answers FreeSWITCH waits for it.
package pcre

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNotHere says that the translation of PCRE2 has no port for this operating system.
var ErrNotHere = errors.New("regular expressions cannot be judged on this system: PCRE2 has no port for it here")

// Error says why FreeSWITCH would refuse an expression; it then matches nothing.
type Error struct {
	Pattern string // what PCRE was given
	Offset  int    // bytes into Pattern at which PCRE gave up
	Reason  string // PCRE's own words
}

func (e *Error) Error() string {
	return fmt.Sprintf("regular expression %q: at offset %d: %s", e.Pattern, e.Offset, e.Reason)
}

// Source is an expression of the dialplan as it reaches PCRE.
type Source struct {
	Pattern        string
	Caseless       bool   // from /…/i
	DotAll         bool   // from /…/s
	FromAsterisk   bool   // the expression began with _ and was a pattern of Asterisk's
	LacksLastSlash bool   // the expression began with / and has no other: FreeSWITCH refuses it
	Ignored        string // what stands behind the last / and means nothing
}

// Read takes an expression apart as FreeSWITCH does before PCRE sees it: one that begins with _ is a pattern of
// Asterisk's, and one that begins with / ends with the last / and its options.
func Read(expression string) Source {
	if rest, ok := strings.CutPrefix(expression, "_"); ok {
		return Source{Pattern: fromAsterisk(rest), FromAsterisk: true}
	}
	rest, ok := strings.CutPrefix(expression, "/")
	if !ok {
		return Source{Pattern: expression}
	}
	end := strings.LastIndexByte(rest, '/')
	if end < 0 {
		return Source{Pattern: rest, LacksLastSlash: true}
	}
	options := rest[end+1:]
	return Source{
		Pattern:  rest[:end],
		Caseless: strings.Contains(options, "i"),
		DotAll:   strings.Contains(options, "s"),
		Ignored:  strings.NewReplacer("i", "", "s", "").Replace(options),
	}
}

// asteriskRoom is how many bytes FreeSWITCH has for a pattern of Asterisk's.
const asteriskRoom = 255

// fromAsterisk writes a pattern of Asterisk's, as NXX., as a regular expression.
func fromAsterisk(pattern string) string {
	regex := "^" + strings.NewReplacer("N", "[2-9]", "X", "[0-9]", "Z", "[1-9]", ".", ".*").Replace(pattern)
	return regex[:min(len(regex), asteriskRoom)] + "$"
}

// Compile compiles an expression of the dialplan. The error is an *Error, or ErrNotHere. The caller closes the Pattern.
func Compile(expression string) (*Pattern, error) {
	source := Read(expression)
	if source.LacksLastSlash {
		return nil, &Error{source.Pattern, len(source.Pattern), "missing ending '/' delimiter"}
	}
	return compile(source)
}

// Perform looks for expression anywhere in field. It returns nil if it is not there; an *Error if PCRE refuses the
// expression, and ErrGaveUp if it gave up: for FreeSWITCH both are as if it were not there.
func Perform(field, expression string) (*Match, error) {
	p, err := Compile(expression)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return p.Match(field)
}

// ErrGaveUp says that PCRE gave up on a subject, since matching took too many steps or too much memory.
var ErrGaveUp = errors.New("PCRE gave up")

// Match is where an expression was found.
type Match struct {
	groups []group
	count  int
}

type group struct {
	text string
	set  bool
}

// Count is what pcre2_match returned: one more than the number of the highest group that took part.
func (m *Match) Count() int { return m.count }

// Group returns what group n matched; 0 is the whole. It reports false if the expression has no such group or it took no part.
func (m *Match) Group(n int) (string, bool) {
	if n < 0 || n >= len(m.groups) {
		return "", false
	}
	return m.groups[n].text, m.groups[n].set
}

// Captures are the groups that took part, without those that did not: what FreeSWITCH puts into DP_MATCH.
func (m *Match) Captures() (texts []string) {
	for _, g := range m.groups[:m.count] {
		if g.set {
			texts = append(texts, g.text)
		}
	}
	return texts
}

// Expand fills data in with what the groups matched, for $1 and ${1}, as switch_perform_substitution does with a buffer of
// room bytes: the result is shorter than that. A group that took no part gives nothing; what is no number stays.
func (m *Match) Expand(data string, room int) string {
	var out []byte
	digits := "" // FreeSWITCH forgets to clear them after ${12 that is not closed
	at := func(i int) byte {
		if i < len(data) {
			return data[i]
		}
		return 0
	}
	isDigit := func(c byte) bool { return c >= '0' && c <= '9' }
	for x := 0; len(out) < room-1 && x < len(data); {
		if data[x] != '$' {
			out = append(out, data[x])
			x++
			continue
		}
		x++
		brace := 0
		if at(x) == '{' {
			brace = 1
			x++
		}
		if !isDigit(at(x)) {
			x -= brace
			out = append(out, data[x-1])
			continue
		}
		for isDigit(at(x)) && len(digits) < 9 {
			digits += string(at(x))
			x++
		}
		if brace == 1 {
			if at(x) != '}' {
				x -= len(digits) - 1
				out = append(out, data[x-1])
				continue
			}
			x++
		}
		text, _ := m.Group(groupNumber(digits))
		digits = ""
		out = append(out, text[:min(len(text), room-1-len(out))]...)
	}
	return string(out)
}

func groupNumber(digits string) (n int) {
	for _, d := range digits {
		n = n*10 + int(d-'0')
	}
	if n > 256 {
		return -1
	}
	return n
}
