package compare

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"xmlcurld/internal/pcre"
)

// mostExamples bounds how many texts are made for an expression.
const mostExamples = 12

// examples are texts in which an expression of the dialplan is found: the likeliest first, then those at the ends of what it
// takes. There may be none for one that Go's parser does not know, or that matches nothing.
func examples(expression string) (found []string) {
	compiled, err := pcre.Compile(expression)
	if err != nil {
		return nil
	}
	defer compiled.Close()
	for _, text := range append(likely(compiled.Pattern), guesses...) {
		if len(found) >= mostExamples {
			break
		}
		if match, err := compiled.Match(text); err == nil && match != nil && !slices.Contains(found, text) {
			found = append(found, text)
		}
	}
	return found
}

// guesses are texts that expressions often ask for.
var guesses = []string{"", "1", "true", "false", "1000", "+27123456789", "5551234567", "a"}

// takes reports whether an expression is found in a text.
func takes(expression, text string) bool {
	match, err := pcre.Perform(text, expression)
	return err == nil && match != nil
}

// groups that look around match nothing themselves.
var around = regexp.MustCompile(`\(\?<?[=!][^()]*\)`)

func likely(pattern string) []string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		if re, err = syntax.Parse(around.ReplaceAllString(pattern, ""), syntax.Perl); err != nil {
			return nil
		}
	}
	return (&writer{}).of(re)
}

// writer writes texts that expressions match.
type writer struct{ next int }

// of returns at least one text for re, and for parts that may be in several ways one for each way.
func (w *writer) of(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCharClass:
		return w.class(re.Rune)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{w.digit(), "a"}
	case syntax.OpCapture:
		return w.of(re.Sub[0])
	case syntax.OpStar:
		return append(w.times(re.Sub[0], 1, 3), "")
	case syntax.OpPlus:
		return w.times(re.Sub[0], 2, 1, 5)
	case syntax.OpQuest:
		return append(w.of(re.Sub[0]), "")
	case syntax.OpRepeat:
		return w.repeat(re)
	case syntax.OpConcat:
		return w.sequence(re.Sub)
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			all = append(all, w.of(sub)...)
		}
		return all
	}
	return []string{""}
}

func (w *writer) digit() string {
	w.next++
	return string("1234567890"[w.next%10])
}

// class returns a sign of a class, and those at its ends.
func (w *writer) class(ranges []rune) (all []string) {
	in := func(r rune) bool {
		for i := 0; i+1 < len(ranges); i += 2 {
			if r >= ranges[i] && r <= ranges[i+1] {
				return true
			}
		}
		return false
	}
	for range 10 {
		if d := w.digit(); in(rune(d[0])) {
			all = append(all, d)
			break
		}
	}
	for i := 0; i+1 < len(ranges) && i < 6; i += 2 {
		for _, r := range []rune{ranges[i], ranges[i+1]} {
			if r >= ' ' && r < 0x7f {
				all = append(all, string(r))
			}
		}
	}
	if len(all) == 0 {
		for r := ' '; r < 0x7f; r++ {
			if in(r) {
				return []string{string(r)}
			}
		}
		return []string{string(ranges[0])}
	}
	return all
}

// times returns a text for each count of repetitions of re.
func (w *writer) times(re *syntax.Regexp, counts ...int) (all []string) {
	for _, count := range counts {
		var b strings.Builder
		for range count {
			b.WriteString(w.of(re)[0])
		}
		all = append(all, b.String())
	}
	return append(all, w.of(re)[1:]...)
}

// mostRepeats bounds how often something is repeated.
const mostRepeats = 64

func (w *writer) repeat(re *syntax.Regexp) []string {
	least, most := min(re.Min, mostRepeats), re.Max
	if most < 0 {
		most = least + 3
	}
	most = min(most, mostRepeats)
	counts := []int{max(least, min(1, most)), least}
	if most > least {
		counts = append(counts, most)
	}
	all := w.times(re.Sub[0], counts...)
	return all[:len(counts)]
}

// sequence returns the first way of each part, and then each other way of one of them.
func (w *writer) sequence(parts []*syntax.Regexp) []string {
	ways := make([][]string, len(parts))
	for i, part := range parts {
		ways[i] = w.of(part)
	}
	text := func(other, way int) string {
		var b strings.Builder
		for i := range ways {
			if i == other {
				b.WriteString(ways[i][way])
			} else {
				b.WriteString(ways[i][0])
			}
		}
		return b.String()
	}
	all := []string{text(-1, 0)}
	for i := range ways {
		for way := 1; way < len(ways[i]); way++ {
			all = append(all, text(i, way))
		}
	}
	return all
}

// misses are texts near one that an expression takes: most are such as it does not take.
func misses(text string) (near []string) {
	near = append(near, text+"7")
	if len(text) > 1 {
		near = append(near, text[:len(text)-1])
	}
	return near
}
